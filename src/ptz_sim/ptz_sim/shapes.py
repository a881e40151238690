# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plane shapes and boxes: what stands on the ground, and whether it is in the way of a walk or of a view. Metres, map frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Point = tuple[float, float]


@dataclass(frozen=True)
class Block:
    """A box that stands upright: middle x, y, direction of its length (yaw, radians), sizes, and the height of its underside."""

    x: float
    y: float
    yaw: float
    length: float
    width: float
    height: float
    base: float = 0.0

    def corners(self, margin: float = 0.0) -> Array:
        """The four corners of the footprint (4, 2), counter-clockwise, widened by a margin."""
        along, across = self.length / 2 + margin, self.width / 2 + margin
        local = np.array([[-along, -across], [along, -across], [along, across], [-along, across]])
        return np.asarray(local @ turn(self.yaw).T + np.array([self.x, self.y]))

    def contains(self, points: Array, margin: float = 0.0) -> Flags:
        """Which points (n, 2) stand in the footprint widened by a margin."""
        local = (points - np.array([self.x, self.y])) @ turn(self.yaw)
        inside: Flags = (np.abs(local[:, 0]) < self.length / 2 + margin) & (np.abs(local[:, 1]) < self.width / 2 + margin)
        return inside


def turn(angle: float) -> Array:
    """2x2 matrix that turns counter-clockwise."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


class Blocks:
    """Many blocks at once, for quick tests of lines against them."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self._middle = np.array([[b.x, b.y, b.base + b.height / 2] for b in blocks]).reshape(-1, 3)
        self._half = np.array([[b.length / 2, b.width / 2, b.height / 2] for b in blocks]).reshape(-1, 3)
        self._cos = np.array([math.cos(b.yaw) for b in blocks])
        self._sin = np.array([math.sin(b.yaw) for b in blocks])

    def hits(self, origins: Array, ends: Array, margin: float = 0.0) -> Flags:
        """Which lines cross which blocks, (lines, blocks). Lines by their ends in the ground plane (n, 2) or in space (n, 3)."""
        axes = origins.shape[1]
        start, step = self._local(origins), self._local(ends)
        step = step - start
        half = self._half[None, :, :axes] + margin
        safe = np.where(np.abs(step) < 1e-9, 1e-9, step)
        low, high = (-half - start) / safe, (half - start) / safe
        enter = np.minimum(low, high).max(axis=2)
        leave = np.maximum(low, high).min(axis=2)
        crossed: Flags = (enter < leave) & (leave > 1e-6) & (enter < 1 - 1e-6)
        return crossed

    def contain(self, points: Array, margin: float = 0.0) -> Flags:
        """Which points (n, 2) stand in any footprint widened by a margin."""
        local = np.abs(self._local(points))
        half = self._half[None, :, :2] + margin
        inside: Flags = np.all(local < half, axis=2).any(axis=1)
        return inside

    def _local(self, points: Array) -> Array:
        """Points in each block's own frame, (points, blocks, axes)."""
        axes = points.shape[1]
        rel = points[:, None, :] - self._middle[None, :, :axes]
        x = rel[..., 0] * self._cos + rel[..., 1] * self._sin
        y = rel[..., 1] * self._cos - rel[..., 0] * self._sin
        return np.stack((x, y) if axes == 2 else (x, y, rel[..., 2]), axis=-1)


def in_polygon(points: Array, polygon: Sequence[Point]) -> Flags:
    """Which points (n, 2) lie in a polygon (even-odd rule)."""
    corners = np.asarray(polygon, float)
    following = np.roll(corners, -1, axis=0)
    x, y = points[:, 0:1], points[:, 1:2]
    spans = (corners[:, 1] > y) != (following[:, 1] > y)
    rise = following[:, 1] - corners[:, 1]
    crossing = corners[:, 0] + (y - corners[:, 1]) * (following[:, 0] - corners[:, 0]) / np.where(rise == 0, 1e-12, rise)
    odd: Flags = (np.sum(spans & (x < crossing), axis=1) % 2).astype(bool)
    return odd


def centroid(polygon: Sequence[Point]) -> Point:
    """The middle of a polygon's corners."""
    corners = np.asarray(polygon, float)
    return float(corners[:, 0].mean()), float(corners[:, 1].mean())


def polygon_distance(points: Array, polygon: Sequence[Point]) -> Array:
    """Distance of points (n, 2) from a polygon, 0 inside."""
    corners = np.asarray(polygon, float)
    edges = np.roll(corners, -1, axis=0) - corners
    rel = points[:, None, :] - corners[None]
    share = np.clip(np.sum(rel * edges, axis=2) / np.maximum(np.sum(edges * edges, axis=1), 1e-12), 0, 1)
    gap = np.linalg.norm(rel - share[..., None] * edges, axis=2).min(axis=1)
    return np.where(in_polygon(points, polygon), 0.0, gap)
