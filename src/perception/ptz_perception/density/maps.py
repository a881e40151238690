# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Density heat maps by kernel density estimation: how many objects each cell of a grid holds, from points where objects are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptz_perception.density.bandwidth import Bandwidth, NeighbourBandwidth, SizeBandwidth
from ptz_site.heat import Heat, Points, grid_density


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


def _edges(length: int, stride: int) -> NDArray[np.float64]:
    """The cells' edges along one side; the last cell ends with the picture."""
    return np.append(np.arange(0, length, stride), length).astype(float)
