# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which segment a frame belongs to, and which marks it carries. Events and stamps in, marks out; times in ns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from ptz_site import Mark, Phase


@dataclass(frozen=True)
class Showing:
    """What a camera shows from an instant on."""

    scene: str = ''
    preset: str = ''
    phase: Phase = Phase.UNKNOWN
    switch_start_ns: int = 0
    arrived_ns: int = 0


@dataclass(frozen=True)
class _Event:
    at_ns: int
    showing: Showing
    mark: Mark


class SegmentMarker:
    """Takes what happens to the camera, and answers for each frame, in the order of stamps.

    A frame that was captured before an event but asked for after it belongs to before. If several events lie between two frames,
    the next frame carries the marks of the newest segment only: of the one that it belongs to.
    """

    def __init__(self) -> None:
        self._newest = Showing()
        self._events: deque[_Event] = deque()
        self._showing = Showing()
        self._due = Mark.NONE

    @property
    def newest(self) -> Showing:
        """What the camera shows after the last event."""
        return self._newest

    def switch_commanded(self, at_ns: int, scene: str, preset: str) -> None:
        """The camera was told to turn to a scene."""
        self._add(at_ns, Showing(scene, preset, Phase.TURNING, at_ns), Mark.SWITCH_START)

    def arrived(self, at_ns: int) -> None:
        """The camera came to rest on the preset. Means nothing unless it was turning, or had failed to arrive in time."""
        if self._newest.phase in (Phase.TURNING, Phase.FAULT) and not self._newest.arrived_ns:
            self._add(at_ns, replace(self._newest, phase=Phase.IN_POSITION, arrived_ns=at_ns), Mark.ARRIVED)

    def failed(self, at_ns: int) -> None:
        """The camera did not arrive in time, can't be reached, or was moved away. Means nothing before the first switch."""
        if self._newest.phase in (Phase.TURNING, Phase.IN_POSITION):
            self._add(at_ns, replace(self._newest, phase=Phase.FAULT), Mark.NONE)

    def mark(self, stamp_ns: int) -> tuple[Showing, Mark]:
        """What a frame shows that was captured at an instant, and its marks."""
        while self._events and self._events[0].at_ns <= stamp_ns:
            event = self._events.popleft()
            self._due = event.mark if event.mark & Mark.SWITCH_START else self._due | event.mark
            if event.showing.phase is Phase.FAULT:
                # It arrived, and was moved away again, before anybody saw it there.
                self._due &= ~Mark.ARRIVED
            self._showing = event.showing
        marks, self._due = self._due, Mark.NONE
        return self._showing, marks

    def _add(self, at_ns: int, showing: Showing, mark: Mark) -> None:
        # Events are in order, so that the marks are, whatever a clock does.
        at_ns = max(at_ns, self._events[-1].at_ns if self._events else at_ns)
        self._newest = showing
        self._events.append(_Event(at_ns, showing, mark))
