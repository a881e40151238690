# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Renders what a camera sees of the world."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_sim import figures, pen, silhouettes, structures
from ptz_sim.conditions import Air, Season
from ptz_sim.figures import Figure
from ptz_sim.ground import LARGEST, Ground, Sheet, make_ground
from ptz_sim.layout import Structure, Tree
from ptz_sim.light import Light
from ptz_sim.precipitation import draw_precipitation
from ptz_sim.shapes import Array
from ptz_sim.skeleton import body
from ptz_sim.trees import draw_tree
from ptz_sim.vehicles import Vehicle
from ptz_sim.world import World, WorldState
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

Image = NDArray[np.uint8]
#: Rows are drawn in bands, each with the ground texture of its fineness.
_BANDS = 4
_NOISE = 2
#: Metres to where nothing is seen through haze.
_SKY_DISTANCE = 1000.0


class Renderer:
    """Renders one camera's pictures (height, width, 3), BGR. The same world, time and view give the same pixels."""

    def __init__(self, world: World, resolution: tuple[int, int], texels: int = LARGEST, ground: Ground | None = None) -> None:
        """texels: of a side of the ground's picture, at most; ground: the world's, if another renderer has painted it already."""
        self._world = world
        self._width, self._height = resolution
        seed = world.settings.seed
        self.ground = ground or make_ground(world.layout, world.scenes, seed, world.conditions, texels)
        rng = np.random.default_rng(seed)
        shape = (self._height + 64, self._width + 64, 3)
        self._noise = rng.integers(0, _NOISE, shape, dtype=np.uint8)
        #: The newest view, as bytes, and its backdrop.
        self._drawn: tuple[bytes, Image] | None = None
        self._grain = rng.normal(0, 16, shape).astype(np.int16) if world.air.noise else None

    def render(self, seconds: float, view: Projection, exposure: float = 1.0, blur: tuple[float, float] = (0.0, 0.0)) -> Image:
        """What is seen at a time of the world.

        exposure: factor of the picture's brightness; blur: pixels that the picture moves while the shutter is open, right and down.
        """
        state = self._world.state(seconds)
        picture = self._backdrop(view).copy()
        people = self._figures(state, view)
        things = silhouettes.painting_order(self._world.layout, state.vehicles, people, view.centre)
        self._draw_things(picture, view, people, things)
        if self._world.air.haze:
            self._draw_haze(picture, view, things)
        conditions = self._world.conditions
        draw_precipitation(picture, conditions.weather, self._world.settings.seed, round(seconds * 1000))
        picture = _expose(picture, state.light, exposure)
        picture = _smear(picture, blur)
        return self._add_noise(picture, seconds, exposure)

    def _backdrop(self, view: Projection) -> Image:
        """What surrounds everything that moves. A camera at rest sees the same again and again: it is drawn once for a view."""
        key = b''.join(part.tobytes() for part in (view.k, view.r, view.centre))
        if self._drawn is None or self._drawn[0] != key:
            picture = np.empty((self._height, self._width, 3), np.uint8)
            self._draw_ground(picture, view)
            for outer in self._surroundings(view):
                if isinstance(outer, Tree):
                    draw_tree(picture, outer, view, self._world.conditions)
                else:
                    structures.draw_structure(picture, outer, view, self._world.conditions)
            self._drawn = (key, picture)
        return self._drawn[1]

    def _draw_ground(self, picture: Image, view: Projection) -> None:
        focal, centre_row = float(view.k[0, 0]), float(view.k[1, 2])
        tilt = math.asin(float(np.clip(view.r[2, 2], -1, 1)))
        horizon = centre_row + focal * math.tan(tilt)
        top = int(np.clip(math.ceil(horizon + 1), 0, self._height))
        if top > 0:
            _draw_sky(picture[:top], horizon, self._world.air)
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
                _lay(band, self.ground.far, view, begin, cv2.BORDER_REPLICATE)
            _lay(band, near, view, begin, cv2.BORDER_TRANSPARENT)

    def _covers(self, sheet: Sheet, view: Projection, begin: int, end: int) -> bool:
        """Whether a texture fills rows of the picture."""
        corners = [view.to_ground((x, y)) for x in (-1.0, float(self._width)) for y in (begin - 1.0, end + 1.0)]
        return all(corner is not None and max(map(abs, corner)) < sheet.half - 1 for corner in corners)

    def _sheet(self, metres: float) -> Sheet:
        """The texture whose texels are about so many metres."""
        levels = self.ground.levels
        level = int(np.clip(math.floor(math.log2(max(metres / levels[0].texel, 1e-6))), 0, len(levels) - 1))
        return levels[level]

    def _draw_things(
        self, picture: Image, view: Projection, people: Sequence[Figure], things: Sequence[silhouettes.Thing]
    ) -> None:
        conditions = self._world.conditions
        if conditions.sun:
            for figure in people:
                self._cast_shadow(picture, figure, view)
        for thing in things:
            if isinstance(thing, Figure):
                figures.draw(picture, thing, self.ground.in_shadow(thing.body.walker.x, thing.body.walker.y))
            elif isinstance(thing, Vehicle):
                structures.draw_vehicle(picture, thing, view, conditions)
            elif isinstance(thing, Tree):
                draw_tree(picture, thing, view, conditions)
            else:
                structures.draw_structure(picture, thing, view, conditions)

    def _surroundings(self, view: Projection) -> list[Tree | Structure]:
        """Hedges and what lies beyond them, the farthest first: they surround everything else."""
        layout, centre = self._world.layout, view.centre
        trees = sorted(layout.far_trees, key=lambda t: -math.hypot(t.x - centre[0], t.y - centre[1]))
        return [*trees, *structures.by_distance((*layout.backdrop, *layout.hedges), centre)]

    def _draw_haze(self, picture: Image, view: Projection, things: Sequence[silhouettes.Thing]) -> None:
        """Everything fades into the haze with its distance."""
        air, centre, bare = self._world.air, view.centre, self._world.conditions.season is Season.WINTER
        depth = np.empty((self._height, self._width), np.float32)
        depth[:] = self._ground_distance(view)[:, None]
        for thing in (*self._surroundings(view), *things):
            silhouettes.fill(depth, thing, view, _away(thing, centre), bare)
        kept = cv2.exp(depth * -air.haze)
        veil = np.array(air.veil, np.float32)
        for channel in range(3):
            plane = picture[..., channel]
            picture[..., channel] = veil[channel] + (plane - veil[channel]) * kept

    def _ground_distance(self, view: Projection) -> Array:
        """Metres from the camera to the ground, or to the sky, in the middle of each row."""
        k, height = view.k, float(view.centre[2])
        # Rays in the optical frame, as far as they go while they go one metre ahead.
        aside, down = ((self._width - 1) / 2 - k[0, 2]) / k[0, 0], (np.arange(self._height) - k[1, 2]) / k[1, 1]
        falls = -(view.r[0, 2] * aside + view.r[1, 2] * down + view.r[2, 2])
        metres = height / np.maximum(falls, 1e-9) * np.sqrt(aside * aside + down * down + 1)
        return np.asarray(np.minimum(metres, _SKY_DISTANCE))

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
        if part is None or self.ground.in_shadow(figure.body.walker.x, figure.body.walker.y) < 0.8:
            return
        depth = 0.45 * self._world.conditions.sun
        mask = np.zeros((part[0].stop - part[0].start, part[1].stop - part[1].start), np.uint8)
        figures.shadow(mask, figure, view, np.array([part[1].start, part[0].start], float))
        dark = (1.0 - mask[..., None].astype(np.float32) * (depth / 255)) * picture[part]
        picture[part] = dark.astype(np.uint8)

    def _add_noise(self, picture: Image, seconds: float, exposure: float) -> Image:
        # A sensor's noise: it makes pictures of a still scene differ, as real ones do.
        tick = round(seconds * 1000)
        down, right = tick * 7 % 64, tick * 13 % 64
        tile = self._noise[down : down + self._height, right : right + self._width]
        picture = np.asarray(cv2.add(picture, tile), np.uint8)
        if self._grain is None:
            return picture
        grain = self._grain[down : down + self._height, right : right + self._width]
        # In the dark the signal is amplified, and the noise with it.
        scaled = cv2.addWeighted(grain, self._world.air.noise * exposure / 16, grain, 0.0, 0.0)
        return np.asarray(cv2.add(picture, scaled, dtype=cv2.CV_8U), np.uint8)


