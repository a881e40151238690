# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Renders what a camera sees of the world."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_sim import figures, pen, structures
from ptz_sim.ground import Sheet, make_ground
from ptz_sim.light import Light
from ptz_sim.shapes import Array
from ptz_sim.skeleton import body
from ptz_sim.world import World, WorldState
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

Image = NDArray[np.uint8]
#: Rows are drawn in bands, each with the ground texture of its fineness.
_BANDS = 4
_SKY_LOW, _SKY_HIGH = np.array([236.0, 226.0, 214.0]), np.array([214.0, 170.0, 128.0])
_NOISE = 2


class Renderer:
    """Renders one camera's pictures (height, width, 3), BGR. The same world, time and view give the same pixels."""

    def __init__(self, world: World, resolution: tuple[int, int]) -> None:
        self._world = world
        self._width, self._height = resolution
        self._ground = make_ground(world.layout, world.scenes, world.settings.seed)
        rng = np.random.default_rng(world.settings.seed)
        self._noise = rng.integers(0, _NOISE, (self._height + 64, self._width + 64, 3), dtype=np.uint8)

    def render(self, seconds: float, view: Projection, exposure: float = 1.0, blur: tuple[float, float] = (0.0, 0.0)) -> Image:
        """What is seen at a time of the world.

        exposure: factor of the picture's brightness; blur: pixels that the picture moves while the shutter is open, right and down.
        """
        state = self._world.state(seconds)
        picture = np.empty((self._height, self._width, 3), np.uint8)
        self._draw_ground(picture, view)
        self._draw_things(picture, view, state)
        picture = _expose(picture, state.light, exposure)
        picture = _smear(picture, blur)
        return self._add_noise(picture, seconds)

    def _draw_ground(self, picture: Image, view: Projection) -> None:
        focal, centre_row = float(view.k[0, 0]), float(view.k[1, 2])
        tilt = math.asin(float(np.clip(view.r[2, 2], -1, 1)))
        horizon = centre_row + focal * math.tan(tilt)
        top = int(np.clip(math.ceil(horizon + 1), 0, self._height))
        if top > 0:
            _draw_sky(picture[:top], horizon)
        if top >= self._height:
            return
        # Rows near the horizon show far more metres for each pixel.
        edges = np.unique(np.round(top + (self._height - top) * np.linspace(0, 1, _BANDS + 1) ** 1.6).astype(int))
        for begin, end in itertools.pairwise(edges):
            band = picture[begin:end]
            ground = view.to_ground(((self._width - 1) / 2, (begin + end) / 2))
            away = math.dist(ground, view.centre[:2]) if ground else 1000.0
            metres = math.hypot(away, float(view.centre[2])) / focal
            near = self._sheet(metres * 1.3)
            if not self._covers(near, view, begin, end):
                _lay(band, self._ground.far, view, begin, cv2.BORDER_REPLICATE)
            _lay(band, near, view, begin, cv2.BORDER_TRANSPARENT)

    def _covers(self, sheet: Sheet, view: Projection, begin: int, end: int) -> bool:
        """Whether a texture fills rows of the picture."""
        corners = [view.to_ground((x, y)) for x in (-1.0, float(self._width)) for y in (begin - 1.0, end + 1.0)]
        return all(corner is not None and max(map(abs, corner)) < sheet.half - 1 for corner in corners)

    def _sheet(self, metres: float) -> Sheet:
        """The texture whose texels are about so many metres."""
        levels = self._ground.levels
        level = int(np.clip(math.floor(math.log2(max(metres / levels[0].texel, 1e-6))), 0, len(levels) - 1))
        return levels[level]

    def _draw_things(self, picture: Image, view: Projection, state: WorldState) -> None:
        layout, centre = self._world.layout, view.centre
        for tree in sorted(layout.far_trees, key=lambda t: -math.hypot(t.x - centre[0], t.y - centre[1])):
            structures.draw_tree(picture, tree, view)
        # Hedges and what lies beyond them surround everything else.
        for structure in structures.by_distance((*layout.backdrop, *layout.hedges), centre):
            structures.draw_structure(picture, structure, view)
        people = self._figures(state, view)
        for figure in people:
            self._cast_shadow(picture, figure, view)
        things: list[tuple[float, Callable[[], None]]] = []
        for built in (*layout.buildings, *layout.furniture):
            things.append((structures.distance(built.block, centre), partial(structures.draw_structure, picture, built, view)))
        for tree in layout.trees:
            away = math.hypot(tree.x - centre[0], tree.y - centre[1])
            things.append((away, partial(structures.draw_tree, picture, tree, view)))
        for vehicle in state.vehicles:
            things.append((structures.distance(vehicle.block, centre), partial(structures.draw_vehicle, picture, vehicle, view)))
        for figure in people:
            walker = figure.body.walker
            away = math.hypot(walker.x - centre[0], walker.y - centre[1])
            things.append((away, partial(figures.draw, picture, figure, self._ground.in_shadow(walker.x, walker.y))))
        for _, draw in sorted(things, key=lambda thing: -thing[0]):
            draw()

    def _figures(self, state: WorldState, view: Projection) -> list[figures.Figure]:
        seen = []
        for walker in state.walkers:
            figure = figures.project(body(walker), view)
            if figure is not None and (figure.high > -300).all() and (figure.low < (self._width + 300, self._height + 300)).all():
                seen.append(figure)
        return seen

    def _cast_shadow(self, picture: MatLike, figure: figures.Figure, view: Projection) -> None:
        low, high = figures.shadow_reach(figure, view)
        part = pen.window(low, high, picture.shape)
        if part is None or self._ground.in_shadow(figure.body.walker.x, figure.body.walker.y) < 0.8:
            return
        mask = np.zeros((part[0].stop - part[0].start, part[1].stop - part[1].start), np.uint8)
        figures.shadow(mask, figure, view, np.array([part[1].start, part[0].start], float))
        dark = (1.0 - mask[..., None].astype(np.float32) * (0.45 / 255)) * picture[part]
        picture[part] = dark.astype(np.uint8)

    def _add_noise(self, picture: Image, seconds: float) -> Image:
        # A sensor's noise: it makes pictures of a still scene differ, as real ones do.
        tick = round(seconds * 1000)
        down, right = tick * 7 % 64, tick * 13 % 64
        tile = self._noise[down : down + self._height, right : right + self._width]
        return np.asarray(cv2.add(picture, tile), np.uint8)


