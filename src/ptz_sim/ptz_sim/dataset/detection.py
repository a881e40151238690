# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Single pictures with boxes, to train detectors with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ptz_sim.dataset.coco import Picture, annotation
from ptz_sim.dataset.sensor import jpeg
from ptz_sim.dataset.spec import SceneSpec
from ptz_sim.dataset.studio import Shot, Studio

#: Share of pictures that a moving camera takes, and by how many pixels it smears them at most.
_MOVING, _SMEAR = 0.08, 7.0


def take_pictures(scene: SceneSpec, studio: Studio, count: int, folder: Path) -> tuple[Picture, ...]:
    """Writes so many pictures of a scene into a folder, from all positions of its cameras by turns."""
    found = []
    rng = np.random.default_rng([scene.settings.seed, 22])
    for number, seconds in enumerate(studio.times(count, 0)):
        camera = scene.cameras[number % len(scene.cameras)]
        shake = float(rng.uniform(2, _SMEAR)) if rng.uniform() < _MOVING else 0.0
        view = camera.view(number // len(scene.cameras))
        picture = studio.take(Shot(camera.sensor, view, seconds, number, shake))
        name = f'{scene.name}-{camera.name}-{number + 1:05d}.jpg'
        (folder / name).write_bytes(jpeg(picture, camera.sensor))
        boxes = [box for label in studio.labels(view, seconds) if (box := annotation(label, camera.resolution)) is not None]
        found.append(Picture(name, *camera.resolution, scene.name, camera.name, round(seconds, 3), tuple(boxes)))
    return tuple(found)
