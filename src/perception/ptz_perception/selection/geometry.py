# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes in the picture: how near to its edge, how large, how much of them is inside. px, orientations in rad."""

from __future__ import annotations

import math

from ptz_perception.locating.ground import Box


def edge_distance(box: Box, orientation: float, size: tuple[int, int]) -> float:
    """How far a box is from the picture's edge, px; below 0: beyond it.

    The smallest of eight perpendicular distances: each of the midpoints of the box's four sides has one to the nearer of the left and
    right edges, and one to the nearer of the upper and lower edges. For an upright box this is the smallest of its four margins.
    """
    x, y, width, height = box
    cosine, sine = math.cos(orientation), math.sin(orientation)
    # From the centre to the midpoints; the other two are opposite. y points down, and orientations are counter-clockwise as seen.
    along = (width / 2 * cosine, -width / 2 * sine)
    across = (height / 2 * sine, height / 2 * cosine)
    return min(
        distance
        for dx, dy in (along, across, (-along[0], -along[1]), (-across[0], -across[1]))
        for distance in (_to_nearer(x + dx, size[0]), _to_nearer(y + dy, size[1]))
    )


def area_share(box: Box, size: tuple[int, int]) -> float:
    """Of the picture's area, 0 to 1, or more for boxes larger than the picture."""
    return box[2] * box[3] / (size[0] * size[1])


def inside_share(box: Box, orientation: float, size: tuple[int, int]) -> float:
    """Share of the box that is in the picture, 0 to 1; of a turned box, that of the upright one around it."""
    x, y, width, height = box
    cosine, sine = abs(math.cos(orientation)), abs(math.sin(orientation))
    wide, high = width * cosine + height * sine, width * sine + height * cosine
    return _inside(x, wide, size[0]) * _inside(y, high, size[1])


def _to_nearer(at: float, end: int) -> float:
    return min(at, end - at)


def _inside(centre: float, length: float, end: int) -> float:
    if length <= 0:
        return float(0 <= centre <= end)
    return max(0.0, min(centre + length / 2, end) - max(centre - length / 2, 0.0)) / length
