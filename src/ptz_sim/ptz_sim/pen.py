# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing with parts of a pixel: smooth polygons and the hulls of projected balls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_sim.shapes import Array

if TYPE_CHECKING:
    from cv2.typing import MatLike

_SHIFT = 4
_ONE = 1 << _SHIFT
_ANGLES = np.linspace(0, 2 * np.pi, 14, endpoint=False)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), axis=1)


def hull(centres: Array, radii: Array) -> Array:
    """Outline (n, 2) around circles with centres (m, 2) and radii (m,), pixels."""
    return np.asarray(cv2.convexHull(rings(centres, radii).reshape(-1, 2))[:, 0, :], float)


def rings(centres: Array, radii: Array) -> NDArray[np.float32]:
    """Points (m, n, 2) on circles with centres (m, 2) and radii (m,), pixels."""
    points: NDArray[np.float32] = (centres[:, None, :] + radii[:, None, None] * _CIRCLE[None]).astype(np.float32)
    return points


def fill(picture: MatLike, outline: Array, colour: tuple[float, ...] | float) -> None:
    """Fills a convex outline (n, 2), smooth at the edge."""
    points = np.clip(np.rint(outline * _ONE), -1e8, 1e8).astype(np.int32)
    scalar = colour if isinstance(colour, tuple) else (colour,)
    cv2.fillConvexPoly(picture, points, scalar, cv2.LINE_AA, _SHIFT)


def fill_any(picture: MatLike, outline: Array, colour: tuple[float, ...] | float) -> None:
    """Fills any outline (n, 2), smooth at the edge."""
    points = np.clip(np.rint(outline * _ONE), -1e8, 1e8).astype(np.int32)
    scalar = colour if isinstance(colour, tuple) else (colour,)
    cv2.fillPoly(picture, [points], scalar, cv2.LINE_AA, _SHIFT)


def line(picture: MatLike, points: Array, colour: tuple[float, ...], width: float) -> None:
    """A smooth line through points (n, 2)."""
    scaled = np.clip(np.rint(points * _ONE), -1e8, 1e8).astype(np.int32)
    cv2.polylines(picture, [scaled], False, colour, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def tone(colour: tuple[float, ...], factor: float, lift: float = 0.0) -> tuple[float, ...]:
    """A colour brighter or darker by a factor, lifted towards white by a share."""
    return tuple(min(255.0, c * factor + (255 - c) * lift) for c in colour)


def window(low: Array, high: Array, shape: tuple[int, ...], margin: float = 2.0) -> tuple[slice, slice] | None:
    """Rows and columns of the picture between two corners; None if that is outside."""
    left, top = max(0, int(low[0] - margin)), max(0, int(low[1] - margin))
    right, bottom = min(shape[1], int(high[0] + margin) + 1), min(shape[0], int(high[1] + margin) + 1)
    return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None
