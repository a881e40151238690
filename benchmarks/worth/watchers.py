# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the cameras of a simulated region do about targets: the product's Holder, with a simple model of recognition before it.

A camera at rest recognises a target once it has seen it clearly (whole, large enough, hardly hidden; from any side) in as many looks of
its stay as the site asks for, and one more for the tracker. How well the real detector and recogniser do is measured elsewhere (targets.py,
tracking.py); here nobody is mistaken for somebody else. Where a target is and goes is what the product's own filter makes of the feet of
boxes that are as wrong as it takes them to be, in each look anew: nobody's heading is known at once, and that of slow people is not.
Where the site names a facing model, pictures say where they look, as wrongly as that model does with people that it has never seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

import numpy as np
from numpy.typing import NDArray

from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest
from collab_coordinator.core.holds import EndedHold, HoldEnd, HoldRequest
from collab_coordinator.core.protocol import Rotation
from ptz_perception.facing.headings import Facing, and_also, turned_to
from ptz_perception.holding import holder as holding
from ptz_perception.holding.holder import AskHandoff, BeginHold, EndHold, Holder, KeepAlive, Request, Sighting
from ptz_perception.locating import movement as moving
from ptz_perception.locating.ground import foot_error, foot_on_ground
from ptz_perception.locating.movement import Movement
from ptz_site import NANOSECONDS, Hold, Site
from ptz_site.geometry import Projection
from worth.views import Array, Views

#: s that a track goes on unseen; looks at the beginning of a track that are not yet good frames of it.
TRACK_BUFFER, FIRST_LOOKS = 2.0, 1
#: s until a handoff is asked for again, by how the last one ended: as perception's client does.
_AGAIN = {HandoffError.NO_BETTER_CAMERA: 1.0, HandoffError.TOO_SOON: 0.5, HandoffError.BUSY: 1.0}
_AGAIN_OTHERWISE = 5.0
_OVER = (HoldEnd.TIME_LIMIT, HoldEnd.OPERATOR, HoldEnd.STOPPED)
_FEATURE = np.zeros(1, np.float32)
#: How wrong the facing model that comes with perception is about people of 80 px and more that it has never seen, by its card: for those
#: who walk and those who stand, rad, one standard deviation, and share of pictures that say the opposite. Of the 5 % of those who stand
#: that are read wrongly by more than 45 degrees, 3 % are taken for the opposite here, which is worse than what was found.
_SPREAD, _FLIPPED = np.array([0.22, 0.35]), np.array([0.015, 0.03])
#: Mean length of what it says.
_LENGTH = 0.85
#: s for which an error lasts, and its share of the variance that does: the same light and pose mislead again.
_LASTS, _LASTING = 0.6, 0.64

#: Does something with the rotation, and publishes what comes of it.
Act = Callable[[Callable[[Rotation], object]], object]


class Asked(IntEnum):
    """What came of asking that another camera takes a target over."""

    NOT = 0  #: nobody asked since its holder changed, or long ago
    UNDER_WAY = 1  #: another camera is on its way
    REFUSED = 2  #: a moment ago: no other camera can, or it is too soon


@dataclass
class _Track:
    """A target in one camera's stay. looks: in which it was seen clearly; last_ns: the newest; movement: as the product knows it."""

    looks: int = 0
    last_ns: int = 0
    movement: Movement | None = None
    facing: Facing | None = None


