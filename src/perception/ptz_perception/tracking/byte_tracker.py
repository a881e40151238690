# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Follows detections from frame to frame of one camera at rest, by their boxes. Times in ns.

ByteTrack (Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV 2022): boxes of high scores are given
to tracks first; those of low scores, which may be somebody half hidden, only go on with tracks that nothing else was found for. Where
the detector tells appearances, somebody who was hidden, and comes out where no box was expected, is known by theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Detections
from ptz_perception.tracking.appearance import Appearances, within_reach
from ptz_perception.tracking.association import Array, Gains, Index, Mask, Pairs, assign, similarities, upright
from ptz_perception.tracking.columns import Columns
from ptz_perception.tracking.motion import COORDINATES, BoxFilters, MotionNoise
from ptz_perception.tracking.tracks import Tracks

#: For each track the index of its detection, -1 without one.
Found = NDArray[np.int64]

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class TrackerSettings:
    """low, high, begin: scores from which a detection may go on with a track that was seen just before, with any track, and begin one.

    confirm_after: s from its first detection on until a track is not tentative any more, three frames at 30 a second, two at 5; what a
    detector takes for somebody by mistake changes with time, not with frames. least_similarity: of a detection and a track that are the
    same object, times the score; raising it makes more and shorter tracks, lowering it exchanges people who pass each other.
    least_similarity_low: the same for low scores, without the score. buffer, buffer_low: shares of their size by which boxes are enlarged
    for it. alike: least cosine of the appearances of a track and a detection that are the same object though their boxes don't meet.
    track_buffer: s that a track lives unseen; raising it bridges longer gaps, and gives more often an old track to somebody new.
    tentative_buffer: the same for a tentative one; a missed look at 8 a second.
    """

    low: float = 0.05
    high: float = 0.6
    begin: float = 0.6
    confirm_after: float = 0.06
    least_similarity: float = 0.2
    least_similarity_low: float = 0.5
    buffer: float = 0.2
    buffer_low: float = 0.1
    alike: float = 0.75
    track_buffer: float = 2.0
    tentative_buffer: float = 0.13
    noise: MotionNoise = field(default_factory=MotionNoise)


