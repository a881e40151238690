# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of a picture are worth a closer look, by a heat map over it, for a limited number of pixels."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.parts import Part, merged


@dataclass(frozen=True)
class HotRegion:
    """A part of the picture, and the heat inside: of a density map, how many objects are expected there."""

    part: Part
    heat: float

    @property
    def density(self) -> float:
        """Heat per pixel: what a look at it is worth."""
        return self.heat / self.part.area


def hot_regions(
    heat: NDArray[np.floating],
    size: tuple[int, int],
    budget: float,
    threshold: float = 0.0,
    share: float = 0.1,
    least: tuple[int, int] = (96, 96),
    margin: int = 16,
) -> tuple[HotRegion, ...]:
    """Connected regions of hot cells as rectangles: padded, merged where they overlap without waste, the best (most heat per pixel) first.

    heat (rows, columns): at least 0, over the whole picture. size: of the picture (width, height), px. budget: the share of the
    picture's area, 0 to 1, that all of them together have at most; one that is too large for what is left of it is halved until its
    hotter parts fit (halves may overlap a little, so that they are not smaller than least). A cell is hot if it has more than threshold
    (in the heat's unit) and more than share of the hottest cell. margin: px around the hot cells.
    least: width and height, px, that a region has at least, as far as the picture has them; a budget for less than that gives none.
    Raises ValueError if the heat or the budget can't be one.
    """
    if heat.ndim != 2 or not heat.size or not np.isfinite(heat).all() or heat.min() < 0:
        raise ValueError('a heat map must be (rows, columns), finite, and nowhere below 0')
    if not 0 <= budget <= 1:
        raise ValueError(f'the budget must be a share from 0 to 1, not {budget:g}')
    least = (min(least[0], size[0]), min(least[1], size[1]))
    grid = _Grid(heat, size)
    parts = merged(_padded(part, margin, least, size) for part in grid.regions(max(threshold, share * float(heat.max()))))
    waiting = [_candidate(grid.measured(part)) for part in parts]
    heapq.heapify(waiting)
    left = budget * size[0] * size[1]
    chosen: list[HotRegion] = []
    while waiting:
        *_, region = heapq.heappop(waiting)
        if region.part.area <= left:
            chosen.append(region)
            left -= region.part.area
            continue
        for half in _halves(region.part, least) if left >= least[0] * least[1] else ():
            measured = grid.measured(half)
            if measured.heat > 0:
                heapq.heappush(waiting, _candidate(measured))
    # A half may be hotter than the whole was that it is cut from.
    return tuple(sorted(chosen, key=_candidate))


class _Grid:
    """A heat map laid over a picture."""

    def __init__(self, heat: NDArray[np.floating], size: tuple[int, int]) -> None:
        self._heat, self._size = heat, size
        rows, columns = heat.shape
        # Of the heat up to each corner of a cell; between corners, heat is spread evenly.
        self._sums = np.zeros((rows + 1, columns + 1))
        self._sums[1:, 1:] = heat.astype(float).cumsum(axis=0).cumsum(axis=1)
        self._cell = (size[0] / columns, size[1] / rows)

    def regions(self, threshold: float) -> list[Part]:
        """The rectangles around connected cells above a threshold."""
        hot = (self._heat > threshold).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(hot, connectivity=8)
        wide, high = self._cell
        return [
            Part(int(left * wide), int(top * high), self._ceil((left + width) * wide, 0), self._ceil((top + height) * high, 1))
            for left, top, width, height, _ in stats[1:].tolist()
        ]

    def measured(self, part: Part) -> HotRegion:
        """A part with the heat in it."""
        heat = self._up_to(part.right, part.bottom) - self._up_to(part.left, part.bottom)
        heat -= self._up_to(part.right, part.top) - self._up_to(part.left, part.top)
        return HotRegion(part, max(0.0, heat))

    def _ceil(self, at: float, axis: int) -> int:
        return min(self._size[axis], int(np.ceil(at)))

    def _up_to(self, x: int, y: int) -> float:
        rows, columns = self._heat.shape
        column, row = min(x / self._cell[0], columns), min(y / self._cell[1], rows)
        left, top = min(int(column), columns - 1), min(int(row), rows - 1)
        right, below = column - left, row - top
        upper = (1 - right) * self._sums[top, left] + right * self._sums[top, left + 1]
        lower = (1 - right) * self._sums[top + 1, left] + right * self._sums[top + 1, left + 1]
        return float((1 - below) * upper + below * lower)


def _candidate(region: HotRegion) -> tuple[float, int, int, int, int, HotRegion]:
    """For a heap that gives the best first, and equal ones always in the same order."""
    part = region.part
    return -region.density, part.top, part.left, part.bottom, part.right, region


def _padded(part: Part, margin: int, least: tuple[int, int], size: tuple[int, int]) -> Part:
    grown = Part(
        max(0, part.left - margin),
        max(0, part.top - margin),
        min(size[0], part.right + margin),
        min(size[1], part.bottom + margin),
    )
    return grown.at_least(least, size)


def _halves(part: Part, least: tuple[int, int]) -> tuple[Part, ...]:
    """Both ends of a part, halves where they are long enough, cut across the longer side; none of one that is as small as may be."""
    wide, high = part.right - part.left, part.bottom - part.top
    if wide > least[0] and (wide - least[0] >= high - least[1]):
        length = max(-(-wide // 2), least[0])
        return replace(part, right=part.left + length), replace(part, left=part.right - length)
    if high > least[1]:
        length = max(-(-high // 2), least[1])
        return replace(part, bottom=part.top + length), replace(part, top=part.bottom - length)
    return ()
