# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws people: limbs, clothes, face and hair from the projected balls of the body, the far parts first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ptz_sim import pen
from ptz_sim.layout import SUN
from ptz_sim.pen import tone
from ptz_sim.shapes import Array
from ptz_sim.skeleton import Body, Joint
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

_TO_SUN = np.array([math.cos(SUN[1]) * math.cos(SUN[0]), math.cos(SUN[1]) * math.sin(SUN[0]), math.sin(SUN[1])])
J = Joint

#: Parts in the order of limbs: joints, and which colour.
_LIMBS: tuple[tuple[tuple[Joint, ...], str], ...] = (
    ((J.HIP_L, J.KNEE_L), 'lower'), ((J.KNEE_L, J.ANKLE_L), 'lower'), ((J.ANKLE_L, J.TOE_L), 'shoes'),
    ((J.HIP_R, J.KNEE_R), 'lower'), ((J.KNEE_R, J.ANKLE_R), 'lower'), ((J.ANKLE_R, J.TOE_R), 'shoes'),
    ((J.SHOULDER_L, J.ELBOW_L), 'sleeve'), ((J.ELBOW_L, J.WRIST_L), 'fore'), ((J.HAND_L, J.WRIST_L), 'skin'),
    ((J.SHOULDER_R, J.ELBOW_R), 'sleeve'), ((J.ELBOW_R, J.WRIST_R), 'fore'), ((J.HAND_R, J.WRIST_R), 'skin'),
)  # fmt: skip
_TORSO = [J.SHOULDER_L, J.SHOULDER_R, J.CHEST, J.BELLY_L, J.BELLY_R]
_SEAT = [J.HIP_L, J.HIP_R, J.SEAT, J.BELLY_L, J.BELLY_R]
_SHADOW = (
    (J.CROWN, J.HEAD), (J.SHOULDER_L, J.SHOULDER_R, J.CHEST, J.BELLY_L, J.BELLY_R, J.HIP_L, J.HIP_R), (J.HIP_L, J.KNEE_L),
    (J.KNEE_L, J.ANKLE_L, J.TOE_L), (J.HIP_R, J.KNEE_R), (J.KNEE_R, J.ANKLE_R, J.TOE_R), (J.SHOULDER_L, J.ELBOW_L, J.HAND_L),
    (J.SHOULDER_R, J.ELBOW_R, J.HAND_R),
)  # fmt: skip

_PARTS = (*(list(joints) for joints, _ in _LIMBS), [J.NECK, J.HEAD], _TORSO, _SEAT, [J.CROWN, J.HEAD])
_PACK = [J.PACK_TOP, J.PACK_LOW]


@dataclass(frozen=True)
class Figure:
    """A projected person: circles in pixels, the depth of each, and the direction to the camera."""

    body: Body
    pixels: Array
    sizes: Array
    depths: Array
    depth: float
    to_camera: Array
    sun: Array

    @property
    def low(self) -> Array:
        """Upper left corner of what may be drawn."""
        return np.asarray((self.pixels - self.sizes[:, None]).min(axis=0))

    @property
    def high(self) -> Array:
        """Lower right corner of what may be drawn."""
        return np.asarray((self.pixels + self.sizes[:, None]).max(axis=0))


def project(body: Body, projection: Projection) -> Figure | None:
    """The figure of a person, None if it is behind the camera."""
    pixels, depths = projection.project(body.balls)
    if depths.min() < 0.8:
        return None
    focal = float(projection.k[0, 0])
    middle = body.balls[J.CHEST]
    to_camera = projection.centre - middle
    to_camera = to_camera / np.linalg.norm(to_camera)
    sun = projection.r @ _TO_SUN
    flat = sun[:2] / max(float(np.linalg.norm(sun)), 1e-9)
    return Figure(body, pixels, body.radii * focal / depths, depths, float(depths[J.CHEST]), to_camera, flat)


