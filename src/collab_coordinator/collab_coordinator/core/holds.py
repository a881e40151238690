# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The holds on a rotation: who holds, until when, and why a hold ended. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from ptz_site import NANOSECONDS, Hold
from ptz_site.schema import HoldLimits


class HoldError(IntEnum):
    """Why a hold is refused. Values as in HoldScene.action, HoldRotation.srv and ReleaseHold.srv."""

    NONE = 0
    UNKNOWN_CAMERA = 300
    UNKNOWN_SCENE = 301
    NOT_RUNNING = 302
    SHUTDOWN = 303
    NOT_ON_SCENE = 304
    UNKNOWN_HOLD = 305


class HoldEnd(IntEnum):
    """Why a hold ended. Values as in HoldScene.action."""

    CANCELED = 0
    TIME_LIMIT = 1
    SILENCE = 2
    OPERATOR = 3
    HANDED_OFF = 4
    STOPPED = 5


@dataclass(frozen=True)
class HoldRequest:
    """What is asked for. hold_id: a hold to go on holding.

    camera empty: one that is on the scene; scene empty: the one that the camera is on; both empty: whatever is watched (a pause).
    limit_ns: how long; None: as long as the site allows; 0: until it is released. kept_alive: the holder says that it is there.
    """

    camera: str
    scene: str
    target: str = ''
    feature: tuple[float, ...] = ()
    mark_colour: str = ''
    mark_shape: str = ''
    reason: str = ''
    hold_id: str = ''
    limit_ns: int | None = None
    kept_alive: bool = True


@dataclass(frozen=True)
class EndedHold:
    """A hold that ended, or changed hands (HANDED_OFF: it goes on with another camera)."""

    hold: Hold
    why: HoldEnd
    at_ns: int


class Holds:
    """The holds that are on. Nothing ends by itself: expire() says what has."""

    def __init__(self, limits: HoldLimits) -> None:
        self._max_ns = round(limits.max_hold * NANOSECONDS)
        self._silence_ns = round(limits.holder_timeout * NANOSECONDS)
        self._on: dict[str, Hold] = {}
        self._heard_ns: dict[str, int] = {}

    @property
    def on(self) -> tuple[Hold, ...]:
        """The holds that are on, the oldest first."""
        return tuple(self._on.values())

    def get(self, hold_id: str) -> Hold | None:
        """A hold that is on; None if it is not."""
        return self._on.get(hold_id)

    def begin(self, request: HoldRequest, hold_id: str, now_ns: int) -> Hold:
        """A new hold."""
        limit = self._max_ns if request.limit_ns is None else request.limit_ns
        hold = Hold(
            hold_id=hold_id,
            camera=request.camera,
            scene=request.scene,
            target=request.target,
            feature=request.feature,
            mark_colour=request.mark_colour,
            mark_shape=request.mark_shape,
            reason=request.reason,
            since_ns=now_ns,
            until_ns=now_ns + limit if limit else 0,
            kept_alive=request.kept_alive,
        )
        self._keep(hold, now_ns)
        return hold

    def adopt(self, hold: Hold, now_ns: int) -> None:
        """Takes up a hold of an earlier coordinator; its holder has its whole time to be heard."""
        self._keep(hold, now_ns)

    def change(self, hold: Hold) -> None:
        """Puts a changed hold in the place of the one with the same id."""
        if hold.hold_id in self._on:
            self._on[hold.hold_id] = hold

    def heard(self, hold_id: str, now_ns: int) -> bool:
        """The holder is there; False if there is no such hold."""
        if hold_id not in self._on:
            return False
        self._heard_ns[hold_id] = max(now_ns, self._heard_ns[hold_id])
        return True

    def listen_anew(self, now_ns: int) -> None:
        """No holder could be heard until now: each has its whole time again."""
        self._heard_ns = dict.fromkeys(self._heard_ns, now_ns)

    def hand_over(self, hold_id: str, camera: str, feature: tuple[float, ...], now_ns: int) -> Hold:
        """Another camera holds from now on; it has its whole time to be heard."""
        old = self._on[hold_id]
        hold = replace(old, camera=camera, feature=feature or old.feature, taken_over_ns=now_ns, candidate='', candidate_scene='')
        self._keep(hold, now_ns)
        return hold

    def end(self, hold_id: str, why: HoldEnd, now_ns: int) -> EndedHold | None:
        """Ends a hold; None if it is not on."""
        hold = self._on.pop(hold_id, None)
        self._heard_ns.pop(hold_id, None)
        return None if hold is None else EndedHold(hold, why, now_ns)

    def expire(self, now_ns: int) -> tuple[EndedHold, ...]:
        """Ends the holds that are over: by their time limit, or by their holder's silence."""
        ended = []
        for hold in self.on:
            if hold.until_ns and now_ns >= hold.until_ns:
                ended.append(self.end(hold.hold_id, HoldEnd.TIME_LIMIT, now_ns))
            elif hold.kept_alive and now_ns - self._heard_ns[hold.hold_id] > self._silence_ns:
                ended.append(self.end(hold.hold_id, HoldEnd.SILENCE, now_ns))
        return tuple(e for e in ended if e is not None)

    def _keep(self, hold: Hold, now_ns: int) -> None:
        self._on[hold.hold_id] = hold
        self._heard_ns[hold.hold_id] = now_ns
