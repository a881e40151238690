# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How wide an annotated point is spread: the rules by which the standard deviation of its Gaussian follows from what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ptz_site.heat import Points


class Bandwidth(Protocol):
    """A rule. points (n, 2: x, y); sizes (n, 2: width, height) of what stands there, or None. Returns (n,), in the unit of the points."""

    def __call__(self, points: Points, sizes: Points | None) -> NDArray[np.float64]:
        """Standard deviations. Raises ValueError if the rule needs sizes and there are none."""
        ...


@dataclass(frozen=True)
class FixedBandwidth:
    """The same for all."""

    deviation: float

    def __call__(self, points: Points, sizes: Points | None) -> NDArray[np.float64]:  # noqa: ARG002
        """Standard deviations (n,)."""
        return np.full(len(points), self.deviation)


@dataclass(frozen=True)
class SizeBandwidth:
    """A share of the box's side (the root of its area): with a quarter, two standard deviations reach as far as the box does."""

    share: float = 0.25
    least: float = 1.0

    def __call__(self, points: Points, sizes: Points | None) -> NDArray[np.float64]:  # noqa: ARG002
        """Standard deviations (n,)."""
        if sizes is None:
            raise ValueError('a bandwidth by size needs sizes; give them, or choose another rule')
        return np.asarray(np.maximum(self.share * np.sqrt(sizes.prod(axis=1)), self.least))


@dataclass(frozen=True)
class NeighbourBandwidth:
    """The geometry-adaptive kernels of crowd counting: a share of the mean distance to the nearest neighbours, for points without sizes.

    In a crowd seen in perspective, how near people stand to each other in the picture says how large they are in it. Zhang et al.,
    "Single-Image Crowd Counting via Multi-Column Convolutional Neural Network", CVPR 2016, found 0.3 of the mean distance best. Points
    with hardly any neighbours would be spread over everything, hence most; one alone has it.
    """

    share: float = 0.3
    neighbours: int = 3
    least: float = 1.0
    most: float = 30.0

    def __call__(self, points: Points, sizes: Points | None) -> NDArray[np.float64]:  # noqa: ARG002
        """Standard deviations (n,)."""
        count = min(self.neighbours, len(points) - 1)
        if count < 1:
            return np.full(len(points), self.most)
        distances, _ = KDTree(points).query(points, k=count + 1)
        return np.asarray(np.clip(self.share * distances[:, 1:].mean(axis=1), self.least, self.most))
