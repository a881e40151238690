# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What one camera does about the targets that it sees. Facts and times (ns) go in, requests to the coordinator come out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from ptz_perception.recognition.embedders.base import Feature
from ptz_site import NANOSECONDS, CameraPose, Hold, wrap_angle
from ptz_site.schema import HoldLimits, RecognitionSettings

#: Frames in which a target must be turned away: where a camera is looked at seldom, one wrong heading is not enough.
_AWAY_FRAMES = 2
#: Keep-alives in a holder_timeout.
_KEEP_ALIVES = 4
#: s after which what was refused is asked again, and after which a hold that people or its limit ended may begin anew.
_AGAIN, _PAUSE = 2.0, 30.0


@dataclass(frozen=True)
class Sighting:
    """A target in a frame of this camera. ground: m, map frame; heading: rad; None where they are not known."""

    target: str
    mark_colour: str
    mark_shape: str
    hold: bool
    feature: Feature
    ground: tuple[float, float] | None = None
    heading: float | None = None


@dataclass(frozen=True)
class BeginHold:
    """Ask for a hold, or with a hold_id go on with one that is there."""

    target: str
    scene: str
    mark_colour: str
    mark_shape: str
    feature: tuple[float, ...]
    hold_id: str = ''


@dataclass(frozen=True)
class KeepAlive:
    """Say that the holder is there."""

    hold_id: str


@dataclass(frozen=True)
class EndHold:
    """The target has left the view."""

    target: str
    hold_id: str


@dataclass(frozen=True)
class AskHandoff:
    """The target walks away: another camera shall take it over."""

    target: str
    hold_id: str
    heading: float
    ground: tuple[float, float]
    feature: tuple[float, ...]


Request = BeginHold | KeepAlive | EndHold | AskHandoff


class HoldEnd(Enum):
    """How a hold of ours ended, as far as it matters here."""

    LET_GO = auto()  #: as we asked, or handed off
    REFUSED = auto()  #: not now
    OVER = auto()  #: by people, by its limit, or with the rotation
    COORDINATOR_GONE = auto()  #: it stays on; go on with the next coordinator


@dataclass
class _Held:
    """A target that this camera holds for."""

    sighting: Sighting
    scene: str
    seen_ns: int
    hold_id: str = ''
    said_ns: int = 0
    asked_again_ns: int = 0
    away_since_ns: int | None = None
    away_frames: int = 0
    handoff_pending: bool = False
    next_handoff_ns: int = 0
    asked_heading: float = 0.0
    refused_heading: float | None = None


