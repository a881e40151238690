# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What every picture of a plain video shows, from the marks that some of them carry. Marks and times in, marks for all pictures out.

A mark says how the camera stands until the next one. Between two marks pictures are counted, and their capture times follow from the
times of the video; at each mark both begin anew. Nothing is known of pictures before the first mark.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from ptz_site import NANOSECONDS, Mark, Phase
from ptz_site.stream_marks import StreamMark

#: How long pictures wait for a mark that tells what they show, longer than any turn: if the mark of a switch was lost, that of the
#: arrival tells it.
LOOK_AHEAD_NS = 10 * NANOSECONDS
#: Capture times and those of the video may differ by so much; more is a break in the recording.
_JITTER_NS = NANOSECONDS

Payload = TypeVar('Payload')


@dataclass(frozen=True, slots=True)
class Labelled(Generic[Payload]):
    """A picture and what it shows, told as a mark; label.marks is set where the picture itself carries one."""

    label: StreamMark
    payload: Payload


@dataclass
class Labeller(Generic[Payload]):
    """Labels the pictures of one video; give them in its order.

    before_first: pictures that came before the first mark and are left out. mended: switches whose own mark is missing.
    """

    before_first: int = 0
    mended: int = 0
    _base: StreamMark | None = None
    _base_time_ns: int = 0
    _count: int = 0
    _waiting: deque[Labelled[Payload]] = field(default_factory=deque)

    def take(self, time_ns: int, mark: StreamMark | None, payload: Payload) -> Iterator[Labelled[Payload]]:
        """A picture; time_ns: in the video. Gives those that are sure by now."""
        if mark is not None:
            yield from self._take_mark(mark)
            self._base, self._base_time_ns, self._count = mark, time_ns, 0
            self._waiting.append(Labelled(mark, payload))
            return
        if self._base is None:
            self.before_first += 1
            return
        self._count += 1
        stamp_ns = self._base.stamp_ns + time_ns - self._base_time_ns
        self._waiting.append(Labelled(self._following(self._base, stamp_ns), payload))
        while self._waiting[0].label.stamp_ns < stamp_ns - LOOK_AHEAD_NS:
            yield self._waiting.popleft()

    def finish(self) -> Iterator[Labelled[Payload]]:
        """All that are left."""
        while self._waiting:
            yield self._waiting.popleft()

    def _take_mark(self, mark: StreamMark) -> Iterator[Labelled[Payload]]:
        """What waits was before this mark, and is sure now."""
        if self._base is not None and (self._base.camera, self._base.session) == (mark.camera, mark.session):
            self._mend_switch(self._base, mark)
            self._keep_order(mark)
        yield from self.finish()

    def _mend_switch(self, base: StreamMark, mark: StreamMark) -> None:
        """If the mark of the switch is missing, that of the arrival says which pictures were taken since."""
        if mark.marks & Mark.SWITCH_START or mark.switch_start_ns == base.switch_start_ns:
            return
        turning = replace(mark, marks=Mark.NONE, phase=Phase.TURNING, arrived_ns=0)
        first = len(self._waiting)
        while first and self._waiting[first - 1].label.stamp_ns >= mark.switch_start_ns:
            first -= 1
        for at in range(first, len(self._waiting)):
            one = self._waiting[at]
            label = replace(turning, stamp_ns=one.label.stamp_ns, sequence=mark.sequence - (len(self._waiting) - at))
            self._waiting[at] = Labelled(label, one.payload)
        self.mended += first < len(self._waiting)

    def _keep_order(self, mark: StreamMark) -> None:
        """The times of the video are less exact than the mark's: what came before it was taken before it."""
        limit = mark.stamp_ns
        for at in reversed(range(len(self._waiting))):
            one = self._waiting[at]
            if one.label.stamp_ns < limit or one.label.stamp_ns > mark.stamp_ns + _JITTER_NS or one.label.marks:
                return
            limit -= 1000
            self._waiting[at] = Labelled(replace(one.label, stamp_ns=limit), one.payload)

    def _following(self, base: StreamMark, stamp_ns: int) -> StreamMark:
        # Not by replace(), which takes three times as long: this is done for every picture.
        return StreamMark(
            base.camera,
            base.scene,
            base.preset,
            Mark.NONE,
            base.phase,
            stamp_ns,
            base.switch_start_ns,
            base.arrived_ns,
            base.slot,
            base.plan_revision,
            base.session,
            base.sequence + self._count,
        )
