# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One scene of a data set, set up: takes labelled pictures with its cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ptz_sim.dataset.labels import Label, labels
from ptz_sim.dataset.sensor import Processor
from ptz_sim.dataset.spec import SceneSpec, Sensor
from ptz_sim.exposure import ExposureLimits, automatic
from ptz_sim.ground import LARGEST
from ptz_sim.layout import Viewpoint
from ptz_sim.renderer import Image, Renderer
from ptz_sim.world import World, WorldState
from ptz_site.geometry import Projection

#: Seconds of the world between which things are watched: within one visit of everybody, so that later ones need not be worked out.
BEGIN, END = 60.0, 240.0


@dataclass(frozen=True)
class Shot:
    """What is to be photographed: by which sensor, with which projection, when.

    number: another one gives other noise; shake: pixels that the camera moves to the side meanwhile.
    """

    sensor: Sensor
    view: Projection
    seconds: float
    number: int
    shake: float = 0.0


class Studio:
    """The world of a scene, and one size of pictures of it. A picture depends on the scene and the shot, not on those before."""

    def __init__(self, scene: SceneSpec, size: tuple[int, int] | None = None, beside: Studio | None = None) -> None:
        """size: of the pictures (default: the cameras'); beside: a studio of the same scene, to share the world with."""
        self._size = size or scene.cameras[0].resolution
        self._seed = scene.settings.seed
        self.world: World = beside.world if beside else _world(scene)
        self._renderer: Renderer = Renderer(
            self.world, self._size, _texels(self._size), beside._renderer.ground if beside else None
        )
        self._processor = Processor(self._size, self._seed)

    def take(self, shot: Shot) -> Image:
        """The picture (height, width, 3), BGR, as the camera passes it on to its encoder."""
        exposure = automatic(self.world.light(shot.seconds).brightness, ExposureLimits()).factor * shot.sensor.bias
        picture = self._renderer.render(shot.seconds, shot.view, exposure, (shot.shake, 0.0))
        return self._processor.process(picture, shot.sensor, shot.number)

    def labels(self, view: Projection, seconds: float) -> tuple[Label, ...]:
        """Who and what would be seen."""
        return labels(self.world, self.state(seconds), view, self._size)

    def state(self, seconds: float) -> WorldState:
        """Who and what is where."""
        return self.world.state(seconds)

    def times(self, count: int, kind: int) -> list[float]:
        """So many random times of the world in ascending order; kind: another one gives other times."""
        rng = np.random.default_rng([self._seed, 21, kind])
        return sorted(float(t) for t in rng.uniform(BEGIN, END, count))


def _texels(size: tuple[int, int]) -> int:
    """Texels of a side of the ground's picture: 2048 for pictures of 1280, painted in a quarter of the time of what a region shows."""
    return int(np.clip(512 * math.ceil(1.6 * size[0] / 512), 1024, LARGEST))


def _world(scene: SceneSpec) -> World:
    viewpoints = [Viewpoint(c.pose.x, c.pose.y, c.pose.z, tuple(scene.polygons)) for c in scene.cameras]
    return World(scene.settings, scene.polygons, viewpoints)
