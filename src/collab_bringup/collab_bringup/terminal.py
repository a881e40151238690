# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The terminal that commands write to."""

from __future__ import annotations

import sys

from rich.console import Console


def console() -> Console:
    """Off a terminal nothing knows how wide lines may be; wide enough, so that tables are not folded."""
    return Console() if sys.stdout.isatty() else Console(width=160)
