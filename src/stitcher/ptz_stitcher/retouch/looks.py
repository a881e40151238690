# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What perception saw in the pictures that it looked at. Boxes in px from the upper left corner, times in ns of ROS time."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

#: The frames of one camera between two switches; as FrameHeader.segment_key.
SegmentKey = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle along the picture's sides."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def longer_side(self) -> float:
        """In px."""
        return max(self.right - self.left, self.bottom - self.top)

    def grown(self, margin: float) -> Box:
        """Larger by margin on every side."""
        return Box(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)

    def joined(self, other: Box) -> Box:
        """The smallest one around both."""
        return Box(
            min(self.left, other.left), min(self.top, other.top), max(self.right, other.right), max(self.bottom, other.bottom)
        )

    def between(self, other: Box, share: float) -> Box:
        """On the way to another one; share: 0..1 of it."""
        pairs = zip(self.sides, other.sides, strict=True)
        return Box(*(mine + share * (its - mine) for mine, its in pairs))

    def scaled(self, x: float, y: float) -> Box:
        """In a picture that is so much larger."""
        return Box(x * self.left, y * self.top, x * self.right, y * self.bottom)

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


def around(boxes: Iterable[Box]) -> Box:
    """The smallest one around all; at least one must be given."""
    return reduce(Box.joined, boxes)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody in a picture. detected: not only predicted. target: watchlist id, empty if it is none.

    colour, shape: #rrggbb, and box, triangle or arrow, of the target's mark.
    """

    track: int
    box: Box
    detected: bool = True
    target: str = ''
    colour: str = ''
    shape: str = ''


@dataclass(frozen=True, slots=True)
class Look:
    """All that was tracked in one picture. size: width and height of the picture; arrived_ns: when the camera came to rest."""

    segment: SegmentKey
    arrived_ns: int
    stamp_ns: int
    size: tuple[int, int]
    sightings: tuple[Sighting, ...] = ()

    @property
    def camera(self) -> str:
        """Whose picture it was."""
        return self.segment[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """Watchlist ids of the targets in it, sorted."""
        return tuple(sorted({one.target for one in self.sightings if one.target}))


@dataclass
class LookMemory:
    """Remembers the last looks of each camera, in the order of their stamps, also those that come out of it. keep_ns: for how long."""

    keep_ns: int
    _looks: dict[str, list[Look]] = field(default_factory=dict)

    def take(self, look: Look) -> None:
        """Perception looked at a picture."""
        looks = self._looks.setdefault(look.camera, [])
        bisect.insort(looks, look, key=_stamp)
        del looks[: bisect.bisect_left(looks, looks[-1].stamp_ns - self.keep_ns, key=_stamp)]

    def near(self, camera: str, stamp_ns: int, reach_ns: int) -> tuple[Look, ...]:
        """A camera's looks that are at most reach_ns from an instant."""
        looks = self._looks.get(camera, [])
        first = bisect.bisect_left(looks, stamp_ns - reach_ns, key=_stamp)
        return tuple(looks[first : bisect.bisect_right(looks, stamp_ns + reach_ns, key=_stamp)])


def _stamp(look: Look) -> int:
    return look.stamp_ns
