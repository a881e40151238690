# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What happened, measured from the frames' headers: who watched what when, coverage, switch accuracy, loss. Times in ns."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ptz_site import Phase
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.segments import FrameHeader

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Span:
    """One camera on one scene in one slot; turning until arrived_ns, or all the time if that is None."""

    camera: str
    scene: str
    slot: int
    begin_ns: int
    end_ns: int
    arrived_ns: int | None
    switch_start_ns: int

    @property
    def watched_ns(self) -> int:
        """How long the camera was in position."""
        return 0 if self.arrived_ns is None else self.end_ns - self.arrived_ns


@dataclass(frozen=True)
class SceneMeasure:
    """How one scene was covered between the rotation's begin and end; shares from 0 to 1."""

    scene: str
    assigned: float
    watched: float
    longest_unassigned_ns: int
    longest_unwatched_ns: int
    views: tuple[str, ...]
    segments: int


@dataclass(frozen=True)
class SwitchMeasure:
    """How exactly the cameras switched at one slot boundary."""

    slot: int
    planned_ns: int
    cameras: int
    spread_ns: int
    latest_ns: int


@dataclass(frozen=True)
class CameraMeasure:
    """One camera's frames and turns; turn times in ns."""

    camera: str
    frames: int
    lost: int
    turns: int
    median_turn_ns: int
    longest_turn_ns: int


@dataclass(frozen=True)
class RunMeasures:
    """Everything that is known of a run."""

    begin_ns: int
    end_ns: int
    spans: tuple[Span, ...]
    scenes: tuple[SceneMeasure, ...]
    switches: tuple[SwitchMeasure, ...]
    cameras: tuple[CameraMeasure, ...]

    @property
    def widest_spread_ns(self) -> int:
        """The greatest difference between two cameras at one switch."""
        return max((switch.spread_ns for switch in self.switches), default=0)


@dataclass(frozen=True)
class Rotation:
    """The planned frame of a run: when it began and ended, how long a slot was, and when the slots began.

    slots_ns: in order; empty: one after the other from begin_ns on.
    """

    begin_ns: int
    end_ns: int
    dwell_ns: int
    slots_ns: tuple[int, ...] = ()

    def boundaries(self) -> Sequence[int]:
        """When the slots began."""
        return self.slots_ns or range(self.begin_ns, self.end_ns, self.dwell_ns)


def measure(headers: Iterable[FrameHeader], scenes: Sequence[str], rotation: Rotation) -> RunMeasures:
    """Measures a run from all of its headers, in any order."""
    by_camera: dict[str, list[FrameHeader]] = defaultdict(list)
    losses = LossCounter()
    for header in headers:
        losses.take(header.camera, header.session, header.sequence)
        if rotation.begin_ns <= header.stamp_ns < rotation.end_ns:
            by_camera[header.camera].append(header)
    spans = [span for camera in sorted(by_camera) for span in _spans(by_camera[camera], rotation)]
    return RunMeasures(
        begin_ns=rotation.begin_ns,
        end_ns=rotation.end_ns,
        spans=tuple(spans),
        scenes=tuple(_scene(scene, spans, rotation) for scene in scenes),
        switches=tuple(_switches(spans, rotation)),
        cameras=tuple(_camera(name, frames, spans, losses.lost()) for name, frames in sorted(by_camera.items())),
    )


