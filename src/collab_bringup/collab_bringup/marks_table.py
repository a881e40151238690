# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command that lists the marks inside a video."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ptz_site import NANOSECONDS
from ptz_stitcher.video_marks import read_marks


def show_marks(video: Path, out: Console) -> int:
    """Prints a row for each mark; 1 if there is none."""
    table = Table()
    for heading in ('at', 'captured', 'camera', 'scene', 'mark', 'turned for', 'slot', 'revision'):
        table.add_column(heading)
    for picture in read_marks(video):
        mark = picture.mark
        turned = f'{(mark.arrived_ns - mark.switch_start_ns) / NANOSECONDS:.2f} s' if mark.arrived_ns else '-'
        captured = datetime.fromtimestamp(mark.stamp_ns / NANOSECONDS, UTC).strftime('%H:%M:%S.%f')[:-3]
        name = ' and '.join(str(one.name) for one in mark.marks)
        table.add_row(
            f'{picture.time:.2f} s', captured, mark.camera, mark.scene, name, turned, str(mark.slot), str(mark.plan_revision)
        )
    if not table.rows:
        out.print(f'{video}: no picture carries a mark', soft_wrap=True, highlight=False)
        return 1
    out.print(table)
    return 0
