# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where objects are and were, as heat: densities on a grid, their mean over time, and a scene's ground. For perception and for reports.

The estimate is a sum of Gaussians around the points where objects were seen (Silverman, "Density Estimation for Statistics and Data
Analysis", 1986).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ptz_site.motion import NANOSECONDS

#: (rows, columns); objects in each cell.
Heat = NDArray[np.float32]
Points = NDArray[np.float64]

#: Of a cell's side, the least standard deviation: what is narrower is in one cell anyway, and nothing may be divided by 0.
_LEAST = 1e-3
#: s that a look stands for at most: who was seen before a longer gap need not have been there all the time.
_LONGEST = 1.0
#: m; a person takes that much ground, however well the place is known, and is somewhere in that however badly.
_LEAST_DEVIATION, _MOST_DEVIATION = 0.4, 3.0
#: Cells along a scene's longer side, and how long (m) their sides are at least.
_CELLS, _LEAST_CELL = 64, 0.25


def grid_density(
    points: Points,
    deviations: NDArray[np.float64],
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> Heat:
    """How many objects each cell of a grid holds: Gaussians around points (n, 2), integrated over the cells.

    deviations (n,): standard deviations. x_edges (columns + 1,), y_edges (rows + 1,): ascending. All in one unit. weights (n,): what
    each point counts for; None: 1. The sum is the number of points, also for those at an edge: the part of a Gaussian that is outside
    is given back to the inside. Raises ValueError if a point is outside.
    """
    if not len(points):
        return np.zeros((len(y_edges) - 1, len(x_edges) - 1), np.float32)
    low, high = (x_edges[0], y_edges[0]), (x_edges[-1], y_edges[-1])
    # Not a number is not inside either.
    if not ((points >= low) & (points <= high)).all():
        raise ValueError(f'points must be from {low} to {high}; leave out the others')
    # A Gaussian is the product of one for each axis, so the sum over all points is one product of matrices.
    across = _shares(points[:, 0], deviations, x_edges)
    down = _shares(points[:, 1], deviations, y_edges)
    if weights is not None:
        across *= weights[:, None]
    return np.asarray(down.T @ across, np.float32)


class RunningHeat:
    """The mean of densities over time, by which old ones are forgotten: after half_life (s of frame time) they count for half.

    A look counts for the time since the look before from the same source (a camera), so that the mean does not depend on how often each
    looks, and two that look at once do not count objects twice. While nobody looks, nothing changes. half_life math.inf: the plain mean.
    """

    def __init__(self, half_life: float) -> None:
        if not half_life > 0:
            raise ValueError(f'a half-life must be greater than 0, not {half_life:g}')
        self._half_life = half_life
        self._mean: Heat | None = None
        self._weight = 0.0
        self._newest_ns = 0
        self._looks: dict[str, int] = {}

    @property
    def mean(self) -> Heat | None:
        """Objects in each cell, on average; None before the first look."""
        return self._mean

    def take(self, source: str, stamp_ns: int, heat: Heat) -> None:
        """A look; those of one source come in order, those of several may be a little out of it. Raises ValueError for another shape."""
        if self._mean is not None and heat.shape != self._mean.shape:
            raise ValueError(f'a heat map of shape {self._mean.shape} is expected, not {heat.shape}')
        since = (stamp_ns - self._looks.get(source, stamp_ns - 3600 * NANOSECONDS)) / NANOSECONDS
        self._looks[source] = stamp_ns
        stands_for = min(max(since, 0.0), _LONGEST)
        if self._mean is None:
            self._mean, self._weight, self._newest_ns = heat.copy(), stands_for, stamp_ns
            return
        if stamp_ns > self._newest_ns:
            self._weight *= self._left_after(stamp_ns - self._newest_ns)
            self._newest_ns = stamp_ns
        else:
            stands_for *= self._left_after(self._newest_ns - stamp_ns)
        self._weight += stands_for
        if self._weight > 0:
            self._mean = self._mean + np.float32(stands_for / self._weight) * (heat - self._mean)

    def _left_after(self, nanoseconds: int) -> float:
        return float(2.0 ** (-nanoseconds / NANOSECONDS / self._half_life))


@dataclass(frozen=True)
class GroundGrid:
    """Square cells over a polygon on the ground; row 0 is at the least y. left, bottom, cell: m; inside: whether a cell's middle is."""

    left: float
    bottom: float
    cell: float
    inside: NDArray[np.bool_]

    @classmethod
    def over(cls, polygon: Sequence[tuple[float, float]], cell: float = 0.0) -> GroundGrid:
        """The grid over a polygon (m); cell 0: so many that they can be told apart in a picture."""
        corners = np.asarray(polygon, float)
        low, high = corners.min(axis=0), corners.max(axis=0)
        side = cell or max(float((high - low).max()) / _CELLS, _LEAST_CELL)
        columns, rows = (max(1, math.ceil(length / side - 1e-9)) for length in (high - low).tolist())
        x, y = low[0] + side * (np.arange(columns) + 0.5), low[1] + side * (np.arange(rows) + 0.5)
        return cls(float(low[0]), float(low[1]), side, _inside(corners, x, y))

    @property
    def x_edges(self) -> NDArray[np.float64]:
        """m, (columns + 1,)."""
        return self.left + self.cell * np.arange(self.inside.shape[1] + 1)

    @property
    def y_edges(self) -> NDArray[np.float64]:
        """m, (rows + 1,)."""
        return self.bottom + self.cell * np.arange(self.inside.shape[0] + 1)

    def density(self, points: Points, deviations: NDArray[np.float64]) -> Heat:
        """Objects in each cell, from their places (n, 2) and standard deviations (n,) in m; those beside the grid are left out."""
        x, y = self.x_edges, self.y_edges
        here = ((points >= (x[0], y[0])) & (points <= (x[-1], y[-1]))).all(axis=1)
        return grid_density(points[here], deviations[here], x, y)


class SceneHeat:
    """Where on a scene's ground objects are, on average over time."""

    def __init__(self, polygon: Sequence[tuple[float, float]], half_life: float) -> None:
        self.grid = GroundGrid.over(polygon)
        self._running = RunningHeat(half_life)

    @property
    def per_square_metre(self) -> Heat | None:
        """Objects on each square metre, by cell; None before the first look."""
        mean = self._running.mean
        return None if mean is None else mean / np.float32(self.grid.cell**2)

    def take(self, camera: str, stamp_ns: int, points: Points, covariances: Sequence[NDArray[np.float64]]) -> None:
        """All that a camera sees of the scene: places (n, 2, m) and their 2x2 covariances (m^2)."""
        spread = np.sqrt([max(0.0, float(np.trace(one))) / 2 for one in covariances])
        deviations = np.clip(spread, _LEAST_DEVIATION, _MOST_DEVIATION)
        self._running.take(camera, stamp_ns, self.grid.density(points.reshape(-1, 2), deviations))


def _shares(at: NDArray[np.float64], deviations: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of each Gaussian (n,) each interval holds, (n, intervals); each row's sum is 1."""
    deviations = np.maximum(deviations, _LEAST * float(np.diff(edges).min()))
    shares = np.diff(ndtr((edges[None] - at[:, None]) / deviations[:, None]), axis=1)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _inside(corners: Points, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points of a grid a polygon holds (rows, columns): from those, a ray to the right crosses an odd number of sides."""
    inside = np.zeros((len(y), len(x)), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossed = (y0 > y) != (y1 > y)
        at = x0 + (y - y0) * (x1 - x0) / (y1 - y0 if y1 != y0 else 1.0)
        inside ^= crossed[:, None] & (x[None] < at[:, None])
    return inside
