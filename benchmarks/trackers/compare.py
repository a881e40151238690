# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy and speed of the tracker beside others, on the same detections in the same run. Run by benchmarks/tracking.py.

usage: compare.py FILE (for the figures, as JSON: accuracy by case and tracker, milliseconds by number of objects and tracker)
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from contenders import CONTENDERS, Array
from mot17 import CASES, Result, Sequence17, evaluate, sequences
from rich.console import Console
from rich.table import Table

COUNTS = (10, 50, 200, 500)
_FRAMES, _ROUNDS, _WARM = 60, 3, 10


def main() -> None:
    """Prints two tables."""
    warnings.filterwarnings('ignore')
    console = Console(width=140)
    accurate: dict[str, dict[str, tuple[float, ...]]] = {}
    data = os.environ.get('PTZ_COLLAB_TEST_DATA', '')
    if data and Path(data, 'mot17').is_dir():
        table, accurate = accuracy(Path(data, 'mot17'))
        console.print(table)
    else:
        console.print('accuracy: left out, because PTZ_COLLAB_TEST_DATA names no folder with mot17/')
    table, quick = speed()
    console.print(table)
    Path(sys.argv[1]).write_text(json.dumps({'accuracy': accurate, 'milliseconds': quick}, indent=1))


def accuracy(folder: Path) -> tuple[Table, dict[str, dict[str, tuple[float, ...]]]]:
    """All trackers on all cases: for people, and HOTA, MOTA, IDF1 and exchanges by case and tracker."""
    told: dict[str, dict[str, tuple[float, ...]]] = {}
    table = Table(title='MOT17: HOTA / MOTA / IDF1 (%), exchanges of identity; TrackEval', title_justify='left')
    table.add_column('detections')
    for name in CONTENDERS:
        table.add_column(name, justify='right')
    for case in CASES:
        of = list(sequences(folder, case))
        cells = []
        for name, make in CONTENDERS.items():
            found = evaluate(of, [follow(make(sequence.rate), sequence) for sequence in of])
            cells.append(f'{found.hota:.1f} / {found.mota:.1f} / {found.idf1:.1f}, {found.switches}')
            told.setdefault(case.name, {})[name] = (found.hota, found.mota, found.idf1, found.switches)
        table.add_row(case.name, *cells)
    return table, told


def follow(tracker: object, sequence: Sequence17) -> Result:
    """One tracker through one sequence."""
    return [
        tracker.update(boxes, scores, number / sequence.rate)  # type: ignore[attr-defined]
        for number, (boxes, scores) in enumerate(sequence.frames)
    ]


def speed() -> tuple[Table, dict[str, dict[str, float]]]:
    """Milliseconds for a frame of so many objects: for people, and by number and tracker."""
    told: dict[str, dict[str, float]] = {}
    table = Table(
        title='ms of processor time for a frame, one core: median of all frames, best of 3 rounds', title_justify='left'
    )
    table.add_column('objects', justify='right')
    for name in CONTENDERS:
        table.add_column(name, justify='right')
    for count in COUNTS:
        frames = crowd(count)
        times = {name: min(milliseconds(make(10.0), frames) for _ in range(_ROUNDS)) for name, make in CONTENDERS.items()}
        ours = times['ptz_collab']
        told[str(count)] = times
        table.add_row(
            str(count), *(f'{found:.2f}' + ('' if found == ours else f' ({found / ours:.1f} x)') for found in times.values())
        )
    return table, told


def crowd(count: int) -> list[tuple[Array, Array]]:
    """Detections of people who walk through a wide picture, at 10 frames/s; one in ten is missed, and some are nobody."""
    rng = np.random.default_rng(count)
    size = np.column_stack((rng.uniform(25, 60, count), rng.uniform(70, 150, count)))
    at, speed = rng.uniform((0, 100), (1920, 980), (count, 2)), rng.normal(0, 30, (count, 2))
    frames = []
    for _ in range(_FRAMES + _WARM):
        at = (at + speed / 10) % (1920, 1080)
        boxes = np.hstack((at + rng.normal(0, 1.5, at.shape), size * rng.normal(1, 0.02, size.shape)))
        seen = rng.uniform(size=count) > 0.1
        scores = np.clip(rng.normal(0.8, 0.15, count), 0.05, 0.99)
        frames.append((boxes[seen], scores[seen]))
    return frames


def milliseconds(tracker: object, frames: list[tuple[Array, Array]]) -> float:
    """Processor time of the median frame, after some to warm up: what else a machine does would take longer from the slower ones."""
    spent = []
    for number, (boxes, scores) in enumerate(frames):
        begin = time.process_time()
        tracker.update(boxes, scores, number / 10)  # type: ignore[attr-defined]
        spent.append(1000 * (time.process_time() - begin))
    return statistics.median(spent[_WARM:])


if __name__ == '__main__':
    sys.exit(main())