def draw(picture: MatLike, figure: Figure, shade: float) -> None:
    """Draws a person. shade: 1 in the sun, less in the shadow of a building."""
    look = figure.body.walker.look
    upper = look.vest or look.upper
    colours = {
        'lower': look.lower,
        'shoes': look.shoes,
        'sleeve': look.upper,
        'fore': look.skin if look.short_sleeves else look.upper,
        'skin': look.skin,
    }
    brush = _Brush(picture, figure, shade)
    torso_depth = float(figure.depths[J.CHEST])
    jobs: list[tuple[float, int]] = [(_limb_depth(figure, i), i) for i in range(len(_LIMBS))]
    jobs.append((torso_depth, 100))
    # Seen from above, the head is before the shoulders whichever way the person looks.
    jobs.append((float(figure.depths[J.HEAD]) - 0.12, 101))
    if look.pack is not None:
        jobs.append((float(figure.depths[J.PACK_LOW]) - 0.05, 102))
    for _, job in sorted(jobs, reverse=True):
        if job == 100:
            _torso(brush, upper)
        elif job == 101:
            _head(brush)
        elif job == 102 and look.pack is not None:
            brush.part([J.PACK_TOP, J.PACK_LOW], look.pack)
            brush.part([J.PACK_LOW], tone(look.pack, 0.8), 0.62)
        else:
            joints, kind = _LIMBS[job]
            if kind == 'sleeve' and look.short_sleeves:
                brush.part(list(joints), look.skin)
                side = joints[0] - J.SHOULDER_L
                brush.part([joints[0], Joint(J.SLEEVE_L + side)], look.upper)
            else:
                brush.part(list(joints), colours[kind])


def silhouette_parts(pack: bool) -> tuple[list[Joint], ...]:
    """The groups of joints whose hulls together cover a person."""
    return (*_PARTS, _PACK) if pack else _PARTS


def shadow(mask: MatLike, figure: Figure, projection: Projection, corner: Array) -> None:
    """Draws the shadow on the ground into a mask (255: full shadow) whose upper left pixel is `corner`."""
    balls = figure.body.balls
    reach = 1 / math.tan(SUN[1])
    foot = balls.copy()
    foot[:, 0] -= balls[:, 2] * reach * math.cos(SUN[0])
    foot[:, 1] -= balls[:, 2] * reach * math.sin(SUN[0])
    foot[:, 2] = 0.0
    pixels, depths = projection.project(foot)
    if depths.min() < 0.5:
        return
    # Circles on the ground look flat from the height of the camera.
    flat = max(0.15, float(figure.to_camera[2]))
    sizes = figure.body.radii * float(projection.k[0, 0]) / depths
    for part in _SHADOW:
        rows = list(part)
        points = pixels[rows] - corner
        outline = pen.hull(points * (1.0, 1 / flat), sizes[rows]) * (1.0, flat)
        pen.fill(mask, outline, 255.0)


def shadow_reach(figure: Figure, projection: Projection) -> tuple[Array, Array]:
    """Corners in pixels around the shadow."""
    balls = figure.body.balls
    head = balls[J.CROWN].copy()
    reach = (head[2] + 0.3) / math.tan(SUN[1])
    tip = np.array([head[0] - reach * math.cos(SUN[0]), head[1] - reach * math.sin(SUN[0]), 0.0])
    feet = balls[[J.TOE_L, J.TOE_R, J.ANKLE_L, J.ANKLE_R, J.HAND_L, J.HAND_R]] * (1.0, 1.0, 0.0)
    hands = balls[[J.HAND_L, J.HAND_R]].copy()
    hands[:, :2] -= hands[:, 2:] / math.tan(SUN[1]) * np.array([[math.cos(SUN[0]), math.sin(SUN[0])]])
    hands[:, 2] = 0
    pixels, _ = projection.project(np.vstack((tip, feet, hands)))
    pad = figure.sizes.max() * 1.5
    return pixels.min(axis=0) - pad, pixels.max(axis=0) + pad


def _limb_depth(figure: Figure, index: int) -> float:
    joints = _LIMBS[index][0]
    return float(figure.depths[list(joints)].mean())


