# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is which track: similarity of boxes, and the assignment with the greatest sum of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def upright(boxes: Array) -> Array:
    """(n, 4): centre x, centre y, width, height of upright boxes around boxes (n, 5) that may be turned."""
    around = boxes[:, :4].copy()
    turned = np.flatnonzero(boxes[:, 4])
    if len(turned):
        cos, sin = np.abs(np.cos(boxes[turned, 4])), np.abs(np.sin(boxes[turned, 4]))
        width, height = boxes[turned, 2], boxes[turned, 3]
        around[turned, 2], around[turned, 3] = width * cos + height * sin, width * sin + height * cos
    return around


def sides_of(boxes: Array, buffer: float) -> NDArray[np.float32]:
    """(5, n): left, upper, right, lower side, and area of upright boxes (n, 4), enlarged on every side by a share of their size.

    Boxes of somebody who moved on between two frames may not overlap any more; enlarged ones do (Yang et al., Hard to Track Objects with
    Irregular Motions and Similar Appearances?, WACV 2023).
    """
    half = boxes[:, 2:] * (0.5 + buffer)
    sides = np.empty((5, len(boxes)), np.float32)
    sides[:2], sides[2:4] = (boxes[:, :2] - half).T, (boxes[:, :2] + half).T
    # A little area, so that a ratio is defined.
    sides[4] = 4.0 * half[:, 0] * half[:, 1] + 1e-6
    return sides


def similarities(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """How alike boxes are, 0 to 1 (n, m), by their sides (5, n) and (5, m): intersection over union of the boxes, and of their heights.

    The two are multiplied: heights tell apart who stands nearer (Yang et al., Hybrid-SORT, AAAI 2024).
    """
    left, upper, right, lower, area = first[:, :, None]
    inner = np.minimum(right, second[2])
    inner -= np.maximum(left, second[0])
    np.maximum(inner, 0.0, out=inner)
    shared = np.minimum(lower, second[3])
    shared -= np.maximum(upper, second[1])
    np.maximum(shared, 0.0, out=shared)
    inner *= shared
    whole = np.add(area, second[4])
    whole -= inner
    # Of two spans that meet, the union is the sum less what is shared.
    heights = np.add(lower - upper, second[3] - second[1])
    heights -= shared
    whole *= heights
    inner *= shared
    inner /= whole
    return np.asarray(inner)


def assign(gains: NDArray[np.float32]) -> tuple[Index, Index]:
    """Rows and columns of pairs with a gain above zero, each row and column in one pair at most, with the greatest sum of gains.

    Pairs that nobody else wants are taken first, so that the Hungarian method has the contested ones only.
    """
    rows, columns = (gains > 0).nonzero()
    if not rows.size:
        return rows, columns
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    if alone.all():
        return rows, columns
    contested = ~alone
    some, others = _distinct(rows[contested], gains.shape[0]), _distinct(columns[contested], gains.shape[1])
    block = np.maximum(gains[some[:, None], others], 0.0)
    first, second = linear_sum_assignment(block, maximize=True)
    won = block[first, second] > 0
    return np.concatenate((rows[alone], some[first[won]])), np.concatenate((columns[alone], others[second[won]]))


def _distinct(numbers: Index, below: int) -> Index:
    """The numbers that occur, in order; what np.unique does, for small ones."""
    there = np.zeros(below, bool)
    there[numbers] = True
    return np.flatnonzero(there)
