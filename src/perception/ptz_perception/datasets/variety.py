# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tells pictures that show an object as one before did: a camera at rest takes the same picture many times."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes, Image, overlaps

#: Boxes that overlap by less show the object in another place, or of another size.
_SAME_PLACE = 0.7
#: What is in two boxes looks the same if its correlation is higher.
_SAME_LOOK = 0.9
#: px; what is in a box is compared at this size.
_SIDE = 24


@dataclass(frozen=True)
class _Look:
    box: NDArray[np.float64]
    content: NDArray[np.float32]


class Variety:
    """Remembers what was kept, by where it came from (a camera or a file)."""

    def __init__(self) -> None:
        self._kept: dict[str, list[_Look]] = defaultdict(list)

    def is_new(self, source: str, picture: Image, boxes: Boxes) -> bool:
        """Whether any of the boxes (n, 4: centre, size, px) shows what no kept one did; if so, all of them are kept."""
        looks = [_Look(box, _content(picture, box)) for box in boxes]
        new = any(not self._is_known(source, look) for look in looks)
        if new:
            self._kept[source] += looks
        return new

    def _is_known(self, source: str, look: _Look) -> bool:
        known = self._kept[source]
        if not known:
            return False
        there = overlaps(look.box[None], np.array([one.box for one in known]))[0] > _SAME_PLACE
        return any(float((known[index].content * look.content).mean()) > _SAME_LOOK for index in np.flatnonzero(there))


def _content(picture: Image, box: NDArray[np.float64]) -> NDArray[np.float32]:
    """What is in a box, without regard to how bright and how strong in contrast it is."""
    left, top = np.floor(box[:2] - box[2:] / 2).astype(int)
    right, bottom = np.ceil(box[:2] + box[2:] / 2).astype(int)
    part = picture[max(0, top) : bottom, max(0, left) : right]
    if not part.size:
        return np.zeros((_SIDE, _SIDE), np.float32)
    small = cv2.resize(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) / (small.std() + 1.0), np.float32)
