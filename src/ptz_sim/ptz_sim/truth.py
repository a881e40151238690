# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth: who is seen by a camera, where in the picture, and from which side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ptz_sim.shapes import Array, in_polygon
from ptz_sim.skeleton import BODY, body
from ptz_sim.world import World
from ptz_site.geometry import Projection, wrap_angle

_TEST_JOINTS = tuple(int(joint) for joint in BODY)


@dataclass(frozen=True)
class WalkerTruth:
    """One person as one camera could see it.

    box: centre x, centre y, width, height in pixels, also beyond the picture's edge; completeness: share of the box inside the picture;
    occluded: share of the body behind something that stands still or behind somebody nearer; facing: angle in radians between
    where the person looks and the direction to the camera, 0 is frontal; scene: the polygon that they stand in, or empty.
    """

    walker: int
    x: float
    y: float
    heading: float
    speed: float
    box: tuple[float, float, float, float]
    completeness: float
    occluded: float
    distance: float
    facing: float
    scene: str


def truth(world: World, view: Projection, resolution: tuple[int, int], seconds: float) -> tuple[WalkerTruth, ...]:
    """Everybody before the camera at a time of the world, the nearest first; also those that only the box of is in the picture."""
    found = []
    boxes: list[Array] = []
    opaque = world.layout.opaque()
    centre = view.centre
    for walker in sorted(world.state(seconds).walkers, key=lambda w: math.hypot(w.x - centre[0], w.y - centre[1])):
        joints = body(walker)
        balls, radii = joints.balls[list(_TEST_JOINTS)], joints.radii[list(_TEST_JOINTS)]
        pixels, depths = view.project(balls)
        if depths.min() < 0.8:
            continue
        sizes = radii * float(view.k[0, 0]) / depths
        corners = np.concatenate(((pixels - sizes[:, None]).min(axis=0), (pixels + sizes[:, None]).max(axis=0)))
        inside = np.clip(corners, 0, [*resolution, *resolution])
        area = float(np.prod(corners[2:] - corners[:2]))
        complete = float(np.prod(inside[2:] - inside[:2])) / max(area, 1e-9)
        if complete <= 0:
            continue
        hidden = opaque.hits(np.tile(centre, (len(balls), 1)), balls).any(axis=1)
        for other in boxes:
            hidden = hidden | ((pixels > other[:2]) & (pixels < other[2:])).all(axis=1)
        boxes.append(corners)
        towards = math.atan2(float(centre[1]) - walker.y, float(centre[0]) - walker.x)
        found.append(
            WalkerTruth(
                walker=walker.id,
                x=walker.x,
                y=walker.y,
                heading=walker.heading,
                speed=walker.speed,
                box=(
                    (corners[0] + corners[2]) / 2,
                    (corners[1] + corners[3]) / 2,
                    corners[2] - corners[0],
                    corners[3] - corners[1],
                ),
                completeness=complete,
                occluded=float(hidden.mean()),
                distance=math.hypot(walker.x - float(centre[0]), walker.y - float(centre[1])),
                facing=abs(wrap_angle(walker.facing - towards)),
                scene=_scene_of(world, walker.x, walker.y),
            )
        )
    return tuple(found)


def _scene_of(world: World, x: float, y: float) -> str:
    point = np.array([[x, y]])
    return next((name for name, polygon in world.scenes.items() if in_polygon(point, polygon)[0]), '')
