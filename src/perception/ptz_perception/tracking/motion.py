# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filters of many boxes at once.

The filters of SORT (Bewley et al., 2016) and ByteTrack (Zhang et al., 2022) have noise without cross terms, so each coordinate of a
box is a filter of its own with two states, value and rate. Kept as columns, all boxes and coordinates are done by a handful of array
operations. Time is in seconds, so that it does not matter how many frames a camera makes, or which of them are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Rows of a filter's state, and coordinates of a box: centre x, centre y, width, height (px), orientation (rad).
_VALUE, _RATE, _VALUE_VAR, _COVARIANCE, _RATE_VAR = range(5)
_STATES, COORDINATES = 5, 5
_ANGLE = 4
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
    """n filters. Rows are added, chosen, predicted and corrected together."""

    def __init__(self, noise: MotionNoise, state: Array | None = None) -> None:
        self._noise = noise
        self._state = np.zeros((0, _STATES, COORDINATES)) if state is None else state

    def __len__(self) -> int:
        return len(self._state)

    @property
    def boxes(self) -> Array:
        """(n, 5) as estimated now."""
        return self._state[:, _VALUE]

    @property
    def rates(self) -> Array:
        """(n, 5), per second."""
        return self._state[:, _RATE]

    def predict(self, seconds: float) -> None:
        """Moves all filters on in time."""
        state, noise = self._state, self._noise
        size = self._size(state)
        state[:, _VALUE] += seconds * state[:, _RATE]
        # A box does not shrink to nothing while it is not seen.
        np.maximum(state[:, _VALUE, 2:_ANGLE], 1.0, out=state[:, _VALUE, 2:_ANGLE])
        state[:, _VALUE_VAR] += 2 * seconds * state[:, _COVARIANCE] + seconds**2 * state[:, _RATE_VAR]
        state[:, _VALUE_VAR] += size * (noise.drift**2 * seconds)
        state[:, _COVARIANCE] += seconds * state[:, _RATE_VAR]
        state[:, _RATE_VAR] += size * (noise.change**2 * seconds)

    def keep_size(self, rows: NDArray[np.intp]) -> None:
        """Boxes that are not seen keep their size and orientation."""
        self._state[rows, _RATE, 2:] = 0.0

    def correct(self, rows: NDArray[np.intp], measured: Array, scores: Array) -> None:
        """Detections (m, 5) of m of the filters; those of high scores (m,) count more (Du et al., GIAOTracker, ICCVW 2021)."""
        state = self._state[rows]
        error = measured - state[:, _VALUE]
        # A box turned by half a turn is the same box.
        error[:, _ANGLE] -= math.pi * np.round(error[:, _ANGLE] / math.pi)
        total = state[:, _VALUE_VAR] + self._size(state) * (self._noise.measured**2 * (_LEAST_NOISE + 1.0 - scores))[:, None]
        gain, rate_gain = state[:, _VALUE_VAR] / total, state[:, _COVARIANCE] / total
        state[:, _VALUE] += gain * error
        state[:, _RATE] += rate_gain * error
        state[:, _RATE_VAR] -= rate_gain * state[:, _COVARIANCE]
        state[:, _COVARIANCE] *= 1.0 - gain
        state[:, _VALUE_VAR] *= 1.0 - gain
        self._state[rows] = state

    def begun(self, measured: Array) -> Self:
        """These filters and new ones for detections (m, 5)."""
        state = np.zeros((len(measured), _STATES, COORDINATES))
        state[:, _VALUE] = measured
        size = self._size(state)
        state[:, _VALUE_VAR] = size * self._noise.first_value**2
        state[:, _RATE_VAR] = size * self._noise.first_rate**2
        return type(self)(self._noise, np.concatenate((self._state, state)))

    def chosen(self, rows: NDArray[np.bool_]) -> Self:
        """Some of the filters."""
        return type(self)(self._noise, self._state[rows])

    def _size(self, state: Array) -> Array:
        """(n, 5): squares of what the noise is a share of."""
        size = np.ones((len(state), COORDINATES))
        np.maximum(state[:, _VALUE, 2:_ANGLE], 1.0, out=size[:, :2])
        size[:, 2:_ANGLE] = size[:, :2]
        return np.square(size, out=size)
