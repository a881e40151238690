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


def similarities(first: Array, second: Array, buffer: float) -> NDArray[np.float32]:
    """How alike upright boxes (n, 4) and (m, 4) are, 0 to 1 (n, m): intersection over union of boxes and of their heights, multiplied.

    buffer: boxes are enlarged by this share of their size on every side: those of somebody who moved on between two frames may not overlap
    any more (Yang et al., Hard to Track Objects with Irregular Motions and Similar Appearances?, WACV 2023). Heights tell apart who
    stands nearer (Yang et al., Hybrid-SORT, AAAI 2024).
    """
    sides, others = _sides(first, buffer), _sides(second, buffer)
    inner = np.minimum(sides[2][:, None], others[2])
    inner -= np.maximum(sides[0][:, None], others[0])
    np.maximum(inner, 0.0, out=inner)
    shared = np.minimum(sides[3][:, None], others[3])
    shared -= np.maximum(sides[1][:, None], others[1])
    np.maximum(shared, 0.0, out=shared)
    inner *= shared
    whole = np.add(sides[4][:, None], others[4])
    whole -= inner
    # Of two spans that meet, the union is the sum less what is shared.
    heights = np.add((sides[3] - sides[1])[:, None], others[3] - others[1])
    heights -= shared
    whole *= heights
    inner *= shared
    inner /= whole
    return inner


def assign(gains: NDArray[np.float32]) -> tuple[Index, Index]:
    """Rows and columns of pairs with a gain above zero, each row and column in one pair at most, with the greatest sum of gains.

    Pairs that nobody else wants are taken first, so that the Hungarian method has the contested ones only.
    """
    rows, columns = np.nonzero(gains > 0)
    if len(rows) == 0:
        return rows, columns
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    if alone.all():
        return rows, columns
    contested = ~alone
    some, others = np.unique(rows[contested]), np.unique(columns[contested])
    block = np.maximum(gains[np.ix_(some, others)], 0.0)
    first, second = linear_sum_assignment(block, maximize=True)
    won = block[first, second] > 0
    return np.concatenate((rows[alone], some[first[won]])), np.concatenate((columns[alone], others[second[won]]))


def _sides(boxes: Array, buffer: float) -> NDArray[np.float32]:
    """(5, n): left, upper, right, lower side, area; with a little area, so that a ratio is defined."""
    half = boxes[:, 2:] * (0.5 + buffer)
    sides = np.empty((5, len(boxes)), np.float32)
    sides[:2], sides[2:4] = (boxes[:, :2] - half).T, (boxes[:, :2] + half).T
    np.multiply(4.0 * half[:, 0], half[:, 1], out=sides[4], casting='same_kind')
    sides[4] += 1e-6
    return sides
