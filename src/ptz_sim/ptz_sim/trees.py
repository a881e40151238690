# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws trees: with leaves in summer, coloured ones in autumn, none in winter."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim import pen
from ptz_sim.conditions import Colour, Conditions, Season
from ptz_sim.layout import SUN, Tree
from ptz_sim.shapes import Array
from ptz_sim.structures import in_view
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

_AUTUMN: tuple[Colour, ...] = ((34, 104, 178), (40, 140, 196), (36, 70, 150), (46, 118, 120), (30, 122, 168), (44, 92, 108))
_BARK: Colour = (48, 66, 84)
_TWIG: Colour = (58, 68, 78)
_DAY = Conditions()


def draw_tree(picture: MatLike, tree: Tree, view: Projection, conditions: Conditions = _DAY) -> None:
    """Draws a tree: a trunk, and a crown of many tufts that are lighter towards the sun; in winter its branches."""
    if not in_view(view, picture.shape, np.array([tree.x, tree.y, tree.height / 2]), tree.height * 0.6):
        return
    trunk = _trunk(tree, view)
    if trunk is None:
        return
    pixels, scale = trunk
    pen.line(picture, pixels, _BARK, max(1.0, 0.28 * scale))
    if conditions.season is Season.WINTER:
        _draw_branches(picture, tree, view, scale)
        return
    tufts, bright = _crown(tree, conditions.sun)
    colour = (40.0, 92.0 + 4 * tree.kind, 62.0) if conditions.season is Season.SUMMER else _AUTUMN[tree.kind % len(_AUTUMN)]
    centres, tuft_depths = view.project(tufts)
    for index in np.argsort(-tuft_depths):
        size = 0.05 * tree.height * float(view.k[0, 0]) / max(float(tuft_depths[index]), 1.0)
        middle = (round(float(centres[index, 0])), round(float(centres[index, 1])))
        if abs(middle[0]) < 20_000 and abs(middle[1]) < 20_000:
            cv2.circle(picture, middle, max(1, round(size)), pen.tone(colour, float(bright[index])), -1, cv2.LINE_AA)


def fill_tree(mask: MatLike, tree: Tree, view: Projection, value: float, bare: bool) -> None:
    """Fills what a tree hides with a value; bare: no more than its trunk."""
    if not in_view(view, mask.shape, np.array([tree.x, tree.y, tree.height / 2]), tree.height * 0.6):
        return
    trunk = _trunk(tree, view)
    if trunk is None:
        return
    pixels, scale = trunk
    ends = [tuple(np.clip(np.rint(p), -20_000, 20_000).astype(int).tolist()) for p in pixels]
    cv2.line(mask, ends[0], ends[1], value, max(1, round(0.28 * scale)))
    if bare:
        return
    centres, depths = view.project(_crown(tree, 0.0)[0])
    sizes = 0.05 * tree.height * float(view.k[0, 0]) / np.maximum(depths, 1.0)
    for (x, y), size in zip(np.rint(centres).astype(int).tolist(), np.rint(sizes).astype(int).tolist(), strict=True):
        if abs(x) < 20_000 and abs(y) < 20_000:
            cv2.circle(mask, (x, y), max(1, size), value, -1)


def _trunk(tree: Tree, view: Projection) -> tuple[Array, float] | None:
    """Foot and top of the trunk in pixels, and pixels for each metre at the top; None if it is behind the camera."""
    foot, top = np.array([tree.x, tree.y, 0.0]), np.array([tree.x, tree.y, tree.height * 0.55])
    pixels, depths = view.project(np.vstack((foot, top)))
    if depths.min() < 1.0:
        return None
    return pixels, float(view.k[0, 0]) / float(depths[1])


def _draw_branches(picture: MatLike, tree: Tree, view: Projection, scale: float) -> None:
    limbs, twigs = _branches(tree)
    for ends, width in ((limbs, 0.09), (twigs, 0.035)):
        pixels, depths = view.project(ends.reshape(-1, 3))
        if depths.min() < 1.0 or np.abs(pixels).max() > 20_000:
            return
        lines = np.rint(pixels.reshape(-1, 2, 2) * 16).astype(np.int32)
        cv2.polylines(picture, list(lines), False, _TWIG, max(1, round(width * scale)), cv2.LINE_AA, 4)


@lru_cache(maxsize=256)
def _crown(tree: Tree, share: float) -> tuple[Array, Array]:
    """Tufts of leaves (n, 3) in metres, and how bright each is: the same for a tree at all times. share: of the sun in the light."""
    rng = np.random.default_rng([tree.kind, round(tree.x * 10) & 0xFFFF, round(tree.y * 10) & 0xFFFF])
    ball = rng.normal(0, 1, (110, 3))
    ball *= (rng.uniform(0.55, 1.0, 110) / np.linalg.norm(ball, axis=1))[:, None]
    offsets = ball * np.array([0.2, 0.2, 0.24]) * tree.height
    sun = np.array([math.cos(SUN[0]) * math.cos(SUN[1]), math.sin(SUN[0]) * math.cos(SUN[1]), math.sin(SUN[1])])
    towards = (offsets @ sun) * share + offsets[:, 2] * (0.6 * (1 - share))
    bright = 0.9 + 1.3 * towards / tree.height + rng.normal(0, 0.07, 110)
    return offsets + np.array([tree.x, tree.y, tree.height * 0.66]), bright


@lru_cache(maxsize=256)
def _branches(tree: Tree) -> tuple[Array, Array]:
    """Limbs and twigs, each (n, 2, 3): both ends in metres."""
    tips = _crown(tree, 0.0)[0]
    stem = np.array([tree.x, tree.y, tree.height * 0.5])
    forks = stem + (tips[::7] - stem) * 0.55
    starts = np.column_stack(
        (np.full(len(forks), tree.x), np.full(len(forks), tree.y), np.linspace(0.36, 0.54, len(forks)) * tree.height)
    )
    nearest = np.linalg.norm(tips[:, None] - forks[None], axis=2).argmin(axis=1)
    return np.stack((starts, forks), axis=1), np.stack((forks[nearest], tips), axis=1)