def _lay(band: Image, sheet: Sheet, view: Projection, first_row: int, border: int) -> None:
    """Lays a ground texture into rows of the picture."""
    shift = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -float(first_row)], [0.0, 0.0, 1.0]])
    matrix = shift @ view.ground_homography() @ sheet.to_map()
    size = (band.shape[1], band.shape[0])
    cv2.warpPerspective(sheet.picture, matrix, size, dst=band, flags=cv2.INTER_LINEAR, borderMode=border)


def _draw_sky(rows: Image, horizon: float) -> None:
    height = np.clip((horizon - np.arange(rows.shape[0])) / 320.0, 0.0, 1.0)[:, None]
    rows[:] = (_SKY_LOW * (1 - height) + _SKY_HIGH * height).astype(np.uint8)[:, None, :]


def _expose(picture: Image, light: Light, exposure: float) -> Image:
    factors: Array = np.array(light.colour) * light.brightness * exposure
    # A shoulder instead of a hard edge where it gets too bright.
    levels = np.arange(256)[:, None] * factors[None]
    table = np.where(levels > 220, 220 + 35 * (1 - np.exp(-(levels - 220) / 35)), levels)
    return np.asarray(cv2.LUT(picture, table.clip(0, 255).astype(np.uint8)[:, None, :]), np.uint8)


def _smear(picture: Image, blur: tuple[float, float]) -> Image:
    size = (max(1, round(abs(blur[0]))), max(1, round(abs(blur[1]))))
    return picture if size == (1, 1) else np.asarray(cv2.blur(picture, size), np.uint8)
