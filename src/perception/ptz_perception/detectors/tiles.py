# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a large picture in overlapping tiles as well, for targets that are too small once it is reduced to a model's input."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ptz_perception.detections import Detections, Image, joined, suppress_overlaps
from ptz_perception.detectors.base import Detector, Guide
from ptz_perception.parts import Part, in_picture

_MOST_OVERLAP = 0.45


def tiles_of(size: tuple[int, int], side: int, overlap: float) -> tuple[Part, ...]:
    """Square tiles over a picture (width, height), evenly spread, that share at least a part of their side; none if one is enough."""
    columns, rows = (_starts(length, side, overlap) for length in size)
    if len(columns) * len(rows) == 1:
        return ()
    return tuple(Part(x, y, min(x + side, size[0]), min(y + side, size[1])) for y in rows for x in columns)


class TiledDetector:
    """The whole picture, then each tile, or those where something is to be expected.

    Boxes that a tile's inner side cuts off are left out: what tiles are for is smaller than their overlap and so whole in another one,
    and what is bigger is found in the whole picture.
    """

    guide = Guide.HEAT

    def __init__(self, inner: Detector, side: int, overlap: float = 0.2) -> None:
        self._inner, self._side, self._overlap = inner, side, overlap
        self.looked_at = 0.0

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

    def expect(self, keywords: Sequence[str], /) -> None:
        """For the detector inside."""
        self._inner.expect(keywords)

    def detect(self, picture: Image, parts: Sequence[Part] | None = None, /) -> Detections:
        """Everything once: in the whole picture, and in the tiles that hold some of the parts; None: in all tiles."""
        size = (picture.shape[1], picture.shape[0])
        found = [self._inner.detect(picture)]
        self.looked_at = self._inner.looked_at
        for tile in tiles_of(size, self._side, self._overlap):
            if parts is not None and not any(tile.meets(part) for part in parts):
                continue
            found.append(in_picture(self._inner.detect(tile.of(picture)), tile, size))
            self.looked_at += self._inner.looked_at * tile.area / (size[0] * size[1])
        return suppress_overlaps(joined(found), _MOST_OVERLAP)


def _starts(length: int, side: int, overlap: float) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - overlap))) + 1
    return [round(k * (length - side) / (count - 1)) for k in range(count)]