@dataclass
class Holder:
    """One camera's holds. pose: None: not calibrated, so that nobody is handed off."""

    camera: str
    recognition: RecognitionSettings
    limits: HoldLimits
    pose: CameraPose | None
    _held: dict[str, _Held] = field(default_factory=dict)
    _not_before_ns: dict[str, int] = field(default_factory=dict)
    _let_go_ns: dict[str, int] = field(default_factory=dict)

    def see(self, sightings: Sequence[Sighting], scene: str, holds: Sequence[Hold], now_ns: int) -> list[Request]:
        """A frame of the camera in position on a scene was looked at. holds: those of the plan in force."""
        # First of all: a target that was handed to this camera, and is seen at once, would be held for a second time otherwise.
        requests = self._take_over(holds, now_ns)
        elsewhere = {hold.target for hold in holds if hold.camera != self.camera}
        for sighting in sightings:
            held = self._held.get(sighting.target)
            if held is not None:
                held.sighting, held.seen_ns = sighting, now_ns
            elif self._may_begin(sighting, elsewhere, now_ns):
                self._held[sighting.target] = _Held(sighting, scene, now_ns)
                requests.append(_begin(self._held[sighting.target]))
        for held in self._held.values():
            requests += self._turned_away(held, now_ns)
        return requests

    def pass_time(self, holds: Sequence[Hold], now_ns: int) -> list[Request]:
        """To be called several times a second: takes over what was handed to this camera, keeps alive, and lets go."""
        requests: list[Request] = self._take_over(holds, now_ns)
        period = self.limits.holder_timeout / _KEEP_ALIVES
        for target, held in list(self._held.items()):
            if now_ns - held.seen_ns > self.recognition.lost_after * NANOSECONDS:
                del self._held[target]
                self._let_go_ns[target] = now_ns
                requests.append(EndHold(target, held.hold_id))
            elif held.hold_id and now_ns - held.said_ns >= period * NANOSECONDS:
                held.said_ns = now_ns
                requests.append(KeepAlive(held.hold_id))
            if held.asked_again_ns and now_ns >= held.asked_again_ns and target in self._held:
                held.asked_again_ns = 0
                requests.append(_begin(held))
        return requests

    def held(self, target: str, hold_id: str) -> bool:
        """The coordinator says what a hold is called. False if nobody wants it any more."""
        if target not in self._held:
            return False
        self._held[target].hold_id = hold_id
        return True

    def ended(self, target: str, end: HoldEnd, now_ns: int) -> None:
        """A hold's goal has its result."""
        held = self._held.get(target)
        if end is HoldEnd.COORDINATOR_GONE:
            if held is not None:
                held.asked_again_ns = now_ns + round(_AGAIN * NANOSECONDS)
            return
        if self._held.pop(target, None) is not None:
            self._let_go_ns[target] = now_ns
        pause = {HoldEnd.LET_GO: 0.0, HoldEnd.REFUSED: _AGAIN, HoldEnd.OVER: _PAUSE}[end]
        self._not_before_ns[target] = now_ns + round(pause * NANOSECONDS)

    def handoff_ended(self, target: str, again_after: float, now_ns: int, *, or_turned: bool = False) -> None:
        """A handoff has its result. again_after: s until it may be asked again, if this camera still holds; or_turned: or as soon as
        the target has turned, by as much as another camera must face it better.
        """
        held = self._held.get(target)
        if held is not None:
            held.handoff_pending = False
            held.next_handoff_ns = now_ns + round(again_after * NANOSECONDS)
            held.refused_heading = held.asked_heading if or_turned else None

    @property
    def holding(self) -> Mapping[str, str]:
        """Hold ids by target; empty where the coordinator has not answered."""
        return {target: held.hold_id for target, held in self._held.items()}

    def _may_begin(self, sighting: Sighting, elsewhere: set[str], now_ns: int) -> bool:
        target = sighting.target
        return sighting.hold and target not in elsewhere and now_ns >= self._not_before_ns.get(target, 0)

    def _take_over(self, holds: Sequence[Hold], now_ns: int) -> list[Request]:
        requests: list[Request] = []
        for hold in holds:
            mine = hold.camera == self.camera and hold.kept_alive and hold.target
            if not mine or hold.target in self._held or now_ns < self._not_before_ns.get(hold.target, 0):
                continue
            # A hold that has ended is in the plan until the cameras go on: it is not this camera's any more.
            if max(hold.since_ns, hold.taken_over_ns) < self._let_go_ns.get(hold.target, 0):
                continue
            feature = Sighting(hold.target, hold.mark_colour, hold.mark_shape, True, _array(hold.feature))
            self._held[hold.target] = _Held(feature, hold.scene, now_ns, hold.hold_id)
            requests.append(_begin(self._held[hold.target]))
        return requests

    def _turned_away(self, held: _Held, now_ns: int) -> list[Request]:
        """Asks for a handoff when the target has walked away from this camera for long enough."""
        sighting = held.sighting
        if self.pose is None or sighting.heading is None or sighting.ground is None or held.seen_ns != now_ns:
            held.away_since_ns = None if sighting.heading is None else held.away_since_ns
            return []
        towards = math.atan2(self.pose.y - sighting.ground[1], self.pose.x - sighting.ground[0])
        if abs(wrap_angle(towards - sighting.heading)) <= math.radians(self.recognition.turned_away):
            held.away_since_ns = None
            return []
        if held.away_since_ns is None:
            held.away_since_ns, held.away_frames = now_ns, 0
        held.away_frames += 1
        lasted = now_ns - held.away_since_ns >= self.recognition.steady * NANOSECONDS
        steady = lasted and held.away_frames >= _AWAY_FRAMES
        if not steady or not held.hold_id or held.handoff_pending or self._refused(held, sighting.heading, now_ns):
            return []
        held.handoff_pending, held.asked_heading = True, sighting.heading
        return [AskHandoff(sighting.target, held.hold_id, sighting.heading, sighting.ground, _numbers(sighting.feature))]

    def _refused(self, held: _Held, heading: float, now_ns: int) -> bool:
        """Whether the answer to the last question stands."""
        margin, before = math.radians(self.limits.handoff_margin), held.refused_heading
        turned = before is not None and abs(wrap_angle(heading - before)) >= margin
        return now_ns < held.next_handoff_ns and not turned


def _begin(held: _Held) -> BeginHold:
    sighting = held.sighting
    return BeginHold(
        sighting.target, held.scene, sighting.mark_colour, sighting.mark_shape, _numbers(sighting.feature), held.hold_id
    )


def _numbers(feature: Feature) -> tuple[float, ...]:
    return tuple(feature.tolist())


def _array(numbers: Sequence[float]) -> Feature:
    return np.asarray(numbers, np.float32)