class _Brush:
    """Draws parts of one person: the shape, darker away from the sun and lighter towards it."""

    def __init__(self, picture: MatLike, figure: Figure, shade: float) -> None:
        self.picture, self.figure, self.shade = picture, figure, shade
        self._fine = float(figure.sizes[J.CHEST]) > 4.0

    def part(self, joints: list[Joint], colour: tuple[float, ...], grow: float = 1.0) -> None:
        """The hull of some balls."""
        centres, sizes = self.figure.pixels[joints], self.figure.sizes[joints] * grow
        self.outline(centres, sizes, colour)

    def outline(self, centres: Array, sizes: Array, colour: tuple[float, ...]) -> None:
        """The hull of circles, with light from the sun's side."""
        if not self._fine:
            pen.fill(self.picture, pen.hull(centres, sizes), tone(colour, 0.9 * self.shade))
            return
        pen.fill(self.picture, pen.hull(centres, sizes), tone(colour, 0.68 * self.shade))
        lit = centres + self.figure.sun * sizes[:, None] * 0.28
        pen.fill(self.picture, pen.hull(lit, sizes * 0.7), tone(colour, 1.0 * self.shade, 0.03))

    def patch(self, points: Array, colour: tuple[float, ...], projection_rows: Array) -> None:
        """A patch given by pixels."""
        del projection_rows
        pen.fill(self.picture, points, tone(colour, self.shade))


def _torso(brush: _Brush, upper: tuple[float, ...]) -> None:
    figure, look = brush.figure, brush.figure.body.walker.look
    brush.part(_SEAT, look.lower)
    brush.part([J.NECK, J.HEAD], tone(look.skin, 0.85), 0.75)
    brush.part(_TORSO, upper)
    facing = float(figure.body.front @ figure.to_camera)
    grid = _chest_grid(figure)
    if look.vest is not None:
        _stripes(brush)
    if facing > 0.12:
        if look.vest is None:
            _quad(brush, grid, (0.22, 0.78), (0.28, 0.66), look.panel)
            _quad(brush, grid, (0.32, 0.68), (0.40, 0.52), tone(look.upper, 0.7))
        else:
            _quad(brush, grid, (0.47, 0.53), (0.0, 1.0), tone(look.vest, 0.45))
        if look.pack is not None:
            for side in ((0.16, 0.25), (0.75, 0.84)):
                _quad(brush, grid, side, (0.0, 0.62), look.pack)


def _chest_grid(figure: Figure) -> Array:
    """Pixels of the shirt's front: corners upper left, upper right, lower right, lower left as the wearer's left is right."""
    pixels, sizes = figure.pixels, figure.sizes
    # The front surface lies before the joints, towards where the body points.
    focal_axis = figure.body.front
    seen = float(focal_axis @ figure.to_camera)
    side = _screen(figure, figure.body.front)
    bulge = side * (float(sizes[J.CHEST]) * 0.75 * math.sqrt(max(0.0, 1 - seen * seen)))
    top_l, top_r = pixels[J.SHOULDER_L], pixels[J.SHOULDER_R]
    low_l, low_r = pixels[J.BELLY_L], pixels[J.BELLY_R]
    wide = (low_l - low_r) * 0.5
    return np.array([top_r, top_l, low_l + wide, low_r - wide]) + bulge


def _screen(figure: Figure, direction: Array) -> Array:
    """Unit direction in the picture of a level direction in the map."""
    # The picture's right, seen from the person: across the line of sight.
    right = np.array([-figure.to_camera[1], figure.to_camera[0]])
    right = right / max(float(np.linalg.norm(right)), 1e-9)
    return np.array([float(direction[:2] @ right), 0.0])


def _at(grid: Array, across: float, down: float) -> Array:
    top = grid[0] + (grid[1] - grid[0]) * across
    low = grid[3] + (grid[2] - grid[3]) * across
    return np.asarray(top + (low - top) * down)


def _quad(brush: _Brush, grid: Array, across: tuple[float, float], down: tuple[float, float], colour: tuple[float, ...]) -> None:
    corners = [
        _at(grid, across[0], down[0]),
        _at(grid, across[1], down[0]),
        _at(grid, across[1], down[1]),
        _at(grid, across[0], down[1]),
    ]
    pen.fill(brush.picture, np.array(corners), tone(colour, 0.92 * brush.shade))


