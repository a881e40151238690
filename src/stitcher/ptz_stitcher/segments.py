# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts the frames of one scene into segments, by the marks. Headers in, decisions out.

A segment is the frames of one camera on one scene from one switch to the next. It is known by the camera, its driver's session and
the instant at which the switch was commanded, which every frame's header carries; so a lost frame, even the one with the mark, never
merges two segments.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from ptz_site import Mark, Phase

_NANOSECONDS = 1_000_000_000


class Cut(Enum):
    """What a scene sequence keeps of a segment."""

    SWITCH_START = 'switch_start'
    ARRIVED = 'arrived'


@dataclass(frozen=True)
class FrameHeader:
    """What the stitcher needs of a preset header; times in ns of ROS time, 0 where there is none."""

    camera: str
    scene: str
    session: int
    sequence: int
    stamp_ns: int
    phase: Phase
    marks: Mark
    switch_start_ns: int
    arrived_ns: int
    slot: int

    @property
    def segment_key(self) -> tuple[str, int, int]:
        """Names the segment that the frame belongs to."""
        return self.camera, self.session, self.switch_start_ns


@dataclass
class Segment:
    """The frames of one camera on one scene between two switches; grows while frames come."""

    camera: str
    scene: str
    session: int
    switch_start_ns: int
    first_slot: int
    arrived_ns: int = 0
    first_kept_ns: int = 0
    last_kept_ns: int = 0
    frames: int = 0
    kept: int = 0
    #: The frame with the mark came; otherwise it was lost, or is from before the recording, and the header's times stand in for it.
    start_marked: bool = False
    arrival_marked: bool = False


@dataclass(frozen=True)
class Placed:
    """A frame in its place: which segment it belongs to and what becomes of it."""

    header: FrameHeader
    segment: Segment
    opens: bool
    #: The cut keeps it: it goes into the bag.
    keep: bool
    #: It goes into the video too, where one camera is shown at a time.
    shown: bool


@dataclass
class SceneCutter:
    """Puts the frames of one scene, from all cameras, into the order of their stamps and into segments.

    reorder_ns: how long a frame may come after one with a later stamp. Frames of the same camera, session and sequence are taken once.
    A frame that comes later than that is counted in `late` and dropped: its place is written already.
    """

    scene: str
    cut: Cut
    reorder_ns: int
    late: int = 0
    doubled: int = 0
    segments: list[Segment] = field(default_factory=list)
    _waiting: list[tuple[int, str, int, int, FrameHeader]] = field(default_factory=list)
    _open: dict[str, Segment] = field(default_factory=dict)
    _newest_ns: int = 0
    _written_ns: int = -1
    _seen: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    _lead: Segment | None = None
    _lead_slot: int = -1

    def take(self, header: FrameHeader) -> bool:
        """A frame came. False if it is dropped, because it came twice or too late."""
        seen = self._seen.setdefault((header.camera, header.session), set())
        if header.sequence in seen:
            self.doubled += 1
            return False
        seen.add(header.sequence)
        if header.stamp_ns < self._written_ns:
            self.late += 1
            return False
        heapq.heappush(self._waiting, (header.stamp_ns, header.camera, header.session, header.sequence, header))
        self._newest_ns = max(self._newest_ns, header.stamp_ns)
        return True

    def ready(self) -> Iterator[Placed]:
        """The frames that nothing earlier can come before any more, in the order of their stamps."""
        while self._waiting and self._waiting[0][0] <= self._newest_ns - self.reorder_ns:
            yield self._place(heapq.heappop(self._waiting)[-1])

    def finish(self) -> Iterator[Placed]:
        """All frames that are left."""
        while self._waiting:
            yield self._place(heapq.heappop(self._waiting)[-1])

    def _place(self, header: FrameHeader) -> Placed:
        self._written_ns = header.stamp_ns
        self._forget_old_sequences(header)
        segment = self._open.get(header.camera)
        opens = segment is None or (segment.session, segment.switch_start_ns) != (header.session, header.switch_start_ns)
        if segment is None or opens:
            segment = Segment(header.camera, self.scene, header.session, header.switch_start_ns, header.slot)
            self._open[header.camera] = segment
            self.segments.append(segment)
        keep = self.cut is Cut.SWITCH_START or header.phase is Phase.IN_POSITION
        segment.frames += 1
        segment.start_marked |= bool(header.marks & Mark.SWITCH_START)
        segment.arrival_marked |= bool(header.marks & Mark.ARRIVED)
        segment.arrived_ns = segment.arrived_ns or header.arrived_ns
        shown = keep and self._is_lead(segment, header)
        if keep:
            segment.first_kept_ns = segment.first_kept_ns if segment.kept else header.stamp_ns
            segment.last_kept_ns = header.stamp_ns
            segment.kept += 1
        return Placed(header, segment, opens, keep, shown)

    def _is_lead(self, segment: Segment, header: FrameHeader) -> bool:
        # Of several cameras on the scene one is shown: the one that was there first, until its segment or the slot ends.
        if self._lead is not segment and (self._lead is None or self._lead_has_gone(header)):
            self._lead = segment
            self._lead_slot = header.slot
        return self._lead is segment

    def _lead_has_gone(self, header: FrameHeader) -> bool:
        lead = self._lead
        assert lead is not None
        replaced = self._open.get(lead.camera) is not lead
        silent = header.stamp_ns - max(lead.last_kept_ns, lead.switch_start_ns) > _NANOSECONDS
        return replaced or silent or header.slot > self._lead_slot

    def _forget_old_sequences(self, header: FrameHeader) -> None:
        seen = self._seen[(header.camera, header.session)]
        # Far more than can be on its way at once; memory stays flat.
        if len(seen) > 20_000:
            newest = max(seen)
            self._seen[(header.camera, header.session)] = {number for number in seen if number > newest - 10_000}


@dataclass
class LossCounter:
    """Counts the frames of each camera that never came, by the gaps in their sequence. Frames may come in any order."""

    _first: dict[tuple[str, int], int] = field(default_factory=dict)
    _last: dict[tuple[str, int], int] = field(default_factory=dict)
    _count: dict[tuple[str, int], int] = field(default_factory=dict)

    def take(self, camera: str, session: int, sequence: int) -> None:
        """A frame came, for the first time."""
        key = (camera, session)
        self._first[key] = min(self._first.get(key, sequence), sequence)
        self._last[key] = max(self._last.get(key, sequence), sequence)
        self._count[key] = self._count.get(key, 0) + 1

    def lost(self) -> dict[str, int]:
        """Frames of each camera between its first and its last that did not come."""
        result: dict[str, int] = {}
        for key, count in self._count.items():
            missing = self._last[key] - self._first[key] + 1 - count
            result[key[0]] = result.get(key[0], 0) + missing
        return result

    def frames(self) -> dict[str, int]:
        """Frames of each camera that came."""
        result: dict[str, int] = {}
        for (camera, _), count in self._count.items():
            result[camera] = result.get(camera, 0) + count
        return result
