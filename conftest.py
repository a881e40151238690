# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""For all tests: what they find does not depend on chance, nor on what else the machine does.

Hypothesis tries the same examples every time. `--hypothesis-profile=explore` looks for others.
"""

import signal

from hypothesis import HealthCheck, settings

# How long an example takes, or is made up, says nothing on a machine that runs a whole region beside it.
settings.register_profile('explore', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile('ptz_collab', settings.get_profile('explore'), derandomize=True, database=None)
settings.load_profile('ptz_collab')

# A shell's background jobs ignore Ctrl-C, and so would all processes that tests start and then end with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
