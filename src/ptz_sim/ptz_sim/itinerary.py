# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Movement along a polyline with stops, smooth in place and direction, as a pure function of time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptz_sim.shapes import Array, Point
from ptz_site.geometry import wrap_angle

#: Times, values, their integrals up to each time, headings of the pieces, and their integral.
_Tables = tuple[list[float], list[tuple[float, float, float]], list[list[float]], list[float], list[float]]


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
        self._tables: _Tables | None = None

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
        window, first, last = self._window, times[0], times[-1]
        low = min(max(seconds - window, first), last)
        high = min(max(seconds + window, first), last)
        span = max(high - low, 1e-6)
        i, j = _piece(low, times), _piece(high, times)
        begin, end = _integral(low, i, times, values, areas), _integral(high, j, times, values, areas)
        x, y, gone = ((after - before) / span for before, after in zip(begin[:3], end[:3], strict=True))
        turn = turned[j] + headings[j] * (high - times[j]) - (turned[i] + headings[i] * (low - times[i]))
        return Moment(x, y, wrap_angle(turn / span), (end[3] - begin[3]) / span, gone)

    def moments(self, seconds: Array) -> Array:
        """x, y, heading and speed (n, 4) at many times at once, as moment() says them one by one."""
        if self._tables is None:
            self._tables = self._make_tables()
        times = np.asarray(self._times)
        values, areas = np.asarray(self._values), np.asarray(self._tables[2])
        headings, turned = np.asarray(self._headings), np.asarray(self._tables[4])

        def integral(at: Array) -> tuple[Array, Array, Array]:
            """Up to each time: of x, y and metres gone; of the heading; and the metres gone then."""
            i = np.clip(np.searchsorted(times, at, side='right') - 1, 0, len(times) - 2)
            passed = (at - times[i])[:, None]
            there = values[i] + (values[i + 1] - values[i]) * passed / (times[i + 1] - times[i])[:, None]
            return areas[i] + (values[i] + there) / 2 * passed, turned[i] + headings[i] * passed[:, 0], there[:, 2]

        low = np.clip(seconds - self._window, times[0], times[-1])
        high = np.clip(seconds + self._window, times[0], times[-1])
        (area_0, turn_0, gone_0), (area_1, turn_1, gone_1) = integral(low), integral(high)
        span = np.maximum(high - low, 1e-6)
        heading = ((turn_1 - turn_0) / span + math.pi) % (2 * math.pi) - math.pi
        return np.column_stack(((area_1 - area_0)[:, :2] / span[:, None], heading, (gone_1 - gone_0) / span))

    def _add(self, seconds: float, value: tuple[float, float, float], heading: float) -> None:
        previous = self._headings[-1] if self._headings else heading
        self._times.append(self._times[-1] + seconds)
        self._values.append(value)
        self._headings.append(previous + wrap_angle(heading - previous))

    def _make_tables(self) -> _Tables:
        times, values = np.array(self._times), np.array(self._values)
        steps = np.diff(times)
        areas = np.vstack((np.zeros(3), np.cumsum((values[1:] + values[:-1]) / 2 * steps[:, None], axis=0)))
        turned = np.concatenate(([0.0], np.cumsum(np.array(self._headings) * steps)))
        # Lists: one number at a time is several times faster to get from them than from arrays.
        return self._times, self._values, areas.tolist(), self._headings, turned.tolist()


def _piece(at: float, times: list[float]) -> int:
    return min(max(bisect_right(times, at) - 1, 0), len(times) - 2)


def _integral(
    at: float, i: int, times: list[float], values: list[tuple[float, float, float]], areas: list[list[float]]
) -> tuple[float, float, float, float]:
    """Integrals of x, y and metres gone from the beginning, where each runs straight in each piece; and metres gone."""
    passed = at - times[i]
    share = passed / (times[i + 1] - times[i])
    (x0, y0, gone0), (x1, y1, gone1) = values[i], values[i + 1]
    x, y, gone = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, gone0 + (gone1 - gone0) * share
    area_x, area_y, area_gone = areas[i]
    half = (x0 + x) / 2 * passed, (y0 + y) / 2 * passed, (gone0 + gone) / 2 * passed
    return area_x + half[0], area_y + half[1], area_gone + half[2], gone
