# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""For all tests: how long an example takes says nothing on a machine that runs a whole region beside it."""

from hypothesis import settings

settings.register_profile('ptz_collab', deadline=None)
settings.load_profile('ptz_collab')
