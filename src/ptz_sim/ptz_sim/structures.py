# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what is made of boxes: buildings, hedges and furniture with their roofs and windows, and vehicles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim import pen
from ptz_sim.conditions import Colour, Conditions, DayTime, Season
from ptz_sim.layout import SUN, Look, Structure
from ptz_sim.shapes import Array, Block
from ptz_sim.vehicles import Body, Vehicle
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

_NEAR = 0.4
#: Wall colours (blue, green, red) of each look; the tint chooses.
_WALLS: dict[Look, tuple[Colour, ...]] = {
    Look.OFFICE: ((176, 180, 184), (160, 170, 178), (190, 186, 178)),
    Look.BRICK: ((84, 104, 150), (92, 108, 140), (78, 96, 138)),
    Look.HALL: ((150, 156, 150), (132, 140, 148), (164, 158, 140)),
    Look.HUT: ((110, 140, 168), (96, 128, 150), (130, 150, 160)),
    Look.HOUSE: ((198, 210, 220), (170, 190, 214), (150, 176, 206)),
    Look.HEDGE: ((38, 84, 58), (42, 90, 64), (36, 78, 56)),
    Look.CABINET: ((120, 132, 124), (110, 120, 118), (140, 144, 138)),
    Look.PLANTER: ((120, 134, 142), (128, 138, 140), (110, 124, 134)),
    Look.BENCH: ((70, 100, 132), (64, 92, 124), (76, 104, 130)),
}
_WINDOWED = {Look.OFFICE: 2.6, Look.BRICK: 3.0, Look.HOUSE: 3.4}
_GLASS: Colour = (112, 92, 72)
_FRAME: Colour = (208, 212, 214)
_ROOF: Colour = (70, 82, 122)
_LAMPLIGHT: Colour = (120, 205, 255)
_SNOW: Colour = (238, 234, 230)
_HEDGES: dict[Season, Colour] = {Season.AUTUMN: (40, 84, 96), Season.WINTER: (62, 78, 88)}
_DAY = Conditions()


@dataclass(frozen=True)
class Face:
    """A flat part of a box: corners (n, 3) in metres, counter-clockwise seen from outside, and the direction it faces."""

    corners: Array
    normal: Array


def wall_colour(structure: Structure) -> Colour:
    """What a structure is painted with."""
    walls = _WALLS[structure.look]
    return walls[structure.tint % len(walls)]


def draw_structure(picture: MatLike, structure: Structure, view: Projection, conditions: Conditions = _DAY) -> None:
    """Draws a building, a hedge or a piece of furniture."""
    block = structure.block
    height = block.height + structure.gable
    radius = math.hypot(block.length, block.width, height) / 2
    if not in_view(view, picture.shape, np.array([block.x, block.y, block.base + height / 2]), radius):
        return
    colour = wall_colour(structure)
    if structure.look is Look.HEDGE:
        colour = _HEDGES.get(conditions.season, colour)
    for face in _faces(block, structure.gable):
        outline = _visible(face, view)
        if outline is None:
            continue
        upward = face.normal[2] > 0.1
        paint = _ROOF if upward and structure.gable else pen.tone(colour, 0.92) if upward else colour
        if upward and conditions.season is Season.WINTER:
            paint = _SNOW
        pen.fill(picture, outline, pen.tone(paint, _lit(face.normal, conditions.sun)))
        if not upward and structure.look in _WINDOWED and len(face.corners) == 4:
            _windows(picture, face, view, _WINDOWED[structure.look], conditions)


def in_view(view: Projection, shape: tuple[int, ...], middle: Array, radius: float) -> bool:
    """Whether anything within a radius (metres) around a place can be in a picture of this shape."""
    x, y, depth = view.r @ middle + view.t
    if depth < -radius:
        return False
    focal, near = float(view.k[0, 0]), max(float(depth) - radius, 0.1)
    reach_x = (shape[1] / 2 + 4) / focal * max(float(depth) + radius, near) + radius * 1.5
    reach_y = (shape[0] / 2 + 4) / focal * max(float(depth) + radius, near) + radius * 1.5
    return bool(abs(x) < reach_x and abs(y) < reach_y)


