# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a camera's pictures objects are, on average over time, for each scene that it watches from its preset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptz_perception.density.maps import density_map
from ptz_perception.detections import Boxes
from ptz_site.heat import Heat, RunningHeat


class PictureHeats:
    """One camera's; half_life in s of frame time, stride: px of the picture for a cell."""

    def __init__(self, half_life: float = 60.0, stride: int = 16) -> None:
        self._half_life, self._stride = half_life, stride
        self._heats: dict[tuple[str, tuple[int, int]], RunningHeat] = {}

    def take(self, scene: str, stamp_ns: int, boxes: Boxes, size: tuple[int, int]) -> None:
        """What was found in a picture (width, height, px) of a camera at rest: boxes (n, 4: centre, size, px)."""
        inside = self._centres_inside(boxes, size)
        heat = density_map(boxes[inside, :2], boxes[inside, 2:4], (size[1], size[0]), self._stride)
        self._heats.setdefault((scene, size), RunningHeat(self._half_life)).take('', stamp_ns, heat)

    def heat(self, scene: str, size: tuple[int, int]) -> Heat | None:
        """Objects in each cell, on average; None before the first picture."""
        running = self._heats.get((scene, size))
        return None if running is None else running.mean

    @staticmethod
    def _centres_inside(boxes: Boxes, size: tuple[int, int]) -> NDArray[np.bool_]:
        return np.asarray(((boxes[:, :2] >= 0) & (boxes[:, :2] <= size)).all(axis=1))
