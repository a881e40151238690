# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera's sensor, its image processing and its encoder make of a rendered picture."""

from __future__ import annotations

import cv2
import numpy as np

from ptz_sim.dataset.spec import Sensor
from ptz_sim.renderer import Image

#: The noise is stored in sixteenths of a standard deviation.
_UNIT = 16


def jpeg(picture: Image, sensor: Sensor) -> bytes:
    """The picture as a JPEG file."""
    return bytes(cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, sensor.quality])[1])


class Processor:
    """Makes pictures look as those that the cameras of one scene give to their encoders."""

    def __init__(self, resolution: tuple[int, int], seed: int) -> None:
        self._width, self._height = resolution
        rng = np.random.default_rng([seed, 20])
        self._noise = rng.normal(0, _UNIT, (self._height + 64, self._width + 64, 3)).astype(np.int16)

    def process(self, picture: Image, sensor: Sensor, number: int) -> Image:
        """The picture after the sensor and its processing; number: of the picture, for its noise."""
        blue, green, red = sensor.tint
        if sensor.grey:
            picture = np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
        elif sensor.tint != (1.0, 1.0, 1.0):
            levels = np.arange(256)[:, None] * np.array([blue, green, red])
            picture = np.asarray(cv2.LUT(picture, levels.clip(0, 255).astype(np.uint8)[:, None, :]), np.uint8)
        if sensor.softness:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sensor.softness), np.uint8)
        if sensor.noise > 0.3:
            picture = self._add_noise(picture, sensor.noise, number)
        if sensor.edge:
            blurred = cv2.GaussianBlur(picture, (0, 0), 1.2)
            picture = np.asarray(cv2.addWeighted(picture, 1 + sensor.edge, blurred, -sensor.edge, 0), np.uint8)
        return picture

    def _add_noise(self, picture: Image, strength: float, number: int) -> Image:
        down, right = number * 29 % 64, number * 47 % 64
        part = self._noise[down : down + self._height, right : right + self._width]
        scaled = cv2.addWeighted(part, strength / _UNIT, part, 0.0, 0.0)
        return np.asarray(cv2.add(picture, scaled, dtype=cv2.CV_8U), np.uint8)
