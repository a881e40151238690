# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""People by histograms of oriented gradients: needs no model, finds upright people of at least about 100 px height.

Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005; OpenCV's default people detector.
"""

from __future__ import annotations

import cv2
import numpy as np

from ptz_perception.detections import Detections, Image, suppress_overlaps

#: The detector's window of 64 x 128 px has a margin of 16 px on each side of the person: these shares of its width and height.
_MARGIN = np.array([0.5, 0.25])
_MOST_OVERLAP = 0.3
#: Sizes that are looked for: from the window's up to this step to the power of this many, 3.5 times as large. OpenCV's own grouping wants
#: several hits for a person and so finer steps; without it the detector is three times as fast and finds as many.
_STEP, _LEVELS = 1.15, 10


class HogDetector:
    """score: the support vector machine's distance d from its boundary as 1 - exp(-d), so that 0.5 is a distance of 0.7."""

    name = 'hog'
    names = ('person',)

    def __init__(self, width: int, score: float) -> None:
        self._width, self._score = width, score
        self._hog = cv2.HOGDescriptor((64, 128), (16, 16), (8, 8), (8, 8), 9, 1, -1.0, 0, 0.2, True, _LEVELS)
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))

    def describe(self) -> str:
        """What it is, for people."""
        return f'histograms of oriented gradients, pictures of at most {self._width} px width; people of at least about 100 px height there'

    def detect(self, picture: Image) -> Detections:
        """People in a picture, which is reduced to the detector's width before."""
        scale = min(1.0, self._width / picture.shape[1])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        if small.shape[0] < 128 or small.shape[1] < 64:
            return Detections.none(self.names)
        found, weights = self._hog.detectMultiScale(
            cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), winStride=(8, 8), padding=(16, 16), scale=_STEP, groupThreshold=0
        )
        if len(found) == 0:
            return Detections.none(self.names)
        corners = np.asarray(found, float)
        scores = 1.0 - np.exp(-np.maximum(np.ravel(weights), 0.0))
        sizes = corners[:, 2:] * (1.0 - _MARGIN)
        boxes = np.hstack((corners[:, :2] + corners[:, 2:] / 2, sizes)) / scale
        people = Detections.of(boxes, scores, np.zeros(len(scores), np.int64), self.names)
        return suppress_overlaps(people.chosen(scores >= self._score), _MOST_OVERLAP)
