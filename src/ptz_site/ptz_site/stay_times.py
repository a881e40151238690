# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long people stay in a scene, from what was tracked in it, and the dwell that fits. Times in ns, results in s.

A camera sees a stay only while it watches: a stay that had begun before, or had not ended when the camera turned away, is known to have
lasted for so long at least. With stays of exponential length the mean is the whole time watched by the number of ends seen (Epstein
and Sobel 1953), however short the watches were.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ptz_site.motion import NANOSECONDS

#: Ends of stays that must have been seen before anything is said.
ENOUGH_ENDS = 8
#: A track that was not seen for so long before the end of the watch has ended.
_GONE_NS = 3 * NANOSECONDS // 2
#: A track that was seen less often may be a mistake of the detector.
_SIGHTS = 3
#: A dwell is never suggested to be shorter than so many times the slowest turn, or longer than this (s).
_TURNS = 2.0
_LONGEST_DWELL = 600.0


@dataclass(frozen=True)
class StayTimes:
    """What was seen of the stays in some scenes: for how long in all (s), and how many ends."""

    watched: float = 0.0
    ends: int = 0

    def __add__(self, other: StayTimes) -> StayTimes:
        return StayTimes(self.watched + other.watched, self.ends + other.ends)

    @property
    def median(self) -> float | None:
        """The median stay in s; None if too few ends were seen."""
        return math.log(2) * self.watched / self.ends if self.ends >= ENOUGH_ENDS else None


@dataclass(frozen=True)
class DwellSuggestion:
    """The dwell (s) with which one cycle fits into the median stay; limited: by the time that turns take, or by the longest one."""

    dwell: float
    median: float
    limited: bool


def suggest_dwell(stays: StayTimes, slots_per_cycle: int, slowest_turn: float) -> DwellSuggestion | None:
    """The dwell that fits; None if too little was seen. slowest_turn in s."""
    median = stays.median
    if median is None or slots_per_cycle < 1:
        return None
    wanted = median / slots_per_cycle
    dwell = min(max(wanted, _TURNS * slowest_turn, 1.0), _LONGEST_DWELL)
    return DwellSuggestion(round(dwell, 1), median, not math.isclose(dwell, wanted))


@dataclass
class _Sight:
    """What one watch saw of one track; sure_ns: since when it was no mistake of the detector."""

    last_ns: int
    times: int = 0
    sure_ns: int = 0


@dataclass
class _Watch:
    """One camera on one scene from one switch to the next."""

    scene: str
    key: tuple[int, int]
    begin_ns: int
    end_ns: int
    tracks: dict[int, _Sight] = field(default_factory=dict)


class StayObserver:
    """Takes the tracks of all cameras, those of one camera in order."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}
        self._seen: dict[str, StayTimes] = {}

    def take(self, camera: str, scene: str, session: int, switch_start_ns: int, stamp_ns: int, tracks: Iterable[int]) -> None:
        """One frame at rest. tracks: the ids of those that were seen in it."""
        key = (session, switch_start_ns)
        watch = self._watches.get(camera)
        if watch is None or watch.key != key:
            if watch is not None:
                self._close(watch)
            watch = self._watches[camera] = _Watch(scene, key, stamp_ns, stamp_ns)
        watch.end_ns = stamp_ns
        for track in tracks:
            sight = watch.tracks.setdefault(track, _Sight(stamp_ns))
            sight.last_ns, sight.times = stamp_ns, sight.times + 1
            if sight.times == _SIGHTS:
                sight.sure_ns = stamp_ns

    def stays(self) -> dict[str, StayTimes]:
        """What was seen in each scene, in watches that have ended."""
        return dict(self._seen)

    def finish(self) -> dict[str, StayTimes]:
        """What was seen in each scene, with the watches that are under way; they count as ended."""
        for watch in self._watches.values():
            self._close(watch)
        self._watches.clear()
        return self.stays()

    def _close(self, watch: _Watch) -> None:
        total = self._seen.get(watch.scene, StayTimes())
        # What happened in the last moments can't be told yet: they count neither as time nor as ends.
        told_ns = watch.end_ns - _GONE_NS
        for sight in watch.tracks.values():
            if sight.times >= _SIGHTS:
                # How long something stays on does not depend on how long it was there, so it may be watched from any time on.
                watched_ns = max(0, min(sight.last_ns, told_ns) - sight.sure_ns)
                total += StayTimes(watched_ns / NANOSECONDS, int(sight.sure_ns <= sight.last_ns < told_ns))
        self._seen[watch.scene] = total


def all_stays(by_scene: dict[str, StayTimes]) -> StayTimes:
    """The stays of all scenes together."""
    return sum(by_scene.values(), StayTimes())