class Eyes:
    """One camera's sight of targets. Steps as in Views."""

    def __init__(self, site: Site, number: int, views: Views, targets: Sequence[int], knows_facing: bool = False) -> None:
        """knows_facing: it knows exactly where they look, also while they stand, which the product does not."""
        self._knows_facing = knows_facing
        self._views, self._targets, self._number = views, targets, number
        self._recognition = site.perception.recognition
        self._projections = [_projection(site, list(site.cameras)[number], scene) for scene in site.scenes]
        # How wrong the feet of boxes are, in shares of what is expected: the same in all ways of watching.
        dice = np.random.default_rng([number, 29])
        self._errors = dice.standard_normal((len(views.clear), len(targets), 2))
        standing = views.paths.speed[:, list(targets)] < self._recognition.least_speed
        self._misread = _misread(standing.astype(int), views.step, dice) if site.perception.facing else None
        self._stay, self._tracks = 0, dict[int, _Track]()

    def look(self, k: int, scene: int, stay: int, now_ns: int) -> list[Sighting]:
        """The targets that are recognised in the picture of a step. scene: on which the camera rests; stay: differs from stay to stay."""
        if stay != self._stay:
            self._stay, self._tracks = stay, {}
        found = []
        for t, target in enumerate(self._targets):
            track = self._tracks.get(target, _Track())
            if now_ns - track.last_ns > TRACK_BUFFER * NANOSECONDS:
                track = _Track()
            self._tracks[target] = track
            if self._views.clear[k, target, self._number, scene]:
                self._follow(track, k, t, scene, now_ns)
                self._read_facing(track, k, t, now_ns)
                if track.looks >= self._recognition.good_frames + FIRST_LOOKS:
                    found.append(self._sighting(k, target, track))
        return found

    def _follow(self, track: _Track, k: int, t: int, scene: int, now_ns: int) -> None:
        """One clear look at a target: its box's foot, a little wrong, moves what is known of it."""
        track.looks, track.last_ns = track.looks + 1, now_ns
        view, paths, target = self._projections[scene], self._views.paths, self._targets[t]
        x, y, height = (float(value) for value in (paths.x[k, target], paths.y[k, target], paths.heights[target]))
        pixels, _ = view.project(np.array([[x, y, 0.0], [x, y, height]]))
        tall = float(pixels[0, 1] - pixels[1, 1])
        # Boxes count pixels from the picture's edge.
        foot = pixels[0] + 0.5 + foot_error(tall) * self._errors[k, t]
        point = foot_on_ground(view, (float(foot[0]), float(foot[1]) - tall / 2, tall / 3, tall))
        if track.movement is not None:
            track.movement = moving.predict(track.movement, now_ns)
            track.movement = track.movement if point is None else moving.correct(track.movement, point)
        elif point is not None:
            track.movement = moving.begin(point, now_ns)

    def _read_facing(self, track: _Track, k: int, t: int, now_ns: int) -> None:
        """What a picture of a target says of where they look."""
        if self._misread is not None:
            said = float(self._views.paths.facing[k, self._targets[t]]) + self._misread[k, t]
            track.facing = and_also(track.facing, _LENGTH * np.array([math.cos(said), math.sin(said)]), now_ns)

    def _sighting(self, k: int, target: int, track: _Track) -> Sighting:
        movement, paths = track.movement, self._views.paths
        if self._knows_facing:
            place = (float(paths.x[k, target]), float(paths.y[k, target]))
            return Sighting(str(target), '', '', True, _FEATURE, place, float(paths.facing[k, target]))
        if movement is None:
            return Sighting(str(target), '', '', True, _FEATURE)
        heading = turned_to(track.facing, movement.heading(self._recognition.least_speed), movement.stamp_ns)
        return Sighting(str(target), '', '', True, _FEATURE, movement.position, heading)


def _misread(standing: NDArray[np.int64], step: float, dice: np.random.Generator) -> Array:
    """(T, targets), rad: by how much what a picture says is wrong. standing: the same shape, 1 for those who stand, else 0."""
    steps, targets = standing.shape
    rows = (np.arange(steps) * step / _LASTS).astype(int)
    lasting, turned = dice.standard_normal((steps, targets))[rows], dice.random((steps, targets))[rows] < _FLIPPED[standing]
    own = dice.standard_normal((steps, targets))
    return np.asarray(_SPREAD[standing] * (math.sqrt(_LASTING) * lasting + math.sqrt(1 - _LASTING) * own) + np.pi * turned)


def _projection(site: Site, camera: str, scene: str) -> Projection:
    position = site.preset(camera, scene)
    projection = site.cameras[camera].projection(position) if position is not None else None
    assert projection is not None
    return projection


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
        self._refused_until_ns: dict[str, int] = {}
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
        again = _AGAIN.get(outcome.error, _AGAIN_OTHERWISE)
        holder.handoff_ended(target, again, now_ns, or_turned=outcome.error is HandoffError.NO_BETTER_CAMERA)
        self._refused_until_ns[target] = now_ns + round(again * NANOSECONDS) if outcome.error in _AGAIN else 0

    def asked(self, target: str, now_ns: int) -> Asked:
        """Whether somebody asked for another camera for a target."""
        if any(pending == target for pending, _ in self._pending.values()):
            return Asked.UNDER_WAY
        return Asked.REFUSED if now_ns <= self._refused_until_ns.get(target, 0) else Asked.NOT

    @property
    def holding(self) -> Mapping[str, str]:
        """By target, the camera that holds for it by what the holders know; the last one if several do."""
        return {target: name for name, holder in self._holders.items() for target in holder.holding}
