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
    """One object; box: centre x, centre y, width, height in pixels, and score, as last seen. observations: frames it was seen in."""

    track_id: int
    box: NDArray[np.float64]
    class_name: str
    score: float
    first_seen_ns: int
    last_seen_ns: int
    observations: int

    def seen_at(self, stamp_ns: int) -> bool:
        """Whether it was detected in the frame of this stamp."""
        return self.last_seen_ns == stamp_ns


class OverlapTracker:
    """Boxes of one class that overlap most are the same object; all pairs are decided together (Hungarian method).

    Ids count up and are never reused. least_overlap: of boxes that can be the same object; raising it makes more and shorter tracks.
    track_buffer_ns: how long a track lives unseen, at the place where it was last; raising it bridges longer gaps, and gives more
    often an old track to somebody new.
    """

    def __init__(self, least_overlap: float = 0.2, track_buffer_ns: int = 3_000_000_000) -> None:
        self._least, self._buffer_ns = least_overlap, track_buffer_ns
        self._tracks: list[Track] = []
        self._segment: tuple[int, int] | None = None
        self._next_id = 1

    def update(self, detections: Detections, stamp_ns: int, segment: tuple[int, int]) -> tuple[Track, ...]:
        """All tracks that are alive at a frame, in the order of their ids.

        segment: names the camera's stay on a scene; in another one all tracks start anew, as they do when the stamps go back.
        """
        if segment != self._segment:
            self._tracks, self._segment = [], segment
        self._tracks = [track for track in self._tracks if 0 <= stamp_ns - track.last_seen_ns <= self._buffer_ns]
        matched = self._match(detections)
        seen = [self._observe(matched.get(index), detections, index, stamp_ns) for index in range(len(detections))]
        alive = {track.track_id: track for track in (*self._tracks, *seen)}
        self._tracks = [alive[track_id] for track_id in sorted(alive)]
        return tuple(self._tracks)

    def _match(self, detections: Detections) -> dict[int, Track]:
        if not self._tracks or not len(detections):
            return {}
        shared = overlaps(np.stack([track.box for track in self._tracks]), detections.boxes)
        same = np.array([track.class_name for track in self._tracks])[:, None] == np.array(detections.classes)[None]
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