class ByteTracker:
    """Ids count up from first_id and are never reused.

    A track that was seen for a moment only, and not from the first frame on, is tentative: it ends soon when frames do not show it.
    """

    def __init__(self, settings: TrackerSettings | None = None, first_id: int = 1) -> None:
        self._settings = settings or TrackerSettings()
        self._buffer_ns = round(self._settings.track_buffer * _NANOSECONDS)
        self._confirm_ns = round(self._settings.confirm_after * _NANOSECONDS)
        self._tentative_ns = round(self._settings.tentative_buffer * _NANOSECONDS)
        self._filters = BoxFilters(self._settings.noise)
        self._columns = Columns()
        self._appearances = Appearances.none()
        self._tentative = np.zeros(0, bool)
        self.next_id = first_id
        self._begun_ns: int | None = None
        #: Stamps of the newest frame and of the one before.
        self._now_ns = self._before_ns = 0

    def update(self, detections: Detections, stamp_ns: int) -> Tracks:
        """All tracks that are alive at a frame. Frames come in the order of their stamps; raises ValueError otherwise."""
        self._predict(stamp_ns)
        measured = np.empty((COORDINATES, len(detections)))
        measured[:4], measured[4] = detections.boxes.T, detections.orientations
        found = self._associate(detections, measured)
        seen = found >= 0
        if np.count_nonzero(seen):
            self._observe(detections, measured, found, seen)
        kept = seen | ~self._tentative | (self._columns.last_ns >= stamp_ns - self._tentative_ns)
        if not kept.all():
            self._keep(kept)
            found = found[kept]
        found = self._begin(detections, measured, found)
        self._tentative = self._columns.last_ns - self._columns.first_ns < self._confirm_ns
        self._tentative &= self._columns.first_ns != self._begun_ns
        ids, class_ids, first_ns, last_ns, observations, scores = self._columns.copy()
        boxes, rates = self._filters.estimates()
        return Tracks(
            ids, class_ids, detections.names, boxes, rates, scores, first_ns, last_ns, observations, found, self._tentative
        )

    def _predict(self, stamp_ns: int) -> None:
        if self._begun_ns is None:
            self._begun_ns = self._now_ns = stamp_ns
        if stamp_ns < self._now_ns:
            raise ValueError(f'frames must come in the order of their stamps: {stamp_ns} came after {self._now_ns}')
        alive = self._columns.last_ns >= stamp_ns - self._buffer_ns
        if not alive.all():
            self._keep(alive)
        if len(self._filters):
            self._filters.keep_size(self._columns.last_ns == self._now_ns)
            self._filters.predict((stamp_ns - self._now_ns) / _NANOSECONDS)
        self._now_ns, self._before_ns = stamp_ns, self._now_ns

    def _associate(self, detections: Detections, measured: Array) -> Found:
        """For each track the index of its detection, -1 without one."""
        settings, scores, tentative = self._settings, detections.scores, self._tentative
        found: Found = np.full(len(tentative), -1)
        if not len(found) or not len(detections):
            return found
        boxes = upright(self._filters.boxes), upright(measured)
        established, high = ~tentative, scores >= settings.high
        low = (scores >= settings.low) & ~high
        likely = self._likely(boxes, high, detections)
        _give(found, high, likely.among(established, high))
        self._find_again(found, high, detections, boxes, established)
        self._go_on(found, low, detections, boxes, established)
        _give(found, high, likely.among(tentative, high))
        return found

    def _likely(self, boxes: tuple[Array, Array], high: Mask, detections: Detections) -> Pairs:
        """Tracks and detections of high scores that are alike. boxes: of tracks and of detections, upright."""
        rows, columns = np.arange(len(self._columns)), high.nonzero()[0]
        gains = similarities(boxes[0], boxes[1].take(columns, axis=1), self._settings.buffer)
        gains *= detections.scores[columns].astype(np.float32)
        gains -= np.float32(self._settings.least_similarity)
        return self._pairs(gains, rows, columns, detections)

    def _find_again(self, found: Found, free: Mask, detections: Detections, boxes: tuple[Array, Array], tracks: Mask) -> None:
        """Gives detections that no track was expected at to tracks that look like them. boxes: of tracks and of detections, upright."""
        if detections.vectors is None or not self._appearances.vectors.shape[1]:
            return
        rows, columns = (tracks & (found < 0)).nonzero()[0], free.nonzero()[0]
        if not rows.size or not columns.size:
            return
        unseen = (self._now_ns - self._columns.last_ns[rows]) / _NANOSECONDS
        gains = self._appearances.likeness(rows, detections.vectors[columns]) - np.float32(self._settings.alike)
        gains[~within_reach(boxes[0][:, rows], unseen, boxes[1][:, columns])] = -1.0
        _give(found, free, self._pairs(gains, rows, columns, detections))

    def _go_on(self, found: Found, free: Mask, detections: Detections, boxes: tuple[Array, Array], tracks: Mask) -> None:
        """Gives detections of low scores to tracks that were seen just before. boxes: of tracks and of detections, upright."""
        just_seen = self._columns.last_ns == self._before_ns
        rows, columns = (tracks & just_seen & (found < 0)).nonzero()[0], free.nonzero()[0]
        if not rows.size or not columns.size:
            return
        gains = similarities(boxes[0].take(rows, axis=1), boxes[1].take(columns, axis=1), self._settings.buffer_low)
        gains -= np.float32(self._settings.least_similarity_low)
        _give(found, free, self._pairs(gains, rows, columns, detections))

    def _pairs(self, gains: Gains, rows: Index, columns: Index, detections: Detections) -> Pairs:
        """The pairs of some tracks and some detections, of one class, that gain something."""
        if len(detections.names) > 1:
            gains[self._columns.class_ids[rows, None] != detections.class_ids[columns]] = -1.0
        return Pairs.above_zero(gains, rows, columns)

    def _observe(self, detections: Detections, measured: Array, found: Found, seen: Mask) -> None:
        """Tracks go on with the detections that they have; where a track has none, found points at any, and it is not looked at."""
        scores = detections.scores[found]
        self._filters.correct(measured.take(found, axis=1), scores, seen)
        self._columns.seen(seen, self._now_ns, scores)
        if detections.vectors is not None:
            rows = seen.nonzero()[0]
            self._appearances = self._appearances.seen(rows, detections.vectors[found[rows]])

    def _keep(self, kept: Mask) -> None:
        """Ends the other tracks."""
        self._filters, self._columns = self._filters.chosen(kept), self._columns.chosen(kept)
        self._appearances, self._tentative = self._appearances.chosen(kept), self._tentative[kept]

    def _begin(self, detections: Detections, measured: Array, found: Found) -> Found:
        """Tracks for detections that are nobody's; the column of detections, with theirs."""
        free = detections.scores >= self._settings.begin
        free[found[found >= 0]] = False
        new = free.nonzero()[0]
        if not new.size:
            return found
        self._filters = self._filters.begun(measured.take(new, axis=1))
        self._columns = self._columns.begun(self.next_id, self._now_ns, detections.class_ids[new], detections.scores[new])
        self.next_id += len(new)
        vectors = np.zeros((len(detections), 0), np.float32) if detections.vectors is None else detections.vectors
        self._appearances = self._appearances.begun(vectors[new])
        return np.concatenate((found, new))


def _give(found: Found, free: Mask, pairs: Pairs) -> None:
    """Those pairs of a track and a detection that gain most together are found, and their detections not free any more."""
    rows, columns = assign(pairs)
    found[rows] = columns
    free[columns] = False
