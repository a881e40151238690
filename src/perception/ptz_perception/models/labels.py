# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a network is to find in a picture, by the classes that it is trained for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.datasets.data_set import LabelledPicture
from ptz_perception.detections import Boxes
from ptz_site import UserError

#: Share of an object that must be in the picture.
_LEAST_SEEN = 0.4


@dataclass(frozen=True)
class Labels:
    """Boxes (n, 4: centre, size, px), classes (n,), ignored (n,): there is something that nothing is said of."""

    boxes: Boxes
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]


def labels_of(picture: LabelledPicture, classes: Sequence[str]) -> Labels:
    """The objects of some classes, as far as they are in the picture; what is mostly outside is ignored."""
    rows = [row for row, name in enumerate(picture.classes) if name in classes]
    numbers = np.array([list(classes).index(picture.classes[row]) for row in rows], np.int64)
    boxes = picture.clipped[rows]
    seen = boxes[:, 2:].prod(axis=1) / np.maximum(picture.boxes[rows, 2:].prod(axis=1), 1e-9)
    return Labels(boxes, numbers, picture.ignored[rows] | (seen < _LEAST_SEEN))


def check_classes(classes: Sequence[str], known: Sequence[str]) -> None:
    """Raises UserError for a class that a data set has not."""
    missing = [name for name in classes if name not in known]
    if missing:
        raise UserError(f'classes: {", ".join(missing)} found; the data set has {", ".join(known)}')
