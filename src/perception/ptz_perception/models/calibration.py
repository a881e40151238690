# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Scores that mean something: how often a box with that score is right. Trackers' thresholds are made for such scores.

Platt, Probabilistic Outputs for Support Vector Machines, 1999: a logistic curve over the network's own scores. The order stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ptz_perception.detections import Boxes, Detections, overlaps
from ptz_perception.models.labels import Labels

#: Overlap from which a box is right.
_RIGHT = 0.5
_LEAST = 1e-6


@dataclass(frozen=True)
class Calibration:
    """sigmoid(slope * logit + shift)."""

    slope: float = 1.0
    shift: float = 0.0


def calibrate(found: Sequence[Detections], wanted: Sequence[Labels]) -> Calibration:
    """By what was found in some pictures, and what is in them. Without boxes that are right and boxes that are wrong: as it was."""
    told = [_told(*pair) for pair in zip(found, wanted, strict=True)]
    scores = np.concatenate([scores for scores, _ in told] or [np.empty(0)])
    right = np.concatenate([right for _, right in told] or [np.empty(0, bool)])
    if not right.any() or right.all():
        return Calibration()
    logits = np.log(np.clip(scores, _LEAST, 1 - _LEAST) / np.clip(1 - scores, _LEAST, 1 - _LEAST))
    # Platt's targets: nothing is certain by so many cases.
    positive, negative = int(right.sum()), int((~right).sum())
    targets = np.where(right, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(at: NDArray[np.float64]) -> float:
        curve = at[0] * logits + at[1]
        return float(np.mean(np.logaddexp(0.0, curve) - targets * curve))

    best = minimize(loss, np.array([1.0, 0.0]), method='L-BFGS-B', bounds=[(0.05, 20.0), (-20.0, 20.0)]).x
    return Calibration(float(best[0]), float(best[1]))


def _told(found: Detections, wanted: Labels) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (n,) of boxes that are right or wrong, without those of what nothing is said of; each object is found once."""
    order = np.argsort(-found.scores, kind='stable')
    boxes, scores, classes = found.boxes[order], found.scores[order], found.class_ids[order]
    there = ~wanted.ignored
    near = overlaps(boxes, wanted.boxes[there]) * (classes[:, None] == wanted.classes[there][None])
    right = np.zeros(len(boxes), bool)
    taken = np.zeros(int(there.sum()), bool)
    for row in range(len(boxes)):
        free = np.where(taken, 0.0, near[row])
        if free.size and free.max() >= _RIGHT:
            right[row] = taken[int(free.argmax())] = True
    counts = right | ~_within(boxes, wanted.boxes[wanted.ignored])
    return scores[counts], right[counts]


def _within(boxes: Boxes, regions: Boxes) -> NDArray[np.bool_]:
    """Boxes (n,) that are mostly in one of some regions."""
    low = np.maximum((boxes[:, :2] - boxes[:, 2:] / 2)[:, None], (regions[:, :2] - regions[:, 2:] / 2)[None])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:] / 2)[:, None], (regions[:, :2] + regions[:, 2:] / 2)[None])
    inside = np.clip(high - low, 0, None).prod(axis=2) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-9)[:, None]
    return np.asarray((inside > _RIGHT).any(axis=1))
