# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How a PTZ camera turns: every axis by a trapezoid of speed, pan and tilt together, zoom beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class PtzPosition:
    """Where a camera looks: pan and tilt in radians (counter-clockwise and up positive), zoom as magnification."""

    pan: float
    tilt: float
    zoom: float


@dataclass(frozen=True)
class SlewLimits:
    """What the drive can do: top speed in rad/s and rad/s^2; zoom_rate in doublings of the magnification per second."""

    speed: float
    acceleration: float
    zoom_rate: float

    def slowed(self, share: float) -> SlewLimits:
        """With a share of the speed; 0: with all of it."""
        return SlewLimits(self.speed * share, self.acceleration, self.zoom_rate * share) if share else self


@dataclass(frozen=True)
class Turn:
    """A turn from one position to another, begun at start_ns; a pure function of time."""

    origin: PtzPosition
    goal: PtzPosition
    start_ns: int
    limits: SlewLimits

    @property
    def duration(self) -> float:
        """Seconds from the command to standstill."""
        return turn_time(self.origin, self.goal, self.limits)

    @property
    def end_ns(self) -> int:
        """The instant of standstill."""
        return self.start_ns + round(self.duration * NANOSECONDS)

    def position(self, at_ns: int) -> PtzPosition:
        """Where the camera looks at an instant; before the turn its origin, after it its goal."""
        if at_ns >= self.end_ns:
            return self.goal
        elapsed = max(0.0, (at_ns - self.start_ns) / NANOSECONDS)
        pan = _travel(self.origin.pan, self.goal.pan, elapsed, self.limits)
        tilt = _travel(self.origin.tilt, self.goal.tilt, elapsed, self.limits)
        return PtzPosition(pan, tilt, self._zoom(elapsed))

    def speed(self, at_ns: int) -> tuple[float, float]:
        """Pan and tilt rate in rad/s at an instant."""
        step_ns = 1_000_000
        before, after = self.position(at_ns - step_ns), self.position(at_ns + step_ns)
        seconds = 2 * step_ns / NANOSECONDS
        return (after.pan - before.pan) / seconds, (after.tilt - before.tilt) / seconds

    def _zoom(self, elapsed: float) -> float:
        octaves = math.log2(self.goal.zoom / self.origin.zoom)
        moved = min(abs(octaves), self.limits.zoom_rate * elapsed)
        return self.origin.zoom * math.exp2(math.copysign(moved, octaves))


def turn_time(origin: PtzPosition, goal: PtzPosition, limits: SlewLimits) -> float:
    """Seconds that a turn takes: the slowest of pan, tilt and zoom."""
    octaves = abs(math.log2(goal.zoom / origin.zoom))
    return max(
        _travel_time(abs(goal.pan - origin.pan), limits),
        _travel_time(abs(goal.tilt - origin.tilt), limits),
        octaves / limits.zoom_rate,
    )


def _travel_time(angle: float, limits: SlewLimits) -> float:
    ramp = limits.speed / limits.acceleration
    if angle >= limits.speed * ramp:
        return angle / limits.speed + ramp
    return 2.0 * math.sqrt(angle / limits.acceleration)


def _travel(origin: float, goal: float, elapsed: float, limits: SlewLimits) -> float:
    angle = abs(goal - origin)
    total = _travel_time(angle, limits)
    if elapsed >= total:
        return goal
    ramp = min(limits.speed / limits.acceleration, total / 2)
    if elapsed <= ramp:
        moved = 0.5 * limits.acceleration * elapsed**2
    elif elapsed <= total - ramp:
        moved = limits.acceleration * ramp * (elapsed - ramp / 2)
    else:
        moved = angle - 0.5 * limits.acceleration * (total - elapsed) ** 2
    return origin + math.copysign(moved, goal - origin)
