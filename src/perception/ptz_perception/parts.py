# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a picture, and what a detector found in one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes, Detections, Image

#: px; a box that ends nearer than this to a part's side is cut off there.
_CUT = 2.0
#: Parts become one if that has hardly more area than both together.
_WASTE = 1.05


@dataclass(frozen=True)
class Part:
    """A part of a picture, px; right and bottom are not in it."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float, picture: Image) -> Part:
        """The part of a picture with a centre and a size, as far as it is in it."""
        left, right = (round(min(max(side, 0.0), picture.shape[1])) for side in (x - width / 2, x + width / 2))
        top, bottom = (round(min(max(side, 0.0), picture.shape[0])) for side in (y - height / 2, y + height / 2))
        return cls(left, top, right, bottom)

    @property
    def area(self) -> int:
        """px^2."""
        return (self.right - self.left) * (self.bottom - self.top)

    def with_(self, other: Part) -> Part:
        """The smallest part that holds both."""
        return Part(
            min(self.left, other.left), min(self.top, other.top), max(self.right, other.right), max(self.bottom, other.bottom)
        )

    def meets(self, other: Part) -> bool:
        """Whether they share some of the picture."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def scaled(self, scale: float, size: tuple[int, int]) -> Part:
        """The same part of the picture reduced by scale to a size (width, height)."""
        left, top, right, bottom = (round(side * scale) for side in (self.left, self.top, self.right, self.bottom))
        return Part(left, top, min(right, size[0]), min(bottom, size[1]))

    def at_least(self, least: tuple[int, int], size: tuple[int, int]) -> Part:
        """Enlarged to a width and height, as far as the picture (width, height) has room for it."""
        left, right = _enlarged(self.left, self.right, least[0], size[0])
        top, bottom = _enlarged(self.top, self.bottom, least[1], size[1])
        return Part(left, top, right, bottom)

    def of(self, picture: Image) -> Image:
        """Its pixels, in one piece of memory."""
        return np.ascontiguousarray(picture[self.top : self.bottom, self.left : self.right])


def merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts that overlap much, or touch without waste, become one."""
    done: list[Part] = []
    for part in parts:
        while True:
            other = next((one for one in done if one.with_(part).area <= _WASTE * (one.area + part.area)), None)
            if other is None:
                break
            done.remove(other)
            part = other.with_(part)
        done.append(part)
    return tuple(done)


def in_picture(found: Detections, part: Part, size: tuple[int, int]) -> Detections:
    """What was found in a part, in the picture (width, height); without what an inner side of the part cuts off."""
    whole = found.chosen(_whole(found.boxes, part, size))
    return replace(whole, boxes=whole.boxes + np.array([part.left, part.top, 0.0, 0.0]))


def _enlarged(low: int, high: int, least: int, end: int) -> tuple[int, int]:
    more = least - (high - low)
    if more <= 0:
        return low, high
    low = max(0, min(low - more // 2, end - least))
    return low, min(end, low + least)


def _whole(boxes: Boxes, part: Part, size: tuple[int, int]) -> NDArray[np.bool_]:
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    whole = np.ones(len(boxes), bool)
    whole &= (low[:, 0] > _CUT) | (part.left == 0)
    whole &= (low[:, 1] > _CUT) | (part.top == 0)
    whole &= (high[:, 0] < part.right - part.left - _CUT) | (part.right == size[0])
    whole &= (high[:, 1] < part.bottom - part.top - _CUT) | (part.bottom == size[1])
    return whole
