# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a detector found in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Detections:
    """n objects. boxes (n, 4): centre x, centre y, width, height in pixels; scores (n,) from 0 to 1.

    class_ids (n,): indices into names, the classes that the detector knows. orientations (n,): rad about the centre, counter-clockwise
    as seen, 0 upright. vectors (n, d): appearances of length 1, None of a detector that has none. Raises ValueError if the shapes don't
    fit together, or a value can't be one of a box in a picture.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    names: tuple[str, ...]
    orientations: NDArray[np.float64]
    vectors: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count = len(self.class_ids)
        if self.boxes.shape != (count, 4) or self.scores.shape != (count,) or self.orientations.shape != (count,):
            raise ValueError(
                f'{count} classes need boxes ({count}, 4), scores and orientations ({count},), not {self.boxes.shape}, '
                f'{self.scores.shape} and {self.orientations.shape}'
            )
        if self.vectors is not None and (self.vectors.ndim != 2 or len(self.vectors) != count):
            raise ValueError(f'{count} classes need vectors ({count}, d), not {self.vectors.shape}')
        if count == 0:
            return
        if not np.isfinite(self.boxes).all() or (self.boxes[:, 2:] < 0).any():
            raise ValueError('boxes must be finite, with widths and heights of at least 0')
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError('scores must be from 0 to 1')
        if not 0 <= self.class_ids.min() <= self.class_ids.max() < len(self.names):
            raise ValueError(f'class ids must be from 0 to {len(self.names) - 1}')

    @classmethod
    def of(
        cls,
        boxes: Boxes,
        scores: NDArray[np.float64],
        class_ids: NDArray[np.int64],
        names: tuple[str, ...],
        orientations: NDArray[np.float64] | None = None,
    ) -> Detections:
        """Upright boxes, unless orientations are given."""
        return cls(boxes, scores, class_ids, names, np.zeros(len(class_ids)) if orientations is None else orientations)

    @classmethod
    def none(cls, names: tuple[str, ...]) -> Detections:
        """An empty picture."""
        return cls.of(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64), names)

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each one's class."""
        return tuple(self.names[index] for index in self.class_ids)

    def chosen(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Some of them."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Detections(self.boxes[rows], self.scores[rows], self.class_ids[rows], self.names, self.orientations[rows], vectors)

    def seen_as(self, vectors: NDArray[np.float32]) -> Detections:
        """The same with their appearances (n, d)."""
        return replace(self, vectors=vectors)


def joined(parts: Sequence[Detections]) -> Detections:
    """All of several; they must be of one detector. Raises ValueError for none."""
    if not parts:
        raise ValueError('nothing to join')
    vectors = [part.vectors for part in parts if part.vectors is not None]
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.class_ids for part in parts]),
        parts[0].names,
        np.concatenate([part.orientations for part in parts]),
        np.concatenate(vectors) if len(vectors) == len(parts) else None,
    )


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Intersection over union (n, m) of upright boxes (n, 4) and (m, 4)."""
    low = np.maximum((first[:, :2] - first[:, 2:] / 2)[:, None], (second[:, :2] - second[:, 2:] / 2)[None])
    high = np.minimum((first[:, :2] + first[:, 2:] / 2)[:, None], (second[:, :2] + second[:, 2:] / 2)[None])
    inner = np.clip(high - low, 0, None).prod(axis=2)
    areas = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None]
    return np.asarray(inner / np.maximum(areas - inner, 1e-12))


def suppress_overlaps(detections: Detections, most_overlap: float) -> Detections:
    """Of detections of one class that overlap by more than most_overlap, the one with the highest score; the best first."""
    if not len(detections):
        return detections
    corners = np.hstack((detections.boxes[:, :2] - detections.boxes[:, 2:] / 2, detections.boxes[:, 2:]))
    # Classes are moved apart, so that they don't suppress each other.
    apart = detections.class_ids * (np.ptp(corners[:, 0]) + detections.boxes[:, 2:].max() + 1.0)
    scores = detections.scores.tolist()
    if detections.orientations.any():
        turned = [
            ((x + shift, y), (width, height), -math.degrees(turn))
            for (x, y, width, height), shift, turn in zip(detections.boxes.tolist(), apart, detections.orientations, strict=True)
        ]
        rows = cv2.dnn.NMSBoxesRotated(turned, scores, 0.0, most_overlap)
    else:
        corners[:, 0] += apart
        rows = cv2.dnn.NMSBoxes(corners.tolist(), scores, 0.0, most_overlap)
    return detections.chosen(np.asarray(rows, np.intp).ravel())