def _lay(band: Image, sheet: Sheet, view: Projection, first_row: int, border: int) -> None:
    """Lays a ground texture into rows of the picture."""
    shift = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -float(first_row)], [0.0, 0.0, 1.0]])
    matrix = shift @ view.ground_homography() @ sheet.to_map()
    size = (band.shape[1], band.shape[0])
    cv2.warpPerspective(sheet.picture, matrix, size, dst=band, flags=cv2.INTER_LINEAR, borderMode=border)


def _draw_sky(rows: Image, horizon: float, air: Air) -> None:
    height = np.clip((horizon - np.arange(rows.shape[0])) / 320.0, 0.0, 1.0)[:, None]
    rows[:] = (np.array(air.sky_low) * (1 - height) + np.array(air.sky_high) * height).astype(np.uint8)[:, None, :]


def _away(thing: silhouettes.Thing, centre: Array) -> float:
    """Metres from the camera."""
    if isinstance(thing, Figure):
        return thing.depth
    place = thing if isinstance(thing, Tree) else thing.block
    return math.hypot(place.x - float(centre[0]), place.y - float(centre[1]), float(centre[2]))


def _expose(picture: Image, light: Light, exposure: float) -> Image:
    factors: Array = np.array(light.colour) * light.brightness * exposure
    # A shoulder instead of a hard edge where it gets too bright.
    levels = np.arange(256)[:, None] * factors[None]
    table = np.where(levels > 220, 220 + 35 * (1 - np.exp(-(levels - 220) / 35)), levels)
    return np.asarray(cv2.LUT(picture, table.clip(0, 255).astype(np.uint8)[:, None, :]), np.uint8)


def _smear(picture: Image, blur: tuple[float, float]) -> Image:
    size = (max(1, round(abs(blur[0]))), max(1, round(abs(blur[1]))))
    return picture if size == (1, 1) else np.asarray(cv2.blur(picture, size), np.uint8)
