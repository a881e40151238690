# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What small grey versions of the pictures say: dark, frozen, turning, standing still. Times in ns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_site import NANOSECONDS

Grey = NDArray[np.float32]
#: px, width and height of the small pictures.
SMALL = (160, 90)
#: Mean grey level and its spread (0 to 255) below which a picture is black.
_BLACK_MEAN, _BLACK_SPREAD = 12.0, 3.0
#: Mean difference of two pictures below which they are the same: a sensor's noise alone makes more.
_SAME = 0.02
#: The same above which something else is seen: more than an encoder's quality changes, and less than a turn does.
_ELSEWHERE = 3.0
#: px of the small picture for each second above which the camera turns.
_TURNING = 4.0
#: Of phase correlation; below it nothing of one picture is found in the other.
_FOUND = 0.1
#: px from where it looked before above which a camera looks elsewhere.
_ELSEWHERE = 8.0
_STILL = 0.4
#: s between two pictures that are compared, at least: over a shorter time a turn is less than what is seen of a pixel.
_COMPARED = 0.09
#: px of the small picture; the squares of which most must agree that the picture moved, if they say anything.
_SQUARE, _CLEARLY = 10, 0.8


def small_grey(picture: NDArray[np.uint8]) -> Grey:
    """A small version of a grey picture (height, width)."""
    return np.asarray(cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA), np.float32)


def brightness(picture: Grey) -> float:
    """The mean grey level, 0 to 255."""
    return float(picture.mean())


def is_black(picture: Grey) -> bool:
    """Whether nothing is seen, as behind a closed lens."""
    return bool(picture.mean() < _BLACK_MEAN and picture.std() < _BLACK_SPREAD)


def is_same(one: Grey, other: Grey) -> bool:
    """Whether a picture is the other one again."""
    return _difference(one, other) < _SAME


def is_elsewhere(one: Grey, other: Grey) -> bool:
    """Whether a picture shows something else than the other one: the camera has turned, or somebody large stands before it."""
    return _difference(one, other) > _ELSEWHERE


def _difference(one: Grey, other: Grey) -> float:
    return float(np.abs(one - other).mean())


@dataclass
class StillnessWatch:
    """Notices by the pictures that a camera which was told to turn stands still again.

    The shift between two pictures is found by phase correlation (Kuglin and Hines 1975). Somebody large who walks by may be what it
    finds: so most squares of the picture must be explained better by a small shift than by none.
    before: a picture from before the turn, by which it is seen that the camera looks elsewhere if the turn itself was too short to be
    seen: a stream can be decoded from its next keyframe on only.
    """

    begun_ns: int
    before: Grey | None = None
    _last: tuple[int, Grey] | None = None
    _moved: bool = False
    _still_since_ns: int | None = None
    _window: Grey = field(default_factory=lambda: np.asarray(cv2.createHanningWindow(SMALL, cv2.CV_32F), np.float32))

    def take(self, picture: Grey, stamp_ns: int) -> None:
        """A picture, in the order of time; those before the turn's begin are left out."""
        if stamp_ns <= self.begun_ns:
            return
        if self._last is not None and stamp_ns - self._last[0] < _COMPARED * NANOSECONDS:
            return
        if self._last is not None:
            seconds = max(1e-3, (stamp_ns - self._last[0]) / NANOSECONDS)
            if self._shift(self._last[1], picture) / seconds > _TURNING:
                self._moved, self._still_since_ns = True, None
            elif self._still_since_ns is None:
                self._still_since_ns = self._last[0]
        if not self._moved and self.before is not None:
            self._moved = self._shift(self.before, picture) > _ELSEWHERE
        self._last = (stamp_ns, picture)

    def _shift(self, one: Grey, other: Grey) -> float:
        """Px by which a picture is moved against another; infinite if nothing of one is in the other."""
        # OpenCV multiplies the pictures that it is given by the window.
        (right, down), response = cv2.phaseCorrelate(one.copy(), other.copy(), self._window)
        if response < _FOUND:
            return math.inf
        distance = float(np.hypot(right, down))
        if distance > _ELSEWHERE:
            return distance
        shift = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
        moved = cv2.warpAffine(one, shift, SMALL, borderMode=cv2.BORDER_REPLICATE)
        with_shift, without = _by_square(np.abs(moved - other)), _by_square(np.abs(one - other))
        agree, disagree = with_shift < _CLEARLY * without, without < _CLEARLY * with_shift
        return distance if agree.sum() > disagree.sum() else 0.0

    @property
    def moved(self) -> bool:
        """Whether it was seen to turn."""
        return self._moved

    def still_since_ns(self) -> int | None:
        """Since when it stands still, after it turned; None: it does not, or not for long enough to be sure."""
        if not self._moved or self._still_since_ns is None or self._last is None:
            return None
        return self._still_since_ns if self._last[0] - self._still_since_ns >= _STILL * NANOSECONDS else None


def _by_square(picture: Grey) -> Grey:
    """The mean of each square."""
    return np.asarray(cv2.resize(picture, (SMALL[0] // _SQUARE, SMALL[1] // _SQUARE), interpolation=cv2.INTER_AREA), np.float32)
