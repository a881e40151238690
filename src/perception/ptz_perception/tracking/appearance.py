# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What tracks look like, for detectors that tell the appearance of what they find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.tracking.association import Array, Index

#: Share of a track's appearance that a detection leaves as it was: the newest one may be half hidden (Wang et al., Towards Real-Time
#: Multi-Object Tracking, ECCV 2020, keep 0.9 at 30 frames/s; cameras here are slower).
_KEPT = 0.8
#: Heights of its box by which somebody may be beside where they were expected: at once, and for each second unseen. A quick walker goes
#: a height in a second, and may have turned round.
_BESIDE, _BESIDE_PER_SECOND = 0.5, 1.5
#: Greatest ratio of the heights of two boxes of one object, a few seconds apart.
_GROWN = 1.5


@dataclass(frozen=True)
class Appearances:
    """Of n tracks: vectors (n, d) of length 1; d is 0 as long as no detector told any."""

    vectors: NDArray[np.float32]

    @classmethod
    def none(cls) -> Appearances:
        """Of no tracks."""
        return cls(np.zeros((0, 0), np.float32))

    def chosen(self, rows: NDArray[np.bool_]) -> Appearances:
        """Of some of the tracks."""
        return Appearances(self.vectors[rows])

    def begun(self, vectors: NDArray[np.float32]) -> Appearances:
        """With more tracks, which look like this (m, d)."""
        return Appearances(np.vstack((self.vectors, vectors)) if len(self.vectors) else vectors)

    def seen(self, rows: Index, vectors: NDArray[np.float32]) -> Appearances:
        """Some tracks were seen again, like this."""
        known = self.vectors.copy()
        mixed = _KEPT * known[rows] + (1 - _KEPT) * vectors
        known[rows] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-6)
        return Appearances(known)

    def likeness(self, rows: Index, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines of tracks and detections (rows, m)."""
        return np.asarray(self.vectors[rows] @ vectors.T)


def within_reach(expected: Array, unseen: Array, boxes: Array) -> NDArray[np.bool_]:
    """Whether objects expected in boxes (4, n: centre, size), after so many seconds (n,) unseen, can be those in boxes (4, m): (n, m)."""
    heights, others = np.maximum(expected[3, :, None], 1e-6), np.maximum(boxes[3], 1e-6)
    beside = np.linalg.norm(expected[:2, :, None] - boxes[:2, None], axis=0) / heights
    alike = np.maximum(heights / others, others / heights) <= _GROWN
    return np.asarray(alike & (beside <= _BESIDE + _BESIDE_PER_SECOND * unseen[:, None]))