def _stripes(brush: _Brush) -> None:
    """Reflecting bands around a safety vest, seen from every side."""
    figure = brush.figure
    top = (figure.pixels[J.SHOULDER_L] + figure.pixels[J.SHOULDER_R]) / 2
    low = (figure.pixels[J.BELLY_L] + figure.pixels[J.BELLY_R]) / 2
    outline = pen.hull(figure.pixels[_TORSO], figure.sizes[_TORSO])
    for share in (0.52, 0.86):
        middle = top + (low - top) * share
        tall = float(figure.sizes[J.CHEST]) * 0.17
        near = outline[np.abs(outline[:, 1] - middle[1]) < figure.sizes[J.CHEST] * 1.4]
        if len(near) < 2:
            continue
        left, right = float(near[:, 0].min()) + 0.5, float(near[:, 0].max()) - 0.5
        band = np.array(
            [(left, middle[1] - tall), (right, middle[1] - tall), (right, middle[1] + tall), (left, middle[1] + tall)]
        )
        pen.fill(brush.picture, band, tone((225, 228, 228), brush.shade))


def _head(brush: _Brush) -> None:
    """Hair all over, the face where it is turned to the camera, a helmet on top."""
    figure, look = brush.figure, brush.figure.body.walker.look
    crown, chin = figure.pixels[J.CROWN], figure.pixels[J.HEAD]
    size = float(figure.sizes[J.CROWN])
    seen = float(figure.body.gaze @ figure.to_camera)
    aside = _screen(figure, figure.body.gaze)[0]
    if look.long_hair:
        back = np.array([-aside * size * 0.45, 0.0])
        fall = np.array([crown + back * 0.5, chin + back + (0.0, size * 0.75)])
        if seen < 0.3:
            brush.outline(fall, np.array([size, size * 0.85]), look.hair)
        else:
            pen.fill(brush.picture, pen.hull(fall, np.array([size, size * 0.95])), tone(look.hair, 0.7 * brush.shade))
    brush.outline(np.array([crown, chin]), np.array([size, size * 0.9]), look.hair if seen < 0.75 else tone(look.hair, 1.1))
    if seen > -0.35:
        _face(brush, crown, chin, size, seen, aside)
    if look.helmet is not None:
        rise = np.array([0.0, -size * 0.28])
        brush.outline(np.array([crown + rise]), np.array([size * 1.12]), look.helmet)
        peak = np.array([crown + np.array([aside * size * 0.5, size * 0.05 + max(seen, 0) * size * 0.12])])
        pen.fill(brush.picture, _ellipse(peak[0], size * 1.15, size * 0.26), tone(look.helmet, 0.85 * brush.shade))


def _face(brush: _Brush, crown: Array, chin: Array, size: float, seen: float, aside: float) -> None:
    look = brush.figure.body.walker.look
    # The face covers the front half of the head: its middle moves aside and it gets narrower as the head turns.
    middle = chin + (chin - crown) * -0.05 + np.array([aside * size * 0.42, size * 0.02])
    wide = size * (0.5 + 0.32 * max(seen, -0.2))
    pen.fill(brush.picture, _ellipse(middle, wide, size * 0.92), tone(look.skin, 0.84 * brush.shade))
    lit = middle + brush.figure.sun * size * 0.18
    pen.fill(brush.picture, _ellipse(lit, wide * 0.72, size * 0.66), tone(look.skin, 1.0 * brush.shade, 0.04))
    if size < 3.2 or seen < 0.05:
        return
    across = math.sqrt(max(0.0, 1 - aside * aside))
    dark = tone(look.skin, 0.38 * brush.shade)
    for sign in (-1, 1):
        eye = middle + np.array([aside * size * 0.25 + sign * size * 0.33 * across, -size * 0.12])
        pen.fill(brush.picture, _ellipse(eye, size * 0.12, size * 0.085), dark)
        pen.line(
            brush.picture,
            np.array([eye + np.array([-size * 0.17, -size * 0.2]), eye + np.array([size * 0.17, -size * 0.22])]),
            tone(look.hair, 0.8),
            size * 0.08,
        )
    mouth = middle + np.array([aside * size * 0.22, size * 0.48])
    reach = size * 0.24 * (0.4 + 0.6 * across)
    pen.line(
        brush.picture,
        np.array([mouth - np.array([reach, 0]), mouth + np.array([reach, 0])]),
        tone(look.skin, 0.55 * brush.shade),
        size * 0.09,
    )


def _ellipse(middle: Array, wide: float, tall: float) -> Array:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return np.stack((middle[0] + wide * np.cos(angles), middle[1] + tall * np.sin(angles)), axis=1)
