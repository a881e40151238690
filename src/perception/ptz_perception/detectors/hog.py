# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""People by histograms of oriented gradients: needs no model, finds upright people of at least about 100 px height.

Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005; OpenCV's default people detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ptz_perception.detections import Detections, Image, joined, suppress_overlaps
from ptz_perception.detectors.base import Guide
from ptz_perception.parts import Part, in_picture

#: px, width and height of what is looked at in one piece.
_WINDOW = (64, 128)
#: The window has a margin of 16 px on each side of the person: these shares of its width and height.
_MARGIN = np.array([0.5, 0.25])
_MOST_OVERLAP = 0.3
#: Sizes that are looked for: from the window's up to this step to the power of this many, 3.5 times as large. OpenCV's own grouping wants
#: several hits for a person and so finer steps; without it the detector is three times as fast and finds as many.
_STEP, _LEVELS = 1.15, 10
#: Of scores over distances: with it the tracker's thresholds, which are made for models, suit this detector.
_STEEPNESS = 1.7


class HogDetector:
    """score: the support vector machine's distance d from its boundary as 1 - exp(-1.7 d), so that 0.5 is a distance of 0.4."""

    name = 'hog'
    names = ('person',)
    guide = Guide.MOVEMENT

    def __init__(self, width: int, score: float) -> None:
        self._width, self._score = width, score
        self.looked_at = 0.0
        self._hog = cv2.HOGDescriptor(_WINDOW, (16, 16), (8, 8), (8, 8), 9, 1, -1.0, 0, 0.2, True, _LEVELS)
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))

    def describe(self) -> str:
        """What it is, for people."""
        return f'histograms of oriented gradients, pictures of at most {self._width} px width; people of at least about 100 px height there'

    def expect(self, _keywords: Sequence[str], /) -> None:
        """All scenes are one to it."""

    def detect(self, picture: Image, parts: Sequence[Part] | None = None, /) -> Detections:
        """People in a picture, or in parts of it, which is reduced to the detector's width before."""
        scale = min(1.0, self._width / picture.shape[1])
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        reduced = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        small = np.asarray(reduced, np.uint8)
        size = (small.shape[1], small.shape[0])
        if parts is None:
            found = [self._people(small)]
            pixels = small.size
        else:
            inner = [part.scaled(scale, size).at_least(_WINDOW, size) for part in parts]
            found = [Detections.none(self.names), *(in_picture(self._people(part.of(small)), part, size) for part in inner)]
            pixels = sum(part.area for part in inner)
        self.looked_at = pixels / grey.size
        people = joined(found)
        return suppress_overlaps(replace(people, boxes=people.boxes / scale), _MOST_OVERLAP)

    def _people(self, grey: Image) -> Detections:
        if grey.shape[0] < _WINDOW[1] or grey.shape[1] < _WINDOW[0]:
            return Detections.none(self.names)
        found, weights = self._hog.detectMultiScale(grey, winStride=(8, 8), padding=(16, 16), scale=_STEP, groupThreshold=0)
        if len(found) == 0:
            return Detections.none(self.names)
        corners = np.asarray(found, float)
        scores = 1.0 - np.exp(-_STEEPNESS * np.maximum(np.ravel(weights), 0.0))
        boxes = np.hstack((corners[:, :2] + corners[:, 2:] / 2, corners[:, 2:] * (1.0 - _MARGIN)))
        people = Detections.of(boxes, scores, np.zeros(len(scores), np.int64), self.names)
        return people.chosen(scores >= self._score)
