# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How well each scene is covered, from what the cameras said of themselves.

Between two reports of a camera its scene and phase are known exactly, because a report carries when the switch was commanded and
when it arrived. Such spans are joined for each scene over all cameras, and folded into sums once no later report can
change them, so that a rotation without end needs no more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from collab_coordinator.core.fleet import CameraReport
from ptz_site import Phase


@dataclass(frozen=True)
class Span:
    """A time in which one camera was on a scene: in position, or turning to it."""

    camera: str
    scene: str
    begin_ns: int
    end_ns: int
    in_position: bool


@dataclass(frozen=True)
class Coverage:
    """How well one scene was covered. Fields as in SceneCoverage.msg, times in ns."""

    scene: str
    assigned_ns: int
    watched_ns: int
    longest_gap_ns: int
    cameras: tuple[str, ...]


def spans_between(earlier: CameraReport, later: CameraReport, silence_ns: int) -> Iterator[Span]:
    """Where a camera was between two reports that follow each other.

    Nothing is known, and so nothing counts, while it was silent for longer than silence_ns or its driver was started again.
    """
    begin, end = earlier.stamp_ns, later.stamp_ns
    if end <= begin or end - begin > silence_ns or earlier.session != later.session:
        return
    switch = end
    if later.switch_start_ns > earlier.switch_start_ns:
        switch = min(max(begin, later.switch_start_ns), end)
    yield from _on_scene(earlier, begin, switch, later.arrived_ns if switch == end else 0)
    if switch < end:
        yield from _on_scene(later, switch, end, later.arrived_ns, turning=True)


def _on_scene(report: CameraReport, begin: int, end: int, arrived: int, *, turning: bool = False) -> Iterator[Span]:
    if not report.scene or report.phase not in (Phase.TURNING, Phase.IN_POSITION):
        return
    arrival = min(max(begin, arrived), end) if arrived else end
    if report.phase is Phase.IN_POSITION and not turning:
        arrival = begin
    if begin < arrival:
        yield Span(report.camera, report.scene, begin, arrival, in_position=False)
    if arrival < end:
        yield Span(report.camera, report.scene, arrival, end, in_position=True)


@dataclass
class _Union:
    """The length of a union of spans that come in order of time, and its longest gap, from a given instant on."""

    until_ns: int
    covered_ns: int = 0
    gap_ns: int = 0
    _gap_since_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._gap_since_ns = self.until_ns

    def fold(self, spans: Iterable[tuple[int, int]], until_ns: int) -> None:
        """Adds what spans (begin, end) cover between the last fold and until_ns."""
        for begin, end in sorted(spans):
            begin, end = max(begin, self.until_ns), min(end, until_ns)
            if end <= begin:
                continue
            self.gap_ns = max(self.gap_ns, begin - self._gap_since_ns)
            self.covered_ns += end - begin
            self.until_ns = self._gap_since_ns = end
        self.until_ns = max(self.until_ns, until_ns)
        self.gap_ns = max(self.gap_ns, self.until_ns - self._gap_since_ns)


class CoverageMeter:
    """Measures the coverage of scenes from begin_ns on."""

    def __init__(self, scenes: Iterable[str], begin_ns: int, silence_ns: int) -> None:
        self._begin_ns = begin_ns
        self._silence_ns = silence_ns
        self._last: dict[str, CameraReport] = {}
        self._pending: list[Span] = []
        self._folded_ns = begin_ns
        self._assigned = {scene: _Union(begin_ns) for scene in scenes}
        self._watched = {scene: _Union(begin_ns) for scene in self._assigned}
        self._views: dict[str, dict[str, None]] = {scene: {} for scene in self._assigned}

    def take(self, report: CameraReport) -> None:
        """Takes a camera's report; those of one camera come in order of their stamps."""
        last = self._last.get(report.camera)
        if last is not None:
            self._pending.extend(spans_between(last, report, self._silence_ns))
        self._last[report.camera] = report
        settled = report.stamp_ns - 2 * self._silence_ns
        if settled > self._folded_ns + self._silence_ns:
            self._fold(settled)

    def finish(self, end_ns: int) -> tuple[Coverage, ...]:
        """The coverage from begin to end_ns. A camera counts as where it last was, unless it has been silent since."""
        for last in self._last.values():
            if 0 < end_ns - last.stamp_ns <= self._silence_ns:
                self._pending.extend(_on_scene(last, last.stamp_ns, end_ns, 0))
        self._fold(max(end_ns, self._begin_ns))
        return tuple(
            Coverage(
                scene,
                self._assigned[scene].covered_ns,
                self._watched[scene].covered_ns,
                self._assigned[scene].gap_ns,
                tuple(sorted(self._views[scene])),
            )
            for scene in self._assigned
        )

    def _fold(self, until_ns: int) -> None:
        for scene, assigned in self._assigned.items():
            spans = [span for span in self._pending if span.scene == scene]
            assigned.fold([(s.begin_ns, s.end_ns) for s in spans], until_ns)
            watching = [s for s in spans if s.in_position and s.end_ns > self._begin_ns and s.begin_ns < until_ns]
            self._watched[scene].fold([(s.begin_ns, s.end_ns) for s in watching], until_ns)
            self._views[scene].update((s.camera, None) for s in watching)
        self._pending = [span for span in self._pending if span.end_ns > until_ns]
        self._folded_ns = until_ns
