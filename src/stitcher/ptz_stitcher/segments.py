# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts the frames of one scene into segments, by the marks. Headers in, decisions out.

A segment is the frames of one camera on one scene from one switch to the next. It is known by the camera, its driver's session and
the instant at which the switch was commanded, which every frame's header carries; so a lost frame, even the one with the mark, never
merges two segments. What no header tells is counted (mark_counts.py), not guessed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from ptz_site import NANOSECONDS, Mark, Phase
from ptz_stitcher.mark_counts import MarkCounts
from ptz_stitcher.number_set import NumberSet


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


@dataclass(slots=True)
class Segment:
    """The frames of one camera on one scene between two switches; grows while frames come. Times in ns, 0 while there is none."""

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
    in_position: int = 0
    #: How many frames had the mark. With none it was lost, or is from before the recording, and the header's times stand in for it.
    starts: int = 0
    arrivals: int = 0

    @property
    def start_marked(self) -> bool:
        """The frame with SWITCH_START came."""
        return self.starts > 0

    @property
    def arrival_marked(self) -> bool:
        """The frame with ARRIVED came."""
        return self.arrivals > 0


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
    #: Later ones are written already: the bag can take it, a video can not.
    late: bool = False


@dataclass
class SceneCutter:
    """Puts the frames of one scene, from all cameras, into the order of their stamps and into segments.

    reorder_ns: how long a frame may come after one with a later stamp. Frames of the same camera, session and sequence are taken once.
    A frame that comes later than that is counted in `late` and still belongs to its segment, but is not shown: the video has gone on.
    silence_ns: without a frame for so long the camera that is shown counts as gone.
    """

    scene: str
    cut: Cut
    reorder_ns: int
    silence_ns: int = NANOSECONDS
    late: int = 0
    doubled: int = 0
    segments: list[Segment] = field(default_factory=list)
    #: What became of the marks of all segments so far.
    marks: MarkCounts = field(default_factory=MarkCounts)
    _waiting: list[tuple[int, str, int, int, FrameHeader]] = field(default_factory=list)
    _by_key: dict[tuple[str, int, int], Segment] = field(default_factory=dict)
    _newest: dict[str, Segment] = field(default_factory=dict)
    _first_ns: int = -1
    _newest_ns: int = 0
    _written_ns: int = -1
    _seen: dict[tuple[str, int], NumberSet] = field(default_factory=dict)
    _lead: Segment | None = None
    _lead_slot: int = -1

    def take(self, header: FrameHeader) -> bool:
        """A frame came. False if it is dropped, because it came already."""
        if not self._seen.setdefault((header.camera, header.session), NumberSet()).add(header.sequence):
            self.doubled += 1
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
        late = header.stamp_ns < self._written_ns
        self.late += late
        self._written_ns = max(self._written_ns, header.stamp_ns)
        self._first_ns = header.stamp_ns if self._first_ns < 0 else self._first_ns
        segment, opens = self._segment(header)
        keep = self.cut is Cut.SWITCH_START or header.phase is Phase.IN_POSITION
        self._count(header, segment, opens)
        shown = keep and not late and self._is_lead(segment, header)
        if keep:
            segment.first_kept_ns = min(segment.first_kept_ns, header.stamp_ns) if segment.kept else header.stamp_ns
            segment.last_kept_ns = max(segment.last_kept_ns, header.stamp_ns)
            segment.kept += 1
        return Placed(header, segment, opens, keep, shown, late)

    def _count(self, header: FrameHeader, segment: Segment, opens: bool) -> None:
        in_position = header.phase is Phase.IN_POSITION
        arrives = (in_position and not segment.in_position) or (header.arrived_ns > 0 and not segment.arrived_ns)
        # Of an ordinary frame nothing changes.
        tells = opens or arrives or bool(header.marks)
        before = MarkCounts() if opens or not tells else MarkCounts.of(segment, self._first_ns)
        segment.frames += 1
        segment.in_position += in_position
        if header.marks:
            segment.starts += bool(header.marks & Mark.SWITCH_START)
            segment.arrivals += bool(header.marks & Mark.ARRIVED)
        segment.arrived_ns = segment.arrived_ns or header.arrived_ns
        if tells:
            self.marks = self.marks - before + MarkCounts.of(segment, self._first_ns)

    def _segment(self, header: FrameHeader) -> tuple[Segment, bool]:
        # By its key, not by what came before: frames of two lives of a driver may lie between each other.
        switch_ns = header.switch_start_ns or self._switch_by_marks(header)
        key = (header.camera, header.session, switch_ns)
        segment = self._by_key.get(key)
        if segment is not None:
            return segment, False
        segment = self._by_key[key] = Segment(header.camera, self.scene, header.session, switch_ns, header.slot)
        newest = self._newest.get(header.camera)
        if newest is None or (newest.session, newest.switch_start_ns) < (segment.session, segment.switch_start_ns):
            self._newest[header.camera] = segment
        self.segments.append(segment)
        return segment, True

    def _switch_by_marks(self, header: FrameHeader) -> int:
        """When the switch was, for headers that do not tell; 0: not known."""
        if header.marks & Mark.SWITCH_START:
            return header.stamp_ns
        newest = self._newest.get(header.camera)
        return newest.switch_start_ns if newest is not None and newest.session == header.session else 0

    def _is_lead(self, segment: Segment, header: FrameHeader) -> bool:
        # Of several cameras on the scene one is shown: the one that was there first, until its segment or the slot ends.
        if self._lead is not segment and (self._lead is None or self._lead_has_gone(header)):
            self._lead = segment
            self._lead_slot = header.slot
        return self._lead is segment

    def _lead_has_gone(self, header: FrameHeader) -> bool:
        lead = self._lead
        assert lead is not None
        replaced = self._newest.get(lead.camera) is not lead
        silent = header.stamp_ns - max(lead.last_kept_ns, lead.switch_start_ns) > self.silence_ns
        return replaced or silent or header.slot > self._lead_slot
