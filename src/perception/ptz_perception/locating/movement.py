# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How objects move on the ground: smoothed positions, velocities and headings. Map frame, metres, seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.locating.ground import GroundPoint

_NANOSECONDS = 1_000_000_000
#: m/s^2, one standard deviation: people start, stop and turn within a second.
_ACCELERATION = 0.8
#: m/s, one standard deviation of a velocity of which nothing is known.
_FIRST_SPEED = 1.5
#: Speeds below this many of its standard deviations are not told from standing.
_SURE = 1.3


@dataclass(frozen=True)
class Movement:
    """Position, velocity (m/s) and 4x4 covariance (x, y, vx, vy) at a time."""

    stamp_ns: int
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def position(self) -> tuple[float, float]:
        """x, y."""
        return float(self.state[0]), float(self.state[1])

    @property
    def velocity(self) -> tuple[float, float]:
        """m/s."""
        return float(self.state[2]), float(self.state[3])

    def heading(self, least_speed: float) -> float | None:
        """Direction of movement, rad, counter-clockwise from +x; None below a speed (m/s), or if it is not sure."""
        vx, vy = self.velocity
        speed = math.hypot(vx, vy)
        if speed < least_speed:
            return None
        along = np.array([vx, vy]) / speed
        spread = math.sqrt(max(0.0, float(along @ self.covariance[2:, 2:] @ along)))
        return math.atan2(vy, vx) if speed >= _SURE * spread else None


def begin(point: GroundPoint, stamp_ns: int) -> Movement:
    """The first position of an object."""
    covariance = np.diag([0.0, 0.0, _FIRST_SPEED**2, _FIRST_SPEED**2])
    covariance[:2, :2] = point.covariance
    return Movement(stamp_ns, np.array([point.x, point.y, 0.0, 0.0]), covariance)


def predict(movement: Movement, stamp_ns: int) -> Movement:
    """Where it is at a later time, if it goes on: less and less sure."""
    seconds = max(0.0, (stamp_ns - movement.stamp_ns) / _NANOSECONDS)
    step = np.eye(4)
    step[0, 2] = step[1, 3] = seconds
    effect = np.array([seconds**2 / 2, seconds**2 / 2, seconds, seconds])
    noise = np.outer(effect, effect) * _ACCELERATION**2
    # x and y change by themselves.
    noise[0, 1] = noise[1, 0] = noise[0, 3] = noise[3, 0] = noise[1, 2] = noise[2, 1] = noise[2, 3] = noise[3, 2] = 0.0
    return Movement(stamp_ns, step @ movement.state, step @ movement.covariance @ step.T + noise)


def correct(movement: Movement, point: GroundPoint) -> Movement:
    """With a new measurement at the same time (Kalman's update)."""
    total = movement.covariance[:2, :2] + point.covariance
    gain = np.linalg.solve(total, movement.covariance[:2]).T
    error = np.array([point.x, point.y]) - movement.state[:2]
    covariance = movement.covariance - gain @ movement.covariance[:2]
    return Movement(movement.stamp_ns, movement.state + gain @ error, (covariance + covariance.T) / 2)


class Movements:
    """The movement of each track of one camera."""

    def __init__(self) -> None:
        self._known: dict[int, Movement] = {}

    def take(self, track_id: int, point: GroundPoint | None, stamp_ns: int) -> Movement | None:
        """A track's movement at a frame, with its measured place if there is one; None if it was never placed."""
        before = self._known.get(track_id)
        if before is None:
            found = None if point is None else begin(point, stamp_ns)
        else:
            found = predict(before, stamp_ns)
            found = found if point is None else correct(found, point)
        if found is not None:
            self._known[track_id] = found
        return found

    def keep(self, track_ids: set[int]) -> None:
        """Forgets all others."""
        self._known = {track_id: movement for track_id, movement in self._known.items() if track_id in track_ids}
