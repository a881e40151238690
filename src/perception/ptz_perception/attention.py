# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a picture of a camera at rest it is worth looking: where something moved, and where somebody was just before.

For detectors whose cost grows with the area, this makes several looks a second affordable on small computers. Now and then the whole
picture is looked at, so that somebody who stands still and was missed is found after all.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes, Image
from ptz_perception.parts import Part, merged

_NANOSECONDS = 1_000_000_000
#: px; pictures are compared at this width.
_WIDTH = 320
#: Grey levels by which a pixel differs from what was there before.
_LEAST_CHANGE = 8.0
#: How fast what is there becomes what was there; slow, so that people who hardly walk add up.
_LEARNING = 0.3
#: Pixels, at that width, that a movement has at least: fewer are noise.
_LEAST_PIXELS = 20
#: By how much somebody is larger than what moved of them: shares of the height to add to the width and to the height.
_MORE_WIDTH, _MORE_HEIGHT = 1.2, 0.8
#: Share of the picture's height that a movement is taken to have at least: often only a part of somebody moves.
_LEAST_HEIGHT = 0.2
#: Share of the picture from which on parts save nothing.
_MOST_AREA = 0.6
#: Looks at the whole picture after a turn: a detector misses some people in one.
_FIRST_LOOKS = 2


class Attention:
    """For the frames of one camera between two turns, in their order. whole_every: s after which the whole picture is looked at again."""

    def __init__(self, whole_every: float = 2.0) -> None:
        self._whole_every_ns = round(whole_every * _NANOSECONDS)
        self._before: NDArray[np.float32] | None = None
        self._looks = 0
        self._whole_ns = 0

    def parts(self, picture: Image, stamp_ns: int, boxes: Boxes) -> tuple[Part, ...] | None:
        """The parts of a picture to look at, maybe none; None: the whole.

        boxes (n, 4: centre, size, px): where somebody should be.
        """
        moved = self._moved(picture)
        self._looks += 1
        if self._looks <= _FIRST_LOOKS or stamp_ns - self._whole_ns >= self._whole_every_ns:
            self._whole_ns = stamp_ns
            return None
        found = merged(_grown(box, picture) for box in (*moved, *boxes[:, :4]))
        share = sum(part.area for part in found) / (picture.shape[0] * picture.shape[1])
        return None if share > _MOST_AREA else found

    def _moved(self, picture: Image) -> Boxes:
        """Boxes (n, 4: centre, size, px) of what differs from before."""
        height, width = picture.shape[:2]
        scale = min(1.0, _WIDTH / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        now = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32)
        if self._before is None or self._before.shape != now.shape:
            self._before = now
            return np.empty((0, 4))
        changed = (np.abs(now - self._before) > _LEAST_CHANGE).astype(np.uint8)
        cv2.accumulateWeighted(now, self._before, _LEARNING)
        # Outlines of a person are one movement.
        joined = cv2.dilate(cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), np.ones((9, 5), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
        boxes = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _LEAST_PIXELS, :4].astype(float) / scale
        return np.hstack((boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]))


def _grown(box: NDArray[np.float64], picture: Image) -> Part:
    x, y, width, height = box
    height = max(height, _LEAST_HEIGHT * picture.shape[0])
    return Part.around(x, y, width + _MORE_WIDTH * height, (1.0 + _MORE_HEIGHT) * height, picture)
