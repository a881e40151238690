# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the marks of segments: every segment begins with one SWITCH_START and has one ARRIVED unless it was cut short."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ptz_stitcher.segments import Segment


@dataclass(frozen=True)
class MarkCounts:
    """Marks that did not come as they should.

    repaired: the frame with the mark is missing, and the times in the headers of the others stand in for it.
    unknown: no header tells the time either; the segment's is 0 then.
    surplus: more frames of a segment had the mark than one.
    """

    repaired_starts: int = 0
    repaired_arrivals: int = 0
    unknown_starts: int = 0
    unknown_arrivals: int = 0
    surplus: int = 0

    @classmethod
    def of(cls, segment: Segment, first_ns: int) -> MarkCounts:
        """Those of one segment. first_ns: stamp of the recording's first frame; the marks of what was before are not missed."""
        start = cls._missing(segment.starts, segment.switch_start_ns, first_ns)
        # Cut short before it arrived: there is no ARRIVED to miss.
        arrival = cls._missing(segment.arrivals, segment.arrived_ns, first_ns) if segment.in_position else (0, 0)
        surplus = max(0, segment.starts - 1) + max(0, segment.arrivals - 1)
        return cls(start[0], arrival[0], start[1], arrival[1], surplus)

    def __add__(self, other: MarkCounts) -> MarkCounts:
        return MarkCounts(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def __sub__(self, other: MarkCounts) -> MarkCounts:
        return MarkCounts(*(a - b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    @property
    def wrong(self) -> int:
        """Marks that nothing stands in for, or that contradict each other."""
        return self.unknown_starts + self.unknown_arrivals + self.surplus

    def values(self) -> dict[str, int]:
        """For people: what was counted, where it is not 0."""
        return {f'marks: {name.replace("_", " ")}': count for name, count in dataclasses.asdict(self).items() if count}

    @staticmethod
    def _missing(marked: int, time_ns: int, first_ns: int) -> tuple[int, int]:
        """Repaired and unknown."""
        if marked or 0 < time_ns < first_ns:
            return 0, 0
        return (1, 0) if time_ns else (0, 1)
