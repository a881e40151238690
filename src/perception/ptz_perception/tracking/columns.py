# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a tracker keeps of its tracks beside their filters and appearances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptz_perception.tracking.association import Array, Mask

Whole = NDArray[np.int64]

_ID, _CLASS, _FIRST, _LAST, _OBSERVATIONS = range(5)


class Columns:
    """Of n tracks, (n,) each: in one array what is whole numbers, because the fixed cost of an array operation is what few tracks cost."""

    def __init__(self, whole: Whole | None = None, scores: Array | None = None) -> None:
        self._whole = np.zeros((5, 0), np.int64) if whole is None else whole
        #: Of the newest detection.
        self.scores = np.zeros(0) if scores is None else scores

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def class_ids(self) -> Whole:
        """Indices into the detector's names."""
        return np.asarray(self._whole[_CLASS])

    @property
    def first_ns(self) -> Whole:
        """Stamps of the frames that they were first detected in."""
        return np.asarray(self._whole[_FIRST])

    @property
    def last_ns(self) -> Whole:
        """Stamps of the newest frames that they were detected in."""
        return np.asarray(self._whole[_LAST])

    @property
    def observations(self) -> Whole:
        """Frames that they were detected in."""
        return np.asarray(self._whole[_OBSERVATIONS])

    def copy(self) -> tuple[Whole, Whole, Whole, Whole, Whole, Array]:
        """Ids, classes, first and newest stamps, observations and scores, which stay as they are now."""
        ids, classes, first, last, observations = self._whole.copy()
        return ids, classes, first, last, observations, self.scores.copy()

    def seen(self, seen: Mask, now_ns: int, scores: Array) -> None:
        """Some (n,) are detected in a frame; scores (n,) are of them, and anything of others."""
        self.last_ns[seen] = now_ns
        self._whole[_OBSERVATIONS] += seen
        np.copyto(self.scores, scores, where=seen)

    def chosen(self, kept: Mask) -> Columns:
        """Of some of the tracks (n,)."""
        return Columns(self._whole.compress(kept, axis=1), self.scores[kept])

    def begun(self, first_id: int, now_ns: int, class_ids: Whole, scores: Array) -> Columns:
        """With more tracks, which are detected for the first time."""
        fresh = np.empty((5, len(class_ids)), np.int64)
        fresh[_ID] = range(first_id, first_id + len(class_ids))
        fresh[_CLASS] = class_ids
        fresh[_FIRST : _LAST + 1] = now_ns
        fresh[_OBSERVATIONS] = 1
        return Columns(np.concatenate((self._whole, fresh), axis=1), np.concatenate((self.scores, scores)))
