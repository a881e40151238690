# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The selection by quality: of the frames of some seconds the one with the highest expected value, or few that serve all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ptz_perception.selection import rules
from ptz_perception.selection.base import MOST_KEPT, Choice, Decision, FrameFacts, FrameKey, Remembered, TrackFacts, Urgency
from ptz_perception.selection.expected_value import expected_value
from ptz_perception.selection.memory import Course, Holder, Memory, check_ids
from ptz_site import NANOSECONDS
from ptz_site.schema import SelectionSettings


@dataclass(frozen=True)
class _State:
    """sent: the best value that the receiver has; below 0: none. value, frame: the best that waits, since when; None: nothing does."""

    sent: float = -1.0
    value: float = 0.0
    frame: FrameKey | None = None
    since_ns: int = 0


@dataclass(frozen=True)
class _Shown:
    """One track in one frame that is kept."""

    track_id: int
    value: float
    immediate: bool


@dataclass
class _Served:
    """Whom of those who wait a frame would serve; how many of them are due; and how good it is for them, 1 each for their best frame."""

    holders: list[Holder] = field(default_factory=list)
    due: int = 0
    goodness: float = 0.0

    @property
    def rank(self) -> tuple[int, int, float]:
        """The greater, the better."""
        return self.due, len(self.holders), self.goodness


