# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a detector found in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Detections:
    """boxes (n, 4): centre x, centre y, width, height in pixels; scores (n,) from 0 to 1; classes: n names.

    Raises ValueError if the shapes don't fit together, or a value can't be one of a box in a picture.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.classes)
        if self.boxes.shape != (count, 4) or self.scores.shape != (count,):
            raise ValueError(
                f'{count} classes need boxes ({count}, 4) and scores ({count},), not {self.boxes.shape} and {self.scores.shape}'
            )
        if not np.isfinite(self.boxes).all() or (self.boxes[:, 2:] < 0).any():
            raise ValueError('boxes must be finite, with widths and heights of at least 0')
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError('scores must be from 0 to 1')

    def __len__(self) -> int:
        return len(self.classes)

    def chosen(self, indices: NDArray[np.intp]) -> Detections:
        """Some of them."""
        return Detections(self.boxes[indices], self.scores[indices], tuple(self.classes[i] for i in indices))


def nothing() -> Detections:
    """An empty picture."""
    return Detections(np.empty((0, 4)), np.empty(0), ())


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    low = np.maximum((first[:, :2] - first[:, 2:] / 2)[:, None], (second[:, :2] - second[:, 2:] / 2)[None])
    high = np.minimum((first[:, :2] + first[:, 2:] / 2)[:, None], (second[:, :2] + second[:, 2:] / 2)[None])
    inner = np.clip(high - low, 0, None).prod(axis=2)
    areas = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None]
    return np.asarray(inner / np.maximum(areas - inner, 1e-12))


def suppress_overlaps(detections: Detections, most_overlap: float) -> Detections:
    """Of detections of one class that overlap by more than most_overlap, the one with the highest score."""
    order = np.argsort(-detections.scores, kind='stable')
    shared = overlaps(detections.boxes, detections.boxes)
    kept: list[int] = []
    for index in order:
        rivals = (k for k in kept if detections.classes[k] == detections.classes[index])
        if all(shared[index, k] <= most_overlap for k in rivals):
            kept.append(int(index))
    return detections.chosen(np.array(kept, dtype=np.intp))
