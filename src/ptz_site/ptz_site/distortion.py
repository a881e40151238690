# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: radial and tangential, after Brown and Conrady, the model `plumb_bob` of sensor_msgs/CameraInfo.

With x, y the normalised coordinates of the optical frame (x/z, y/z; no unit) and r^2 = x^2 + y^2, a lens shows a point at

    x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)
    y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y

Source: OpenCV's manual, module calib3d, "Camera Calibration and 3D Reconstruction", with k4 to k6, s and tau zero. OpenCV and ROS have
the coefficients in the order k1, k2, p1, p2, k3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Normalised coordinates; what is left of an error when the distortion counts as removed: 1e-10 px at 1000 px of focal length.
_EXACT = 1e-13
#: From where Newton's method in two dimensions needs a few steps only.
_NEAR = 1e-9
#: Normalised radius beyond which nothing is looked for.
_FAR = 1e6
#: Side of the grid of pixels at which a picture is tried.
_GRID = 9


@dataclass(frozen=True)
class Distortion:
    """The coefficients of a lens; without unit, they belong to normalised coordinates."""

    k1: float
    k2: float
    p1: float
    p2: float
    k3: float

    @property
    def coefficients(self) -> tuple[float, float, float, float, float]:
        """In the order of OpenCV and of sensor_msgs/CameraInfo: k1, k2, p1, p2, k3."""
        return self.k1, self.k2, self.p1, self.p2, self.k3

    @property
    def reach(self) -> float:
        """The normalised radius r up to which what is further out is shown further out; infinite if it is so everywhere.

        Beyond it the polynomial turns back: there it is no model of a lens any more, and two points have one pixel.
        """
        return _reach(self.k1, self.k2, self.k3)

    def distorted(self, points: Array) -> Array:
        """Where the lens shows points (n, 2), normalised; NaN beyond the reach."""
        x, y = points[:, 0], points[:, 1]
        with np.errstate(over='ignore', invalid='ignore'):
            square = x * x + y * y
            radial = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
            shown = np.column_stack(
                (
                    x * radial + 2 * self.p1 * x * y + self.p2 * (square + 2 * x * x),
                    y * radial + self.p1 * (square + 2 * y * y) + 2 * self.p2 * x * y,
                )
            )
            shown[square >= self.reach**2] = np.nan
        return shown

    def undistorted(self, x: float, y: float) -> tuple[float, float] | None:
        """What the lens shows at a place, both normalised; None if that is nothing within the model's reach.

        The radius by a safeguarded Newton's method, then both coordinates by Newton's method, until the lens shows the result at the
        place again.
        """
        radius, reach = math.hypot(x, y), self.reach
        # The tangential part moves a point by three times this length at most.
        tangential = math.hypot(self.p1, self.p2)
        if reach < math.inf and radius > self._radius(reach) + 3 * tangential * reach * reach:
            return None
        scale = self._inverse_radius(radius, reach) / radius if radius > 0 else 1.0
        u, v = x * scale, y * scale
        for _ in range(20):
            square = u * u + v * v
            radial = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
            slope = 2 * (self.k1 + square * (2 * self.k2 + square * 3 * self.k3))
            off_x = u * radial + 2 * self.p1 * u * v + self.p2 * (square + 2 * u * u) - x
            off_y = v * radial + self.p1 * (square + 2 * v * v) + 2 * self.p2 * u * v - y
            # The derivative is symmetric; where it is not positive definite, the picture folds.
            xx = radial + u * u * slope + 2 * self.p1 * v + 6 * self.p2 * u
            yy = radial + v * v * slope + 6 * self.p1 * v + 2 * self.p2 * u
            xy = u * v * slope + 2 * self.p1 * u + 2 * self.p2 * v
            determinant = xx * yy - xy * xy
            if not (determinant > 0 and xx > 0):
                return None
            if abs(off_x) + abs(off_y) <= _EXACT * (1 + radius):
                return (u, v) if square < reach * reach else None
            u -= (yy * off_x - xy * off_y) / determinant
            v -= (xx * off_y - xy * off_x) / determinant
        return None

    def covers(self, resolution: tuple[int, int], focal: float) -> bool:
        """Whether the model holds all over a picture, and one pixel beyond; resolution and focal length in px."""
        right, down = ((side + 1) / 2 / focal for side in resolution)
        steps = np.linspace(-1.0, 1.0, _GRID).tolist()
        return all(self.undistorted(x * right, y * down) is not None for x in steps for y in steps)

    def _radius(self, r: float) -> float:
        """Where a point at a radius is shown, without the tangential part."""
        square = r * r
        return r * (1 + square * (self.k1 + square * (self.k2 + square * self.k3)))

    def _inverse_radius(self, shown: float, reach: float) -> float:
        """The radius of what is shown at a radius, without the tangential part; the reach if that is further out."""
        low, high = 0.0, reach
        if reach == math.inf:
            high = max(shown, 1.0)
            while self._radius(high) < shown and high < _FAR:
                high *= 2
        r = min(shown, high)
        for _ in range(60):
            miss = self._radius(r) - shown
            if abs(miss) <= _NEAR * shown:
                break
            low, high = (low, r) if miss > 0 else (r, high)
            square = r * r
            slope = 1 + square * (3 * self.k1 + square * (5 * self.k2 + square * 7 * self.k3))
            following = r - miss / slope if slope > 0 else math.inf
            r = following if low < following < high else (low + high) / 2
        return r


@lru_cache(maxsize=1024)
def _reach(k1: float, k2: float, k3: float) -> float:
    # The slope of the radial part is 1 + 3 k1 s + 5 k2 s^2 + 7 k3 s^3 with s = r^2; with 1/s, the factor of the highest power is never 0.
    factors = [1.0, 3 * k1, 5 * k2, 7 * k3]
    if not all(math.isfinite(factor) for factor in factors):
        return 0.0
    roots = np.roots(factors)
    real = roots.real[np.abs(roots.imag) <= 1e-9 * np.abs(roots)]
    greatest = float(real.max(initial=0.0))
    return math.sqrt(1 / greatest) if greatest > 0 else math.inf
