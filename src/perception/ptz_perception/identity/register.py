# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The objects of a region: tracks of all cameras, joined by place, time and appearance. Map frame, metres; times in ns.

A track gets its object once, when it was followed for long enough to be told, and keeps it. The result depends on the tracks and their
stamps alone. Whether a track is an object is a likelihood ratio, as in track-to-track association (Bar-Shalom and Li,
Multitarget-multisensor tracking, 1995): how likely place and appearance are if it is, over how likely they are for somebody else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ptz_perception.recognition.embedders.base import Feature, unit

_NANOSECONDS = 1_000_000_000
#: Detections and ns that a track is followed before it is told who it is: by then its appearance is known, and its place has settled.
_ENOUGH, _RIPE_NS = 2, 6 * _NANOSECONDS // 5
#: Share of a stay that this may take.
_SHARE_OF_STAY = 0.25
#: s that an object is remembered unseen, and where the cameras are not calibrated.
_MEMORY, _MEMORY_UNPLACED = 60.0, 15.0
#: s that people go on as they went; m/s, one standard deviation of how they move on while nobody sees them; and m, the most that it makes.
_AHEAD, _WANDER, _MOST_WANDER = 1.0, 0.9, 12.0
#: m, one standard deviation of a place beyond its covariance: different views show different feet.
_PLACE_ERROR = 0.4
#: Share of places that are far off, because feet are hidden or cut off, and m, one standard deviation of how far.
_OUTLIERS, _FAR_OFF = 0.15, 2.5
#: m^2 for each person: somebody else may be anywhere in so much room.
_ROOM = 1000.0
#: Similarity of appearances that tells nothing either way, what a difference from it makes, and the most that it makes.
_NEUTRAL, _TELLING, _MOST_TELLING = 0.75, 20.0, 3.0
#: Similarity below which two appearances are not the same, and the one that is enough without a place.
_UNLIKE, _UNPLACED_LIKE = 0.4, 0.93
#: The most that an object's new appearance changes the known one.
_LEARNING = 0.3


@dataclass(frozen=True)
class TrackKey:
    """Names a track in the region."""

    camera: str
    session: int
    track_id: int


@dataclass(frozen=True)
class TrackView:
    """A track in one frame. ground: x, y; covariance: 2x2; velocity: m/s; None where they are not known. detected: not predicted.

    first_seen_ns: the stamp of its first detection.
    """

    key: TrackKey
    class_name: str
    first_seen_ns: int
    observations: int
    detected: bool
    scene: str = ''
    ground: tuple[float, float] | None = None
    covariance: NDArray[np.float64] | None = None
    velocity: tuple[float, float] = (0.0, 0.0)
    feature: Feature | None = None
    target: str = ''
    target_score: float = 0.0


@dataclass(frozen=True)
class RegionObject:
    """One object. track: the one that shows it now, or did last; target: watchlist id, empty if it is none."""

    object_id: str
    class_name: str
    track: TrackKey
    scene: str
    first_seen_ns: int
    last_seen_ns: int
    ground: tuple[float, float] | None = None
    covariance: NDArray[np.float64] | None = None
    velocity: tuple[float, float] = (0.0, 0.0)
    feature: Feature | None = None
    target: str = ''
    target_score: float = 0.0


