# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Density heat maps by kernel density estimation: how many objects each cell of a grid holds, from points where objects are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ptz_perception.density.bandwidth import Bandwidth, NeighbourBandwidth, Points, SizeBandwidth

#: (rows, columns); objects in each cell.
Heat = NDArray[np.float32]

#: Of a cell's side, the least standard deviation: what is narrower is in one cell anyway, and nothing may be divided by 0.
_LEAST = 1e-3


def density_map(
    points: Points, sizes: Points | None, shape: tuple[int, int], stride: int = 1, bandwidth: Bandwidth | None = None
) -> Heat:
    """The density map of a picture, from its annotated points.

    points (n, 2: x, y, px from the picture's upper left corner), inside the picture: the centres of boxes, or of heads.
    sizes (n, 2: width, height, px) of the boxes, or None where only points are known. shape: of the picture (height, width), px.
    stride: px, the side of a cell. bandwidth: the rule for the standard deviation; None: by size, without sizes by neighbours.

    Returns (ceil(height / stride), ceil(width / stride)), objects per cell. The sum is the number of points, also for those at an edge:
    the part of a Gaussian that is outside is given back to the inside. A cell holds the integral of the Gaussians over it, so that maps
    of different strides agree.
    Raises ValueError if the shapes don't fit together, or a point is outside.
    """
    if stride < 1 or shape[0] < 1 or shape[1] < 1:
        raise ValueError(f'a picture of {shape} px can have no cells of {stride} px')
    rule = bandwidth if bandwidth is not None else NeighbourBandwidth() if sizes is None else SizeBandwidth()
    points = np.asarray(points, float).reshape(-1, 2)
    if sizes is not None:
        sizes = np.asarray(sizes, float).reshape(-1, 2)
        if len(sizes) != len(points):
            raise ValueError(f'{len(points)} points need as many sizes, not {len(sizes)}')
    return grid_density(points, rule(points, sizes), _edges(shape[1], stride), _edges(shape[0], stride))


def grid_density(
    points: Points,
    deviations: NDArray[np.float64],
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> Heat:
    """The same on any grid: Gaussians at points (n, 2) with standard deviations (n,), integrated over the cells between edges.

    x_edges (columns + 1,), y_edges (rows + 1,): ascending, in the points' unit. weights (n,): what each point counts for; None: 1.
    Raises ValueError if a point is outside.
    """
    heat = np.zeros((len(y_edges) - 1, len(x_edges) - 1), np.float32)
    if not len(points):
        return heat
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


def _shares(at: NDArray[np.float64], deviations: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of each Gaussian (n,) each interval holds, (n, intervals); each row's sum is 1."""
    deviations = np.maximum(deviations, _LEAST * float(np.diff(edges).min()))
    shares = np.diff(ndtr((edges[None] - at[:, None]) / deviations[:, None]), axis=1)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _edges(length: int, stride: int) -> NDArray[np.float64]:
    """The cells' edges along one side; the last cell ends with the picture."""
    return np.append(np.arange(0, length, stride), length).astype(float)
