# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who and what is in a picture, and how much of it is seen: counted in the pixels that each person and vehicle covers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ptz_sim import figures, silhouettes
from ptz_sim.conditions import Season
from ptz_sim.figures import Figure
from ptz_sim.shapes import Array
from ptz_sim.skeleton import BODY, body
from ptz_sim.vehicles import Vehicle
from ptz_sim.world import World, WorldState
from ptz_site.geometry import Projection, wrap_angle

if TYPE_CHECKING:
    from cv2.typing import MatLike

_BODY = [int(joint) for joint in BODY]
#: Of what is larger, in pixels, the share that is seen is worked out in a smaller picture.
_LARGEST = 1500.0


@dataclass(frozen=True)
class Label:
    """A person or a vehicle in a picture.

    id: of the walker or of the vehicle in its world; box: left, top, right, bottom in pixels (0 is the left edge of the first pixel), also
    beyond the picture's edge; visibility: share of the silhouette that is inside the picture and not hidden; pixels: how many that are;
    contrast: share that the air leaves; distance: metres; facing: radians from the direction to the camera to where the person looks (of
    a vehicle: to where it drives), counter-clockwise seen from above, -pi to pi: 0 is frontal, and who shows the camera their left cheek
    has a negative one.
    """

    person: bool
    id: int
    box: tuple[float, float, float, float]
    visibility: float
    pixels: int
    contrast: float
    distance: float
    facing: float


def labels(world: World, state: WorldState, view: Projection, resolution: tuple[int, int]) -> tuple[Label, ...]:
    """All people and vehicles of which anything is seen, the farthest first."""
    people = [figure for walker in state.walkers if (figure := figures.project(body(walker), view)) is not None]
    people = [figure for figure in people if _touches(_person_box(figure), resolution)]
    things = silhouettes.painting_order(world.layout, state.vehicles, people, view.centre)
    bare = world.conditions.season is Season.WINTER
    mask = np.zeros((resolution[1], resolution[0]), np.int32)
    for number, thing in enumerate(things, 1):
        silhouettes.fill(mask, thing, view, float(number if isinstance(thing, Figure | Vehicle) else 0), bare)
    seen = np.bincount(mask.ravel(), minlength=len(things) + 1)
    found = []
    for number, thing in enumerate(things, 1):
        if seen[number] == 0:
            continue
        if isinstance(thing, Figure):
            found.append(_person(thing, int(seen[number]), world.air.haze, view.centre))
        elif isinstance(thing, Vehicle):
            found.append(_vehicle(thing, int(seen[number]), world.air.haze, view))
    return tuple(found)


def _person(figure: Figure, pixels: int, haze: float, centre: Array) -> Label:
    low, high = figure.low, figure.high
    scale = min(1.0, _LARGEST / float((high - low).max()))
    canvas, corner = _canvas(low, high, scale)
    silhouettes.fill_figure(canvas, figure, 1, corner, scale)
    walker = figure.body.walker
    away = float(np.linalg.norm(np.array([walker.x, walker.y, 0.9]) - centre))
    towards = math.atan2(float(centre[1]) - walker.y, float(centre[0]) - walker.x)
    facing = wrap_angle(walker.facing - towards)
    return Label(
        True, walker.id, _person_box(figure), _share(canvas, pixels, scale), pixels, math.exp(-haze * away), away, facing
    )


def _vehicle(vehicle: Vehicle, pixels: int, haze: float, view: Projection) -> Label:
    outlines = silhouettes.vehicle_outlines(vehicle, view)
    points = np.vstack(outlines)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min(1.0, _LARGEST / float((high - low).max()))
    canvas, corner = _canvas(low, high, scale)
    silhouettes.fill_outlines(canvas, [(outline - corner) * scale for outline in outlines], 1)
    away = float(np.linalg.norm(np.array([vehicle.x, vehicle.y, 0.7]) - view.centre))
    towards = math.atan2(float(view.centre[1]) - vehicle.y, float(view.centre[0]) - vehicle.x)
    box = (float(low[0]) + 0.5, float(low[1]) + 0.5, float(high[0]) + 0.5, float(high[1]) + 0.5)
    facing = wrap_angle(vehicle.heading - towards)
    return Label(False, vehicle.id, box, _share(canvas, pixels, scale), pixels, math.exp(-haze * away), away, facing)


def _person_box(figure: Figure) -> tuple[float, float, float, float]:
    centres, sizes = figure.pixels[_BODY] + 0.5, figure.sizes[_BODY, None]
    low, high = (centres - sizes).min(axis=0), (centres + sizes).max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _touches(box: tuple[float, float, float, float], resolution: tuple[int, int]) -> bool:
    return box[2] > 0 and box[3] > 0 and box[0] < resolution[0] and box[1] < resolution[1]


def _canvas(low: Array, high: Array, scale: float) -> tuple[MatLike, Array]:
    """An empty picture for one thing alone, and the pixel of the whole picture where it begins."""
    corner = np.floor(low) - 2
    columns, rows = np.ceil((high - corner + 3) * scale).astype(int).tolist()
    return np.zeros((rows, columns), np.uint8), corner


def _share(alone: MatLike, pixels: int, scale: float) -> float:
    return min(1.0, pixels * scale * scale / max(int(np.count_nonzero(alone)), 1))
