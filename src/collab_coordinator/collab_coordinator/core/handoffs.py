# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The handoffs that are under way, one for each hold at most: who is asked, who has arrived, who takes over. Times in ns."""

from __future__ import annotations

import math
from dataclasses import replace

from collab_coordinator.core.crew import Crew
from collab_coordinator.core.facing import better_facing, nearest_first
from collab_coordinator.core.fleet import FOLLOW_GRACE_NS, Fleet
from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest, has_arrived
from collab_coordinator.core.holds import EndedHold, HoldEnd, Holds
from collab_coordinator.core.roster import Roster
from ptz_site import NANOSECONDS, Hold, Plan, Site


class Handoffs:
    """Changes holds and orders as handoffs go on; what it says has changed is to be published as a new revision."""

    def __init__(self, site: Site, roster: Roster, crew: Crew, holds: Holds) -> None:
        self._site, self._roster, self._crew, self._holds = site, roster, crew, holds
        self._on: dict[str, Handoff] = {}

    def adopt(self, hold: Hold, now_ns: int) -> None:
        """Goes on with the handoff of an earlier coordinator: its candidate is on its way, others are not known."""
        if hold.candidate:
            self._on[hold.hold_id] = Handoff(hold.hold_id, [], (), now_ns, hold.candidate, now_ns)

    def begin(self, request: HandoffRequest, slot: int, now_ns: int) -> tuple[Handoff, str] | HandoffOutcome:
        """Sends the first candidate, and says so; or says why there is no handoff. slot: in which the rotation stands."""
        hold = self._holds.get(request.hold_id)
        if hold is None:
            return HandoffOutcome(HandoffError.NO_HOLD, f'there is no hold {request.hold_id}')
        if hold.hold_id in self._on:
            return HandoffOutcome(HandoffError.BUSY, f'{hold.hold_id} is being handed off to {hold.candidate} already')
        wait = self._site.region.hold.handoff_interval - (now_ns - hold.taken_over_ns) / NANOSECONDS
        if hold.taken_over_ns and wait > 0:
            return HandoffOutcome(HandoffError.TOO_SOON, f'the last handoff was a moment ago; ask again in {wait:.1f} s')
        candidates = self._candidates(hold, request, slot)
        if not candidates:
            reason = f'no camera that can take over faces the target better than {hold.camera or "the present one"}'
            return HandoffOutcome(HandoffError.NO_BETTER_CAMERA, reason)
        handoff = self._on[hold.hold_id] = Handoff(hold.hold_id, candidates, request.feature, now_ns)
        return handoff, self._try_next(handoff, hold, slot, now_ns)

    def carry_on(self, now_ns: int, fleet: Fleet, plan: Plan, next_revision: int) -> tuple[list[str], list[EndedHold]]:
        """Completes handoffs whose candidate has arrived and tries others where one has not: what changed, and who holds no longer.

        plan: the newest one; next_revision: the number of the one that will tell of it.
        """
        reasons, ended = [], []
        limit_ns = round(self._site.region.arrival_timeout * NANOSECONDS) + FOLLOW_GRACE_NS
        for handoff in tuple(self._on.values()):
            hold = self._holds.get(handoff.hold_id)
            if hold is None:
                continue
            out = handoff.candidate in self._crew.out
            if not out and has_arrived(fleet.newest(handoff.candidate), hold, plan.revision):
                reasons.append(self._complete(handoff, hold, plan.first_slot, now_ns, next_revision))
                ended.append(EndedHold(hold, HoldEnd.HANDED_OFF, now_ns))
            elif out or now_ns - handoff.ordered_ns > limit_ns:
                reasons.append(self._try_next(handoff, hold, plan.first_slot, now_ns))
        return reasons, ended

    def drop(self, hold_id: str) -> bool:
        """Ends a handoff; its candidate goes back. False if there is none."""
        handoff = self._on.pop(hold_id, None)
        if handoff is None:
            return False
        hold = self._holds.get(hold_id)
        if hold is not None:
            self._holds.change(replace(hold, candidate='', candidate_scene=''))
        handoff.outcome = HandoffOutcome(HandoffError.CANCELED, 'canceled' if hold else f'{hold_id} has ended')
        return True

    def leave(self, reason: str) -> None:
        """The coordinator ends; the next one goes on."""
        for handoff in self._on.values():
            handoff.outcome = handoff.outcome or HandoffOutcome(HandoffError.SHUTDOWN, reason)

    def _try_next(self, handoff: Handoff, hold: Hold, slot: int, now_ns: int) -> str:
        candidate = handoff.next_candidate(now_ns)
        if not candidate:
            self._holds.change(replace(hold, candidate='', candidate_scene=''))
            del self._on[hold.hold_id]
            tried = ', '.join(handoff.tried)
            handoff.outcome = HandoffOutcome(
                HandoffError.NOT_ARRIVED, f'{tried} did not arrive at {hold.scene}; {hold.camera} stays'
            )
            return f'handoff of {hold.hold_id} failed: {handoff.outcome.message}'
        self._holds.change(replace(hold, candidate=candidate, candidate_scene=self._roster.scene(candidate, slot)))
        return f'handoff: {candidate} goes to {hold.scene}'

    def _complete(self, handoff: Handoff, hold: Hold, slot: int, now_ns: int, revision: int) -> str:
        candidate = handoff.candidate
        took = self._roster.swap(hold, self._others(hold), slot)
        self._holds.hand_over(hold.hold_id, candidate, handoff.feature, now_ns)
        del self._on[hold.hold_id]
        handoff.outcome = HandoffOutcome(HandoffError.NONE, '', candidate, took, revision)
        return f'{candidate} takes over {hold.scene}, {hold.camera} takes {took}'

    def _candidates(self, hold: Hold, request: HandoffRequest, slot: int) -> list[str]:
        busy = {h.camera for h in self._holds.on} | {h.candidate for h in self._holds.on} | set(self._crew.out)
        poses = {name: camera.mounting for name, camera in self._site.cameras.items() if camera.mounting is not None}
        margin = math.radians(self._site.region.hold.handoff_margin)
        there = {
            order.camera
            for order in self._roster.standing(slot, self._crew.out, self._holds.on)
            if order.scene(slot) == hold.scene
        }
        return [
            facing.camera
            for facing in nearest_first(better_facing(request.heading, request.ground, hold.camera, poses, margin), there)
            if facing.camera not in busy and self._roster.can_swap(hold, facing.camera, slot, self._crew.out, self._others(hold))
        ]

    def _others(self, hold: Hold) -> tuple[Hold, ...]:
        return tuple(other for other in self._holds.on if other.hold_id != hold.hold_id)
