# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The people of the simulated region: where each is at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ptz_sim.clothes import Appearance
from ptz_sim.itinerary import Itinerary, Moment
from ptz_sim.layout import Layout
from ptz_sim.routes import Routes
from ptz_sim.shapes import Array, Flags, Point, in_polygon

Dress = Callable[[np.random.Generator, int], Appearance]

#: Seconds from one coming to the next, of every person.
PERIOD = 300.0
#: Metres of one stride (two steps) for somebody 1.75 m tall.
STRIDE = 1.45


@dataclass(frozen=True)
class Walker:
    """A person at one time. Metres, radians, m/s; heading: where the body's front points; facing: where the face points.

    gait: phase of the stride in radians, one stride is two steps.
    """

    id: int
    x: float
    y: float
    heading: float
    facing: float
    speed: float
    gait: float
    look: Appearance


@dataclass(frozen=True)
class Paths:
    """All people at many times, arrays (times, people): metres, radians, m/s, as in Walker; NaN where somebody is away.

    heights: m, of each person.
    """

    x: Array
    y: Array
    heading: Array
    facing: Array
    speed: Array
    heights: Array

    @property
    def present(self) -> Flags:
        """Who is there when."""
        return np.asarray(~np.isnan(self.x))


@dataclass(frozen=True)
class _Person:
    number: int
    look: Appearance
    pace: float
    shift: float


class Crowd:
    """All people of a region. Everyone comes, walks through scenes and stops there, leaves, and comes again."""

    def __init__(self, seed: int, count: int, layout: Layout, scenes: Mapping[str, Sequence[Point]], dress: Dress) -> None:
        """dress: what a person looks like, by number and a generator of their own."""
        self._seed, self._layout = seed, layout
        self._scenes = tuple(np.asarray(polygon, float) for polygon in scenes.values())
        self._routes = Routes(layout.solid(), layout.half)
        self._people = tuple(_person(seed, number, count, dress) for number in range(count))
        self._visit = lru_cache(maxsize=max(16, 3 * count))(self._make_visit)

    def at(self, seconds: float) -> tuple[Walker, ...]:
        """Who is there. Without those who are away just now."""
        found = []
        for person in self._people:
            visit = self.visit(person.number, seconds)
            if visit.begin <= seconds <= visit.end:
                found.append(self._walker(person, visit.moment(seconds), seconds))
        return tuple(found)

    def places(self, seconds: float) -> Array:
        """Where those stand who are there, (n, 2) in metres."""
        found = []
        for person in self._people:
            visit = self.visit(person.number, seconds)
            if visit.begin <= seconds <= visit.end:
                moment = visit.moment(seconds)
                found.append((moment.x, moment.y))
        return np.array(found).reshape(-1, 2)

    def paths(self, seconds: Array) -> Paths:
        """Everybody at many times at once, as at() says them one by one."""
        found = np.full((4, len(seconds), len(self._people)), np.nan)
        for person in self._people:
            for period in np.unique(np.floor((seconds + person.shift) / PERIOD).astype(int)).tolist():
                visit = self._visit(person.number, period)
                mine = np.floor((seconds + person.shift) / PERIOD) == period
                there = np.flatnonzero(mine & (visit.begin <= seconds) & (seconds <= visit.end))
                if len(there):
                    found[:, there, person.number] = visit.moments(seconds[there]).T
        x, y, heading, speed = found
        facing = heading + _glance(np.arange(len(self._people)), speed, seconds[:, None])
        return Paths(x, y, heading, facing, speed, np.array([person.look.height for person in self._people]))

    def visit(self, number: int, seconds: float) -> Itinerary:
        """The itinerary of a person's visit in the period that a time falls into."""
        return self._visit(number, math.floor((seconds + self._people[number].shift) / PERIOD))

    def _walker(self, person: _Person, moment: Moment, seconds: float) -> Walker:
        stride = STRIDE * person.look.height / 1.75
        glance = float(_glance(person.number, moment.speed, seconds))
        gait = 2 * math.pi * ((moment.gone / stride) % 1.0)
        return Walker(person.number, moment.x, moment.y, moment.heading, moment.heading + glance, moment.speed, gait, person.look)

    def _make_visit(self, number: int, period: int) -> Itinerary:
        person = self._people[number]
        rng = np.random.default_rng([self._seed, 2, number, period & 0xFFFFFFFF])
        begin = period * PERIOD - person.shift
        entries = self._layout.entries
        way_in = entries[int(rng.integers(len(entries)))]
        way_out = entries[int(rng.integers(len(entries)))]
        pace = person.pace * float(rng.uniform(0.92, 1.08))
        visit = Itinerary(begin, way_in.outside, 0.38)
        visit.go([way_in.outside, way_in.inside], pace)
        leave_by = begin + PERIOD - 2.2 * self._layout.half / pace - 8.0 - float(rng.uniform(0, 25))
        scene = int(rng.integers(max(len(self._scenes), 1)))
        while visit.end < leave_by:
            self._spend(visit, scene, pace, leave_by, rng)
            if len(self._scenes) > 1:
                scene = (scene + int(rng.integers(1, len(self._scenes)))) % len(self._scenes)
        visit.go(self._routes.between(visit.at, way_out.inside), pace)
        visit.go([way_out.inside, way_out.outside], pace)
        return visit

    def _spend(self, visit: Itinerary, scene: int, pace: float, until: float, rng: np.random.Generator) -> None:
        """Some walks and stops in one scene."""
        for _ in range(int(rng.integers(3, 7))):
            goal = self._spot(scene, rng)
            visit.go(self._routes.between(visit.at, goal), pace)
            if visit.end > until:
                return
            for _ in range(int(rng.integers(1, 3))):
                visit.stay(float(rng.uniform(1.5, 5.0)), float(rng.uniform(-math.pi, math.pi)))

    def _spot(self, scene: int, rng: np.random.Generator) -> Point:
        """Somewhere to stop in a scene, beside the road if there is room."""
        half = self._layout.half - 2.5
        polygon = self._scenes[scene] if self._scenes else np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
        low, high = polygon.min(axis=0), polygon.max(axis=0)
        draws = rng.uniform(low, high, (40, 2))
        draws = draws[in_polygon(draws, polygon.tolist())]
        free = draws[self._routes.are_free(draws)]
        road = self._layout.road
        beside = free[road.distance(free) > road.width / 2 + 0.3]
        x, y = next(iter([*beside[:1], *free[:1], *polygon]))
        return float(x), float(y)


def _glance(number: Any, speed: Any, seconds: Any) -> Any:
    """Radians by which the face is turned away from where the body's front points; numbers, or arrays of them."""
    standing = np.maximum(0.0, 1 - speed / 0.5)
    return (0.18 + 0.35 * standing) * np.sin(0.55 * seconds + 1.7 * number) * np.sin(0.21 * seconds + number)


def _person(seed: int, number: int, count: int, dress: Dress) -> _Person:
    rng = np.random.default_rng([seed, 3, number])
    look = dress(rng, number)
    # The first visits are well under way at time zero, and the absences of different people don't coincide.
    shift = PERIOD * (0.12 + 0.62 * ((number + float(rng.uniform(0.2, 0.8))) / max(count, 1)))
    return _Person(number, look, float(rng.uniform(1.15, 1.55)), shift)
