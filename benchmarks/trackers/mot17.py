# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""MOT17 sequences with their detections, and TrackEval's figures for what a tracker makes of them."""

from __future__ import annotations

import contextlib
import gzip
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trackeval
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Ids and boxes (n, 4: centre, size) of each frame.
Result = list[tuple[NDArray[np.int64], Array]]


@dataclass(frozen=True)
class Sequence17:
    """One sequence. rate: frames/s that are left; truth: rows of gt.txt; frames: boxes (n, 4: centre, size) and scores."""

    name: str
    rate: float
    truth: Array
    frames: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True)
class Case:
    """Which detections, from where in the sequences on, and every how manieth frame."""

    name: str
    detections: str
    second_half: bool
    step: int


@dataclass(frozen=True)
class Figures:
    """In per cent, but for the exchanges of identity."""

    hota: float
    mota: float
    idf1: float
    switches: int


#: YOLOX-X had seen the first halves in its training.
CASES = (
    Case('YOLOX-X, second half', 'yolox_x', True, 1),
    Case('YOLOX-X, second half, every 3rd frame', 'yolox_x', True, 3),
    Case('YOLOX-X, second half, every 6th frame', 'yolox_x', True, 6),
    Case('FRCNN', 'frcnn', False, 1),
    Case('FRCNN, every 3rd frame', 'frcnn', False, 3),
    Case('FRCNN, every 6th frame', 'frcnn', False, 6),
)


def sequences(folder: Path, case: Case) -> Iterator[Sequence17]:
    """The sequences of a folder as a case wants them."""
    for place in sorted(folder.glob('MOT17-*')):
        info = dict(line.split('=', 1) for line in (place / 'seqinfo.ini').read_text().split() if '=' in line)
        length, rate = int(info['seqLength']), float(info['frameRate'])
        truth, found = _table(place / 'gt' / 'gt.txt.gz'), _table(place / 'det' / f'{case.detections}.txt.gz')
        numbers = list(range(length // 2 + 1 if case.second_half else 1, length + 1, case.step))
        kept = truth[np.isin(truth[:, 0], numbers)].copy()
        kept[:, 0] = np.searchsorted(numbers, kept[:, 0]) + 1
        frames = tuple(_frame(found[found[:, 0] == number]) for number in numbers)
        yield Sequence17(place.name, rate / case.step, kept, frames)


def evaluate(of: Sequence[Sequence17], results: Sequence[Result]) -> Figures:
    """TrackEval's figures over all sequences together, with its treatment of distractors."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for sequence, result in zip(of, results, strict=True):
            _write(root, sequence, result)
        lengths = {sequence.name: len(sequence.frames) for sequence in of}
        with contextlib.redirect_stdout(io.StringIO()):
            combined = _run_trackeval(root, lengths)
    return Figures(
        100 * float(combined['HOTA']['HOTA'].mean()),
        100 * float(combined['CLEAR']['MOTA']),
        100 * float(combined['Identity']['IDF1']),
        int(combined['CLEAR']['IDSW']),
    )


def _table(path: Path) -> Array:
    with gzip.open(path) as file:
        return np.loadtxt(file, delimiter=',')


def _frame(rows: Array) -> tuple[Array, Array]:
    return np.column_stack((rows[:, 2:4] + rows[:, 4:6] / 2, rows[:, 4:6])), np.clip(rows[:, 6], 0.0, 1.0)


def _write(root: Path, sequence: Sequence17, result: Result) -> None:
    truth = root / 'truth' / 'all-train' / sequence.name
    (truth / 'gt').mkdir(parents=True)
    np.savetxt(truth / 'gt' / 'gt.txt', sequence.truth[:, :9], delimiter=',', fmt='%g')
    (truth / 'seqinfo.ini').write_text(f'[Sequence]\nseqLength={len(sequence.frames)}\n')
    out = root / 'found' / 'all-train' / 'tracker' / 'data'
    out.mkdir(parents=True, exist_ok=True)
    lines = [
        f'{number},{track},{x - w / 2:.2f},{y - h / 2:.2f},{w:.2f},{h:.2f},1,-1,-1,-1'
        for number, (ids, boxes) in enumerate(result, 1)
        for track, (x, y, w, h) in zip(ids, boxes, strict=True)
    ]
    (out / f'{sequence.name}.txt').write_text(''.join(f'{line}\n' for line in lines))


def _run_trackeval(root: Path, lengths: dict[str, int]) -> dict:  # type: ignore[type-arg]
    places = {'GT_FOLDER': str(root / 'truth'), 'TRACKERS_FOLDER': str(root / 'found'), 'SEQ_INFO': lengths}
    wanted = {'BENCHMARK': 'all', 'SPLIT_TO_EVAL': 'train', 'CLASSES_TO_EVAL': ['pedestrian'], 'PRINT_CONFIG': False}
    dataset = trackeval.datasets.MotChallenge2DBox({**places, **wanted})
    quiet = {'PRINT_CONFIG': False}
    metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]
    silent = (
        'PRINT_RESULTS',
        'PRINT_CONFIG',
        'TIME_PROGRESS',
        'OUTPUT_SUMMARY',
        'OUTPUT_DETAILED',
        'PLOT_CURVES',
        'USE_PARALLEL',
    )
    evaluator = trackeval.Evaluator({**dict.fromkeys(silent, False), 'LOG_ON_ERROR': None})
    results, _ = evaluator.evaluate([dataset], metrics)
    return results['MotChallenge2DBox']['tracker']['COMBINED_SEQ']['pedestrian']
