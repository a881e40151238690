# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The selection by quality: of the frames of some seconds the one with the highest expected value, or few that serve all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ptz_perception.selection import rules
from ptz_perception.selection.base import MOST_KEPT, Choice, Decision, FrameFacts, FrameKey, Remembered, TrackFacts, Urgency
from ptz_perception.selection.expected_value import expected_value_of, pose, worth
from ptz_perception.selection.memory import Course, Holder, Memory, check_ids
from ptz_site import NANOSECONDS
from ptz_site.schema import SelectionSettings

#: ns; a heading is known late and turns late, so a frame's pose is the least of those that are told within this time after it.
_HINDSIGHT_NS = 6 * NANOSECONDS // 10


@dataclass(frozen=True)
class _State:
    """sent: the best value that was chosen, below 0: none. since_ns: when the first frame came that waits to be sent; None: none waits."""

    sent: float = -1.0
    since_ns: int | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """One track in one frame that is kept. worth: its value but for the pose."""

    track_id: int
    worth: float
    pose: float
    value: float
    immediate: bool


@dataclass(frozen=True)
class _Kept:
    """A frame that is kept."""

    stamp_ns: int
    shown: dict[Holder, _Shown]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The best frame that waits for somebody."""

    value: float
    frame: FrameKey


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

    A package holds all tracks of its frame. So a frame that is nearly the best for several is sent instead of one for each. Afterwards
    a frame is sent for somebody only if it is better by the margin.
    """

    by_sharpness = True

    def __init__(self, settings: SelectionSettings) -> None:
        self._settings = settings
        self._factor = 1.0 + settings.margin
        self._longest_ns = round(settings.longest_delay * NANOSECONDS)
        self._course = Course()
        self._memory: Memory[_State] = Memory(_joined)
        #: Those that came first, first.
        self._frames: dict[FrameKey, _Kept] = {}

    def look(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> Decision:
        """See Selection."""
        check_ids(tracks)
        choices: list[Choice] = []
        if self._course.begins_anew(frame):
            choices += self.end_segment().choices
        changes = self._memory.look(tracks, frame.stamp_ns)
        self._rename(changes.renamed)
        self._judge_again(frame.stamp_ns, tracks)
        self._take(frame, tracks)
        waiting = self._waiting()
        self._note_since(waiting)
        choices += self._send(changes.ended | self._overdue(frame.stamp_ns, waiting), waiting)
        self._drop(frame.stamp_ns, self._waiting() if choices else waiting)
        self._memory.forget(changes.ended, frame.stamp_ns)
        return Decision(tuple(choices), frozenset(self._frames))

    def end_segment(self, objects: Mapping[int, str] | None = None) -> Decision:
        """See Selection."""
        self._rename(self._memory.name_late(objects or {}, self._course.newest_ns))
        ended = self._memory.end()
        choices = self._send(ended, self._waiting())
        self._frames.clear()
        for holder in ended:
            self._memory.states[holder] = _State(self._memory.states.get(holder, _State()).sent)
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
        """The best expected value that was chosen for a track whose object is not known, or for an object; None if nothing was."""
        found = self._memory.states.get(holder)
        return None if found is None or found.sent < 0 else found.sent

    # What waits

    def _take(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> None:
        """Values the tracks of a new frame."""
        shown: dict[Holder, _Shown] = {}
        for track in sorted(tracks, key=lambda one: one.track_id):
            if rules.qualifies(track, self._settings):
                at_once = rules.urgency(rules.showing(frame, track), self._settings) is Urgency.IMMEDIATE
                holder = self._memory.holder(track.track_id)
                new = _valued(track.track_id, worth(frame, track), pose(track.frontality), at_once)
                shown[holder] = _better_shown(shown.get(holder), new)
                self._memory.states.setdefault(holder, _State())
        if shown:
            self._frames[frame.key] = _Kept(frame.stamp_ns, shown)

    def _judge_again(self, stamp_ns: int, tracks: Sequence[TrackFacts]) -> None:
        """Lowers the newest frames' poses to what is known now."""
        poses = {track.track_id: pose(track.frontality) for track in tracks}
        for kept in self._frames.values():
            if stamp_ns - kept.stamp_ns > _HINDSIGHT_NS:
                continue
            for holder, one in kept.shown.items():
                now = poses.get(one.track_id)
                if now is not None and now < one.pose:
                    kept.shown[holder] = _valued(one.track_id, one.worth, now, one.immediate)

    def _waiting(self) -> dict[Holder, _Waiting]:
        """The best frame for everybody for whom one is clearly better than what was sent; of equal ones the first."""
        found: dict[Holder, _Waiting] = {}
        states = self._memory.states
        for key, kept in self._frames.items():
            for holder, one in kept.shown.items():
                state, best = states.get(holder), found.get(holder)
                if state is not None and (best is None or one.value > best.value) and self._clearly_better(one.value, state.sent):
                    found[holder] = _Waiting(one.value, key)
        return found

    def _clearly_better(self, value: float, sent: float) -> bool:
        return sent < 0 or value > sent * self._factor

    def _note_since(self, waiting: Mapping[Holder, _Waiting]) -> None:
        for holder, state in self._memory.states.items():
            one = waiting.get(holder)
            if one is None and state.since_ns is not None:
                self._memory.states[holder] = _State(state.sent)
            elif one is not None and state.since_ns is None:
                self._memory.states[holder] = _State(state.sent, self._frames[one.frame].stamp_ns)

    def _rename(self, renamed: Mapping[Holder, Holder]) -> None:
        for kept in self._frames.values() if renamed else ():
            for before, after in renamed.items():
                one = kept.shown.pop(before, None)
                if one is not None:
                    kept.shown[after] = _better_shown(kept.shown.get(after), one)

    def _overdue(self, stamp_ns: int, waiting: Mapping[Holder, _Waiting]) -> set[Holder]:
        """Who has waited for the longest delay; and who waits for the oldest frames, while too many would have to be kept."""
        states = self._memory.states
        due = {holder for holder in waiting if stamp_ns - (states[holder].since_ns or stamp_ns) >= self._longest_ns}
        frames = sorted({one.frame for holder, one in waiting.items() if holder not in due})
        too_many = set(frames[: max(0, len(frames) - MOST_KEPT)])
        return due | {holder for holder, one in waiting.items() if one.frame in too_many}

    # What is sent

    def _send(self, holders: Collection[Holder], waiting: Mapping[Holder, _Waiting]) -> list[Choice]:
        """Frames until everybody who is due has one that is good enough; few, by taking the one that serves most each time."""
        choices: list[Choice] = []
        due = set(holders) & set(waiting)
        while due:
            served = {key: self._serves(kept, due, waiting) for key, kept in self._frames.items()}
            key, best = max(served.items(), key=lambda item: (item[1].rank, item[0]))
            shown = self._frames.pop(key).shown
            ids = tuple(sorted(shown[holder].track_id for holder in best.holders))
            at_once = any(shown[holder].immediate for holder in best.holders)
            choices.append(Choice(key, ids, Urgency.IMMEDIATE if at_once else Urgency.QUEUED))
            for holder in best.holders:
                self._memory.states[holder] = _State(max(self._memory.states[holder].sent, shown[holder].value))
            waiting = self._waiting()
            due &= set(waiting)
        return choices

    def _serves(self, kept: _Kept, due: Collection[Holder], waiting: Mapping[Holder, _Waiting]) -> _Served:
        """For whom this frame is good enough: what waits for them is not clearly better."""
        served = _Served()
        for holder, one in kept.shown.items():
            best = waiting.get(holder)
            if best is not None and best.value <= one.value * self._factor:
                served.holders.append(holder)
                served.due += holder in due
                served.goodness += one.value / max(best.value, 1e-12)
        return served

    def _drop(self, stamp_ns: int, waiting: Mapping[Holder, _Waiting]) -> None:
        """Frames that nobody who waits needs, once their poses are known; beyond the limit, those that are good for the fewest."""
        served = {key: self._serves(kept, (), waiting) for key, kept in self._frames.items()}
        useful = [
            key
            for key, kept in self._frames.items()
            if served[key].holders or stamp_ns - kept.stamp_ns <= _HINDSIGHT_NS
            if stamp_ns - kept.stamp_ns <= self._longest_ns
        ]
        if len(useful) > MOST_KEPT:
            needed = {one.frame for one in waiting.values()}
            useful.sort(key=lambda key: (key in needed, served[key].rank, key), reverse=True)
        kept = set(useful[:MOST_KEPT])
        self._frames = {key: one for key, one in self._frames.items() if key in kept}


def _valued(track_id: int, worth_of: float, pose_of: float, at_once: bool) -> _Shown:
    return _Shown(track_id, worth_of, pose_of, expected_value_of(worth_of, pose_of), at_once)


def _better_shown(first: _Shown | None, second: _Shown) -> _Shown:
    """Two tracks of one object in one frame: what it shows better; of equal ones the earlier track."""
    if first is None:
        return second
    return max((first, second), key=lambda one: (one.value, -one.track_id))


def _joined(track: _State, known: _State) -> _State:
    """A track turns out to be an object that is known: the better of what was sent of both is to be beaten."""
    since = [one.since_ns for one in (track, known) if one.since_ns is not None]
    return _State(max(track.sent, known.sent), min(since) if since else None)
