# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated world: a pure function of time and seed, so that every camera process makes the same one by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from ptz_sim import clothes
from ptz_sim.clothes import Appearance
from ptz_sim.conditions import Conditions, air
from ptz_sim.layout import Viewpoint, make_layout
from ptz_sim.light import Light, light_at
from ptz_sim.shapes import Array, Point
from ptz_sim.vehicles import Traffic, Vehicle
from ptz_sim.walkers import Crowd, Paths, Walker
from ptz_site import Site
from ptz_site.schema import SimulationSettings


@dataclass(frozen=True)
class WorldState:
    """The world at one time (seconds of the world)."""

    seconds: float
    walkers: tuple[Walker, ...]
    vehicles: tuple[Vehicle, ...]
    light: Light


class World:
    """Ground, buildings, trees, people, vehicles and light of a region. Its map frame is that of the site."""

    def __init__(
        self, settings: SimulationSettings, scenes: Mapping[str, Sequence[Point]], viewpoints: Sequence[Viewpoint] = ()
    ) -> None:
        """scenes: ground polygons in metres, by name; viewpoints: cameras that buildings leave a view to."""
        self.settings = settings
        self.conditions = Conditions.of(settings)
        self.air = air(self.conditions, settings.seed)
        self.scenes = {name: tuple(polygon) for name, polygon in scenes.items()}
        self.layout = make_layout(settings, self.scenes, viewpoints)
        self._crowd = Crowd(settings.seed, settings.walkers, self.layout, self.scenes, self._dress)
        self._traffic = Traffic(settings.seed, settings.vehicles, self.layout.road, self.layout.half, self._crowd.places)
        self._state = lru_cache(maxsize=4)(self._make_state)

    @classmethod
    def of_site(cls, site: Site) -> Self:
        """The world of a site: its scenes, and all its cameras that have a pose."""
        scenes = {name: scene.polygon for name, scene in site.scenes.items() if scene.polygon is not None}
        views = [
            Viewpoint(camera.pose.x, camera.pose.y, camera.pose.z, tuple(camera.presets))
            for camera in site.cameras.values()
            if camera.pose is not None
        ]
        return cls(site.simulation, scenes, views)

    def state(self, seconds: float) -> WorldState:
        """Who and what is where. Any time from 0 on, hours long."""
        # A picture and its labels ask for the same one.
        return self._state(seconds)

    def paths(self, seconds: Array) -> Paths:
        """All people at many times (n,) at once: much faster than one state() after the other."""
        return self._crowd.paths(seconds)

    def _make_state(self, seconds: float) -> WorldState:
        return WorldState(seconds, self._crowd.at(seconds), self._traffic.at(seconds), self.light(seconds))

    def light(self, seconds: float) -> Light:
        """The light of a time."""
        return light_at(seconds, self.settings.seed, self.air)

    def _dress(self, rng: np.random.Generator, number: int) -> Appearance:
        if self.settings.people == 'varied':
            return clothes.varied(rng, self.conditions.season)
        return clothes.distinct(rng, self.settings.seed, number)
