# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command models evaluate: a detector as perception would run it, on labelled pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ptz_node.images import decode
from ptz_perception.datasets import read
from ptz_perception.datasets.data_set import LabelledPicture
from ptz_perception.detections import Detections
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.base import Detector
from ptz_perception.shipped import shipped_model
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

#: Scores that count: average precision wants the unsure ones too.
_LEAST_SCORE = 0.02


@dataclass(frozen=True)
class EvaluateRequest:
    """What `models evaluate` was told."""

    model: str
    data: Path
    split: str = 'test'
    classes: Sequence[str] = ('person',)
    most: int = 0
    width: int = 640
    second_look: float = 0.25
    tile: int = 0
    provider: str = 'auto'


@dataclass(frozen=True)
class Evaluated:
    """What came of it: COCO's figures, px looked at as a share of the pictures', ms for a picture; NaN where there is nothing to find."""

    pictures: int
    ap: float
    ap_50: float
    ap_small: float
    ap_small_50: float
    recall_small_50: float
    pixels: float
    milliseconds: float


def evaluate(request: EvaluateRequest, console: Console) -> int:
    """Prints the figures."""
    found = measure(request, console)
    table = Table(title=f'{request.model} on {found.pictures} pictures of {request.data}, {request.split}')
    for heading in ('AP', 'AP at 0.5', 'AP small', 'AP small at 0.5', 'recall small at 0.5', 'pixels looked at', 'ms a picture'):
        table.add_column(heading, justify='right')
    shares = (found.ap, found.ap_50, found.ap_small, found.ap_small_50, found.recall_small_50)
    table.add_row(*(f'{share:.3f}' for share in shares), f'{found.pixels:.2f}', f'{found.milliseconds:.1f}')
    console.print(table)
    return 0


def measure(request: EvaluateRequest, console: Console) -> Evaluated:
    """Runs the detector over the split. Raises UserError."""
    try:
        from ptz_perception.models.evaluation import precision
        from ptz_perception.models.labels import check_classes, labels_of
    except ImportError:
        raise UserError('evaluations need pycocotools, which is not installed; run make train-env') from None
    data = read(request.data)
    check_classes(request.classes, data.names)
    pictures = _chosen(list(data.split(request.split)), request.most)
    detector = _detector(request)
    found, wanted, seconds, pixels = [], [], 0.0, []
    for picture in track(pictures, 'evaluating', console=console, transient=True):
        image = decode(picture.path.read_bytes())
        begin = time.perf_counter()
        found.append(_of_classes(detector.detect(image), request.classes))
        seconds += time.perf_counter() - begin
        pixels.append(detector.looked_at)
        wanted.append(labels_of(picture, request.classes))
    result = precision(found, wanted, request.classes)
    return Evaluated(
        len(pictures),
        result.ap,
        result.ap_50,
        result.ap_small,
        result.ap_small_50,
        result.recall_small_50,
        sum(pixels) / len(pixels),
        1000 * seconds / len(pictures),
    )


def _chosen(pictures: list[LabelledPicture], most: int) -> list[LabelledPicture]:
    if not pictures:
        raise UserError('the split has no pictures')
    return pictures if not 0 < most < len(pictures) else [pictures[k * len(pictures) // most] for k in range(most)]


def _detector(request: EvaluateRequest) -> Detector:
    named = request.model == 'hog' or shipped_model(request.model) is not None
    settings = {
        'detector': request.model if named else str(Path(request.model).absolute()),
        'score': _LEAST_SCORE,
        'width': request.width,
        'second_look': request.second_look,
        'tile': request.tile,
        'provider': request.provider,
        'classes': [],
    }
    return make_detector(PerceptionSettings.model_validate(settings), Path())


def _of_classes(found: Detections, classes: Sequence[str]) -> Detections:
    """Of the wanted classes, numbered as these."""
    rows = [row for row, name in enumerate(found.classes) if name in classes]
    numbers = [list(classes).index(found.classes[row]) for row in rows]
    chosen = found.chosen(np.array(rows, np.intp))
    return Detections(chosen.boxes, chosen.scores, np.array(numbers, np.int64), tuple(classes), chosen.orientations)
