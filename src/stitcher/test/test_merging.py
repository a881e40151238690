# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of many inputs as one stream of events."""

from __future__ import annotations

from collections.abc import Iterator

from ptz_site import Mark, Phase, Plan, PlanMode
from ptz_stitcher.offline.events import Event, HeaderEvent, Notebook, PlanEvent
from ptz_stitcher.offline.merging import Stream, merged, streams_of
from ptz_stitcher.segments import FrameHeader


def header(at_ns: int, camera: str = 'north') -> HeaderEvent:
    return HeaderEvent(at_ns, FrameHeader(camera, 'gate', 1, at_ns, at_ns, Phase.IN_POSITION, Mark.NONE, 0, 0, 0), b'')


def plan(at_ns: int) -> PlanEvent:
    return PlanEvent(at_ns, Plan('yard', 1, at_ns, PlanMode.RUNNING, 2 * at_ns, ()), b'')


class Recorded:
    """A source of such events, which knows when it is open."""

    size, regions, slowest_period_ns = 0, frozenset({'yard'}), 0

    def __init__(self, name: str, *events: Event) -> None:
        self.name, self._events = name, events
        self.open = 0

    @property
    def has_plans(self) -> bool:
        return any(isinstance(event, PlanEvent) for event in self._events)

    def events(self, _region: str, notebook: Notebook) -> Iterator[Event]:
        self.open += 1
        try:
            for event in self._events:
                yield event
                notebook.read(1)
            notebook.note(self.name)
        finally:
            self.open -= 1


class Notes:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.bytes = 0

    def problem(self, text: str) -> None:
        raise AssertionError(text)

    def note(self, text: str) -> None:
        self.said.append(text)

    def read(self, size: int) -> None:
        self.bytes += size


def places(events: Iterator[Event]) -> list[int]:
    return [event.at_ns for event in events]


def test_events_of_all_inputs_come_in_order_and_those_of_one_in_its_own() -> None:
    first = [header(1), header(4), header(3), header(9)]
    second = [header(2), header(2), header(5)]
    found = list(merged([Stream(2, lambda: iter(second)), Stream(1, lambda: iter(first)), Stream(0, lambda: iter(()))]))
    assert [event for event in found if event in first] == first
    assert places(iter(found)) == [1, 2, 2, 4, 3, 5, 9]


def test_only_what_is_being_read_is_open() -> None:
    parts = [Recorded(f'part {n}', header(10 * n), header(10 * n + 5), header(10 * n + 9)) for n in range(100)]
    other = Recorded('other', *(header(n, 'south') for n in range(0, 1000, 7)))
    notes, most = Notes(), 0
    sources = [*reversed(parts), other]
    streams = streams_of(sources, 'yard', notes)
    assert not any(source.open for source in sources) and not notes.said and not notes.bytes
    found = []
    for event in merged(streams):
        found.append(event.at_ns)
        most = max(most, sum(source.open for source in sources))
    assert found == sorted(found) and len(found) == 300 + 143
    assert most <= 3
    assert not any(source.open for source in sources) and sorted(notes.said) == sorted(source.name for source in sources)


def test_plans_come_before_the_frames_that_they_are_about_and_do_not_keep_later_parts_open() -> None:
    """Every part begins with the plan in force, which may be of long ago; a video beside them begins before the first of them."""
    parts = [Recorded(f'part {n}', plan(5), header(20 + 10 * n), header(25 + 10 * n)) for n in range(20)]
    video = Recorded('video', *(header(n, 'south') for n in range(10, 220, 3)))
    streams = streams_of([video, *parts], 'yard', Notes())
    events = merged(streams)
    assert isinstance(next(events), PlanEvent)
    most = max(sum(part.open for part in parts) for _ in events)
    assert most <= 2
