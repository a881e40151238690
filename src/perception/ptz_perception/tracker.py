# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Follows detections from frame to frame of one camera at rest, by overlap. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ptz_perception.detections import Detections, overlaps


@dataclass(frozen=True)
class Track:
    """One object; box: centre x, centre y, width, height in pixels, as last seen."""

    track_id: int
    box: NDArray[np.float64]
    class_name: str
    score: float
    first_seen_ns: int
    last_seen_ns: int
    observations: int


class OverlapTracker:
    """Ids count up and are never reused.

    least_overlap: of boxes that are taken as the same object; keep_ns: how long a track lives unseen.
    """

    def __init__(self, least_overlap: float = 0.2, keep_ns: int = 3_000_000_000) -> None:
        self._least, self._keep_ns = least_overlap, keep_ns
        self._tracks: list[Track] = []
        self._segment: tuple[int, int] | None = None
        self._next_id = 1

    def update(self, detections: Detections, stamp_ns: int, segment: tuple[int, int]) -> tuple[Track, ...]:
        """The tracks that are seen in this frame. segment: names the camera's stay on a scene; in another one all tracks start anew."""
        if segment != self._segment:
            self._tracks, self._segment = [], segment
        self._tracks = [track for track in self._tracks if stamp_ns - track.last_seen_ns <= self._keep_ns]
        matched = self._match(detections)
        seen = []
        for index in range(len(detections)):
            previous = matched.get(index)
            seen.append(self._observe(previous, detections, index, stamp_ns))
        seen_ids = {track.track_id for track in seen}
        self._tracks = [track for track in self._tracks if track.track_id not in seen_ids] + seen
        return tuple(seen)

    def _match(self, detections: Detections) -> dict[int, Track]:
        if not self._tracks or not len(detections):
            return {}
        shared = overlaps(np.stack([track.box for track in self._tracks]), detections.boxes)
        same = np.array([[track.class_name == name for name in detections.classes] for track in self._tracks])
        shared = np.where(same & (shared >= self._least), shared, 0.0)
        rows, columns = linear_sum_assignment(shared, maximize=True)
        return {int(c): self._tracks[r] for r, c in zip(rows, columns, strict=True) if shared[r, c] > 0}

    def _observe(self, previous: Track | None, detections: Detections, index: int, stamp_ns: int) -> Track:
        box, score = detections.boxes[index], float(detections.scores[index])
        if previous is not None:
            return replace(previous, box=box, score=score, last_seen_ns=stamp_ns, observations=previous.observations + 1)
        track = Track(self._next_id, box, detections.classes[index], score, stamp_ns, stamp_ns, 1)
        self._next_id += 1
        return track
