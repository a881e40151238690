# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Many inputs as one stream of events, of which only those are open that are just being read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from ptz_stitcher.offline.events import Event, FrameEvent, HeaderEvent, Notebook, Source

#: Opens an input from its beginning on.
Opening = Callable[[], Iterator[Event]]


@dataclass(frozen=True)
class Stream:
    """An input that is not open yet. begins_ns: the place of its first frame among the events of all inputs."""

    begins_ns: int
    open: Opening


def merged(streams: Sequence[Stream]) -> Iterator[Event]:
    """The events of all in the order of their places, those of one input in its own order.

    An input is opened when the others have come to where it begins, and is let go of at its end. So a recording in a hundred parts needs
    no more memory than one of them. What of an input lies before its first frame, as a plan of long ago, comes when it is opened.
    """
    waiting = sorted(range(len(streams)), key=lambda number: streams[number].begins_ns, reverse=True)
    open_ones: list[tuple[int, int, Event, Iterator[Event]]] = []

    def advance(number: int, events: Iterator[Event]) -> None:
        event = next(events, None)
        if event is not None:
            heapq.heappush(open_ones, (event.at_ns, number, event, events))

    while waiting or open_ones:
        while waiting and (not open_ones or streams[waiting[-1]].begins_ns <= open_ones[0][0]):
            number = waiting.pop()
            advance(number, streams[number].open())
        if open_ones:
            _, number, event, events = heapq.heappop(open_ones)
            yield event
            advance(number, events)


def streams_of(sources: Sequence[Source], region: str, notebook: Notebook) -> list[Stream]:
    """Their events of a region. What is to be said of a source, is when it is read to its end.

    The first source that has plans is opened at once: without a plan nobody knows which frames count.
    """
    begins = [_begins_ns(source, region) for source in sources]
    with_plans = [number for number, source in enumerate(sources) if source.has_plans]
    if with_plans:
        begins[min(with_plans, key=lambda number: begins[number])] = 0
    return [Stream(at_ns, partial(source.events, region, notebook)) for at_ns, source in zip(begins, sources, strict=True)]


def _begins_ns(source: Source, region: str) -> int:
    """The place of its first frame; 0 if it has none."""
    with closing(source.events(region, _Silence())) as events:
        return next((event.at_ns for event in events if isinstance(event, FrameEvent | HeaderEvent)), 0)


class _Silence:
    """What is said when a source is read for the first time is said again."""

    def problem(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def read(self, size: int) -> None:
        """Nothing."""
