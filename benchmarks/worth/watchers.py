# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the cameras of a simulated region do about targets: the product's Holder, with a simple model of recognition before it.

A camera at rest recognises a target once it has seen it clearly (whole, large enough, hardly hidden; from any side) for RECOGNITION s of
its stay. How well the real detector and recogniser do is measured elsewhere (targets.py, tracking.py); here nobody is mistaken for
somebody else. Where a target goes is known from its last HEADING s, above the speed from which the site says that it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest
from collab_coordinator.core.holds import EndedHold, HoldEnd, HoldRequest
from collab_coordinator.core.protocol import Rotation
from ptz_perception.holding import holder as holding
from ptz_perception.holding.holder import AskHandoff, BeginHold, EndHold, Holder, KeepAlive, Request, Sighting
from ptz_site import NANOSECONDS, Hold, Site
from worth.views import Views

#: s of clear sight until a target is recognised; s that its track goes on unseen; s over which its way is measured.
RECOGNITION, TRACK_BUFFER, HEADING = 1.0, 2.0, 0.6
#: s until a handoff is asked for again, by how the last one ended: as perception's client does.
_AGAIN = {HandoffError.NO_BETTER_CAMERA: 2.0, HandoffError.TOO_SOON: 1.0, HandoffError.BUSY: 2.0}
_AGAIN_OTHERWISE = 5.0
_OVER = (HoldEnd.TIME_LIMIT, HoldEnd.OPERATOR, HoldEnd.STOPPED)
_FEATURE = np.zeros(1, np.float32)

#: Does something with the rotation, and publishes what comes of it.
Act = Callable[[Callable[[Rotation], object]], object]


@dataclass
class _Track:
    """A target in one camera's stay. clear: s that it was seen clearly; last_ns: when it last was."""

    clear: float = 0.0
    last_ns: int = 0


@dataclass
class Eyes:
    """One camera's sight of targets. Steps as in Views."""

    number: int
    views: Views
    targets: Sequence[int]
    least_speed: float
    _stay: int = 0
    _tracks: dict[int, _Track] = field(default_factory=dict)

    def look(self, k: int, scene: int, stay: int, now_ns: int) -> list[Sighting]:
        """The targets that are recognised in the picture of a step. scene: on which the camera rests; stay: differs from stay to stay."""
        if stay != self._stay:
            self._stay, self._tracks = stay, {}
        found = []
        for target in self.targets:
            track = self._tracks.setdefault(target, _Track())
            if track.clear and now_ns - track.last_ns > TRACK_BUFFER * NANOSECONDS:
                track.clear = 0.0
            if self.views.clear[k, target, self.number, scene]:
                track.clear, track.last_ns = track.clear + self.views.step, now_ns
                if track.clear >= RECOGNITION:
                    found.append(self._sighting(k, target))
        return found

    def _sighting(self, k: int, target: int) -> Sighting:
        paths = self.views.paths
        before = max(0, k - round(HEADING / self.views.step))
        x, y = float(paths.x[k, target]), float(paths.y[k, target])
        dx, dy = x - float(paths.x[before, target]), y - float(paths.y[before, target])
        seconds = (k - before) * self.views.step
        moving = seconds > 0 and math.hypot(dx, dy) / seconds >= self.least_speed
        return Sighting(str(target), '', '', True, _FEATURE, (x, y), math.atan2(dy, dx) if moving else None)


class Watchers:
    """All cameras' holders, and what they ask the coordinator for. handoff: whether they ask for handoffs too."""

    def __init__(self, site: Site, act: Act, handoff: bool) -> None:
        recognition, limits = site.perception.recognition, site.region.hold
        self._act = act
        # A camera that does not see what it took over lets go after `lost_after`, and hardly later.
        self._never_ns = round((recognition.lost_after + 0.6) * NANOSECONDS)
        self._holders = {
            name: Holder(name, recognition, limits, camera.mounting if handoff else None) for name, camera in site.cameras.items()
        }
        self._pending: dict[str, tuple[str, Handoff]] = {}
        #: How often each thing happened.
        self.counts: Counter[str] = Counter()

    def pass_time(self, camera: str, seen: Sequence[Sighting] | None, scene: str, holds: Sequence[Hold], now_ns: int) -> None:
        """One camera looked at a picture on a scene (seen None: it did not), and asks for what follows. holds: of its plan in force."""
        holder = self._holders[camera]
        requests = holder.see(seen, scene, holds, now_ns) if seen is not None else []
        for request in (*requests, *holder.pass_time(holds, now_ns)):
            self._send(holder, request, now_ns)

    def hear(self, ended: Sequence[EndedHold], now_ns: int) -> None:
        """The coordinator says which holds ended, and how handoffs did."""
        for one in ended:
            self.counts[one.why.name.lower()] += 1
            taken_ns = one.hold.taken_over_ns
            self.counts['never seen after handoff'] += (
                taken_ns > 0 and one.why is not HoldEnd.HANDED_OFF and now_ns - taken_ns <= self._never_ns
            )
            end = holding.HoldEnd.OVER if one.why in _OVER else holding.HoldEnd.LET_GO
            self._holders[one.hold.camera].ended(one.hold.target, end, now_ns)
        for camera, (target, handoff) in tuple(self._pending.items()):
            if handoff.outcome is not None:
                del self._pending[camera]
                self._handed(self._holders[camera], target, handoff.outcome, now_ns)

    def _send(self, holder: Holder, request: Request, now_ns: int) -> None:
        match request:
            case BeginHold():
                self._begin(holder, request, now_ns)
            case KeepAlive():
                self._act(lambda rotation: rotation.keep_alive(request.hold_id, now_ns))
            case EndHold():
                if request.hold_id:
                    self._act(lambda rotation: rotation.release(request.hold_id, HoldEnd.CANCELED, now_ns))
            case AskHandoff():
                wish = HandoffRequest(request.hold_id, request.heading, request.ground, holder.camera)
                answer = self._act(lambda rotation: rotation.hand_off(wish, now_ns))
                if isinstance(answer, Handoff):
                    self._pending[holder.camera] = (request.target, answer)
                else:
                    self._handed(holder, request.target, cast(HandoffOutcome, answer), now_ns)

    def _begin(self, holder: Holder, request: BeginHold, now_ns: int) -> None:
        wish = HoldRequest(holder.camera, request.scene, request.target, hold_id=request.hold_id)
        answer = self._act(lambda rotation: rotation.hold(wish, now_ns))
        if isinstance(answer, Hold):
            self.counts['holds'] += not request.hold_id
            holder.held(request.target, answer.hold_id)
        else:
            self.counts['refused'] += 1
            holder.ended(request.target, holding.HoldEnd.REFUSED, now_ns)

    def _handed(self, holder: Holder, target: str, outcome: HandoffOutcome, now_ns: int) -> None:
        self.counts[f'handoff {outcome.error.name.lower()}'] += 1
        holder.handoff_ended(target, _AGAIN.get(outcome.error, _AGAIN_OTHERWISE), now_ns)

    @property
    def holding(self) -> Mapping[str, str]:
        """By target, the camera that holds for it by what the holders know; the last one if several do."""
        return {target: name for name, holder in self._holders.items() for target in holder.holding}
