# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The life of a rotation: facts and times in, plan revisions out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum

from collab_coordinator.coverage import Coverage, CoverageMeter
from collab_coordinator.fleet import CameraReport, Fleet, Level
from collab_coordinator.planner import Schedule, plan_orders, reach_of
from collab_coordinator.turns import approach_time, dwell_problem, planned_turns, slowest_turn
from ptz_site import CameraOrder, Plan, PlanMode, Site

NANOSECONDS = 1_000_000_000
#: From the first revision to slot 0, beside the slowest turn: time for the plan to reach all cameras, and for them to come to rest.
START_DELAY_NS = NANOSECONDS


class RotationError(IntEnum):
    """How a rotation ended. Values as in RunRotation.action."""

    NONE = 0
    BUSY = 100
    BAD_DWELL = 101
    NO_CAMERAS = 102
    NOTHING_TO_WATCH = 103
    CLOCK_OFFSET = 104
    CANCELED = 105
    SHUTDOWN = 106
    BAD_GOAL = 107


class RotationState(Enum):
    """Where a rotation is in its life."""

    GATHERING = 'gathering'  # waits for the cameras' first reports
    STARTED = 'started'  # the plan is out; before slot 0 the cameras take up their first scenes
    ENDED = 'ended'


@dataclass(frozen=True)
class RotationRequest:
    """What is asked for. start_ns 0: as soon as the cameras are ready; slots and cycles 0: without end."""

    dwell_ns: int
    start_ns: int = 0
    slots: int = 0
    cycles: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a rotation ended, and what was covered."""

    error: RotationError
    message: str = ''
    slots: int = 0
    coverage: tuple[Coverage, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How a rotation goes, at one instant. Fields as in the feedback of RunRotation.action, times in ns."""

    running: bool
    elapsed_ns: int
    slot: int
    slots: int
    plan_revision: int
    assignments: tuple[tuple[str, str], ...]
    uncovered: tuple[str, ...]
    waiting_for: tuple[str, ...]


class Revisions:
    """Numbers plan revisions: always above every number that was seen anywhere, so that none is used twice."""

    def __init__(self, coordinator: str) -> None:
        self.coordinator = coordinator
        self.highest = 0

    def saw(self, revision: int) -> None:
        """Notes a revision that a camera or the plan topic named."""
        self.highest = max(self.highest, revision)

    def following(self) -> int:
        """The next number; it counts as used."""
        self.highest += 1
        return self.highest


