# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which camera a target walks towards. Map frame, metres and radians."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ptz_site import CameraPose, wrap_angle

#: rad; a camera that a target faces so well sees its face.
FRONTAL = math.pi / 4


@dataclass(frozen=True)
class Facing:
    """A camera, and the angle (rad, 0 to pi) between the target's heading and the direction from the target to the camera.

    0: the target walks straight towards the camera; pi: straight away from it.
    """

    camera: str
    angle: float


def facing_angle(heading: float, ground: tuple[float, float], camera: CameraPose) -> float:
    """How far a target is turned away from a camera; heading counter-clockwise from +x, ground: where the target is."""
    return abs(wrap_angle(math.atan2(camera.y - ground[1], camera.x - ground[0]) - heading))


def better_facing(
    heading: float, ground: tuple[float, float], present: str, poses: Mapping[str, CameraPose], margin: float
) -> tuple[Facing, ...]:
    """The cameras that the target faces better than the present one by at least a margin (rad), the best first.

    Of equal ones the first in the order of `poses` comes first. A present camera without a pose faces nothing, so all others do better.
    """
    found = [Facing(camera, facing_angle(heading, ground, pose)) for camera, pose in poses.items()]
    limit = next((facing.angle for facing in found if facing.camera == present), math.inf) - margin
    return tuple(sorted((f for f in found if f.camera != present and f.angle <= limit), key=lambda f: f.angle))


def nearest_first(found: Sequence[Facing], there: Collection[str]) -> tuple[Facing, ...]:
    """Of the cameras that see the target's face those first that look at its scene already; all others stay in their order."""
    return tuple(sorted(found, key=lambda facing: not (facing.angle <= FRONTAL and facing.camera in there)))
