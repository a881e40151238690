# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the people of the simulated region look like: a few clothes that are told apart easily, or all sorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ptz_sim.conditions import Season

Colour = tuple[int, int, int]

# Blue, green, red.
_UPPER: tuple[Colour, ...] = (
    (40, 40, 190), (165, 75, 25), (45, 165, 230), (70, 115, 30), (205, 205, 208), (120, 40, 105),
    (35, 30, 28), (30, 110, 215), (140, 120, 35), (150, 130, 225), (95, 45, 20), (60, 190, 200),
)  # fmt: skip
_LOWER: tuple[Colour, ...] = (
    (85, 52, 36),
    (38, 36, 36),
    (96, 130, 150),
    (120, 92, 66),
    (60, 66, 72),
    (50, 76, 90),
    (150, 158, 160),
)
_HAIR: tuple[Colour, ...] = ((22, 24, 28), (30, 45, 70), (60, 105, 150), (120, 125, 128), (28, 34, 92), (18, 18, 20))
_SKIN: tuple[Colour, ...] = ((165, 190, 232), (130, 165, 215), (95, 130, 185), (60, 88, 135), (45, 62, 98))
_PANEL: tuple[Colour, ...] = ((235, 235, 235), (40, 210, 240), (225, 190, 80), (40, 40, 45), (70, 90, 235), (190, 235, 190))
_PACK: tuple[Colour, ...] = ((45, 50, 55), (60, 40, 150), (110, 80, 30), (40, 90, 60), (30, 60, 120))
_HELMET: tuple[Colour, ...] = ((40, 200, 245), (230, 232, 235), (200, 110, 30))
_SHOES: tuple[Colour, ...] = ((30, 30, 32), (215, 218, 222), (40, 60, 95))
_VEST: tuple[Colour, ...] = ((20, 130, 250), (40, 235, 215))


@dataclass(frozen=True)
class Appearance:
    """What a person wears. Colours are blue, green, red. The panel is on the shirt's front, the pack on the back."""

    height: float
    build: float
    upper: Colour
    lower: Colour
    hair: Colour
    skin: Colour
    shoes: Colour
    panel: Colour
    pack: Colour | None
    vest: Colour | None
    helmet: Colour | None
    long_hair: bool
    short_sleeves: bool


def distinct(rng: np.random.Generator, seed: int, number: int) -> Appearance:
    """Adults of like build in one of twelve shirts; neighbours in number differ."""
    order = np.random.default_rng([seed, 4]).permutation(len(_UPPER))
    height = float(rng.uniform(1.62, 1.90))
    worker = bool(rng.uniform() < 0.22)
    vest: Colour | None = _VEST[int(rng.integers(2))] if worker else None
    return Appearance(
        height=height,
        build=float(rng.uniform(0.94, 1.12)),
        upper=_UPPER[int(order[number % len(_UPPER)])],
        lower=_pick(_LOWER, rng),
        hair=_pick(_HAIR, rng),
        skin=_pick(_SKIN, rng),
        shoes=_pick(_SHOES, rng),
        panel=_pick(_PANEL, rng),
        pack=_pick(_PACK, rng) if rng.uniform() < 0.45 and not worker else None,
        vest=vest,
        helmet=_pick(_HELMET, rng) if worker else None,
        long_hair=bool(rng.uniform() < 0.35) and not worker,
        short_sleeves=bool(rng.uniform() < 0.4),
    )


def varied(rng: np.random.Generator, season: Season) -> Appearance:
    """Anybody: clothes of any colour, children and grown-ups, slim and stout, dressed for the season."""
    child = bool(rng.uniform() < 0.1)
    height = float(rng.uniform(1.05, 1.5)) if child else float(np.clip(rng.normal(1.73, 0.09), 1.48, 2.02))
    worker = bool(rng.uniform() < 0.08) and not child
    cold = season is Season.WINTER
    build = float(np.clip(rng.normal(1.04, 0.13), 0.8, 1.45)) * (1.1 if cold else 1.0)
    upper = _cloth(rng, 0.42 if cold else 0.22)
    return Appearance(
        height=height,
        build=build,
        upper=upper,
        lower=_cloth(rng, 0.6),
        hair=_near(_pick(_HAIR, rng), 14, rng),
        skin=_near(_pick(_SKIN, rng), 10, rng),
        shoes=_cloth(rng, 0.6),
        panel=upper if rng.uniform() < 0.5 else _cloth(rng, 0.1),
        pack=_cloth(rng, 0.4) if rng.uniform() < 0.35 else None,
        vest=_VEST[int(rng.integers(2))] if worker else None,
        helmet=_near(_pick(_HELMET, rng), 12, rng)
        if worker
        else _cloth(rng, 0.3)
        if rng.uniform() < (0.3 if cold else 0.06)
        else None,
        long_hair=bool(rng.uniform() < 0.4),
        short_sleeves=bool(rng.uniform() < {Season.SUMMER: 0.6, Season.AUTUMN: 0.12, Season.WINTER: 0.0}[season]),
    )


def _cloth(rng: np.random.Generator, dark: float) -> Colour:
    """Any colour of cloth; dark: share of clothes that are dark or grey."""
    hue, saturation, value = rng.uniform(0, 180), 255 * rng.beta(1.6, 2.0), 255 * rng.uniform(0.25, 0.95)
    if rng.uniform() < dark:
        saturation, value = 255 * rng.uniform(0.0, 0.45), 255 * rng.uniform(0.09, 0.38)
    pixel = np.array([[[hue, saturation, value]]]).clip(0, [179, 255, 255]).astype(np.uint8)
    blue, green, red = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def _near(colour: Colour, spread: float, rng: np.random.Generator) -> Colour:
    blue, green, red = np.clip(np.array(colour) + rng.normal(0, spread, 3), 8, 250).astype(int).tolist()
    return blue, green, red


def _pick(colours: Sequence[Colour], rng: np.random.Generator) -> Colour:
    return colours[int(rng.integers(len(colours)))]
