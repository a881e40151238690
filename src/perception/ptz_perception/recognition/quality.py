# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How well a picture shows somebody: what features are weighted by, and which pictures may tell who it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes

#: Of the best; below it a picture says nothing.
GOOD = 0.25
#: px from the picture's edge within which a box is taken as cut off.
_EDGE = 3.0
#: Share of a box behind nearer ones, from which on it is not worth looking at.
_MOST_HIDDEN = 0.4


def view_qualities(boxes: Boxes, scores: NDArray[np.float64], size: tuple[int, int], least_height: float) -> NDArray[np.float64]:
    """0 to 1 for each box (n, 4: centre, size, px) of one picture (width, height): whole, large, sure, and nobody in front."""
    if not len(boxes):
        return np.zeros(0)
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    inside = (low > _EDGE).all(axis=1) & (high[:, 0] < size[0] - _EDGE) & (high[:, 1] < size[1] - _EDGE)
    large = np.clip(boxes[:, 3] / (2.0 * least_height), 0.0, 1.0) * (boxes[:, 3] >= least_height)
    free = np.clip(1.0 - hidden_shares(boxes) / _MOST_HIDDEN, 0.0, 1.0)
    return np.asarray(inside * large * free * np.clip(scores / 0.6, 0.0, 1.0))


def hidden_shares(boxes: Boxes) -> NDArray[np.float64]:
    """Share of each box (n, 4) that a nearer one covers, the most of all; nearer is who stands lower in the picture."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    inner = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    shared = np.clip(inner, 0.0, None).prod(axis=2) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-9)[:, None]
    nearer = high[None, :, 1] > high[:, None, 1]
    return np.asarray(np.where(nearer, shared, 0.0).max(axis=1))
