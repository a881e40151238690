# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Sheets: pictures of people side by side, as a picture for a network that looks at whole pictures.

What such a network makes of a person is for a person within a picture. A sheet is one, so single pictures of people are looked at as
people are at work, in trainings, tests, and for the watchlist; many in one pass. Those of one sheet should be of one light: instance
normalisation takes it for the picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ptz_perception.detections import Boxes, Image


@dataclass(frozen=True)
class Grid:
    """Tiles of a width and height, px, on a sheet of a size (width, height), px."""

    size: tuple[int, int]
    tile: tuple[int, int]

    @classmethod
    def of_height(cls, size: tuple[int, int], height: int) -> Grid:
        """Tiles as people are: half as wide as high. At least one fits."""
        height = min(height, size[1], 2 * size[0])
        return cls(size, (height // 2, height))

    @property
    def count(self) -> int:
        """Tiles of a sheet."""
        return (self.size[0] // self.tile[0]) * (self.size[1] // self.tile[1])

    def corner(self, number: int) -> tuple[int, int]:
        """Left and top of a tile; the tiles are spread over the sheet."""
        columns, rows = self.size[0] // self.tile[0], self.size[1] // self.tile[1]
        row, column = divmod(number, columns)
        return column * self.size[0] // columns, row * self.size[1] // rows


@dataclass(frozen=True)
class Sheet:
    """A picture (height, width, 3), BGR, and the boxes (n, 4: centre, size, px) of the people on it, in the order they were given."""

    picture: Image
    boxes: Boxes


def make_sheet(people: Sequence[Image], grid: Grid) -> Sheet:
    """Each picture of a person as large as fits its tile; free tiles repeat them. Raises ValueError for none, or more than tiles."""
    if not 0 < len(people) <= grid.count:
        raise ValueError(f'a sheet has from 1 to {grid.count} pictures, not {len(people)}')
    picture = np.zeros((grid.size[1], grid.size[0], 3), np.uint8)
    picture[:] = np.mean([person.mean(axis=(0, 1)) for person in people], axis=0)
    boxes = np.zeros((len(people), 4))
    width, height = grid.tile
    for number in range(grid.count):
        person = people[number % len(people)]
        left, top = grid.corner(number)
        scale = min(width / person.shape[1], height / person.shape[0])
        inner = (max(1, round(person.shape[1] * scale)), max(1, round(person.shape[0] * scale)))
        across, down = (width - inner[0]) // 2, (height - inner[1]) // 2
        shown = cv2.resize(person, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        picture[top : top + height, left : left + width] = cv2.copyMakeBorder(
            shown, down, height - inner[1] - down, across, width - inner[0] - across, cv2.BORDER_REPLICATE
        )
        if number < len(people):
            boxes[number] = (left + across + inner[0] / 2, top + down + inner[1] / 2, *inner)
    return Sheet(picture, boxes)
