# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What networks that find objects are validated on while they are trained, and how their answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ptz_perception.detections import Detections, Image, suppress_overlaps
from ptz_perception.models.cascade.crops import Crop, cut
from ptz_perception.models.cascade.settings import DataSettings
from ptz_perception.models.cells import CellOutput, boxes_of
from ptz_perception.models.labels import Labels
from ptz_site import UserError

#: Scores that count: average precision wants the unsure ones too.
_LEAST_SCORE = 0.02
_MOST_OVERLAP = 0.5


def read_picture(path: Path) -> Image:
    """A picture, BGR. Raises UserError."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise UserError(f"{path} can't be read as a picture; `ptz-collab dataset check` finds all that are wrong")
    return np.asarray(picture, np.uint8)


def validation_crops(pictures: Sequence[tuple[Path, Labels]], count: int, settings: DataSettings) -> list[Crop]:
    """Always the same: evenly chosen pictures, at scales that go through the range, around an object where there is one."""
    rng = np.random.default_rng(0)
    low, high = settings.scales
    crops = []
    for number in range(count):
        path, labels = pictures[number * len(pictures) // count]
        picture = read_picture(path)
        there = labels.boxes[~labels.ignored]
        middle = there[int(rng.integers(len(there))), :2] if len(there) else np.array(picture.shape[1::-1]) / 2
        scale = low * (high / low) ** ((number % 8) / 7)
        crops.append(cut(picture, labels, (float(middle[0]), float(middle[1])), scale, settings))
    return crops


def detections_of(cells: CellOutput, names: Sequence[str]) -> list[Detections]:
    """Of each picture: every object once, also the unsure ones."""
    boxes, scores = boxes_of(cells).cpu().numpy(), cells.classes.sigmoid().flatten(2).transpose(1, 2).cpu().numpy()
    found = []
    for of_boxes, of_scores in zip(boxes.astype(float), scores.astype(float), strict=True):
        best = of_scores.max(axis=1)
        rows = np.flatnonzero(best > _LEAST_SCORE)
        everything = Detections.of(of_boxes[rows], best[rows], of_scores.argmax(axis=1)[rows].astype(np.int64), tuple(names))
        found.append(suppress_overlaps(everything, _MOST_OVERLAP))
    return found
