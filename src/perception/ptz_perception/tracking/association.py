# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is which track: similarity of boxes, and the assignment with the greatest sum of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]
Gains = NDArray[np.float32]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """k pairs of a row and a column that may belong together, ascending, and what each gains, which is above zero. (k,) each."""

    rows: Index
    columns: Index
    gains: Gains

    @classmethod
    def above_zero(cls, gains: Gains, rows: Index, columns: Index) -> Pairs:
        """Those of a matrix (n, m) of rows (n,) and columns (m,)."""
        flat = gains.ravel()
        places = (flat > 0).nonzero()[0]
        first, second = np.divmod(places, max(1, len(columns)))
        return cls(rows[first], columns[second], flat[places])

    def among(self, rows: Mask, columns: Mask) -> Pairs:
        """Those of some rows (n,) and columns (m,)."""
        kept = rows[self.rows] & columns[self.columns]
        return self if np.count_nonzero(kept) == kept.size else Pairs(self.rows[kept], self.columns[kept], self.gains[kept])


def upright(boxes: Array) -> Array:
    """(4, n): centre x, centre y, width, height of upright boxes around boxes (5, n) that may be turned."""
    angles = boxes[4]
    if not np.count_nonzero(angles):
        return boxes[:4]
    around = boxes[:4].copy()
    turned = angles.nonzero()[0]
    cos, sin = np.abs(np.cos(angles[turned])), np.abs(np.sin(angles[turned]))
    width, height = boxes[2:4, turned]
    around[2, turned], around[3, turned] = width * cos + height * sin, width * sin + height * cos
    return around


def similarities(first: Array, second: Array, buffer: float) -> Gains:
    """How alike upright boxes (4, n) and (4, m) are, 0 to 1 (n, m): intersection over union of the boxes, and of their heights.

    The two are multiplied: heights tell apart who stands nearer (Yang et al., Hybrid-SORT, AAAI 2024). Boxes of somebody who moved on
    between two frames may not overlap any more; they do enlarged on every side by a share of their size, the buffer (Yang et al., Hard
    to Track Objects with Irregular Motions and Similar Appearances?, WACV 2023).
    """
    count = first.shape[1]
    boxes = np.empty((4, count + second.shape[1]), np.float32)
    boxes[:, :count], boxes[:, count:] = first, second
    sides = _sides(boxes, buffer)
    of_first, of_second = sides[:, :, :count, None], sides[:, :, None, count:]
    # (2, n, m) each: of x and y what is shared; then of areas and heights what is shared, and the union.
    shared = np.minimum(of_first[1], of_second[1])
    union = np.maximum(of_first[0], of_second[0])
    shared -= union
    np.maximum(shared, 0.0, out=shared)
    area, height = shared
    area *= height
    np.add(of_first[2], of_second[2], out=union)
    union -= shared
    whole, _ = union
    whole *= union[1]
    area *= height
    area /= whole
    return np.asarray(area)


def _sides(boxes: NDArray[np.float32], buffer: float) -> Gains:
    """(3, 2, n): left and upper side, right and lower side, area and height of boxes (4, n) that are enlarged."""
    sides = np.empty((3, 2, boxes.shape[1]), np.float32)
    (near, far, extent), half = sides, boxes[2:] * np.float32(0.5 + buffer)
    np.subtract(boxes[:2], half, out=near)
    np.add(boxes[:2], half, out=far)
    np.subtract(far, near, out=extent)
    extent[0] *= extent[1]
    # A little area, so that a ratio is defined.
    extent[0] += 1e-6
    return sides


def assign(pairs: Pairs) -> tuple[Index, Index]:
    """Rows and columns of those pairs that have the greatest sum of gains, each row and column in one pair at most.

    Pairs that nobody else wants are taken first, so that the Hungarian method has the contested ones only.
    """
    rows, columns = pairs.rows, pairs.columns
    if not rows.size:
        return rows, columns
    contested = np.bincount(rows)[rows] + np.bincount(columns)[columns] > 2
    if not np.count_nonzero(contested):
        return rows, columns
    alone = ~contested
    some, row_in_block = _numbered(rows[contested])
    others, column_in_block = _numbered(columns[contested])
    block = np.zeros((some.size, others.size), np.float32)
    block[row_in_block, column_in_block] = pairs.gains[contested]
    first, second = linear_sum_assignment(block, maximize=True)
    won = block[first, second] > 0
    return np.concatenate((rows[alone], some[first[won]])), np.concatenate((columns[alone], others[second[won]]))


def _numbered(numbers: Index) -> tuple[Index, Index]:
    """The numbers that occur, in order, and the place of each number among them; what np.unique does, for small ones."""
    occurring = np.bincount(numbers) > 0
    return occurring.nonzero()[0], occurring.cumsum()[numbers] - 1
