# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of several cameras side by side: where each is, and the picture that they make together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Luma and chroma of black in 8-bit video range (ITU-R BT.601).
_BLACK, _GREY = 16, 128


@dataclass(frozen=True)
class Tile:
    """A part of a picture, px; all numbers are even, as half-sized chroma needs it."""

    x: int
    y: int
    width: int
    height: int


def tiles(count: int, size: tuple[int, int]) -> tuple[Tile, ...]:
    """Equal parts of a picture of (width, height), in reading order: one, two side by side, else a square grid."""
    columns = math.ceil(math.sqrt(count))
    width, height = _even(size[0] / columns), _even(size[1] / columns)
    rows = math.ceil(count / columns)
    top = _even((size[1] - rows * height) / 2)
    return tuple(Tile(k % columns * width, top + k // columns * height, width, height) for k in range(count))


def fitted(size: tuple[int, int], tile: Tile) -> Tile:
    """The largest part of a tile with the proportions of a picture, in its middle."""
    scale = min(tile.width / size[0], tile.height / size[1])
    width, height = max(2, _even(size[0] * scale)), max(2, _even(size[1] * scale))
    return Tile(tile.x + _even((tile.width - width) / 2), tile.y + _even((tile.height - height) / 2), width, height)


def compose(parts: Sequence[tuple[Tile, NDArray[np.uint8]]], size: tuple[int, int]) -> NDArray[np.uint8]:
    """One picture in YUV 4:2:0, planes behind each other: (height * 3 / 2, width), from parts in the same form."""
    width, height = size
    whole = np.empty((height * 3 // 2, width), np.uint8)
    whole[:height], whole[height:] = _BLACK, _GREY
    for tile, part in parts:
        for plane, piece, step in zip(_planes(whole), _planes(part), (1, 2, 2), strict=True):
            y, x = tile.y // step, tile.x // step
            plane[y : y + tile.height // step, x : x + tile.width // step] = piece
    return whole


def _planes(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of luma and both chroma planes."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    quarter = height * width // 4
    chroma = picture[height:].reshape(-1)
    shape = (height // 2, width // 2)
    return picture[:height], chroma[:quarter].reshape(shape), chroma[quarter:].reshape(shape)


def _even(length: float) -> int:
    return int(length) // 2 * 2
