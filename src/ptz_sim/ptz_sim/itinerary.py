# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Movement along a polyline with stops, smooth in place and direction, as a pure function of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptz_sim.shapes import Array, Point
from ptz_site.geometry import wrap_angle


@dataclass(frozen=True)
class Moment:
    """Where somebody is: metres, heading in radians (where the front points), m/s, and metres gone so far."""

    x: float
    y: float
    heading: float
    speed: float
    gone: float


class Itinerary:
    """A sequence of walks and stops. Built piece by piece, then asked for any time between `begin` and `end`."""

    def __init__(self, begin: float, at: Point, smoothing: float) -> None:
        """smoothing: half the seconds over which place and direction are averaged, which rounds corners and starts."""
        self.begin = begin
        self._window = smoothing
        self._times = [begin]
        self._values = [(at[0], at[1], 0.0)]
        self._headings: list[float] = []
        self._tables: tuple[Array, Array, Array, Array, Array] | None = None

    @property
    def end(self) -> float:
        """Seconds at which it is over."""
        return self._times[-1]

    @property
    def at(self) -> Point:
        """The last point."""
        return self._values[-1][0], self._values[-1][1]

    def go(self, way: Sequence[Point], speed: float) -> None:
        """Goes along points at m/s; the first point is where the last piece ended."""
        for goal in way[1:]:
            x, y, gone = self._values[-1]
            length = math.dist((x, y), goal)
            if length > 1e-6:
                self._add(length / speed, (goal[0], goal[1], gone + length), math.atan2(goal[1] - y, goal[0] - x))

    def stay(self, seconds: float, heading: float | None = None) -> None:
        """Stays, and turns to a heading if one is given."""
        if seconds > 0:
            self._add(seconds, self._values[-1], self._headings[-1] if heading is None and self._headings else heading or 0.0)

    def moment(self, seconds: float) -> Moment:
        """Where it is at a time; held at the ends."""
        if self._tables is None:
            self._tables = self._make_tables()
        times, values, areas, headings, turned = self._tables
        window = self._window
        low, high = (min(max(seconds + d, times[0]), times[-1]) for d in (-window, window))
        span = max(high - low, 1e-6)
        area_low, value_low = _integral(low, times, values, areas)
        area_high, value_high = _integral(high, times, values, areas)
        x, y, gone = (area_high - area_low) / span
        heading = (_ramp(high, times, headings, turned) - _ramp(low, times, headings, turned)) / span
        speed = (value_high[2] - value_low[2]) / span
        return Moment(float(x), float(y), wrap_angle(float(heading)), float(speed), float(gone))

    def _add(self, seconds: float, value: tuple[float, float, float], heading: float) -> None:
        previous = self._headings[-1] if self._headings else heading
        self._times.append(self._times[-1] + seconds)
        self._values.append(value)
        self._headings.append(previous + wrap_angle(heading - previous))

    def _make_tables(self) -> tuple[Array, Array, Array, Array, Array]:
        times, values = np.array(self._times), np.array(self._values)
        steps = np.diff(times)
        areas = np.vstack((np.zeros(3), np.cumsum((values[1:] + values[:-1]) / 2 * steps[:, None], axis=0)))
        headings = np.array(self._headings)
        return times, values, areas, headings, np.concatenate(([0.0], np.cumsum(headings * steps)))


def _piece(at: float, times: Array) -> int:
    return min(max(int(np.searchsorted(times, at, side='right')) - 1, 0), len(times) - 2)


def _integral(at: float, times: Array, values: Array, areas: Array) -> tuple[Array, Array]:
    """Integral from the beginning of a piecewise linear course, and its value."""
    i = _piece(at, times)
    passed, length = at - times[i], times[i + 1] - times[i]
    value = values[i] + (values[i + 1] - values[i]) * (passed / length)
    return areas[i] + (values[i] + value) / 2 * passed, value


def _ramp(at: float, times: Array, levels: Array, areas: Array) -> float:
    i = _piece(at, times)
    return float(areas[i] + levels[i] * (at - times[i]))
