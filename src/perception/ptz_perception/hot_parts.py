# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a picture of a camera at rest a closer look is worth its cost: where objects were found before, now or at an earlier visit."""

from __future__ import annotations

from ptz_perception.density import PictureHeats, hot_regions
from ptz_perception.detections import Boxes, Image
from ptz_perception.parts import Part
from ptz_site import NANOSECONDS

#: Objects in a cell of the heat map on average, from which on it is worth a look; and share of the hottest cell's.
_LEAST, _SHARE = 0.002, 0.05
#: px around hot cells, and a region's least side: who was there goes on.
_MARGIN, _SIDE = 32, 64


class HotParts:
    """For the frames of one camera between two turns, in their order; heats outlives them, and knows the scene from earlier visits.

    whole_every: s after which everything is looked at again, so that somebody in a place where nobody was before is found after all.
    """

    def __init__(self, heats: PictureHeats, scene: str, whole_every: float = 2.0) -> None:
        self._heats, self._scene = heats, scene
        self._whole_every_ns = round(whole_every * NANOSECONDS)
        self._whole_ns: int | None = None

    def parts(self, picture: Image, stamp_ns: int, boxes: Boxes) -> tuple[Part, ...] | None:
        """The parts of a picture to look at closely, maybe none; None: all. boxes (n, 4: centre, size, px): where somebody should be."""
        size = (picture.shape[1], picture.shape[0])
        heat = self._heats.heat(self._scene, size)
        if heat is None or self._whole_ns is None or stamp_ns - self._whole_ns >= self._whole_every_ns:
            self._whole_ns = stamp_ns
            return None
        warm = hot_regions(heat, size, 1.0, _LEAST, _SHARE, (_SIDE, _SIDE), _MARGIN)
        known = (Part.around(x, y, width + 2 * _MARGIN, height + 2 * _MARGIN, picture) for x, y, width, height in boxes[:, :4])
        return (*(region.part for region in warm), *known)