def _spans(headers: list[FrameHeader], rotation: Rotation) -> list[Span]:
    """The spans of one camera. A frame stands for the time until the camera's next frame, but not for longer than a few frames."""
    headers.sort(key=lambda header: header.stamp_ns)
    gaps = sorted(after.stamp_ns - before.stamp_ns for before, after in itertools.pairwise(headers))
    period = gaps[len(gaps) // 2] if gaps else NANOSECONDS // 10
    spans: list[Span] = []
    group: list[FrameHeader] = []
    for header in headers:
        if group and (header.scene, header.slot, header.session) != (group[0].scene, group[0].slot, group[0].session):
            spans.append(_span(group, min(header.stamp_ns, group[-1].stamp_ns + 3 * period), rotation))
            group = []
        group.append(header)
    if group:
        spans.append(_span(group, min(rotation.end_ns, group[-1].stamp_ns + 3 * period), rotation))
    return _joined(spans, period)


def _span(group: list[FrameHeader], end_ns: int, rotation: Rotation) -> Span:
    first = group[0]
    resting = next((header for header in group if header.phase is Phase.IN_POSITION), None)
    # The switch happened between two frames: the header says when.
    switched = first.switch_start_ns
    begin = min(max(switched, rotation.begin_ns), first.stamp_ns) if _begins_there(first, rotation) else first.stamp_ns
    arrived = None
    if resting is not None:
        arrived = max(begin, resting.arrived_ns) if resting.arrived_ns else resting.stamp_ns
    return Span(first.camera, first.scene, first.slot, begin, end_ns, arrived, switched)


def _begins_there(first: FrameHeader, rotation: Rotation) -> bool:
    # Either the switch fell between this frame and the one before, or the camera was in place before the rotation began.
    return first.stamp_ns - max(first.switch_start_ns, rotation.begin_ns) < NANOSECONDS and bool(first.switch_start_ns)


def _joined(spans: list[Span], period: int) -> list[Span]:
    """The same spans, each lasting until the next begins, unless frames are missing between them."""
    result = []
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        end = span.end_ns
        if following is not None and following.begin_ns - span.end_ns < 3 * period:
            end = following.begin_ns
        result.append(Span(span.camera, span.scene, span.slot, span.begin_ns, end, span.arrived_ns, span.switch_start_ns))
    return result


def _scene(scene: str, spans: Sequence[Span], rotation: Rotation) -> SceneMeasure:
    mine = [span for span in spans if span.scene == scene and span.scene]
    assigned = [(span.begin_ns, span.end_ns) for span in mine]
    watched = [(span.arrived_ns, span.end_ns) for span in mine if span.arrived_ns is not None]
    length = max(1, rotation.end_ns - rotation.begin_ns)
    covered, gap = _union(assigned, rotation)
    seen, unwatched = _union(watched, rotation)
    views = tuple(dict.fromkeys(span.camera for span in sorted(mine, key=lambda s: s.begin_ns) if span.watched_ns > 0))
    return SceneMeasure(scene, covered / length, seen / length, gap, unwatched, views, len(mine))


def _union(intervals: Iterable[tuple[int, int]], rotation: Rotation) -> tuple[int, int]:
    """How much of the rotation the intervals cover together, and the longest stretch that none covers."""
    covered = longest = 0
    reached = rotation.begin_ns
    for begin, end in sorted(intervals):
        begin, end = max(begin, rotation.begin_ns), min(end, rotation.end_ns)
        if end <= reached:
            continue
        longest = max(longest, begin - reached)
        covered += end - max(begin, reached)
        reached = end
    return covered, max(longest, rotation.end_ns - reached)


def _switches(spans: Sequence[Span], rotation: Rotation) -> list[SwitchMeasure]:
    """The switches at slot boundaries; those at other times (a hold, a camera moved by hand or started again) are not the timer's."""
    boundaries = rotation.boundaries()
    starts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        # A camera that stays on its scene does not switch: its frames still name the earlier switch.
        if span.switch_start_ns > rotation.begin_ns and abs(span.switch_start_ns - span.begin_ns) < rotation.dwell_ns // 2:
            at = bisect.bisect_right(boundaries, span.switch_start_ns + NANOSECONDS // 20) - 1
            if at >= 0 and span.switch_start_ns - boundaries[at] < min(NANOSECONDS // 2, rotation.dwell_ns // 4):
                starts[boundaries[at]].append((span.switch_start_ns, span.slot))
    result = []
    for planned, found in sorted(starts.items()):
        times = [switched for switched, _ in found]
        slot = max(slot for _, slot in found)
        result.append(SwitchMeasure(slot, planned, len(times), max(times) - min(times), max(times) - planned))
    return result


def _camera(name: str, headers: Sequence[FrameHeader], spans: Sequence[Span], lost: Mapping[str, int]) -> CameraMeasure:
    turns = sorted(
        span.arrived_ns - span.switch_start_ns
        for span in spans
        if span.camera == name and span.arrived_ns is not None and span.switch_start_ns == span.begin_ns
    )
    median = turns[len(turns) // 2] if turns else 0
    return CameraMeasure(name, len(headers), lost.get(name, 0), len(turns), median, turns[-1] if turns else 0)