class Rotation:
    """One rotation, from the request to its end. advance() it with the time; it returns a plan when one is to be published."""

    def __init__(self, site: Site, request: RotationRequest, revisions: Revisions) -> None:
        self._site = site
        self._request = request
        self._revisions = revisions
        self._asked_ns: int | None = None
        self._meter: CoverageMeter | None = None
        self.state = RotationState.GATHERING
        self.schedule: Schedule | None = None
        self.plan: Plan | None = None
        self.plan_since_ns = 0
        self.outcome: Outcome | None = None
        #: Another coordinator that publishes plans for this region at the same time; empty: none was seen.
        self.rival = ''
        problem = _dwell_problem(site, request.dwell_ns, plan_orders(reach_of(site), tuple(site.scenes)).orders)
        if problem:
            self._fail(RotationError.BAD_DWELL, problem)

    def advance(self, now_ns: int, fleet: Fleet) -> Plan | None:
        """Goes on to now_ns (which must not be before an earlier one); the revision to publish, if there is one."""
        if self.state is RotationState.GATHERING:
            return self._gather(now_ns, fleet)
        if self.state is RotationState.STARTED and self.plan is not None:
            ends = self.plan.ends_ns()
            if ends is not None and now_ns >= ends:
                return self._end(now_ns, Outcome(RotationError.NONE), 'all slots were run')
            if self._revisions.highest > self.plan.revision and not self.rival:
                # A camera that was not there at the start has taken a newer plan, of an earlier coordinator.
                return self._publish(
                    replace(self.plan, revision=self._revisions.following(), reason='a camera named a newer revision'), now_ns
                )
        return None

    def stop(self, now_ns: int, error: RotationError, reason: str) -> Plan | None:
        """Ends the rotation at once; the STOPPED revision, if there is a plan to stop."""
        if self.state is RotationState.STARTED:
            return self._end(now_ns, Outcome(error, reason), reason)
        if self.state is RotationState.GATHERING:
            self._fail(error, reason)
        return None

    def take(self, report: CameraReport) -> None:
        """Counts a report for the coverage."""
        if self._meter is not None and self.state is RotationState.STARTED:
            self._meter.take(report)

    def saw_plan(self, plan: Plan) -> None:
        """Notices a plan that another coordinator published over ours. Ours is not numbered above it: that would go on for ever."""
        if self.plan is None or self.state is not RotationState.STARTED or plan.coordinator == self._revisions.coordinator:
            return
        if plan.revision > self.plan.revision:
            self.rival = plan.coordinator or 'unnamed'

    def leave(self, now_ns: int, error: RotationError, reason: str) -> Outcome:
        """Ends only the coordinator's part: no plan is published, the cameras go on by the one they have."""
        if self.outcome is None:
            return self._settle(now_ns, Outcome(error, reason))
        return self.outcome

    def progress(self, now_ns: int, fleet: Fleet) -> Progress:
        """How it goes now."""
        plan = self.plan
        if plan is None:
            return Progress(False, 0, 0, self._request.slots, 0, (), (), fleet.missing(now_ns))
        running = now_ns >= plan.slot_start_ns
        assignments = tuple((order.camera, plan.scene(order.camera, now_ns)) for order in plan.orders)
        able = {camera for camera in fleet.cameras if fleet.health(camera, now_ns, plan, self.plan_since_ns).level is Level.OK}
        covered = {scene for camera, scene in assignments if camera in able}
        waiting = set(fleet.missing(now_ns)) | set(fleet.behind(plan))
        return Progress(
            running,
            max(0, now_ns - plan.slot_start_ns),
            plan.slot(now_ns),
            plan.end_slot,
            plan.revision,
            assignments,
            tuple(scene for scene in self._site.scenes if scene not in covered) if running else (),
            tuple(camera for camera in fleet.cameras if camera in waiting),
        )

    def _gather(self, now_ns: int, fleet: Fleet) -> Plan | None:
        if self._asked_ns is None:
            self._asked_ns = now_ns
        present = fleet.present(now_ns)
        waited = now_ns - self._asked_ns >= self._site.region.start_timeout * NANOSECONDS
        if len(present) < len(fleet.cameras) and not waited:
            return None
        schedule = plan_orders(reach_of(self._site, present), tuple(self._site.scenes))
        problem = self._start_problem(present, schedule, fleet)
        if problem is not None:
            self._fail(*problem)
            return None
        return self._start(now_ns, schedule, fleet)

    def _start_problem(self, present: tuple[str, ...], schedule: Schedule, fleet: Fleet) -> tuple[RotationError, str] | None:
        if not present:
            cameras, timeout = ', '.join(fleet.cameras), self._site.region.start_timeout
            return RotationError.NO_CAMERAS, f'no camera reported within {timeout:g} s ({cameras}); are the drivers running?'
        if offset := self._clock_problem(present, fleet):
            return RotationError.CLOCK_OFFSET, offset
        if not schedule.orders:
            return RotationError.NOTHING_TO_WATCH, f'none of {", ".join(present)} reaches a scene; give them presets'
        if dwell := _dwell_problem(self._site, self._request.dwell_ns, schedule.orders):
            return RotationError.BAD_DWELL, dwell
        return None

    def _start(self, now_ns: int, schedule: Schedule, fleet: Fleet) -> Plan:
        start = self._request.start_ns or self._site_start(now_ns) or now_ns + self._lead_ns(schedule, fleet)
        self.schedule = schedule
        self.state = RotationState.STARTED
        silence_ns = round(self._site.region.silence_timeout * NANOSECONDS)
        self._meter = CoverageMeter(self._site.scenes, start, silence_ns)
        for camera in fleet.cameras:
            if (report := fleet.newest(camera)) is not None:
                self._meter.take(report)
        plan = Plan(
            region=self._site.region.name,
            revision=self._revisions.following(),
            effective_at_ns=now_ns,
            mode=PlanMode.RUNNING,
            dwell_ns=self._request.dwell_ns,
            orders=schedule.orders,
            slot_start_ns=start,
            end_slot=self._request.slots or self._request.cycles * schedule.slots_per_cycle,
            coordinator=self._revisions.coordinator,
            reason='start',
        )
        return self._publish(plan, now_ns)

    def _lead_ns(self, schedule: Schedule, fleet: Fleet) -> int:
        positions = {
            camera: report.position
            for camera in fleet.cameras
            if (report := fleet.newest(camera)) is not None and report.position is not None
        }
        slowest = slowest_turn(planned_turns(self._site, schedule.orders))
        seconds = max(slowest.seconds if slowest else 0.0, approach_time(self._site, schedule.orders, positions))
        return START_DELAY_NS + round(seconds * NANOSECONDS)

    def _site_start(self, now_ns: int) -> int:
        """The site's start time in ns; 0 if it gives none, or if it is over."""
        start = self._site.region.start
        if start is None:
            return 0
        ns = (start - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) * 1000
        return ns if ns > now_ns else 0

    def _clock_problem(self, cameras: tuple[str, ...], fleet: Fleet) -> str:
        limits = self._site.region.clock
        if limits.allow_beyond:
            return ''
        for camera in cameras:
            report = fleet.newest(camera)
            if report is not None and abs(report.clock_offset) > limits.max_offset:
                return (
                    f'clock of {camera} is off by {report.clock_offset:+.3f} s, more than {limits.max_offset:g} s; set it (NTP), '
                    'or set region.clock.allow_beyond: true'
                )
        return ''

    def _publish(self, plan: Plan, now_ns: int) -> Plan:
        self.plan, self.plan_since_ns = plan, now_ns
        return plan

    def _end(self, now_ns: int, outcome: Outcome, reason: str) -> Plan:
        assert self.plan is not None
        last = self.plan
        self._settle(now_ns, outcome)
        stopped = replace(
            last,
            revision=self._revisions.following(),
            effective_at_ns=now_ns,
            mode=PlanMode.STOPPED,
            first_slot=last.slot(now_ns),
            end_slot=0,
            reason=reason,
        )
        return self._publish(stopped, now_ns)

    def _settle(self, now_ns: int, outcome: Outcome) -> Outcome:
        self.state = RotationState.ENDED
        if self.plan is not None and self._meter is not None:
            ends = self.plan.ends_ns()
            end = now_ns if ends is None else min(now_ns, ends)
            slots = max(0, end - self.plan.slot_start_ns) // self.plan.dwell_ns
            outcome = replace(outcome, slots=slots, coverage=self._meter.finish(end))
        self.outcome = outcome
        return outcome

    def _fail(self, error: RotationError, message: str) -> None:
        self.state = RotationState.ENDED
        self.outcome = Outcome(error, message)


def _dwell_problem(site: Site, dwell_ns: int, orders: tuple[CameraOrder, ...]) -> str:
    return dwell_problem(dwell_ns / NANOSECONDS, slowest_turn(planned_turns(site, orders)))
