# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Follows detections from frame to frame of one camera at rest, by their boxes. Times in ns.

ByteTrack (Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV 2022): boxes of high scores are given
to tracks first; those of low scores, which may be somebody half hidden, only go on with tracks that nothing else was found for. Where
the detector tells appearances, somebody who was hidden, and comes out where no box was expected, is known by theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Detections
from ptz_perception.tracking.appearance import Appearances, within_reach
from ptz_perception.tracking.association import Array, Index, assign, sides_of, similarities, upright
from ptz_perception.tracking.motion import BoxFilters, MotionNoise
from ptz_perception.tracking.tracks import Tracks

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class TrackerSettings:
    """low, high, begin: scores from which a detection may go on with a track that was seen just before, with any track, and begin one.

    confirm: detections after which a track is not tentative any more. least_similarity: of a detection and a track that are the same
    object, times the score; raising it makes more and shorter tracks, lowering it exchanges people who pass each other.
    least_similarity_low: the same for low scores, without the score. buffer, buffer_low: shares of their size by which boxes are enlarged
    for it. alike: least cosine of the appearances of a track and a detection that are the same object though their boxes don't meet.
    track_buffer: s that a track lives unseen; raising it bridges longer gaps, and gives more often an old track to somebody new.
    """

    low: float = 0.05
    high: float = 0.6
    begin: float = 0.6
    confirm: int = 3
    least_similarity: float = 0.2
    least_similarity_low: float = 0.5
    buffer: float = 0.2
    buffer_low: float = 0.1
    alike: float = 0.75
    track_buffer: float = 2.0
    noise: MotionNoise = field(default_factory=MotionNoise)


@dataclass(frozen=True)
class _Columns:
    """What is kept of each track beside its filter."""

    ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    scores: Array
    first_ns: NDArray[np.int64]
    last_ns: NDArray[np.int64]
    observations: NDArray[np.int64]

    @classmethod
    def none(cls) -> _Columns:
        whole = np.zeros(0, np.int64)
        return cls(whole, whole, np.zeros(0), whole, whole, whole)

    def chosen(self, rows: NDArray[np.bool_]) -> _Columns:
        return _Columns(*(column[rows] for column in vars(self).values()))

    def extended(self, more: _Columns) -> _Columns:
        pairs = zip(vars(self).values(), vars(more).values(), strict=True)
        return _Columns(*(np.concatenate(pair) for pair in pairs))


