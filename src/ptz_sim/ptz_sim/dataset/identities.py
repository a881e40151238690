# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single people, each from several cameras, as PTZ cameras take them that turn and zoom to somebody."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptz_sim.dataset.labels import Label
from ptz_sim.dataset.sensor import jpeg
from ptz_sim.dataset.spec import CameraSpec, SceneSpec
from ptz_sim.dataset.studio import Shot, Studio
from ptz_sim.renderer import Image
from ptz_sim.walkers import Walker
from ptz_site.geometry import Projection, rotation

#: The picture that a person is cut out of, pixels: only what is around them is rendered.
SIZE = (320, 416)
#: Pictures of one person, of all cameras together.
_EACH = 9
#: Pixels of the height of a person; what of them must be seen, and what contrast the air must leave.
_LOWEST, _HIGHEST, _SEEN, _CONTRAST = 64.0, 300.0, 0.9, 0.3
#: Metres to the farthest person, times at which people are looked for, and tries to get one picture.
_FARTHEST, _TIMES, _TRIES = 150.0, 24, 8


@dataclass(frozen=True)
class Crop:
    """A picture of one person. file: below the split's folder; facing: radians from the direction to the camera to where they look,
    counter-clockwise seen from above, 0 is frontal; height: of the person in pixels; seconds: the world's time; track_id: what the
    person is numbered in the sequences of the scene, so that nobody is taken for two.
    """

    file: str
    identity: str
    scene: str
    camera: str
    keywords: tuple[str, ...]
    facing: float
    height: float
    visibility: float
    seconds: float
    track_id: int


def photograph(scene: SceneSpec, studio: Studio, count: int, folder: Path) -> tuple[Crop, ...]:
    """Writes about so many pictures of a scene's people, and none of those whom only one camera gets to see."""
    rng = np.random.default_rng([scene.settings.seed, 24])
    times = studio.times(_TIMES, 1)
    close = Studio(scene, SIZE, studio)
    people = rng.permutation(scene.settings.walkers)[: max(2, count // _EACH)]
    found: list[Crop] = []
    for number in people.tolist():
        pictures = list(_portraits(scene, close, number, times, rng))
        if len({crop.camera for crop, _ in pictures}) < 2:
            continue
        for crop, data in pictures:
            path = folder / crop.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found.append(crop)
    return tuple(found)


def _portraits(
    scene: SceneSpec, studio: Studio, number: int, times: list[float], rng: np.random.Generator
) -> Iterator[tuple[Crop, bytes]]:
    """Pictures of one person by all cameras, at different times."""
    identity = f'{scene.name}-{number:03d}'
    for camera in scene.cameras:
        taken = 0
        for attempt, at in enumerate(rng.permutation(len(times)).tolist()):
            if attempt >= _TRIES or taken * len(scene.cameras) >= _EACH:
                break
            seconds = times[at]
            walker = next((w for w in studio.state(seconds).walkers if w.id == number), None)
            if walker is None:
                continue
            view = _aim(camera, walker, rng)
            label = _of(number, studio.labels(view, seconds)) if view else None
            if view is None or label is None or not _is_good(label):
                continue
            picture = _cut(studio.take(Shot(camera.sensor, view, seconds, 64 * number + at)), label, rng)
            taken += 1
            yield (
                Crop(
                    f'{identity}/{camera.name}-{taken:04d}.jpg',
                    identity,
                    scene.name,
                    camera.name,
                    scene.keywords,
                    round(label.facing, 4),
                    round(label.box[3] - label.box[1], 1),
                    round(label.visibility, 3),
                    round(seconds, 3),
                    number + 1,
                ),
                jpeg(picture, camera.sensor),
            )


def _aim(camera: CameraSpec, walker: Walker, rng: np.random.Generator) -> Projection | None:
    """Looks at a person, who then has a random size; None if they are too far or too near."""
    # Drawn first, so that nobody's size depends on who else was too far.
    wanted = math.exp(rng.uniform(math.log(_LOWEST * 1.1), math.log(_HIGHEST)))
    aside, down = rng.uniform(-0.03, 0.03, 2)
    pose, tall = camera.pose, walker.look.height
    across = math.dist((pose.x, pose.y), (walker.x, walker.y))
    away = math.hypot(across, pose.z - tall / 2)
    if not 2.5 < away < _FARTHEST:
        return None
    # Seen from above, people look shorter.
    focal = wanted * away / (tall * max(across / away, 0.3))
    tilt = math.atan2(tall / 2 - pose.z, across) + float(down) * SIZE[1] / focal
    yaw = math.atan2(walker.y - pose.y, walker.x - pose.x) + float(aside) * SIZE[0] / focal
    k = np.array([[focal, 0.0, (SIZE[0] - 1) / 2], [0.0, focal, (SIZE[1] - 1) / 2], [0.0, 0.0, 1.0]])
    turned = rotation(yaw, tilt)
    return Projection(k, turned, -turned @ np.array([pose.x, pose.y, pose.z]))


def _of(number: int, found: tuple[Label, ...]) -> Label | None:
    return next((label for label in found if label.person and label.id == number), None)


def _is_good(label: Label) -> bool:
    left, top, right, bottom = label.box
    inside = left >= 0 and top >= 0 and right <= SIZE[0] and bottom <= SIZE[1]
    return inside and bottom - top >= _LOWEST and label.visibility >= _SEEN and label.contrast >= _CONTRAST


def _cut(picture: Image, label: Label, rng: np.random.Generator) -> Image:
    """The person with a little around them, as detectors' boxes are never quite exact."""
    left, top, right, bottom = label.box
    margin = rng.uniform(-0.01, 0.07, 4) * (bottom - top)
    columns = slice(max(0, round(left - margin[0])), min(SIZE[0], round(right + margin[1])))
    rows = slice(max(0, round(top - margin[2])), min(SIZE[1], round(bottom + margin[3])))
    return picture[rows, columns]