def fill_structure(mask: MatLike, structure: Structure, view: Projection, value: float) -> None:
    """Fills what a structure covers with a value."""
    block = structure.block
    height = block.height + structure.gable
    radius = math.hypot(block.length, block.width, height) / 2
    if not in_view(view, mask.shape, np.array([block.x, block.y, block.base + height / 2]), radius):
        return
    for face in _faces(block, structure.gable):
        outline = _visible(face, view)
        if outline is not None:
            points = np.clip(np.rint(outline * 16), -1e8, 1e8).astype(np.int32)
            cv2.fillConvexPoly(mask, points, value, cv2.LINE_8, 4)


def draw_vehicle(picture: MatLike, vehicle: Vehicle, view: Projection, conditions: Conditions = _DAY) -> None:
    """Draws a car or a van: body, cabin with windows, wheels."""
    block = vehicle.block
    if not in_view(view, picture.shape, np.array([block.x, block.y, 1.0]), block.length / 2):
        return
    lower, cabin = vehicle_parts(vehicle)
    _wheels(picture, block, view)
    for part, paint in ((lower, vehicle.paint), (cabin, vehicle.paint)):
        for face in _faces(part):
            outline = _visible(face, view)
            if outline is None:
                continue
            pen.fill(picture, outline, pen.tone(paint, _lit(face.normal, conditions.sun)))
            if part is cabin and face.normal[2] < 0.1:
                pen.fill(picture, _shrunk(face, view, 0.08, 0.14), pen.tone(_GLASS, 0.8))


def vehicle_parts(vehicle: Vehicle) -> tuple[Block, Block]:
    """The boxes that a vehicle is drawn as: the body up to the waist, and the cabin."""
    block = vehicle.block
    long_cabin = vehicle.body is Body.VAN
    floor, waist = 0.28, 0.95 if long_cabin else 0.82
    cos, sin = math.cos(block.yaw), math.sin(block.yaw)
    shift = -0.25 if long_cabin else -0.3
    cabin = Block(
        block.x + shift * cos, block.y + shift * sin, block.yaw, block.length * (0.84 if long_cabin else 0.5), block.width * 0.9,
        block.height - waist, base=waist,
    )  # fmt: skip
    lower = Block(block.x, block.y, block.yaw, block.length, block.width, waist - floor, base=floor)
    return lower, cabin


def _wheels(picture: MatLike, block: Block, view: Projection) -> None:
    cos, sin = math.cos(block.yaw), math.sin(block.yaw)
    for along in (-0.31, 0.31):
        for across in (-0.5, 0.5):
            dx, dy = along * block.length, across * block.width
            centre = np.array([[block.x + dx * cos - dy * sin, block.y + dx * sin + dy * cos, 0.32]])
            rim = centre + 0.32 * np.array(
                [[c * cos, c * sin, s] for c, s in ((math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 14))]
            )
            pixels, depths = view.project(rim)
            if depths.min() > _NEAR:
                pen.fill(picture, pixels, (28, 28, 30))


@lru_cache(maxsize=512)
def _faces(block: Block, gable: float = 0.0) -> list[Face]:
    low, high = block.base, block.base + block.height
    foot = block.corners()
    faces = []
    for index in range(4):
        a, b = foot[index], foot[(index + 1) % 4]
        corners = np.array([[*a, low], [*b, low], [*b, high], [*a, high]])
        edge = b - a
        normal = np.array([edge[1], -edge[0], 0.0]) / max(float(np.linalg.norm(edge)), 1e-9)
        faces.append(Face(corners, normal))
    if not gable:
        faces.append(Face(np.column_stack((foot, np.full(4, high))), np.array([0.0, 0.0, 1.0])))
        return faces
    ridge = [np.array([*((foot[3] + foot[0]) / 2), high + gable]), np.array([*((foot[1] + foot[2]) / 2), high + gable])]
    eaves = [np.array([*corner, high]) for corner in foot]
    slopes = ([eaves[0], eaves[1], ridge[1], ridge[0]], [eaves[2], eaves[3], ridge[0], ridge[1]])
    ends = ([eaves[1], eaves[2], ridge[1]], [eaves[3], eaves[0], ridge[0]])
    for corners_of in (*ends, *slopes):
        corners = np.array(corners_of)
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        faces.append(Face(corners, normal / np.linalg.norm(normal)))
    return faces


