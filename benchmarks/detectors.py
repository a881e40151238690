# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors on real videos: how many people, how fast on one core, and pictures to look at.

    PTZ_COLLAB_TEST_DATA=FOLDER python benchmarks/detectors.py

FOLDER has models/*.onnx and videos in clips/ and epfl/. Pictures with boxes go to out/bench/detectors/, figures to
out/bench/detectors.json.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from report.figures import Figure, Stopwatch, write_outcome
from rich.console import Console
from rich.table import Table

from ptz_perception.annotate import draw_detections
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.base import Detector
from ptz_site.schema import PerceptionSettings

OUT = Path(__file__).resolve().parents[1] / 'out' / 'bench'
TITLE = 'Detectors on real videos'
SUMMARY = 'How many pictures one core looks at in a second, and how many people it sees in them.'
#: Of each video, evenly spread.
PICTURES = 60
#: Of them, that are written.
SHOWN = 3


@dataclass(frozen=True)
class Figures:
    """Of one detector on one video. milliseconds: processor time for a picture, median; people: in a picture, mean and most."""

    video: str
    detector: str
    milliseconds: float
    per_second: float
    people: float
    most: int
    with_somebody: float


def main() -> None:
    """Measures and prints."""
    folder = os.environ.get('PTZ_COLLAB_TEST_DATA')
    if not folder:
        sys.exit('PTZ_COLLAB_TEST_DATA is not set: the folder with models/ and videos')
    watch = Stopwatch()
    cv2.setNumThreads(1)
    videos = sorted(path for name in ('clips', 'epfl') for path in Path(folder, name).glob('*.mp4'))
    models = sorted(Path(folder, 'models').glob('*.onnx'))
    if not videos or not models:
        sys.exit(f'{folder} has no models/*.onnx, or no videos in clips/ and epfl/')
    figures = [measure(video, model) for video in videos for model in (None, *models)]
    table = Table(title='Detectors on real videos, one core', title_justify='left')
    for heading in ('video', 'detector', 'ms', 'pictures/s', 'people in a picture', 'most', 'pictures with somebody'):
        table.add_column(heading)
    for one in figures:
        people, share = f'{one.people:.2f}', f'{one.with_somebody:.0%}'
        table.add_row(one.video, one.detector, f'{one.milliseconds:.1f}', f'{one.per_second:.0f}', people, str(one.most), share)
    Console(width=130).print(table)
    (OUT / 'detectors.json').write_text(json.dumps([asdict(one) for one in figures], indent=1))
    write_outcome('detectors', watch.outcome(TITLE, SUMMARY, figures_of(figures)))


def figures_of(figures: Sequence[Figures]) -> list[Figure]:
    """For the report: over all videos."""
    told = []
    for name in dict.fromkeys(one.detector for one in figures):
        some = [one for one in figures if one.detector == name]
        speeds, people = [one.per_second for one in some], [one.people for one in some]
        told.append(
            Figure(
                f'pictures/s of one core, {name}, median video',
                float(np.median(speeds)),
                '1/s',
                low=min(speeds),
                high=max(speeds),
            )
        )
        told.append(Figure(f'people in a picture, {name}, mean of videos', float(np.mean(people))))
    return told


def measure(video: Path, model: Path | None) -> Figures:
    """One detector (None: the embedded one) on one video."""
    named = 'hog' if model is None else str(model.absolute())
    detector = make_detector(PerceptionSettings(detector=named, score=0.3, width=960), Path())
    counts, times = [], []
    for number, picture in enumerate(pictures(video)):
        begin = time.process_time()
        found = detector.detect(picture)
        times.append(time.process_time() - begin)
        counts.append(len(found))
        if number % (PICTURES // SHOWN) == PICTURES // SHOWN // 2:
            show(detector, picture, OUT / 'detectors' / f'{video.stem}-{Path(named).stem}-{number}.jpg')
    median = float(np.median(times))
    with_somebody = float(np.mean(np.array(counts) > 0))
    mean, most = float(np.mean(counts)), max(counts)
    return Figures(video.name, detector.name, 1000 * median, 1 / median, mean, most, with_somebody)


def pictures(video: Path) -> Iterator[np.ndarray]:
    """Evenly spread over a video."""
    reader = cv2.VideoCapture(str(video))
    every = max(1, int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) // PICTURES)
    number = 0
    while reader.grab():
        if number % every == 0:
            yield reader.retrieve()[1]
        number += 1


def show(detector: Detector, picture: np.ndarray, path: Path) -> None:
    """Writes a picture with what a detector finds in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), draw_detections(picture, detector.detect(picture)))


if __name__ == '__main__':
    main()
