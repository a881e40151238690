# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filters of many boxes at once.

The filters of SORT (Bewley et al., 2016) and ByteTrack (Zhang et al., 2022) have noise without cross terms, so each coordinate of a
box is a filter of its own with two states, value and rate. Kept as rows of one array, all boxes and coordinates are done by a handful of
array operations. Time is in seconds, so that it does not matter how many frames a camera makes, or which of them are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Coordinates of a box: centre x, centre y, width, height (px), orientation (rad).
COORDINATES = 5
_ANGLE = 4
_SIZES = slice(2, _ANGLE)
#: Rows of a filter's state.
_VALUE, _RATE, _VALUE_VAR, _COVARIANCE, _RATE_VAR = range(5)
_STATES = 5
#: Share of the noise that a detection of score 1 has.
_LEAST_NOISE = 0.01


@dataclass(frozen=True)
class MotionNoise:
    """Standard deviations as shares of a box's width (for x and width) and height (for y and height); of angles, in radians.

    drift: of the value in a second, beyond its rate. change: of the rate in a second; raising it follows people who turn, and is led
    astray by boxes that jitter. measured: of a detection; raising it smooths.
    """

    drift: float = 0.27
    change: float = 1.03
    measured: float = 0.05
    first_value: float = 0.1
    first_rate: float = 1.9


class BoxFilters:
    """n filters. Columns are added, chosen, predicted and corrected together."""

    def __init__(self, noise: MotionNoise, state: Array | None = None) -> None:
        self._noise = noise
        self._state = np.zeros((_STATES, COORDINATES, 0)) if state is None else state

    def __len__(self) -> int:
        return len(self._state[0, 0])

    @property
    def boxes(self) -> Array:
        """(5, n) as estimated now."""
        value: Array = self._state[_VALUE]
        return value

    def estimates(self) -> tuple[Array, Array]:
        """Boxes and their rates per second, (n, 5) each, which stay as they are now."""
        boxes, rates = self._state[: _RATE + 1].copy()
        return boxes.T, rates.T

    def predict(self, seconds: float) -> None:
        """Moves all filters on in time."""
        value, rate, value_var, covariance, rate_var = self._state
        size = _size(value)
        value += seconds * rate
        # A box does not shrink to nothing while it is not seen.
        np.maximum(value[_SIZES], 1.0, out=value[_SIZES])
        # Twice the covariance, and the square of the seconds: of the covariances before and after, each gives the half.
        value_var += seconds * covariance
        covariance += seconds * rate_var
        value_var += seconds * covariance
        value_var += size * (self._noise.drift**2 * seconds)
        rate_var += size * (self._noise.change**2 * seconds)

    def keep_size(self, seen: NDArray[np.bool_]) -> None:
        """Boxes that are not seen (n,) keep their size and orientation."""
        self._state[_RATE, 2:] *= seen

    def correct(self, measured: Array, scores: Array, seen: NDArray[np.bool_]) -> None:
        """Detections (5, n), of those that are seen (n,); those of high scores (n,) count more (Du et al., GIAOTracker, ICCVW 2021).

        Where nothing is seen, the detection may be anything: it has infinite noise, and changes nothing.
        """
        value, rate, value_var, covariance, rate_var = self._state
        error = measured - value
        angle = error[_ANGLE]
        if np.count_nonzero(angle):
            # A box turned by half a turn is the same box.
            angle -= math.pi * np.rint(angle / math.pi)
        noise = (1.0 + _LEAST_NOISE - scores) * self._noise.measured**2
        noise[~seen] = np.inf
        total = _size(value) * noise
        total += value_var
        gain, rate_gain = value_var / total, covariance / total
        value += gain * error
        rate += rate_gain * error
        rate_var -= rate_gain * covariance
        np.subtract(1.0, gain, out=gain)
        covariance *= gain
        value_var *= gain

    def begun(self, measured: Array) -> Self:
        """These filters and new ones for detections (5, m)."""
        state = np.zeros((_STATES, *measured.shape))
        state[_VALUE] = measured
        size = _size(measured)
        state[_VALUE_VAR] = size * self._noise.first_value**2
        state[_RATE_VAR] = size * self._noise.first_rate**2
        return type(self)(self._noise, np.concatenate((self._state, state), axis=2))

    def chosen(self, columns: NDArray[np.bool_]) -> Self:
        """Some of the filters."""
        # Unlike with an index, what comes out is contiguous, which makes everything else faster.
        return type(self)(self._noise, self._state.compress(columns, axis=2))


def _size(boxes: Array) -> Array:
    """(5, n): squares of what the noise of boxes (5, n) is a share of."""
    size = np.empty_like(boxes)
    sides = np.maximum(boxes[_SIZES], 1.0, out=size[:2])
    size[_SIZES] = np.square(sides, out=sides)
    size[_ANGLE] = 1.0
    return size
