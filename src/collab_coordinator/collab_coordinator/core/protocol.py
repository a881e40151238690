# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The life of a rotation: facts and times in, plan revisions out.

Everything that changes who watches what is a new revision: start, hold, resume, swap, a camera that goes out or comes back, stop.
All times are ns of ROS time and are given; calls come in the order of time.
"""

from __future__ import annotations

from dataclasses import replace

from collab_coordinator.core import transitions
from collab_coordinator.core.coverage import CoverageMeter
from collab_coordinator.core.crew import Crew
from collab_coordinator.core.fleet import CameraReport, Fleet
from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest
from collab_coordinator.core.handoffs import Handoffs
from collab_coordinator.core.holds import EndedHold, HoldEnd, HoldError, HoldRequest, Holds
from collab_coordinator.core.roster import Roster, restored
from collab_coordinator.core.rotation import Outcome, Progress, Revisions, RotationError, RotationRequest, RotationState
from collab_coordinator.core.start import dwell_refusal, patience, slot_zero_ns, start_problem
from collab_coordinator.core.stays import StayMeter
from collab_coordinator.planning import Schedule, plan_orders, reach_of
from collab_coordinator.planning.turn_order import turn_times
from ptz_site import NANOSECONDS, Hold, Plan, PlanBook, PlanMode, Site

#: A change of the dwell is told so long before.
NOTICE_NS = NANOSECONDS // 2
#: A revision is sent again while somebody does not follow it.
RESEND_NS = NANOSECONDS


class Rotation:
    """One rotation, from the request to its end. Call advance() several times a second; take_plans() has what is to be published."""

    def __init__(self, site: Site, request: RotationRequest, revisions: Revisions) -> None:
        self._site, self._request, self._revisions = site, request, revisions
        weights, turns = {name: scene.weight for name, scene in site.scenes.items()}, turn_times(site)
        self.schedule: Schedule = plan_orders(reach_of(site), tuple(site.scenes), weights, turns)
        self._roster = Roster(site, self.schedule.orders, turns)
        self._crew = Crew(round(site.region.silence_timeout * NANOSECONDS))
        self._holds = Holds(site.region.hold)
        self._handoffs = Handoffs(site, self._roster, self._crew, self._holds)
        self._book = PlanBook()
        self._outbox: list[Plan] = []
        self._ended_holds: list[EndedHold] = []
        self._asked_ns: int | None = None
        self._began_ns = 0
        self._sent_ns = 0
        self._meter: CoverageMeter | None = None
        self._stays = StayMeter()
        self.state = RotationState.GATHERING
        self.plan: Plan | None = None
        self.plan_since_ns = 0
        self.outcome: Outcome | None = None
        if problem := dwell_refusal(site, request.dwell_ns, self.schedule.orders):
            self._fail(RotationError.BAD_DWELL, problem)

    @classmethod
    def adopt(cls, site: Site, plan: Plan, revisions: Revisions, fleet: Fleet, now_ns: int) -> Rotation:
        """Goes on with a plan of an earlier coordinator, also in the middle of a hold or a handoff. Nothing moves because of it."""
        rotation = cls(site, RotationRequest(plan.dwell_ns, slots=plan.end_slot), revisions)
        rotation.state, rotation.outcome = RotationState.STARTED, None
        rotation._roster.adopt(restored(plan.orders, plan.holds, plan.first_slot))
        rotation._crew.begin(dict.fromkeys(plan.out, 'is out since before this coordinator started'), now_ns)
        for hold in plan.holds:
            rotation._holds.adopt(hold, now_ns)
            rotation._handoffs.adopt(hold, now_ns)
        rotation._began_ns = plan.slot_start_ns - plan.first_slot * plan.dwell_ns if plan.slot_start_ns else plan.effective_at_ns
        rotation._begin_measuring(max(now_ns, rotation._began_ns), fleet)
        revisions.saw(plan.revision)
        revisions.leave_room(now_ns - plan.effective_at_ns)
        rotation._publish(plan, now_ns)
        return rotation

    # What happens

    def advance(self, now_ns: int, fleet: Fleet) -> None:
        """Goes on to an instant."""
        if self.state is RotationState.GATHERING:
            self._gather(now_ns, fleet)
        elif self.state is RotationState.STARTED and self.plan is not None:
            ends = self.plan.ends_ns()
            if ends is not None and now_ns >= ends:
                self._end(now_ns, Outcome(RotationError.NONE), 'all slots were run')
                return
            reasons = [*self._expire(now_ns), *self._look_at_crew(now_ns, fleet), *self._carry_on_handoffs(now_ns, fleet)]
            if self._revisions.highest > self.plan.revision:
                # A camera that was not there has taken a newer plan, of an earlier coordinator.
                reasons.append('a camera named a newer revision')
            if reasons:
                self._revise(now_ns, '; '.join(reasons))
            elif now_ns - self._sent_ns >= RESEND_NS and set(fleet.behind(self.plan)) - set(self._crew.out):
                self._sent_ns = now_ns
                self._outbox.append(self.plan)

    def take_plans(self) -> tuple[Plan, ...]:
        """The revisions to publish since the last call, in order; one that was not followed may come again."""
        plans, self._outbox = tuple(self._outbox), []
        return plans

    def take_ended_holds(self) -> tuple[EndedHold, ...]:
        """The holds that ended or changed hands since the last call."""
        ended, self._ended_holds = tuple(self._ended_holds), []
        return ended

    def take(self, report: CameraReport) -> None:
        """Counts a report for coverage and stays."""
        if self._meter is not None and self.state is RotationState.STARTED:
            self._meter.take(report)
            self._stays.take(report)

    def listen_anew(self, now_ns: int) -> None:
        """Nothing could be heard until now, because the coordinator stood still: no holder is to blame for its silence."""
        self._holds.listen_anew(now_ns)

    def stop(self, now_ns: int, error: RotationError, reason: str) -> None:
        """Ends the rotation at once."""
        if self.state is RotationState.STARTED:
            self._end(now_ns, Outcome(error, reason), reason)
        elif self.state is RotationState.GATHERING:
            self._fail(error, reason)

    def leave(self, now_ns: int, error: RotationError, reason: str) -> Outcome:
        """Ends only the coordinator's part: no plan is published, the cameras go on by the one they have."""
        if self.outcome is None:
            self._handoffs.leave(reason)
            return self._settle(now_ns, Outcome(error, reason))
        return self.outcome

    # Holds

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What holds the rotation, the oldest first."""
        return self._holds.on

    @property
    def out(self) -> dict[str, str]:
        """The cameras that can't be counted on, with the reasons."""
        return dict(self._crew.out)

    def hold(self, request: HoldRequest, now_ns: int) -> Hold | tuple[HoldError, str]:
        """Holds the rotation at once, or says why not."""
        plan = self._book.in_force(now_ns)
        if self.state is not RotationState.STARTED or plan is None or plan.mode is PlanMode.STOPPED:
            return HoldError.NOT_RUNNING, 'no rotation is running; there is nothing to hold'
        if request.hold_id:
            return self._go_on_holding(request, now_ns)
        if request.camera and request.camera not in self._site.cameras:
            return HoldError.UNKNOWN_CAMERA, f'no camera {request.camera}; the site has {", ".join(self._site.cameras)}'
        if request.scene and request.scene not in self._site.scenes:
            return HoldError.UNKNOWN_SCENE, f'no scene {request.scene}; the site has {", ".join(self._site.scenes)}'
        if request.camera and not request.scene:
            request = replace(request, scene=plan.scene(request.camera, now_ns))
        at = transitions.slot_to_hold(request, plan, now_ns)
        if at is None:
            on = plan.scene(request.camera, now_ns) if request.camera else ''
            where = (
                f'{request.camera} is on {on or "nothing"}, not on {request.scene}' if on else f'no camera is on {request.scene}'
            )
            return HoldError.NOT_ON_SCENE, where
        slot, elapsed = at
        camera = request.camera or self._somebody_on(request.scene, plan, slot)
        hold = self._holds.begin(replace(request, camera=camera), f'hold-{self._revisions.next}', now_ns)
        self._revise(now_ns, f'hold: {request.reason or "asked for"}', (slot, elapsed))
        return hold

    def keep_alive(self, hold_id: str, now_ns: int) -> bool:
        """The holder is there; False if there is no such hold."""
        return self._holds.heard(hold_id, now_ns)

    def release(self, hold_id: str, why: HoldEnd, now_ns: int) -> bool:
        """Ends a hold; False if it is not on."""
        ended = self._holds.end(hold_id, why, now_ns)
        if ended is None:
            return False
        self._ended_holds.append(ended)
        self._handoffs.drop(hold_id)
        self._revise(now_ns, f'{hold_id} ended: {why.name.lower().replace("_", " ")}')
        return True

    # Dwell

    @property
    def dwell_ns(self) -> int:
        """The length of a slot."""
        return self.plan.dwell_ns if self.plan is not None else self._request.dwell_ns

    def change_dwell(self, dwell_ns: int, now_ns: int) -> bool:
        """Makes slots longer or shorter from the next one on; False if that can't be now: the rotation is held, or about to change."""
        last = self._book.in_force(now_ns)
        if last is None or last is not self.plan or last.mode is not PlanMode.RUNNING or now_ns < last.slot_start_ns:
            return False
        boundary = last.next_slot_ns(now_ns)
        if boundary is None or boundary - now_ns < NOTICE_NS or dwell_refusal(self._site, dwell_ns, self.schedule.orders):
            return False
        changed = replace(
            transitions.with_dwell(last, dwell_ns, boundary),
            revision=self._revisions.following(),
            coordinator=self._revisions.coordinator,
            reason=f'dwell of {dwell_ns / NANOSECONDS:g} s',
        )
        self._stays.held(changed.first_slot)
        self._publish(changed, now_ns)
        return True

    # Handoff

    def hand_off(self, request: HandoffRequest, now_ns: int) -> Handoff | HandoffOutcome:
        """Begins a handoff, or says why not."""
        if self.plan is None:
            return HandoffOutcome(HandoffError.NO_HOLD, 'no rotation is running')
        begun = self._handoffs.begin(request, self.plan.first_slot, now_ns)
        if isinstance(begun, HandoffOutcome):
            return begun
        handoff, reason = begun
        self._revise(now_ns, reason)
        return handoff

    def cancel_handoff(self, hold_id: str, now_ns: int) -> None:
        """Ends a handoff that is under way; the candidate goes back."""
        if self._handoffs.drop(hold_id):
            self._revise(now_ns, f'handoff of {hold_id} canceled')

    # How it goes

    def progress(self, now_ns: int, fleet: Fleet) -> Progress:
        """How it goes now."""
        plan = self._book.in_force(now_ns)
        if plan is None or self.plan is None:
            return Progress(False, False, 0, 0, self._request.slots, 0, 0, (), (), fleet.unready(now_ns))
        slot = plan.slot(now_ns)
        running = plan.mode is not PlanMode.STOPPED and now_ns >= self._began_ns
        assignments = tuple((order.camera, plan.scene(order.camera, now_ns)) for order in plan.orders)
        covered = {scene for camera, scene in assignments if camera not in self._crew.out}
        waiting = {*fleet.missing(now_ns), *fleet.behind(self.plan)}
        held = plan.mode is PlanMode.HELD
        left = plan.dwell_ns - plan.slot_elapsed_ns if held else plan.slot_begins_ns(slot + 1) - now_ns
        return Progress(
            running,
            held,
            max(0, now_ns - self._began_ns),
            slot,
            plan.end_slot,
            left if running else 0,
            self.plan.revision,
            assignments,
            tuple(scene for scene in self._site.scenes if scene not in covered) if running else (),
            tuple(camera for camera in fleet.cameras if camera in waiting),
        )

    # Steps of advance()

    def _gather(self, now_ns: int, fleet: Fleet) -> None:
        if self._asked_ns is None:
            self._asked_ns = now_ns
        present = fleet.present(now_ns)
        if fleet.unready(now_ns) and now_ns - self._asked_ns < round(patience(self._site, present) * NANOSECONDS):
            return
        problem = start_problem(self._site, present, self.schedule.orders, fleet)
        if problem is not None:
            self._fail(*problem)
            return
        self._start(now_ns, fleet, present)

    def _start(self, now_ns: int, fleet: Fleet, present: tuple[str, ...]) -> None:
        start = self._request.start_ns or slot_zero_ns(self._site, self.schedule.orders, fleet, now_ns)
        self.state, self._began_ns = RotationState.STARTED, start
        self._crew.begin({camera: 'has not reported' for camera in fleet.cameras if camera not in present}, now_ns)
        self._begin_measuring(start, fleet)
        plan = Plan(
            region=self._site.region.name,
            revision=self._revisions.following(),
            effective_at_ns=now_ns,
            mode=PlanMode.RUNNING,
            dwell_ns=self._request.dwell_ns,
            orders=self._roster.running(0, self._crew.out),
            slot_start_ns=start,
            end_slot=self._request.slots or self._request.cycles * self.schedule.slots_per_cycle,
            out=tuple(self._crew.out),
            coordinator=self._revisions.coordinator,
            reason='start',
        )
        self._publish(plan, now_ns)

    def _expire(self, now_ns: int) -> list[str]:
        ended = self._holds.expire(now_ns)
        for one in ended:
            self._ended_holds.append(one)
            self._handoffs.drop(one.hold.hold_id)
        return [f'{one.hold.hold_id} ended: {one.why.name.lower().replace("_", " ")}' for one in ended]

    def _look_at_crew(self, now_ns: int, fleet: Fleet) -> list[str]:
        assert self.plan is not None
        before = set(self._crew.out)
        if not self._crew.update(now_ns, fleet, self.plan, self.plan_since_ns):
            return []
        gone = [f'{camera} {self._crew.out[camera]}' for camera in self._crew.out if camera not in before]
        back = [f'{camera} is back' for camera in fleet.cameras if camera in before and camera not in self._crew.out]
        return gone + back

    def _carry_on_handoffs(self, now_ns: int, fleet: Fleet) -> list[str]:
        assert self.plan is not None
        reasons, ended = self._handoffs.carry_on(now_ns, fleet, self.plan, self._revisions.next)
        self._ended_holds += ended
        return reasons

    # Parts of the above

    def _somebody_on(self, scene: str, plan: Plan, slot: int) -> str:
        """A camera that is on a scene, one that can be counted on first; empty for no scene."""
        watching = [order.camera for order in plan.orders if scene and order.scene(slot) == scene]
        return min(watching, key=lambda camera: camera in self._crew.out, default='')

    def _go_on_holding(self, request: HoldRequest, now_ns: int) -> Hold | tuple[HoldError, str]:
        hold = self._holds.get(request.hold_id)
        if hold is None:
            return HoldError.UNKNOWN_HOLD, f'there is no hold {request.hold_id}; it has ended'
        if request.camera != hold.camera:
            return HoldError.NOT_ON_SCENE, f'{request.hold_id} is held by {hold.camera or "an operator"}, not by {request.camera}'
        self._holds.heard(hold.hold_id, now_ns)
        return hold

    def _revise(self, now_ns: int, reason: str, stand: tuple[int, int] | None = None) -> None:
        """Publishes what follows from the present holds, crew and orders. stand: slot and elapsed ns of a hold that begins."""
        last = self._book.in_force(now_ns)
        assert last is not None and self.plan is not None
        if self._holds.on:
            plan = transitions.standing(last, now_ns, stand)
        elif self.plan.mode is PlanMode.HELD:
            plan = transitions.resumed(self.plan, now_ns + round(self._site.region.hold.resume_delay * NANOSECONDS))
        elif last.mode is PlanMode.HELD:
            plan = self.plan  # it resumes soon, and goes on doing so
        else:
            plan = transitions.running(last, now_ns)
        slot, out = plan.first_slot, self._crew.out
        plan = replace(
            plan,
            revision=self._revisions.following(),
            orders=self._roster.standing(slot, out, self._holds.on) if self._holds.on else self._roster.running(slot, out),
            out=tuple(self._crew.out),
            holds=self._holds.on,
            coordinator=self._revisions.coordinator,
            reason=reason,
        )
        self._stays.held(plan.first_slot)
        self._publish(plan, now_ns)

    def _begin_measuring(self, begin_ns: int, fleet: Fleet) -> None:
        self._stays = StayMeter(begin_ns)
        self._meter = CoverageMeter(self._site.scenes, begin_ns, round(self._site.region.silence_timeout * NANOSECONDS))
        for camera in fleet.cameras:
            if (report := fleet.newest(camera)) is not None:
                self._meter.take(report)
                self._stays.take(report)

    def _publish(self, plan: Plan, now_ns: int) -> None:
        self.plan, self.plan_since_ns, self._sent_ns = plan, now_ns, now_ns
        self._book.take(plan)
        self._book.forget_before(now_ns - 60 * NANOSECONDS)
        self._outbox.append(plan)

    def _end(self, now_ns: int, outcome: Outcome, reason: str) -> None:
        last = self._book.in_force(now_ns)
        assert last is not None
        self._settle(now_ns, outcome)
        for hold in self._holds.on:
            ended = self._holds.end(hold.hold_id, HoldEnd.STOPPED, now_ns)
            self._ended_holds += [ended] if ended else []
            self._handoffs.drop(hold.hold_id)
        stopped = replace(
            transitions.stopped(last, now_ns),
            revision=self._revisions.following(),
            coordinator=self._revisions.coordinator,
            reason=reason,
        )
        self._publish(stopped, now_ns)

    def _settle(self, now_ns: int, outcome: Outcome) -> Outcome:
        self.state = RotationState.ENDED
        plan = self._book.in_force(now_ns)
        if plan is not None and self._meter is not None:
            ends = plan.ends_ns()
            end = now_ns if ends is None else min(now_ns, ends)
            slots = transitions.slots_run(plan, end)
            outcome = replace(outcome, slots=slots, coverage=self._meter.finish(end), stays=self._stays.finish())
        self.outcome = outcome
        return outcome

    def _fail(self, error: RotationError, message: str) -> None:
        self.state = RotationState.ENDED
        self.outcome = Outcome(error, message)
