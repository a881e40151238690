# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ground, painted once in several finenesses, and the country around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim.conditions import Conditions, Season
from ptz_sim.covers import grass_colour
from ptz_sim.ground_painter import Painter, clouds
from ptz_sim.layout import SURROUND, Layout
from ptz_sim.shapes import Array, Point

if TYPE_CHECKING:
    from cv2.typing import MatLike

#: Metres of one texel, unless the world is so large that the texture would exceed LARGEST.
_TEXEL = 0.025
LARGEST = 4096


@dataclass(frozen=True)
class Sheet:
    """A picture of the ground seen from above. Texel (0, 0) lies at (-half, half) in the map; its rows go south."""

    picture: MatLike
    half: float

    @property
    def texel(self) -> float:
        """Metres of one texel."""
        return float(2 * self.half / self.picture.shape[1])

    def to_map(self) -> Array:
        """3x3 matrix from texels to map metres."""
        return np.array(
            [[self.texel, 0.0, -self.half + self.texel / 2], [0.0, -self.texel, self.half - self.texel / 2], [0.0, 0.0, 1.0]]
        )


@dataclass(frozen=True)
class Ground:
    """The ground in several finenesses, finest first, the wide surroundings, and where shadow lies (of the finest but two)."""

    levels: tuple[Sheet, ...]
    far: Sheet
    shadow: Sheet

    def in_shadow(self, x: float, y: float) -> float:
        """1 in the sun, less in the shadow of something that stands still."""
        sheet = self.shadow
        column, row = int((x + sheet.half) / sheet.texel), int((sheet.half - y) / sheet.texel)
        rows, columns = sheet.picture.shape[:2]
        if not (0 <= row < rows and 0 <= column < columns):
            return 1.0
        return 1.0 - 0.42 * float(sheet.picture[row, column]) / 255


def make_ground(
    layout: Layout, scenes: Mapping[str, Sequence[Point]], seed: int, conditions: Conditions, largest: int = LARGEST
) -> Ground:
    """Paints the ground of a layout; largest: texels of a side, at most."""
    half = layout.half + SURROUND
    size = min(largest, 16 * round(2 * half / _TEXEL / 16))
    painter = Painter(size, half, np.random.default_rng([seed, 7]), conditions)
    painter.base()
    painter.paths(layout)
    painter.yards(scenes)
    painter.road(layout)
    painter.traces(layout)
    painter.weather(layout, scenes)
    shadow = painter.shadows(layout)
    levels = [Sheet(painter.picture, half)]
    for _ in range(5):
        finer = levels[-1].picture
        levels.append(Sheet(cv2.resize(finer, (finer.shape[1] // 2, finer.shape[0] // 2), interpolation=cv2.INTER_AREA), half))
    return Ground(tuple(levels), _surroundings(layout, seed, conditions), Sheet(cv2.resize(shadow, (size // 4, size // 4)), half))


def _surroundings(layout: Layout, seed: int, conditions: Conditions) -> Sheet:
    """Meadows and fields around the region, with the road going on."""
    size, half = 1024, max(260.0, layout.half * 4)
    rng = np.random.default_rng([seed, 8])
    scale = size / (2 * half)
    white = conditions.season is Season.WINTER
    grass = (214.0, 208.0, 204.0) if white else grass_colour(conditions.season)
    value = clouds(rng, size, [(10, 7.0), (60, 5.0), (300, 4.0), (1024, 4.0)])
    picture = np.stack([np.clip(c + t * value, 0, 255) for c, t in zip(grass, (0.6, 1.0, 1.2), strict=True)], axis=2).astype(
        np.uint8
    )
    for _ in range(16):
        middle = rng.uniform(-half, half, 2)
        if np.hypot(*middle) < layout.half * 1.9:
            continue
        size_m = rng.uniform(25, 80, 2)
        box = (
            (np.array([middle[0] + half, half - middle[1]]) * scale).tolist(),
            (size_m * scale).tolist(),
            float(rng.uniform(0, 90)),
        )
        colour = ((70, 130, 120), (90, 150, 165), (60, 105, 75), (80, 110, 130))[int(rng.integers(4))]
        if white:
            colour = (170 + colour[0] // 3, 170 + colour[1] // 3, 170 + colour[2] // 3)
        corners = np.rint(cv2.boxPoints(box)).astype(np.int32)  # type: ignore[arg-type]
        cv2.fillConvexPoly(picture, corners, colour, cv2.LINE_AA)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.uint8)
    road = layout.road
    ends = [((p[0] + half) * scale, (half - p[1]) * scale) for p in (road.point(-half, 0), road.point(half, 0))]
    (x0, y0), (x1, y1) = ends
    cv2.line(
        picture, (round(x0), round(y0)), (round(x1), round(y1)), (76, 76, 75), max(1, round(road.width * scale)), cv2.LINE_AA
    )
    return Sheet(picture, half)
