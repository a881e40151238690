# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single people, drawn as the simulator draws them, without its world: some milliseconds each."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np

from ptz_perception.detections import Image
from ptz_sim import clothes, figures
from ptz_sim.conditions import Season
from ptz_sim.skeleton import body
from ptz_sim.walkers import Walker
from ptz_site import PtzPosition
from ptz_site.geometry import CameraPose, projection, wrap_angle

SIZE = (320, 320)
#: South of a person at the origin, looking north.
CAMERA = CameraPose(0.0, -12.0, 3.0, math.pi / 2)
TOWARDS_CAMERA = -math.pi / 2


def portrait(facing: float, number: int, glance: float = 0.0, speed: float = 0.0) -> Image:
    """Somebody who looks so many radians past the camera, counter-clockwise seen from above; the body is turned by glance less."""
    rng = np.random.default_rng([7, number])
    looks = TOWARDS_CAMERA + facing
    look = clothes.varied(rng, Season.SUMMER)
    walker = Walker(
        number, 0.0, 0.0, wrap_angle(looks - glance), wrap_angle(looks), speed, float(rng.uniform(0, 2 * math.pi)), look
    )
    figure = figures.project(body(walker), projection(CAMERA, PtzPosition(0.0, -0.17, 5.0), SIZE, 1.1))
    assert figure is not None
    coarse = rng.integers(70, 150, (8, 8, 3)).astype(np.uint8)
    picture = np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_LINEAR), np.uint8)
    figures.draw(picture, figure, 1.0)
    left, top = np.floor(figure.low).astype(int) - 3
    right, bottom = np.ceil(figure.high).astype(int) + 4
    assert min(left, top) >= 0 and right <= SIZE[0] and bottom <= SIZE[1]
    return np.ascontiguousarray(picture[top:bottom, left:right])


def write_portraits(folder: Path, split: str, count: int, signed: bool = True) -> None:
    """A data set of identities, one picture each, with an index that says where they look. signed: to which side as well."""
    entries = []
    for number in range(count):
        facing = wrap_angle(2 * math.pi * number / count + 0.1)
        name = f'p{number}/north-1.png'
        (folder / split / f'p{number}').mkdir(parents=True)
        cv2.imwrite(str(folder / split / name), portrait(facing, number))
        entries.append({'file': name, 'camera': 'north', 'facing': facing if signed else abs(facing)})
    (folder / split / 'identities.json').write_text(json.dumps({'crops': entries}))
