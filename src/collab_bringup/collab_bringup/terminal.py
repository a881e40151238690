# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The terminal that commands write to."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def console() -> Console:
    """Off a terminal nothing knows how wide lines may be; wide enough, so that tables are not folded."""
    return Console() if sys.stdout.isatty() else Console(width=160)


def progress_bar(console: Console, *more: ProgressColumn, counted: bool = True) -> Progress:
    """A bar with what is done, the time that it took and the time that is left; on a terminal only. more: columns before the times."""
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        *([MofNCompleteColumn()] if counted else []),
        *more,
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