class QualitySelection:
    """Keeps the frames with the highest expected values, and sends when a track ends, the camera turns, or the longest delay is over.

    A package holds all tracks of its frame. So a frame that is nearly the best for several is sent instead of one for each, and
    afterwards a frame is sent for somebody only if it is better by the margin than every one that was sent and shows them.
    """

    def __init__(self, settings: SelectionSettings) -> None:
        self._settings = settings
        self._longest_ns = round(settings.longest_delay * NANOSECONDS)
        #: A frame that is worse by less than half the margin will do, so that what is sent stays nearer to the best than the margin.
        self._enough = 1.0 / (1.0 + settings.margin / 2)
        self._course = Course()
        self._memory: Memory[_State] = Memory(self._joined)
        self._frames: dict[FrameKey, dict[Holder, _Shown]] = {}

    def look(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> Decision:
        """See Selection."""
        check_ids(tracks)
        choices: list[Choice] = []
        if self._course.begins_anew(frame):
            choices += self.end_segment().choices
        changes = self._memory.look(tracks, frame.stamp_ns)
        self._rename(changes.renamed)
        self._take(frame, tracks)
        choices += self._send(changes.ended | self._overdue(frame.stamp_ns))
        self._drop()
        self._memory.forget(changes.ended, frame.stamp_ns)
        return Decision(tuple(choices), frozenset(self._frames))

    def end_segment(self, objects: Mapping[int, str] | None = None) -> Decision:
        """See Selection."""
        self._rename(self._memory.name_late(objects or {}, self._course.newest_ns))
        ended = self._memory.end()
        choices = self._send(ended)
        self._frames.clear()
        self._memory.forget(ended, self._course.newest_ns)
        return Decision(tuple(choices))

    @property
    def nameless(self) -> tuple[int, ...]:
        """See Selection."""
        waiting = self._waiting()
        return tuple(track_id for track_id in self._memory.nameless if track_id in waiting)

    @property
    def remembered(self) -> Remembered:
        """See Selection."""
        return Remembered(*self._memory.counts, len(self._frames))

    def sent_value(self, holder: Holder) -> float | None:
        """The best expected value that was sent of a track whose object is not known, or of an object; None if nothing was."""
        found = self._memory.states.get(holder)
        return None if found is None or found.sent < 0 else found.sent

    # What waits

    def _take(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> None:
        """Values the tracks of a new frame, and remembers it for those that it is better for."""
        shown: dict[Holder, _Shown] = {}
        for track in sorted(tracks, key=lambda one: one.track_id):
            if rules.qualifies(track, self._settings):
                at_once = rules.urgency(rules.showing(frame, track), self._settings) is Urgency.IMMEDIATE
                new = _Shown(track.track_id, expected_value(frame, track), at_once)
                holder = self._memory.holder(track.track_id)
                shown[holder] = _better_shown(shown.get(holder), new)
        for holder, one in shown.items():
            state = self._memory.states.get(holder, _State())
            if self._clearly_better(one.value, state.sent) and (state.frame is None or one.value > state.value):
                since_ns = frame.stamp_ns if state.frame is None else state.since_ns
                self._memory.states[holder] = _State(state.sent, one.value, frame.key, since_ns)
        if shown:
            self._frames[frame.key] = shown

    def _clearly_better(self, value: float, sent: float) -> bool:
        return sent < 0 or value > sent * (1.0 + self._settings.margin)

    def _joined(self, track: _State, known: _State) -> _State:
        """A track turns out to be an object that is known: the better of what was sent is to be beaten, by the better of what waits."""
        sent = max(track.sent, known.sent)
        waiting = [one for one in (known, track) if one.frame is not None and self._clearly_better(one.value, sent)]
        if not waiting:
            return _State(sent)
        best = max(waiting, key=lambda one: one.value)
        return replace(best, sent=sent, since_ns=min(one.since_ns for one in waiting))

    def _rename(self, renamed: Mapping[Holder, Holder]) -> None:
        for shown in self._frames.values() if renamed else ():
            for before, after in renamed.items():
                one = shown.pop(before, None)
                if one is not None:
                    shown[after] = _better_shown(shown.get(after), one)

    def _overdue(self, stamp_ns: int) -> set[Holder]:
        """Who has waited for the longest delay; and who waits longest, while too many frames would have to be kept."""
        waiting = self._waiting()
        due = {holder for holder, state in waiting.items() if stamp_ns - state.since_ns >= self._longest_ns}
        frames = sorted({state.frame for holder, state in waiting.items() if holder not in due and state.frame is not None})
        too_many = set(frames[: max(0, len(frames) - MOST_KEPT)])
        return due | {holder for holder, state in waiting.items() if state.frame in too_many}

    def _waiting(self) -> dict[Holder, _State]:
        return {holder: state for holder, state in self._memory.states.items() if state.frame is not None}

    # What is sent

    def _send(self, holders: Collection[Holder]) -> list[Choice]:
        """Frames until everybody who is due has one that is good enough; the fewest, as far as taking the best one each time finds them."""
        choices: list[Choice] = []
        waiting = self._waiting()
        due = set(holders) & set(waiting)
        while due:
            served = {key: self._serves(shown, due, waiting) for key, shown in self._frames.items()}
            key, best = max(served.items(), key=lambda item: (item[1].rank, item[0]))
            if not best.due:
                raise AssertionError('somebody waits for a frame that is not kept')
            ids = tuple(sorted(self._frames[key][holder].track_id for holder in best.holders))
            at_once = any(self._frames[key][holder].immediate for holder in best.holders)
            choices.append(Choice(key, ids, Urgency.IMMEDIATE if at_once else Urgency.QUEUED))
            self._was_sent(self._frames.pop(key))
            waiting = self._waiting()
            due &= set(waiting)
        return choices

    def _serves(self, shown: Mapping[Holder, _Shown], due: Collection[Holder], waiting: Mapping[Holder, _State]) -> _Served:
        served = _Served()
        for holder, one in shown.items():
            state = waiting.get(holder)
            if state is not None and self._is_enough(one.value, state):
                served.holders.append(holder)
                served.due += holder in due
                served.goodness += one.value / max(state.value, 1e-12)
        return served

    def _is_enough(self, value: float, state: _State) -> bool:
        return value >= state.value * self._enough and self._clearly_better(value, state.sent)

    def _was_sent(self, shown: Mapping[Holder, _Shown]) -> None:
        """The receiver has this frame of all of them."""
        for holder, one in shown.items():
            state = self._memory.states.get(holder)
            if state is None:
                continue  # that track has ended since
            sent = max(state.sent, one.value)
            done = state.frame is None or self._is_enough(one.value, state) or not self._clearly_better(state.value, sent)
            self._memory.states[holder] = _State(sent) if done else replace(state, sent=sent)

    def _drop(self) -> None:
        """Frames that are good enough for nobody who waits; and beyond the limit, those that are good for the fewest."""
        waiting = self._waiting()
        served = {key: self._serves(shown, (), waiting) for key, shown in self._frames.items()}
        useful = [key for key, one in served.items() if one.holders]
        if len(useful) > MOST_KEPT:
            needed = {state.frame for state in waiting.values()}
            useful.sort(key=lambda key: (key in needed, served[key].rank, key), reverse=True)
        kept = set(useful[:MOST_KEPT])
        self._frames = {key: shown for key, shown in self._frames.items() if key in kept}


def _better_shown(first: _Shown | None, second: _Shown) -> _Shown:
    """Two tracks of one object in one frame: what it shows better; of equal ones the earlier track."""
    if first is None:
        return second
    return max((first, second), key=lambda one: (one.value, -one.track_id))
