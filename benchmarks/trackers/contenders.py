# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The trackers that are compared, behind one interface: boxes (n, 4: centre, size), scores and seconds in, ids and boxes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import supervision
import trackers
from numpy.typing import NDArray

from ptz_perception.detections import Detections
from ptz_perception.tracking.byte_tracker import ByteTracker

Array = NDArray[np.float64]
NAMES = ('person',)


class Contender(Protocol):
    """Follows one sequence."""

    def update(self, boxes: Array, scores: Array, seconds: float) -> tuple[NDArray[np.int64], Array]:
        """Ids and boxes of a frame's tracks."""


class Ours:
    """The tracker of ptz_perception with its own settings."""

    def __init__(self, _rate: float) -> None:
        self._tracker = ByteTracker()

    def update(self, boxes: Array, scores: Array, seconds: float) -> tuple[NDArray[np.int64], Array]:
        """All but tentative and predicted ones."""
        found = Detections.of(boxes, scores, np.zeros(len(boxes), np.int64), NAMES)
        tracks = self._tracker.update(found, round(seconds * 1e9))
        rows = np.flatnonzero(~tracks.tentative & (tracks.detection >= 0))
        return tracks.ids[rows], tracks.boxes[rows, :4]


class Others:
    """A tracker that takes and gives supervision's detections."""

    def __init__(self, tracker: object) -> None:
        self._update = getattr(tracker, 'update', None) or tracker.update_with_detections  # type: ignore[attr-defined]

    def update(self, boxes: Array, scores: Array, _seconds: float) -> tuple[NDArray[np.int64], Array]:
        """Boxes are given by corners there, and tracks that are not sure have the id -1."""
        corners = np.hstack((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2)).astype(np.float32)
        given = supervision.Detections(
            corners.reshape(-1, 4), confidence=scores.astype(np.float32), class_id=np.zeros(len(boxes), int)
        )
        found = self._update(given)
        if found.tracker_id is None or not len(found):
            return np.zeros(0, np.int64), np.zeros((0, 4))
        sure = found.tracker_id >= 0
        out = found.xyxy[sure].astype(float)
        return found.tracker_id[sure], np.hstack(((out[:, :2] + out[:, 2:]) / 2, out[:, 2:] - out[:, :2]))


class SupervisionByteTrack(Others):
    """Its update() takes other things than its update_with_detections()."""

    def __init__(self, rate: float) -> None:
        self._update = supervision.ByteTrack(frame_rate=round(rate)).update_with_detections


#: By name: made for a sequence of a rate (frames/s). All with the settings that their authors chose.
CONTENDERS: dict[str, Callable[[float], Contender]] = {
    'ptz_collab': Ours,
    'trackers ByteTrack': lambda rate: Others(trackers.ByteTrackTracker(frame_rate=rate)),
    'trackers OC-SORT': lambda rate: Others(trackers.OCSORTTracker(frame_rate=rate)),
    'trackers C-BIoU': lambda rate: Others(trackers.CBIoUTracker(frame_rate=rate)),
    'supervision ByteTrack': SupervisionByteTrack,
}
