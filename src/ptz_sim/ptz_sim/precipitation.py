# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Rain and snow in the air before a camera."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim.conditions import Weather

if TYPE_CHECKING:
    from cv2.typing import MatLike

#: Streaks and flakes in a picture of a megapixel.
_STREAKS, _FLAKES = 420, 700


def draw_precipitation(picture: MatLike, weather: Weather, seed: int, tick: int) -> None:
    """Draws streaks of rain or flakes of snow, other ones at each tick of the world (ms)."""
    if weather not in (Weather.RAIN, Weather.SNOW):
        return
    rng = np.random.default_rng([seed, 10, tick])
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.uint8)
    share = rows * columns / 1e6
    # A shower is stronger in one world than in another, and the wind comes from elsewhere.
    world = np.random.default_rng([seed, 11])
    strength, wind = float(world.uniform(0.4, 1.3)), float(world.uniform(-0.35, 0.35))
    if weather is Weather.RAIN:
        _streaks(mask, rng, round(_STREAKS * share * strength), wind)
    else:
        _flakes(mask, rng, round(_FLAKES * share * strength), wind)
    cv2.add(picture, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR), dst=picture)


def _streaks(mask: MatLike, rng: np.random.Generator, count: int, wind: float) -> None:
    rows, columns = mask.shape[:2]
    places = rng.uniform((-0.1 * columns, -0.1 * rows), (columns, rows), (count, 2))
    lengths = rows * rng.uniform(0.015, 0.075, count)
    lean = wind + rng.normal(0, 0.03, count)
    ends = places + lengths[:, None] * np.stack((lean, np.ones(count)), axis=1)
    lines = np.rint(np.stack((places, ends), axis=1) * 16).astype(np.int32)
    # Some drops are nearer, and brighter.
    for level, part in ((26, lines[::2]), (42, lines[1::2])):
        cv2.polylines(mask, list(part), False, level, 1, cv2.LINE_AA, 4)


def _flakes(mask: MatLike, rng: np.random.Generator, count: int, wind: float) -> None:
    rows, columns = mask.shape[:2]
    places = rng.uniform((0, 0), (columns, rows), (count, 2))
    sizes = rows / 720 * np.minimum(0.7 + rng.exponential(0.75, count), 5.0)
    angle = math.degrees(wind)
    for (x, y), size in zip(places.tolist(), sizes.tolist(), strict=True):
        axes = (max(1, round(size * 16)), max(1, round(size * 22)))
        level = 150 if size < 1.6 else 105 if size < 3 else 60
        cv2.ellipse(mask, (round(x * 16), round(y * 16)), axes, angle, 0, 360, level, -1, cv2.LINE_AA, 4)
