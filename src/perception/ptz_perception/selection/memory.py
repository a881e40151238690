# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of tracks, and of the objects that they are. A camera's tracks end when it turns, its objects come again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ptz_perception.selection.base import FrameFacts, TrackFacts
from ptz_site import NANOSECONDS

T = TypeVar('T')
#: Who a picture is best for: a track by its id, or an object by its id as soon as it is known.
Holder = int | str

#: Objects that are remembered at most, and ns for which they are after they were last in this camera's view.
_MOST_OBJECTS = 1000
_MEMORY_NS = 1800 * NANOSECONDS
#: ns; tracks that were detected for a shorter time and whose object nobody knows are false alarms, or parts of somebody who is followed
#: badly. When the camera turns, half the time for which it has looked is enough.
FLASH_NS = 3 * NANOSECONDS // 2
#: Detections of a track whose object nobody knows, from which on it is worth sending.
_SURE = 2


@dataclass
class Course:
    """Notices that a camera has turned, or that its time goes back."""

    segment: tuple[int, int] | None = None
    newest_ns: int = 0

    def begins_anew(self, frame: FrameFacts) -> bool:
        """Whether a frame belongs to other tracks than the one before."""
        anew = self.segment is not None and (frame.segment != self.segment or frame.stamp_ns < self.newest_ns)
        self.segment, self.newest_ns = frame.segment, frame.stamp_ns
        return anew


@dataclass(frozen=True)
class Changes:
    """What a frame brought. renamed: tracks that turned out to be objects; ended: whom no track shows any longer.

    Without tracks that nobody has named and that lived too short, or were detected once: so it is with false alarms.
    """

    renamed: Mapping[Holder, Holder]
    ended: Set[Holder]


@dataclass(frozen=True)
class _Life:
    """Of a track that is alive: when it began, was detected last, and how often."""

    begun_ns: int
    seen_ns: int
    observations: int


@dataclass
class Memory(Generic[T]):
    """One state for each holder. joined: makes one state of a track's and of the object's that it turns out to be, in this order."""

    joined: Callable[[T, T], T]
    states: dict[Holder, T] = field(default_factory=dict)
    _holders: dict[int, Holder] = field(default_factory=dict)
    _lives: dict[int, _Life] = field(default_factory=dict)
    #: Of the frames since it began to look at this scene: the first one's and the newest one's stamp.
    _looked_ns: tuple[int, int] | None = None
    #: Objects, those that were seen longest ago first.
    _seen_ns: dict[str, int] = field(default_factory=dict)

    def holder(self, track_id: int) -> Holder:
        """Whom a track's pictures are for."""
        return self._holders.get(track_id, track_id)

    @property
    def nameless(self) -> tuple[int, ...]:
        """Tracks whose object is not known; ids ascend."""
        return tuple(sorted(track_id for track_id, holder in self._holders.items() if holder == track_id))

    @property
    def counts(self) -> tuple[int, int]:
        """Tracks and objects."""
        return len(self._holders), len(self._seen_ns)

    def look(self, tracks: Sequence[TrackFacts], stamp_ns: int) -> Changes:
        """Takes all tracks that are alive at a frame."""
        names = {track.track_id: track.object_id for track in tracks}
        self._looked_ns = (stamp_ns if self._looked_ns is None else self._looked_ns[0], stamp_ns)
        renamed = self.name(names, stamp_ns)
        ended = self._end(names, FLASH_NS)
        self._lives = {track.track_id: _lived(self._lives.get(track.track_id), track, stamp_ns) for track in tracks}
        return Changes(renamed, ended)

    def name(self, names: Mapping[int, str], stamp_ns: int) -> dict[Holder, Holder]:
        """Takes tracks with their objects' ids, empty where unknown. Which holders became part of which others."""
        renamed: dict[Holder, Holder] = {}
        for track_id, object_id in sorted(names.items()):
            before = self.holder(track_id)
            after: Holder = object_id or before
            self._holders[track_id] = after
            if isinstance(after, str):
                self._seen_ns.pop(after, None)
                self._seen_ns[after] = stamp_ns
            if before == track_id and after != before:
                renamed[before] = after
                if before in self.states:
                    state = self.states.pop(before)
                    self.states[after] = self.joined(state, self.states[after]) if after in self.states else state
        return renamed

    def name_late(self, names: Mapping[int, str], stamp_ns: int) -> dict[Holder, Holder]:
        """Takes objects' ids of tracks that are known and had none; other ones are left out."""
        nameless = set(self.nameless)
        return self.name({track_id: object_id for track_id, object_id in names.items() if track_id in nameless}, stamp_ns)

    def end(self) -> set[Holder]:
        """Ends all tracks, because the camera looks no longer. As Changes.ended."""
        begun_ns, newest_ns = self._looked_ns or (0, 0)
        self._looked_ns = None
        return self._end((), min(FLASH_NS, (newest_ns - begun_ns) // 2))

    def _end(self, alive: Collection[int], flash_ns: int) -> set[Holder]:
        """Ends all other tracks. Whom no track shows any longer; the states of those that are no objects are to be forgotten."""
        gone = {track_id: holder for track_id, holder in self._holders.items() if track_id not in alive}
        unsure = {holder for track_id, holder in gone.items() if holder == track_id and not self._is_sure(track_id, flash_ns)}
        for holder in unsure:
            self.states.pop(holder, None)
        self._holders = {track_id: holder for track_id, holder in self._holders.items() if track_id in alive}
        self._lives = {track_id: life for track_id, life in self._lives.items() if track_id in alive}
        return set(gone.values()) - unsure - set(self._holders.values())

    def _is_sure(self, track_id: int, flash_ns: int) -> bool:
        """Whether a track is of somebody, although nobody says who it is."""
        life = self._lives.get(track_id)
        return life is not None and life.observations >= _SURE and life.seen_ns - life.begun_ns >= flash_ns

    def forget(self, ended: Iterable[Holder], stamp_ns: int) -> None:
        """Drops the states of tracks that ended, and of objects that were not here for long, or are too many."""
        for holder in ended:
            if isinstance(holder, int):
                self.states.pop(holder, None)
        shown = set(self._holders.values())
        for object_id, seen_ns in list(self._seen_ns.items()):
            if len(self._seen_ns) <= _MOST_OBJECTS and stamp_ns - seen_ns <= _MEMORY_NS:
                break
            if object_id not in shown:
                del self._seen_ns[object_id]
                self.states.pop(object_id, None)


def _lived(before: _Life | None, track: TrackFacts, stamp_ns: int) -> _Life:
    if before is None:
        return _Life(stamp_ns, stamp_ns, track.observations)
    return _Life(before.begun_ns, stamp_ns if track.detected else before.seen_ns, track.observations)


def check_ids(tracks: Sequence[TrackFacts]) -> None:
    """Raises ValueError if a track is there twice."""
    ids = [track.track_id for track in tracks]
    if len(set(ids)) != len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise ValueError(f'track {twice} is twice in one frame')
