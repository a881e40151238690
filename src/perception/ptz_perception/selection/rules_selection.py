# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The selection by rules: a best frame is one that is in no respect worse than the best before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ptz_perception.selection import rules
from ptz_perception.selection.base import MOST_KEPT, Choice, Decision, FrameFacts, FrameKey, Remembered, TrackFacts, Urgency
from ptz_perception.selection.memory import FLASH_NS, Course, Holder, Memory, check_ids
from ptz_site import NANOSECONDS
from ptz_site.schema import SelectionSettings


@dataclass(frozen=True)
class _Best:
    """The one to beat. waiting_since_ns: when the first frame was found that waits to be sent; None if nothing waits."""

    showing: rules.Showing
    waiting_since_ns: int | None


class RulesSelection:
    """Rules 1 and 2 say which frame is a track's best, rules 3 and 4 what is sent of it.

    A best that is not to be sent at once waits until its track ends, the camera turns, or the longest delay is over; one that
    replaces it in that time takes its place, so that only the last of them is sent.
    """

    by_sharpness = False

    def __init__(self, settings: SelectionSettings) -> None:
        self._settings = settings
        self._longest_ns = round(settings.longest_delay * NANOSECONDS)
        self._course = Course()
        self._memory: Memory[_Best] = Memory(self._joined)
        self._uploaded: set[FrameKey] = set()

    def look(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> Decision:
        """See Selection."""
        check_ids(tracks)
        choices: list[Choice] = []
        if self._course.begins_anew(frame):
            choices += self.end_segment().choices
        ended = self._memory.look(tracks, frame.stamp_ns).ended
        for track in sorted(tracks, key=lambda one: one.track_id):
            if rules.qualifies(track, self._settings):
                self._take(rules.showing(frame, track))
        choices += self._send(ended | self._due(frame.stamp_ns))
        self._memory.forget(ended, frame.stamp_ns)
        self._uploaded &= {best.showing.frame for best in self._memory.states.values()}
        return Decision(tuple(choices), self._kept())

    def end_segment(self, objects: Mapping[int, str] | None = None) -> Decision:
        """See Selection."""
        self._memory.name_late(objects or {}, self._course.newest_ns)
        ended = self._memory.end()
        choices = self._send(ended)
        self._memory.forget(ended, self._course.newest_ns)
        return Decision(tuple(choices))

    @property
    def nameless(self) -> tuple[int, ...]:
        """See Selection."""
        states = self._memory.states
        return tuple(i for i in self._memory.nameless if i in states and states[i].waiting_since_ns is not None)

    @property
    def remembered(self) -> Remembered:
        """See Selection."""
        return Remembered(*self._memory.counts, len(self._kept()))

    def best(self, holder: Holder) -> rules.Showing | None:
        """The one to beat, of a track whose object is not known, or of an object; None if there is none."""
        found = self._memory.states.get(holder)
        return None if found is None else found.showing

    def _take(self, new: rules.Showing) -> None:
        """Rules 1 and 2 for one track."""
        holder = self._memory.holder(new.track_id)
        last = self._memory.states.get(holder)
        if not rules.is_better(new, None if last is None else last.showing, self._settings):
            return
        waiting = None if last is None else last.waiting_since_ns
        self._memory.states[holder] = _Best(new, new.stamp_ns if waiting is None else waiting)

    def _joined(self, track: _Best, known: _Best) -> _Best:
        """A track turns out to be an object that is known: the better of the two bests is the one to beat, and to send."""
        return track if rules.is_better(track.showing, known.showing, self._settings) else known

    def _due(self, stamp_ns: int) -> set[Holder]:
        """Who need not wait any longer."""
        waiting = self._waiting()
        due = {holder for holder, best in waiting.items() if self._waits_no_longer(holder, best, stamp_ns)}
        frames = sorted({best.showing.frame for holder, best in waiting.items() if holder not in due})
        too_many = set(frames[: max(0, len(frames) - MOST_KEPT)])
        return due | {holder for holder, best in waiting.items() if best.showing.frame in too_many}

    def _waits_no_longer(self, holder: Holder, best: _Best, stamp_ns: int) -> bool:
        waited_ns = stamp_ns - (best.waiting_since_ns or 0)
        # Who nobody knows yet may be somebody whose best was sent: that is told in a moment.
        known = isinstance(holder, str) or waited_ns >= FLASH_NS
        at_once = rules.urgency(best.showing, self._settings) is Urgency.IMMEDIATE
        return (at_once and known) or waited_ns >= self._longest_ns

    def _send(self, holders: Collection[Holder]) -> list[Choice]:
        """Rules 3 and 4 for those whose best waits no longer, and for all others that the same frames are best for."""
        waiting = self._waiting()
        frames = sorted({waiting[holder].showing.frame for holder in holders if holder in waiting})
        choices = []
        for frame in frames:
            served = {holder: best for holder, best in waiting.items() if best.showing.frame == frame}
            for holder, best in served.items():
                self._memory.states[holder] = replace(best, waiting_since_ns=None)
            if rules.is_taken(frame, self._uploaded):
                continue
            self._uploaded.add(frame)
            at_once = any(rules.urgency(best.showing, self._settings) is Urgency.IMMEDIATE for best in served.values())
            track_ids = tuple(sorted({best.showing.track_id for best in served.values()}))
            choices.append(Choice(frame, track_ids, Urgency.IMMEDIATE if at_once else Urgency.QUEUED))
        return choices

    def _waiting(self) -> dict[Holder, _Best]:
        return {holder: best for holder, best in self._memory.states.items() if best.waiting_since_ns is not None}

    def _kept(self) -> frozenset[FrameKey]:
        return frozenset(best.showing.frame for best in self._waiting().values())