class ByteTracker:
    """Ids count up from first_id and are never reused.

    A track that was seen a few times only, and not from the first frame on, is tentative: it ends with a frame that does not show it.
    """

    def __init__(self, settings: TrackerSettings | None = None, first_id: int = 1) -> None:
        self._settings = settings or TrackerSettings()
        self._filters = BoxFilters(self._settings.noise)
        self._columns = _Columns.none()
        self._appearances = Appearances.none()
        self.next_id = first_id
        self._begun_ns: int | None = None
        #: Stamps of the newest frame and of the one before.
        self._now_ns = self._before_ns = 0

    def update(self, detections: Detections, stamp_ns: int) -> Tracks:
        """All tracks that are alive at a frame. Frames come in the order of their stamps; raises ValueError otherwise."""
        self._predict(stamp_ns)
        measured = np.column_stack((detections.boxes, detections.orientations))
        found = self._associate(detections, measured)
        rows = np.flatnonzero(found >= 0)
        if len(rows):
            self._observe(rows, detections, measured, found[rows])
        found = self._end(~self._tentative() | (found >= 0), found)
        found = self._begin(detections, measured, found)
        columns, filters = self._columns, self._filters
        return Tracks(
            columns.ids,
            columns.class_ids,
            detections.names,
            filters.boxes.copy(),
            filters.rates.copy(),
            columns.scores,
            columns.first_ns,
            columns.last_ns,
            columns.observations,
            found,
        )

    def _predict(self, stamp_ns: int) -> None:
        if self._begun_ns is None:
            self._begun_ns = self._now_ns = stamp_ns
        if stamp_ns < self._now_ns:
            raise ValueError(f'frames must come in the order of their stamps: {stamp_ns} came after {self._now_ns}')
        alive = stamp_ns - self._columns.last_ns <= round(self._settings.track_buffer * _NANOSECONDS)
        self._end(alive, self._columns.ids)
        if len(self._filters):
            self._filters.keep_size(np.flatnonzero(self._columns.last_ns < self._now_ns))
            self._filters.predict((stamp_ns - self._now_ns) / _NANOSECONDS)
        self._now_ns, self._before_ns = stamp_ns, self._now_ns

    def _associate(self, detections: Detections, measured: Array) -> NDArray[np.int64]:
        """For each track the index of its detection, -1 without one."""
        settings, scores = self._settings, detections.scores
        found = np.full(len(self._columns.ids), -1, np.int64)
        if not len(found) or not len(detections):
            return found
        boxes = upright(self._filters.boxes), upright(measured)
        wide = tuple(sides_of(some, settings.buffer) for some in boxes)
        narrow = tuple(sides_of(some, settings.buffer_low) for some in boxes)
        high = scores >= settings.high
        low = (scores >= settings.low) & ~high
        tentative = self._tentative()
        established = ~tentative
        just_seen = established & (self._columns.last_ns == self._before_ns)
        weights = scores.astype(np.float32)
        self._give(found, detections, wide, established, high, settings.least_similarity, weights)
        self._find_again(found, detections, boxes, established, high)
        self._give(found, detections, narrow, just_seen, low, settings.least_similarity_low)
        self._give(found, detections, wide, tentative, high, settings.least_similarity, weights)
        return found

    def _give(
        self,
        found: NDArray[np.int64],
        detections: Detections,
        sides: tuple[NDArray[np.float32], ...],
        tracks: NDArray[np.bool_],
        free: NDArray[np.bool_],
        least: float,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        """Gives some of the detections to some of the tracks, as far as neither is taken. sides: of tracks and of detections."""
        rows, columns = _left(found, tracks, free)
        if not rows.size or not columns.size:
            return
        gains = similarities(sides[0][:, rows], sides[1][:, columns])
        if weights is not None:
            gains *= weights[columns]
        gains -= np.float32(least)
        self._take(found, detections, rows, columns, gains)

    def _find_again(
        self,
        found: NDArray[np.int64],
        detections: Detections,
        boxes: tuple[Array, Array],
        tracks: NDArray[np.bool_],
        free: NDArray[np.bool_],
    ) -> None:
        """Gives detections that no track was expected at to tracks that look like them. boxes: of tracks and of detections, upright."""
        if detections.vectors is None or not self._appearances.vectors.shape[1]:
            return
        rows, columns = _left(found, tracks, free)
        if not rows.size or not columns.size:
            return
        unseen = (self._now_ns - self._columns.last_ns[rows]) / _NANOSECONDS
        gains = self._appearances.likeness(rows, detections.vectors[columns]) - np.float32(self._settings.alike)
        gains[~within_reach(boxes[0][rows], unseen, boxes[1][columns])] = -1.0
        self._take(found, detections, rows, columns, gains)

    def _take(
        self, found: NDArray[np.int64], detections: Detections, rows: Index, columns: Index, gains: NDArray[np.float32]
    ) -> None:
        """The pairs of a track and a detection of one class with the greatest sum of gains."""
        kinds, others = self._columns.class_ids[rows], detections.class_ids[columns]
        if (kinds != kinds[0]).any() or (others != kinds[0]).any():
            gains[kinds[:, None] != others] = -1.0
        first, second = assign(gains)
        found[rows[first]] = columns[second]

    def _tentative(self) -> NDArray[np.bool_]:
        few = self._columns.observations < self._settings.confirm
        return np.asarray(few & (self._columns.first_ns != self._begun_ns))

    def _observe(self, rows: Index, detections: Detections, measured: Array, found: NDArray[np.int64]) -> None:
        self._filters.correct(rows, measured[found], detections.scores[found])
        columns = self._columns
        self._columns = replace(
            columns,
            scores=_changed(columns.scores, rows, detections.scores[found]),
            last_ns=_changed(columns.last_ns, rows, self._now_ns),
            observations=_changed(columns.observations, rows, columns.observations[rows] + 1),
        )
        if detections.vectors is not None:
            self._appearances = self._appearances.seen(rows, detections.vectors[found])

    def _end(self, alive: NDArray[np.bool_], found: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keeps the tracks that are alive; of a column about the tracks, what is left."""
        if alive.all():
            return found
        self._filters, self._columns = self._filters.chosen(alive), self._columns.chosen(alive)
        self._appearances = self._appearances.chosen(alive)
        return found[alive]

    def _begin(self, detections: Detections, measured: Array, found: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tracks for detections that are nobody's; the column of detections, with theirs."""
        free = detections.scores >= self._settings.begin
        free[found[found >= 0]] = False
        new = np.flatnonzero(free)
        count = len(new)
        if not count:
            return found
        now = np.full(count, self._now_ns)
        ids = np.arange(self.next_id, self.next_id + count)
        self.next_id += count
        fresh = _Columns(ids, detections.class_ids[new], detections.scores[new], now, now, np.ones(count, np.int64))
        self._filters, self._columns = self._filters.begun(measured[new]), self._columns.extended(fresh)
        vectors = np.zeros((len(detections), 0), np.float32) if detections.vectors is None else detections.vectors
        self._appearances = self._appearances.begun(vectors[new])
        return np.concatenate((found, new))


def _left(found: NDArray[np.int64], tracks: NDArray[np.bool_], free: NDArray[np.bool_]) -> tuple[Index, Index]:
    """Those of some tracks that have no detection yet, and those of some detections that are nobody's yet."""
    left = free.copy()
    left[found[found >= 0]] = False
    return (tracks & (found < 0)).nonzero()[0], left.nonzero()[0]


def _changed(column: NDArray[Any], rows: Index, values: Any) -> NDArray[Any]:
    # A copy: what an earlier frame's tracks say must not change.
    column = column.copy()
    column[rows] = values
    return column
