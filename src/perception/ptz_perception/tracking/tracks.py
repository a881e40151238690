# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a tracker knows at one frame, in columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.tracking.motion import Array


@dataclass(frozen=True)
class Track:
    """One object at one frame.

    box: centre x, centre y, width, height in px; orientation in rad; rates: the same per second. score: of its newest detection.
    detection: index of this frame's detection, None if the box is predicted. observations: frames it was detected in.
    """

    track_id: int
    class_name: str
    box: tuple[float, float, float, float]
    orientation: float
    rates: tuple[float, float, float, float]
    score: float
    first_seen_ns: int
    last_seen_ns: int
    observations: int
    detection: int | None


@dataclass(frozen=True)
class Tracks:
    """n tracks; ids ascend. boxes and rates (n, 5) with orientation; detection: -1 where the box is predicted. tentative: may be nobody, a
    detector's mistake of a moment.
    """

    ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    names: tuple[str, ...]
    boxes: Array
    rates: Array
    scores: Array
    first_seen_ns: NDArray[np.int64]
    last_seen_ns: NDArray[np.int64]
    observations: NDArray[np.int64]
    detection: NDArray[np.int64]
    tentative: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Track]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> Track:
        """One of them."""
        x, y, width, height, orientation = self.boxes[row].tolist()
        dx, dy, dwidth, dheight, _ = self.rates[row].tolist()
        found = int(self.detection[row])
        return Track(
            int(self.ids[row]),
            self.names[int(self.class_ids[row])],
            (x, y, width, height),
            orientation,
            (dx, dy, dwidth, dheight),
            float(self.scores[row]),
            int(self.first_seen_ns[row]),
            int(self.last_seen_ns[row]),
            int(self.observations[row]),
            None if found < 0 else found,
        )
