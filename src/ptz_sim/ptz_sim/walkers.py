# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The people of the simulated region: what they look like, and where each is at any time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ptz_sim.itinerary import Itinerary, Moment
from ptz_sim.layout import Layout
from ptz_sim.routes import Routes
from ptz_sim.shapes import Point, in_polygon

Colour = tuple[int, int, int]

#: Seconds from one coming to the next, of every person.
PERIOD = 300.0
#: Metres of one stride (two steps) for somebody 1.75 m tall.
STRIDE = 1.45

# Blue, green, red.
_UPPER: tuple[Colour, ...] = (
    (40, 40, 190), (165, 75, 25), (45, 165, 230), (70, 115, 30), (205, 205, 208), (120, 40, 105),
    (35, 30, 28), (30, 110, 215), (140, 120, 35), (150, 130, 225), (95, 45, 20), (60, 190, 200),
)  # fmt: skip
_LOWER: tuple[Colour, ...] = (
    (85, 52, 36),
    (38, 36, 36),
    (96, 130, 150),
    (120, 92, 66),
    (60, 66, 72),
    (50, 76, 90),
    (150, 158, 160),
)
_HAIR: tuple[Colour, ...] = ((22, 24, 28), (30, 45, 70), (60, 105, 150), (120, 125, 128), (28, 34, 92), (18, 18, 20))
_SKIN: tuple[Colour, ...] = ((165, 190, 232), (130, 165, 215), (95, 130, 185), (60, 88, 135), (45, 62, 98))
_PANEL: tuple[Colour, ...] = ((235, 235, 235), (40, 210, 240), (225, 190, 80), (40, 40, 45), (70, 90, 235), (190, 235, 190))
_PACK: tuple[Colour, ...] = ((45, 50, 55), (60, 40, 150), (110, 80, 30), (40, 90, 60), (30, 60, 120))


@dataclass(frozen=True)
class Appearance:
    """What a person wears. Colours are blue, green, red. The panel is on the shirt's front, the pack on the back."""

    height: float
    build: float
    upper: Colour
    lower: Colour
    hair: Colour
    skin: Colour
    shoes: Colour
    panel: Colour
    pack: Colour | None
    vest: Colour | None
    helmet: Colour | None
    long_hair: bool
    short_sleeves: bool


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
class _Person:
    number: int
    look: Appearance
    pace: float
    shift: float


class Crowd:
    """All people of a region. Everyone comes, walks through scenes and stops there, leaves, and comes again."""

    def __init__(self, seed: int, count: int, layout: Layout, scenes: Mapping[str, Sequence[Point]]) -> None:
        self._seed, self._layout = seed, layout
        self._scenes = tuple(np.asarray(polygon, float) for polygon in scenes.values())
        self._routes = Routes(layout.solid(), layout.half)
        self._people = tuple(_person(seed, number, count) for number in range(count))
        self._visit = lru_cache(maxsize=max(16, 3 * count))(self._make_visit)

    def at(self, seconds: float) -> tuple[Walker, ...]:
        """Who is there. Without those who are away just now."""
        found = []
        for person in self._people:
            visit = self.visit(person.number, seconds)
            if visit.begin <= seconds <= visit.end:
                found.append(self._walker(person, visit.moment(seconds), seconds))
        return tuple(found)

    def visit(self, number: int, seconds: float) -> Itinerary:
        """The itinerary of a person's visit in the period that a time falls into."""
        return self._visit(number, math.floor((seconds + self._people[number].shift) / PERIOD))

    def _walker(self, person: _Person, moment: Moment, seconds: float) -> Walker:
        stride = STRIDE * person.look.height / 1.75
        standing = max(0.0, 1 - moment.speed / 0.5)
        glance = (
            (0.18 + 0.35 * standing) * math.sin(0.55 * seconds + 1.7 * person.number) * math.sin(0.21 * seconds + person.number)
        )
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
        free = [p for p in draws if self._routes.is_free((float(p[0]), float(p[1])))]
        road = self._layout.road
        beside = [p for p in free if road.distance(p[None])[0] > road.width / 2 + 0.3]
        x, y = next(iter(beside or free or list(polygon)))
        return float(x), float(y)


def _person(seed: int, number: int, count: int) -> _Person:
    rng = np.random.default_rng([seed, 3, number])
    order = np.random.default_rng([seed, 4]).permutation(len(_UPPER))
    height = float(rng.uniform(1.62, 1.90))
    worker = bool(rng.uniform() < 0.22)
    vest: Colour | None = ((20, 130, 250), (40, 235, 215))[int(rng.integers(2))] if worker else None
    look = Appearance(
        height=height,
        build=float(rng.uniform(0.94, 1.12)),
        upper=_UPPER[int(order[number % len(_UPPER)])],
        lower=_pick(_LOWER, rng),
        hair=_pick(_HAIR, rng),
        skin=_pick(_SKIN, rng),
        shoes=_pick(((30, 30, 32), (215, 218, 222), (40, 60, 95)), rng),
        panel=_pick(_PANEL, rng),
        pack=_pick(_PACK, rng) if rng.uniform() < 0.45 and not worker else None,
        vest=vest,
        helmet=_pick(((40, 200, 245), (230, 232, 235), (200, 110, 30)), rng) if worker else None,
        long_hair=bool(rng.uniform() < 0.35) and not worker,
        short_sleeves=bool(rng.uniform() < 0.4),
    )
    # The first visits are well under way at time zero, and the absences of different people don't coincide.
    shift = PERIOD * (0.12 + 0.62 * ((number + float(rng.uniform(0.2, 0.8))) / max(count, 1)))
    return _Person(number, look, float(rng.uniform(1.15, 1.55)), shift)


def _pick(colours: Sequence[Colour], rng: np.random.Generator) -> Colour:
    return colours[int(rng.integers(len(colours)))]
