# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One scene of a data set, set up: takes labelled pictures with its cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptz_sim.dataset.labels import Label, labels
from ptz_sim.dataset.sensor import Encoder
from ptz_sim.dataset.spec import CameraSpec, SceneSpec
from ptz_sim.exposure import ExposureLimits, automatic
from ptz_sim.layout import Viewpoint
from ptz_sim.renderer import Renderer
from ptz_sim.world import World

#: Texels of a side of the ground's picture: half as fine as in a region that runs, and painted in a quarter of the time.
TEXELS = 2048


@dataclass(frozen=True)
class Shot:
    """A picture (JPEG), and who is seen in it."""

    jpeg: bytes
    labels: tuple[Label, ...]


class Studio:
    """The world of a scene. A shot depends on the scene and on what is asked for, not on the shots before it."""

    def __init__(self, scene: SceneSpec) -> None:
        viewpoints = [Viewpoint(c.pose.x, c.pose.y, c.pose.z, tuple(scene.polygons)) for c in scene.cameras]
        self._world = World(scene.settings, scene.polygons, viewpoints)
        size = scene.cameras[0].resolution
        self._renderer = Renderer(self._world, size, TEXELS)
        self._encoder = Encoder(size, scene.settings.seed)
        self._seed = scene.settings.seed

    def shot(self, camera: CameraSpec, position: int, seconds: float, number: int, shake: float = 0.0) -> Shot:
        """What a camera takes in one of its positions at a time of the world.

        number: another one gives other noise; shake: pixels that the camera moves to the side meanwhile.
        """
        view = camera.view(position)
        exposure = automatic(self._world.light(seconds).brightness, ExposureLimits()).factor * camera.sensor.bias
        picture = self._renderer.render(seconds, view, exposure, (shake, 0.0))
        found = labels(self._world, self._world.state(seconds), view, camera.resolution)
        return Shot(self._encoder.encode(picture, camera.sensor, number), found)

    def times(self, count: int, kind: int) -> list[float]:
        """So many random times of the world in ascending order; kind: another one gives other times."""
        rng = np.random.default_rng([self._seed, 21, kind])
        # Within one visit of everybody: what the people do next need not be worked out.
        return sorted(float(t) for t in rng.uniform(60, 240, count))
