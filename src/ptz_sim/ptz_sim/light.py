# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Daylight that changes slowly, as clouds pass and the day goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ptz_sim.conditions import Air


@dataclass(frozen=True)
class Light:
    """Brightness relative to a clear noon, and its colour as factors of blue, green, red."""

    brightness: float
    colour: tuple[float, float, float]


def light_at(seconds: float, seed: int, air: Air) -> Light:
    """The light of a time."""
    shift = (seed * 0.618) % 1.0 * 2 * math.pi
    clouds = 0.5 + 0.25 * math.sin(2 * math.pi * seconds / 97 + shift) + 0.25 * math.sin(2 * math.pi * seconds / 41 + 2 * shift)
    day = math.sin(2 * math.pi * seconds / 5400 + shift)
    warm = 0.035 * day - 0.03 * clouds
    blue, green, red = air.colour
    return Light((0.92 + 0.08 * day - 0.22 * clouds) * air.brightness, ((1 - warm) * blue, green, (1 + warm) * red))
