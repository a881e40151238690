# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Paints a picture of the ground from above: surfaces, road markings, traces of use, snow and water, shadows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim.conditions import Conditions, DayTime, Season, Theme, Weather
from ptz_sim.covers import COVERS, TRODDEN, Cover, Pattern, grass_colour
from ptz_sim.layout import PATH_WIDTH, SUN, Layout, Structure
from ptz_sim.shapes import Array, Point, centroid

if TYPE_CHECKING:
    from cv2.typing import MatLike

_SHADOW = (0.56, 0.50, 0.46)


def clouds(rng: np.random.Generator, size: int, cells: Sequence[tuple[int, float]]) -> Array:
    """Smooth noise (size, size): the sum of random grids of so many cells with such strengths."""
    total = np.zeros((size, size), np.float32)
    for count, strength in cells:
        grid = rng.normal(0, strength, (count, count)).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC if count < size // 2 else cv2.INTER_LINEAR)
    return total  # type: ignore[return-value]


class Painter:
    """A square picture of the ground and what is needed to paint in metres."""

    def __init__(self, size: int, half: float, rng: np.random.Generator, conditions: Conditions) -> None:
        self.size, self.half, self.rng, self._conditions = size, half, rng, conditions
        self.scale = size / (2 * half)
        self.picture: MatLike = np.zeros((size, size, 3), np.uint8)
        # One tile of fine noise and one sheet of large patches serve all surfaces.
        self._fine = clouds(rng, 1024, [(1024, 6.0), (512, 4.0)])
        self._patches = clouds(rng, 512, [(6, 5.0), (24, 4.0), (90, 3.0)])

    def base(self) -> None:
        """What lies everywhere to begin with: grass, or the theme's cover in a tone of its own."""
        cover = COVERS.get(self._conditions.theme)
        if cover is None:
            self._lay(None, grass_colour(self._conditions.season), grain=1.5, patches=1.5, tint=(0.5, 1.0, 1.15))
            return
        tone = self.rng.uniform(0.78, 1.12) * self.rng.uniform(0.95, 1.05, 3)
        blue, green, red = (float(c) for c in np.array(cover.colour) * tone)
        self._cover(None, replace(cover, colour=(blue, green, red)))

    def paths(self, layout: Layout) -> None:
        """Footpaths of small pavers with a darker edge."""
        if self._conditions.theme in COVERS:
            return
        mask = self._path_mask(layout)
        self._rim(mask, 0.14, (108, 116, 122))
        self._lay(mask, (132, 146, 154), grain=0.8, patches=0.7, pattern=self._pavers(0.2, 0.1, 9.0))

    def yards(self, scenes: Mapping[str, Sequence[Point]]) -> None:
        """Each scene lies on a yard: large slabs or paving, with the scene's outline painted on it."""
        for index, polygon in enumerate(scenes.values()):
            mask = np.zeros((self.size, self.size), np.uint8)
            self._fill_yard(mask, polygon)
            self._rim(mask, 0.16, (122, 128, 132))
            if self._conditions.theme is Theme.MEADOW:
                self._cover(mask, TRODDEN)
            elif index % 3 == 2:
                self._lay(mask, (148, 156, 160), grain=1.0, patches=1.3, pattern=self._slabs(2.5))
            elif index % 3 == 1:
                self._lay(mask, (126, 136, 142), grain=0.9, patches=1.0, pattern=self._pavers(0.4, 0.2, 7.0))
            else:
                self._lay(mask, (118, 136, 152), grain=0.9, patches=1.0, pattern=self._pavers(0.3, 0.3, 7.0))
        for polygon in scenes.values():
            self._outline(polygon)

    def road(self, layout: Layout) -> None:
        """Asphalt with kerbs, edge lines and a dashed middle line; zebra crossings where footpaths cross."""
        road, reach = layout.road, self.half + 2
        mask = np.zeros((self.size, self.size), np.uint8)
        self._stripe(mask, layout, (-reach, reach), (-road.width / 2, road.width / 2))
        self._lay(mask, (74, 74, 73), grain=1.6, patches=0.9)
        for side in (-1, 1):
            kerb = np.zeros_like(mask)
            edge = side * road.width / 2
            self._stripe(kerb, layout, (-reach, reach), (edge - 0.02, edge + side * 0.16))
            self._lay(kerb, (158, 162, 164), grain=0.8, patches=0.3)
        paint = np.zeros_like(mask)
        for side in (-1, 1):
            edge = side * (road.width / 2 - 0.28)
            self._stripe(paint, layout, (-reach, reach), (edge - 0.055, edge + 0.055))
        for begin in np.arange(-reach, reach, 4.5):
            self._stripe(paint, layout, (float(begin), float(begin) + 2.0), (-0.06, 0.06))
        for along in self._crossings(layout):
            clear = np.zeros_like(mask)
            self._stripe(clear, layout, (along - 1.9, along + 1.9), (-road.width / 2 + 0.2, road.width / 2 - 0.2))
            paint[clear > 0] = 0
            for across in np.arange(-road.width / 2 + 0.45, road.width / 2 - 0.6, 0.95):
                self._stripe(paint, layout, (along - 1.4, along + 1.4), (float(across), float(across) + 0.48))
        self._blend(paint, (206, 210, 210), 0.82)

    def traces(self, layout: Layout) -> None:
        """Stains, drains and leaves: so that no two square metres are the same."""
        rng = self.rng
        mask = np.zeros((self.size, self.size), np.uint8)
        for _ in range(26):
            x, y = rng.uniform(-layout.half, layout.half, 2)
            size = float(rng.uniform(0.12, 0.5)) * self.scale
            axes = (max(1, int(size)), max(1, int(size * rng.uniform(0.4, 1.0))))
            cv2.ellipse(mask, self._texel((float(x), float(y))), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
        self._blend(cv2.GaussianBlur(mask, (0, 0), 0.09 * self.scale), (58, 62, 64), 0.3)
        for _ in range(9):
            along, across = float(rng.uniform(-layout.half, layout.half)), float(rng.uniform(-1.8, 1.8))
            self._drain(layout.road.point(along, across))
        for tree in layout.trees:
            self._disc((tree.x, tree.y), 0.85, (52, 72, 92))
            fallen = 500 if self._conditions.season is Season.AUTUMN else 70
            leaves = rng.normal((tree.x, tree.y), tree.height * (0.3 if fallen > 70 else 0.22), (fallen, 2))
            for x, y in leaves:
                colour = (int(rng.integers(25, 55)), int(rng.integers(75, 125)), int(rng.integers(95, 165)))
                cv2.circle(self.picture, self._texel((float(x), float(y))), max(1, self._width(0.045)), colour, -1, cv2.LINE_AA)

    def weather(self, layout: Layout, scenes: Mapping[str, Sequence[Point]]) -> None:
        """What falls from the sky and stays: snow, less of it where people walk and least where cars drive, or water."""
        season, weather = self._conditions.season, self._conditions.weather
        if weather is Weather.RAIN:
            self._wet()
        if season is Season.WINTER:
            self._snow(layout, scenes, 0.7 if weather is Weather.RAIN else 1.0)
        elif weather is Weather.SNOW:
            self._snow(layout, scenes, 0.5)

    def shadows(self, layout: Layout) -> MatLike:
        """Darkens the ground in the shadow of buildings, hedges and trees, and at the foot of walls. Returns the shadow's mask."""
        mask = np.zeros((self.size, self.size), np.uint8)
        foot: MatLike = np.zeros_like(mask)
        for structure in layout.buildings + layout.furniture + layout.hedges:
            self._cast(mask, structure)
            cv2.fillConvexPoly(foot, self._texels(structure.block.corners(0.12)), 255, cv2.LINE_AA)
        reach = 1 / math.tan(SUN[1])
        for tree in layout.trees:
            self._tree_shadow(mask, (tree.x, tree.y), tree.height, reach)
        if self._conditions.sun < 1:
            mask = (mask * self._conditions.sun).astype(np.uint8)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.055 * self.scale)
        foot = cv2.GaussianBlur(foot, (0, 0), 0.22 * self.scale)
        for rows in range(0, self.size, 256):
            part = slice(rows, rows + 256)
            dark = soft[part].astype(np.float32) / 255
            ambient = 1 - 0.45 * foot[part].astype(np.float32) / 255
            for channel, depth in enumerate(_SHADOW):
                factor = (1 - (1 - depth) * dark) * ambient
                self.picture[part, :, channel] = (self.picture[part, :, channel] * factor).astype(np.uint8)
        return soft

    def _cover(self, mask: MatLike | None, cover: Cover) -> None:
        pattern = None
        if cover.pattern is Pattern.PAVERS:
            pattern = self._pavers(*cover.size, cover.spread)
        elif cover.pattern is Pattern.SLABS:
            pattern = self._slabs(cover.size[0])
        self._lay(mask, cover.colour, cover.grain, cover.patches, pattern)

    def _wet(self) -> None:
        """Everything is darker; water stands in the hollows and mirrors the sky."""
        hollows = cv2.resize(self._patches, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        edge = float(np.quantile(self._patches, 0.93))
        mirrored = np.array([196.0, 190.0, 184.0]) * (0.3 if self._conditions.time is DayTime.NIGHT else 1.0)
        for begin in range(0, self.size, 256):
            part = slice(begin, begin + 256)
            water = np.clip((hollows[part] - edge) / 2.5, 0, 1)[..., None] * 0.55
            dark = self.picture[part] * np.array([0.74, 0.70, 0.68])
            self.picture[part] = (dark + (mirrored - dark) * water).astype(np.uint8)

    def _snow(self, layout: Layout, scenes: Mapping[str, Sequence[Point]], amount: float) -> None:
        trodden = self._path_mask(layout)
        for polygon in scenes.values():
            self._fill_yard(trodden, polygon)
        if self._conditions.theme in COVERS:
            trodden[:] = 255
        driven = np.zeros_like(trodden)
        half, reach = layout.road.width / 2, self.half + 2
        for lane in (-0.5, 0.5):
            for wheel in (-0.8, 0.8):
                across = lane * half + wheel
                self._stripe(driven, layout, (-reach, reach), (across - 0.45, across + 0.45))
        road = np.zeros_like(trodden)
        self._stripe(road, layout, (-reach, reach), (-half, half))
        trodden = cv2.GaussianBlur(cv2.max(trodden, road), (0, 0), 0.25 * self.scale)
        driven = cv2.GaussianBlur(driven, (0, 0), 0.15 * self.scale)
        drifts = cv2.resize(self._patches, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        for begin in range(0, self.size, 256):
            rows = np.arange(begin, min(begin + 256, self.size))
            part = slice(begin, begin + 256)
            fine = self._fine[np.ix_(rows % 1024, np.arange(self.size) % 1024)]
            deep = amount * (1.25 - 0.85 * (trodden[part] / 255.0)) - 0.5 * (driven[part] / 255.0)
            share = np.clip(deep + 0.055 * drifts[part] + 0.012 * fine, 0, 0.96)[..., None]
            white = np.array([226.0, 220.0, 216.0]) + 0.9 * drifts[part][..., None] + 0.5 * fine[..., None]
            self.picture[part] = np.clip(self.picture[part] + (white - self.picture[part]) * share, 0, 255).astype(np.uint8)

    def _path_mask(self, layout: Layout) -> MatLike:
        mask = np.zeros((self.size, self.size), np.uint8)
        for a, b in layout.paths:
            cv2.line(mask, self._texel(a), self._texel(b), 255, self._width(PATH_WIDTH), cv2.LINE_AA)
        for entry in layout.entries:
            inner = self._nearest_on_paths(entry.inside, layout)
            cv2.line(mask, self._texel(entry.outside), self._texel(entry.inside), 255, self._width(1.8), cv2.LINE_AA)
            cv2.line(mask, self._texel(entry.inside), self._texel(inner), 255, self._width(1.8), cv2.LINE_AA)
        return mask

    def _fill_yard(self, mask: MatLike, polygon: Sequence[Point]) -> None:
        corners = np.asarray(polygon, float)
        middle = np.asarray(centroid(polygon))
        wide = corners + (corners - middle) / np.maximum(np.linalg.norm(corners - middle, axis=1, keepdims=True), 1e-9) * 2.2
        cv2.fillPoly(mask, [self._texels(wide)], 255, cv2.LINE_AA)

    def _lay(
        self,
        mask: MatLike | None,
        colour: tuple[float, float, float],
        grain: float,
        patches: float,
        pattern: Array | None = None,
        tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> None:
        """Covers a masked part with a colour, varied by grain, patches and a repeated pattern."""
        top, left, bottom, right = (0, 0, self.size, self.size) if mask is None else _bounds(mask)
        large = cv2.resize(self._patches, (self.size // 4, self.size // 4), interpolation=cv2.INTER_LINEAR)
        for begin in range(top, bottom, 512):
            end = min(begin + 512, bottom)
            rows, columns = np.arange(begin, end), np.arange(left, right)
            value = grain * self._fine[np.ix_(rows % 1024, columns % 1024)]
            value = value + patches * large[np.ix_(rows // 4 % large.shape[0], columns // 4 % large.shape[1])]
            if pattern is not None:
                value = value + pattern[np.ix_(rows % pattern.shape[0], columns % pattern.shape[1])]
            area = self.picture[begin:end, left:right]
            fresh = np.stack([np.clip(c + t * value, 0, 255) for c, t in zip(colour, tint, strict=True)], axis=2)
            if mask is None:
                area[:] = fresh.astype(np.uint8)
            else:
                share = mask[begin:end, left:right, None].astype(np.float32) / 255
                area[:] = (area + (fresh - area) * share).astype(np.uint8)

    def _blend(self, mask: MatLike, colour: tuple[float, float, float], strength: float) -> None:
        """Paint that lets some of the ground's grain through."""
        for begin in range(0, self.size, 256):
            part = slice(begin, begin + 256)
            if not mask[part].any():
                continue
            rows = np.arange(begin, min(begin + 256, self.size))
            worn = np.clip(1 - 0.02 * np.abs(self._fine[np.ix_(rows % 1024, np.arange(self.size) % 1024)]), 0.5, 1)
            share = (mask[part] * (strength / 255) * worn)[..., None]
            self.picture[part] = (self.picture[part] + (np.array(colour) - self.picture[part]) * share).astype(np.uint8)

    def _rim(self, mask: MatLike, width: float, colour: tuple[float, float, float]) -> None:
        """A border of stones around a masked part."""
        side = 2 * self._width(width) + 1
        self._lay(cv2.dilate(mask, np.ones((side, side), np.uint8)), colour, grain=1.0, patches=0.4)

    def _pavers(self, length: float, width: float, spread: float) -> Array:
        """Stones of somewhat different tone with dark joints, in bond."""
        long, wide = max(3, round(length * self.scale)), max(3, round(width * self.scale))
        rows, columns = 48, 24
        tones = np.kron(self.rng.normal(0, spread, (rows, columns)), np.ones((wide, long)))
        joints = np.zeros_like(tones)
        joints[::wide] = -24
        for row in range(rows):
            joints[row * wide : (row + 1) * wide, (row % 2) * (long // 2) :: long] = -24
            shift = (row % 2) * (long // 2)
            tones[row * wide : (row + 1) * wide] = np.roll(tones[row * wide : (row + 1) * wide], shift, axis=1)
        return np.asarray(tones + joints, float)

    def _slabs(self, size: float) -> Array:
        side = max(4, round(size * self.scale))
        tones = np.kron(self.rng.normal(0, 4.5, (8, 8)), np.ones((side, side)))
        for axis in (0, 1):
            for offset in (0, 1):
                index = np.arange(offset, 8 * side, side)
                tones[(index, slice(None)) if axis == 0 else (slice(None), index)] -= 34 if offset == 0 else 12
        return np.asarray(tones, float)

    def _outline(self, polygon: Sequence[Point]) -> None:
        """The scene's border: yellow corner marks and dashes, as on a works yard."""
        mask = np.zeros((self.size, self.size), np.uint8)
        corners = np.asarray(polygon, float)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            length = float(np.linalg.norm(end - start))
            step = (end - start) / max(length, 1e-9)
            for begin in np.arange(0, length, 2.0):
                stop = min(begin + 1.0, length)
                cv2.line(
                    mask, self._texel(start + step * begin), self._texel(start + step * stop), 255, self._width(0.1), cv2.LINE_AA
                )
        self._blend(mask, (60, 190, 225), 0.75)

    def _crossings(self, layout: Layout) -> list[float]:
        found: list[float] = []
        road = layout.road
        for a, b in layout.paths:
            axis = 1 if road.along_x else 0
            low, high = a[axis] - road.offset, b[axis] - road.offset
            if low * high < 0 and abs(high - low) > 6:
                share = low / (low - high)
                along = a[1 - axis] + (b[1 - axis] - a[1 - axis]) * share
                if all(abs(along - other) > 5 for other in found):
                    found.append(along)
        if not found:
            found.append(0.0)
        return found

    def _nearest_on_paths(self, point: Point, layout: Layout) -> Point:
        ends = [p for path in layout.paths for p in path]
        return min(ends, key=lambda p: math.dist(p, point)) if ends else (0.0, 0.0)

    def _drain(self, at: Point) -> None:
        x, y = self._texel(at)
        side = self._width(0.28)
        cv2.circle(self.picture, (x, y), side + 1, (48, 50, 50), -1, cv2.LINE_AA)
        cv2.circle(self.picture, (x, y), max(1, side - 1), (88, 92, 94), -1, cv2.LINE_AA)
        for offset in range(-side + 2, side - 1, 3):
            cv2.line(self.picture, (x + offset, y - side // 2), (x + offset, y + side // 2), (60, 63, 64), 1, cv2.LINE_AA)

    def _disc(self, at: Point, radius: float, colour: tuple[int, int, int]) -> None:
        mask = np.zeros((self.size, self.size), np.uint8)
        cv2.circle(mask, self._texel(at), self._width(radius), 255, -1, cv2.LINE_AA)
        self._lay(mask, colour, grain=1.6, patches=0.5)

    def _cast(self, mask: MatLike, structure: Structure) -> None:
        corners = structure.block.corners()
        height = structure.block.height + structure.gable * 0.6
        away = -np.array([math.cos(SUN[0]), math.sin(SUN[0])]) * height / math.tan(SUN[1])
        outline = cv2.convexHull(self._texels(np.vstack((corners, corners + away))))
        cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_AA)

    def _tree_shadow(self, mask: MatLike, foot: Point, height: float, reach: float) -> None:
        rng = self.rng
        away = -np.array([math.cos(SUN[0]), math.sin(SUN[0])])
        start, crown = np.asarray(foot), np.asarray(foot) + away * height * 0.66 * reach
        cv2.line(mask, self._texel(start), self._texel(crown), 235, self._width(0.2), cv2.LINE_AA)
        for _ in range(150):
            along, across = rng.normal(0, height * 0.17), rng.normal(0, height * 0.115)
            point = crown + away * along + np.array([-away[1], away[0]]) * across
            cv2.circle(mask, self._texel(point), self._width(float(rng.uniform(0.10, 0.34))), 235, -1, cv2.LINE_AA)

    def _stripe(self, mask: MatLike, layout: Layout, along: tuple[float, float], across: tuple[float, float]) -> None:
        point = layout.road.point
        corners = [point(along[0], across[0]), point(along[1], across[0]), point(along[1], across[1]), point(along[0], across[1])]
        cv2.fillConvexPoly(mask, self._texels(np.array(corners), 4), 255, cv2.LINE_AA, 4)

    def _texels(self, points: Array, shift: int = 0) -> MatLike:
        scaled = np.stack(((points[:, 0] + self.half) * self.scale - 0.5, (self.half - points[:, 1]) * self.scale - 0.5), axis=1)
        return np.rint(scaled * (1 << shift)).astype(np.int32)

    def _texel(self, point: Point | Array) -> tuple[int, int]:
        return round((float(point[0]) + self.half) * self.scale - 0.5), round((self.half - float(point[1])) * self.scale - 0.5)

    def _width(self, metres: float) -> int:
        return max(1, round(metres * self.scale))


def _bounds(mask: MatLike) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
