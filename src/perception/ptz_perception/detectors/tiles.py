# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a large picture in overlapping tiles as well, for targets that are too small once it is reduced to a model's input."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes, Detections, Image, joined, suppress_overlaps
from ptz_perception.detectors.base import Detector

_MOST_OVERLAP = 0.45
#: px; a box that ends nearer than this to a tile's side is cut off there.
_CUT = 2.0


@dataclass(frozen=True)
class Tile:
    """A part of a picture, px."""

    left: int
    top: int
    right: int
    bottom: int


def tiles_of(size: tuple[int, int], side: int, overlap: float) -> tuple[Tile, ...]:
    """Square tiles over a picture (width, height), evenly spread, that share at least a part of their side; none if one is enough."""
    columns, rows = (_starts(length, side, overlap) for length in size)
    if len(columns) * len(rows) == 1:
        return ()
    return tuple(Tile(x, y, min(x + side, size[0]), min(y + side, size[1])) for y in rows for x in columns)


class TiledDetector:
    """The whole picture, then each tile.

    Boxes that a tile's inner side cuts off are left out: what tiles are for is smaller than their overlap and so whole in another one,
    and what is bigger is found in the whole picture.
    """

    def __init__(self, inner: Detector, side: int, overlap: float = 0.2) -> None:
        self._inner, self._side, self._overlap = inner, side, overlap

    @property
    def name(self) -> str:
        """For people."""
        return f'{self._inner.name} in tiles of {self._side} px'

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the detector inside."""
        return self._inner.names

    def describe(self) -> str:
        """With the tiles."""
        return f'{self._inner.describe()}\nthe whole picture, and tiles of {self._side} px'

    def detect(self, picture: Image) -> Detections:
        """Everything once."""
        size = (picture.shape[1], picture.shape[0])
        parts = [self._inner.detect(picture)]
        for tile in tiles_of(size, self._side, self._overlap):
            found = self._inner.detect(np.ascontiguousarray(picture[tile.top : tile.bottom, tile.left : tile.right]))
            parts.append(_moved(found.chosen(_whole(found.boxes, tile, size)), tile))
        return suppress_overlaps(joined(parts), _MOST_OVERLAP)


def _starts(length: int, side: int, overlap: float) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - overlap))) + 1
    return [round(k * (length - side) / (count - 1)) for k in range(count)]


def _whole(boxes: Boxes, tile: Tile, size: tuple[int, int]) -> NDArray[np.bool_]:
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    width, height = tile.right - tile.left, tile.bottom - tile.top
    whole = np.ones(len(boxes), bool)
    whole &= (low[:, 0] > _CUT) | (tile.left == 0)
    whole &= (low[:, 1] > _CUT) | (tile.top == 0)
    whole &= (high[:, 0] < width - _CUT) | (tile.right == size[0])
    whole &= (high[:, 1] < height - _CUT) | (tile.bottom == size[1])
    return whole


def _moved(found: Detections, tile: Tile) -> Detections:
    boxes = found.boxes + np.array([tile.left, tile.top, 0.0, 0.0])
    return Detections(boxes, found.scores, found.class_ids, found.names, found.orientations)