@dataclass
class ObjectRegister:
    """Takes frames of tracks in the order of their stamps. ripe_ns: for how long a track is followed before it is told who it is."""

    ripe_ns: int = _RIPE_NS
    _objects: dict[str, RegionObject] = field(default_factory=dict)
    _by_track: dict[TrackKey, str] = field(default_factory=dict)

    @classmethod
    def for_stays(cls, seconds: float) -> ObjectRegister:
        """For cameras that look so long at a scene: in short stays it can't wait for long."""
        return cls(min(_RIPE_NS, round(_SHARE_OF_STAY * seconds * _NANOSECONDS)))

    def __iter__(self) -> Iterator[RegionObject]:
        return iter(self._objects.values())

    def object_of(self, key: TrackKey) -> str:
        """A track's object id; empty if it is not known (yet)."""
        return self._by_track.get(key, '')

    def take(self, views: Sequence[TrackView], stamp_ns: int) -> None:
        """All tracks of one camera in one frame."""
        self._forget(stamp_ns)
        known = [view for view in views if view.key in self._by_track]
        for view in known:
            if view.detected:
                self._see(self._by_track[view.key], view, stamp_ns)
        fresh = [view for view in views if view.key not in self._by_track and self._is_ripe(view, stamp_ns)]
        # Whose track is only predicted may just have got a new one.
        taken = {self._by_track[view.key] for view in known if view.detected}
        for view, object_id in self._joined(fresh, taken, stamp_ns):
            self._by_track[view.key] = object_id
            if object_id in self._objects:
                self._see(object_id, view, stamp_ns)
            else:
                self._objects[object_id] = _first(object_id, view, stamp_ns)

    def _joined(self, fresh: Sequence[TrackView], taken: set[str], stamp_ns: int) -> Iterator[tuple[TrackView, str]]:
        """Each new track with its object: one that is known, or a new one."""
        candidates = [one for one in self._objects.values() if one.object_id not in taken]
        gains = np.zeros((len(fresh), len(candidates)))
        for row, view in enumerate(fresh):
            for column, one in enumerate(candidates):
                gains[row, column] = _likeness(view, one, stamp_ns)
        rows, columns = linear_sum_assignment(gains, maximize=True)
        found = {int(r): candidates[c].object_id for r, c in zip(rows, columns, strict=True) if gains[r, c] > 0}
        for row, view in enumerate(fresh):
            yield view, found.get(row, _new_id(view.key))

    def _is_ripe(self, view: TrackView, stamp_ns: int) -> bool:
        return view.detected and view.observations >= _ENOUGH and stamp_ns - view.first_seen_ns >= self.ripe_ns

    def _see(self, object_id: str, view: TrackView, stamp_ns: int) -> None:
        one = self._objects[object_id]
        target, score = (view.target, view.target_score) if view.target else (one.target, one.target_score)
        self._objects[object_id] = replace(
            one,
            track=view.key,
            scene=view.scene,
            last_seen_ns=max(stamp_ns, one.last_seen_ns),
            ground=view.ground or one.ground,
            covariance=view.covariance if view.ground else one.covariance,
            velocity=view.velocity,
            feature=_learnt(one.feature, view.feature),
            target=target,
            target_score=score,
        )

    def _forget(self, stamp_ns: int) -> None:
        limits = {name: _MEMORY if one.ground else _MEMORY_UNPLACED for name, one in self._objects.items()}
        old = {name for name, one in self._objects.items() if stamp_ns - one.last_seen_ns > limits[name] * _NANOSECONDS}
        if old:
            self._objects = {name: one for name, one in self._objects.items() if name not in old}
            self._by_track = {key: name for key, name in self._by_track.items() if name not in old}


def _likeness(view: TrackView, one: RegionObject, stamp_ns: int) -> float:
    """Logarithm of how much likelier a new track is an object that is known than somebody else; 0: it is not."""
    seconds = (stamp_ns - one.last_seen_ns) / _NANOSECONDS
    if view.class_name != one.class_name or seconds < 0:
        return 0.0
    if view.key.camera == one.track.camera and seconds == 0:
        return 0.0
    similarity = None if view.feature is None or one.feature is None else _similarity(view.feature, one.feature)
    if similarity is not None and similarity < _UNLIKE:
        return 0.0
    if view.ground is None or view.covariance is None or one.ground is None or one.covariance is None:
        same_view = view.key.camera == one.track.camera and view.scene == one.scene
        alike = similarity is not None and same_view and similarity >= _UNPLACED_LIKE
        return similarity if alike and similarity is not None else 0.0
    telling = 0.0 if similarity is None else _TELLING * (similarity - _NEUTRAL)
    return max(0.0, _log_place(view, one, seconds) + max(-_MOST_TELLING, min(_MOST_TELLING, telling)))


def _log_place(view: TrackView, one: RegionObject, seconds: float) -> float:
    """Logarithm of how much likelier a track's place is for the object, seconds after it was seen, than for somebody else."""
    assert view.ground is not None and view.covariance is not None and one.ground is not None and one.covariance is not None
    error = np.subtract(view.ground, np.add(one.ground, np.multiply(one.velocity, min(seconds, _AHEAD))))
    spread = min(_WANDER * seconds, _MOST_WANDER)
    near = view.covariance + one.covariance + np.eye(2) * (_PLACE_ERROR**2 + spread**2)
    far = near + np.eye(2) * _FAR_OFF**2
    density = (1.0 - _OUTLIERS) * _normal_density(error, near) + _OUTLIERS * _normal_density(error, far)
    return math.log(max(density * _ROOM, 1e-9))


def _normal_density(error: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """1/m^2, in two dimensions."""
    squared = float(error @ np.linalg.solve(covariance, error))
    return math.exp(-squared / 2.0) / (2.0 * math.pi * math.sqrt(float(np.linalg.det(covariance))))


def _similarity(first: Feature, second: Feature) -> float:
    return float(first @ second) if len(first) == len(second) else _NEUTRAL


def _learnt(known: Feature | None, new: Feature | None) -> Feature | None:
    if known is None or new is None or len(known) != len(new):
        return new if known is None else known
    return unit((1.0 - _LEARNING) * known + _LEARNING * new)


def _new_id(key: TrackKey) -> str:
    """The founding track's name: unique without a counter, so that it is the same in every replay and after every restart."""
    return f'{key.camera}-{key.session // _NANOSECONDS % 1_000_000:x}-{key.track_id}'


def _first(object_id: str, view: TrackView, stamp_ns: int) -> RegionObject:
    return RegionObject(
        object_id,
        view.class_name,
        view.key,
        view.scene,
        stamp_ns,
        stamp_ns,
        view.ground,
        view.covariance,
        view.velocity,
        view.feature,
        view.target,
        view.target_score,
    )
