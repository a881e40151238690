# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles that drive through the simulated region on its road."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from ptz_sim.itinerary import Itinerary
from ptz_sim.layout import Road
from ptz_sim.shapes import Array, Block

Colour = tuple[int, int, int]

_PAINT: tuple[Colour, ...] = (
    (190, 192, 196),
    (60, 60, 62),
    (40, 35, 150),
    (140, 85, 40),
    (225, 228, 230),
    (70, 105, 60),
    (105, 150, 175),
)


class Body(Enum):
    """Kinds of vehicles."""

    CAR = 'car'
    VAN = 'van'


@dataclass(frozen=True)
class Vehicle:
    """A vehicle at one time: middle of the footprint in metres, heading in radians, m/s, metres gone (for the wheels)."""

    id: int
    x: float
    y: float
    heading: float
    speed: float
    gone: float
    body: Body
    paint: Colour

    @property
    def block(self) -> Block:
        """The box that it fills."""
        length, width, height = {Body.CAR: (4.3, 1.78, 1.46), Body.VAN: (5.2, 1.95, 2.25)}[self.body]
        return Block(self.x, self.y, self.heading, length, width, height)


class Traffic:
    """All vehicles of a region. Each comes once in a period, from either side, and takes the gap in which it meets fewest people."""

    def __init__(self, seed: int, count: int, road: Road, half: float, people: Callable[[float], Array]) -> None:
        """people: the places (n, 2) of people at a time."""
        self._seed, self._count, self._road, self._reach, self._people = seed, count, road, half + 22.0, people
        self._period = max(64.0, 26.0 * count)
        self._pass = lru_cache(maxsize=max(16, 3 * count))(self._make_pass)

    def at(self, seconds: float) -> tuple[Vehicle, ...]:
        """The vehicles that are there."""
        found = []
        for number in range(self._count):
            shift = self._period * number / self._count
            drive = self._pass(number, math.floor((seconds - shift) / self._period))
            if drive.begin <= seconds <= drive.end:
                moment = drive.moment(seconds)
                body, paint = self._kind(number)
                found.append(Vehicle(number, moment.x, moment.y, moment.heading, moment.speed, moment.gone, body, paint))
        return tuple(found)

    def _kind(self, number: int) -> tuple[Body, Colour]:
        rng = np.random.default_rng([self._seed, 5, number])
        return (Body.VAN if number % 3 == 1 else Body.CAR), _PAINT[int(rng.integers(len(_PAINT)))]

    def _make_pass(self, number: int, period: int) -> Itinerary:
        rng = np.random.default_rng([self._seed, 6, number, period & 0xFFFFFFFF])
        begin = period * self._period + self._period * number / self._count
        direction = 1 if rng.uniform() < 0.5 else -1
        speed = float(rng.uniform(5.0, 7.5))
        spare = self._period - 2 * self._reach / speed - 1.0
        # All vehicles of a lane keep their order: each uses only its own share of the period.
        slack = max(0.0, min(spare, self._period / max(self._count, 1) - 2.0))
        tries = [self._drive(begin + share * slack, direction, speed) for share in rng.permutation(np.linspace(0, 1, 6))]
        return min(tries, key=self._meetings)

    def _drive(self, begin: float, direction: int, speed: float) -> Itinerary:
        across = -direction * self._road.width / 4
        ends = [self._road.point(-direction * self._reach, across), self._road.point(direction * self._reach, across)]
        drive = Itinerary(begin, ends[0], 0.2)
        drive.go(ends, speed)
        return drive

    def _meetings(self, drive: Itinerary) -> float:
        met = 0.0
        for seconds in np.arange(drive.begin + 2, drive.end - 2, 0.5):
            people, moment = self._people(float(seconds)), drive.moment(float(seconds))
            if len(people):
                rel = people - np.array([moment.x, moment.y])
                along = np.abs(rel @ np.array([math.cos(moment.heading), math.sin(moment.heading)]))
                across = np.abs(rel @ np.array([-math.sin(moment.heading), math.cos(moment.heading)]))
                met += float(np.sum((along < 3.8) & (across < 1.5)))
        return met