def _visible(face: Face, view: Projection) -> Array | None:
    """The outline of a face in pixels, cut off in front of the camera; None if it is turned away."""
    if float(face.normal @ (view.centre - face.corners[0])) <= 0:
        return None
    depths = face.corners @ view.r[2] + view.t[2]
    if depths.max() < _NEAR:
        return None
    corners = face.corners if depths.min() >= _NEAR else _cut_near(face.corners, depths)
    return view.project(corners)[0]


def _cut_near(corners: Array, depths: Array) -> Array:
    """The part of a polygon that lies before the camera (Sutherland and Hodgman, 1974)."""
    kept: list[Array] = []
    for index in range(len(corners)):
        following = (index + 1) % len(corners)
        here, there = depths[index], depths[following]
        if here >= _NEAR:
            kept.append(corners[index])
        if (here >= _NEAR) != (there >= _NEAR):
            share = (_NEAR - here) / (there - here)
            kept.append(corners[index] + share * (corners[following] - corners[index]))
    return np.array(kept)


def _windows(picture: MatLike, face: Face, view: Projection, storey: float, conditions: Conditions) -> None:
    """Rows of windows on an upright face."""
    along, up = face.corners[1] - face.corners[0], face.corners[3] - face.corners[0]
    columns, rows = round(float(np.linalg.norm(along)) / 2.4), int(float(np.linalg.norm(up)) / storey)
    if columns < 1 or rows < 1:
        return
    u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.55) / rows)
    half_u, half_v = 0.26 / columns, 0.24 / rows
    light = _lit(face.normal, conditions.sun)
    night = conditions.time is not DayTime.DAY
    for grow, colour in ((1.22, _FRAME), (1.0, _GLASS)):
        quads = _quads(face.corners[0], along, up, (u.ravel(), v.ravel()), (half_u * grow, half_v * grow))
        pixels, depths = view.project(quads.reshape(-1, 3))
        outlines, near = pixels.reshape(-1, 4, 2), depths.reshape(-1, 4).min(axis=1)
        for index, (outline, depth) in enumerate(zip(outlines, near, strict=True)):
            if depth > _NEAR and np.abs(outline).max() < 20_000:
                # Behind some windows somebody is at home.
                lit = night and colour is _GLASS and (index * 7 + columns + rows) % 5 < 2
                pen.fill(picture, outline, _LAMPLIGHT if lit else pen.tone(colour, light))


def _quads(origin: Array, along: Array, up: Array, middles: tuple[Array, Array], halves: tuple[float, float]) -> Array:
    """Rectangles (n, 4, 3) on a face; middles and halves in shares of its sides."""
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    u = np.stack([middles[0] + a * halves[0] for a, _ in signs], axis=1)
    v = np.stack([middles[1] + b * halves[1] for _, b in signs], axis=1)
    return np.asarray(origin + u[..., None] * along + v[..., None] * up)


def _shrunk(face: Face, view: Projection, aside: float, below: float) -> Array:
    along, up = face.corners[1] - face.corners[0], face.corners[3] - face.corners[0]
    quad = _quads(face.corners[0], along, up, (np.array([0.5]), np.array([0.52])), (0.5 - aside, 0.5 - below))
    return view.project(quad[0])[0]


def _lit(normal: Array, share: float = 1.0) -> float:
    """How bright a face is: daylight from all sides, and the sun's share on those that look towards it."""
    sun = np.array([math.cos(SUN[0]) * math.cos(SUN[1]), math.sin(SUN[0]) * math.cos(SUN[1]), math.sin(SUN[1])])
    diffuse = (1 - share) * 0.5 * max(0.0, float(normal[2]))
    return 0.66 + 0.44 * (share * max(0.0, float(normal @ sun)) + diffuse)


def distance(block: Block, centre: Array) -> float:
    """Metres from a place to the middle of a box, along the ground."""
    return math.hypot(block.x - float(centre[0]), block.y - float(centre[1]))


def by_distance(blocks: Sequence[Structure], centre: Array) -> list[Structure]:
    """The farthest first."""
    return sorted(blocks, key=lambda structure: -distance(structure.block, centre))
