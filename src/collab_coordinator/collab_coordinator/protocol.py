# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The life of one rotation: facts and times in, plan revisions out. No clock, no messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ptz_site import CameraOrder, Plan, PlanMode


class Stage(Enum):
    """Where a rotation is in its life."""

    WAITING_FOR_CAMERAS = 'waiting for cameras'
    WAITING_FOR_START = 'waiting for the start'
    RUNNING = 'running'
    ENDED = 'ended'


@dataclass(frozen=True)
class CameraFact:
    """What is known of a camera from its newest state; times in ns."""

    camera: str
    heard_ns: int
    plan_revision: int
    scene: str
    in_position: bool
    fault_text: str = ''


@dataclass
class RevisionCounter:
    """Gives every revision a number above all that were ever seen, so that a restarted coordinator reuses none."""

    highest: int = 0

    def seen(self, revision: int) -> None:
        """A revision that is on the latched plan, or that a camera follows."""
        self.highest = max(self.highest, revision)

    def next(self) -> int:
        """A number that was never used."""
        self.highest += 1
        return self.highest


@dataclass(frozen=True)
class RotationRequest:
    """What is asked for. start_ns 0: as soon as the cameras are ready; slots 0: without end."""

    dwell_ns: int
    slots: int
    start_ns: int = 0


@dataclass
class Rotation:
    """One rotation from the request to its end."""

    region: str
    coordinator: str
    request: RotationRequest
    cameras: tuple[str, ...]
    revisions: RevisionCounter
    asked_ns: int
    stage: Stage = Stage.WAITING_FOR_CAMERAS
    plan: Plan | None = None
    _missing: tuple[str, ...] = field(default=())

    def waiting_for(self, facts: Iterable[CameraFact]) -> tuple[str, ...]:
        """Cameras that have not reported, or, once there is a plan, that do not follow its newest revision."""
        known = {fact.camera: fact for fact in facts}
        if self.plan is None:
            return tuple(camera for camera in self.cameras if camera not in known)
        revision = self.plan.revision
        taking_part = (order.camera for order in self.plan.orders)
        return tuple(c for c in taking_part if c not in known or known[c].plan_revision < revision)

    def begin(self, orders: tuple[CameraOrder, ...], now_ns: int, lead_ns: int) -> Plan:
        """The first revision. lead_ns: the least time until slot 0, in which the cameras go to their first scenes."""
        start_ns = max(self.request.start_ns, now_ns + lead_ns)
        self.plan = Plan(
            region=self.region,
            coordinator=self.coordinator,
            revision=self.revisions.next(),
            effective_at_ns=now_ns,
            mode=PlanMode.RUNNING,
            dwell_ns=self.request.dwell_ns,
            orders=orders,
            slot_start_ns=start_ns,
            end_slot=self.request.slots,
            reason='start',
        )
        self.stage = Stage.WAITING_FOR_START
        return self.plan

    def advance(self, now_ns: int) -> Stage:
        """Where the rotation is at an instant."""
        if self.plan is not None and self.stage in (Stage.WAITING_FOR_START, Stage.RUNNING):
            end_ns = self.plan.ends_ns()
            if end_ns is not None and now_ns >= end_ns:
                self.stage = Stage.ENDED
            elif now_ns >= self.plan.slot_start_ns:
                self.stage = Stage.RUNNING
        return self.stage

    def stop(self, now_ns: int, reason: str) -> Plan | None:
        """The revision after which every camera stays where it is; None if there was no plan yet.

        It takes effect at once, or at the rotation's own end if that has passed: so that the end stays where it was planned.
        """
        self.stage = Stage.ENDED
        if self.plan is None:
            return None
        end_ns = self.plan.ends_ns()
        stopped_ns = now_ns if end_ns is None else min(now_ns, end_ns)
        self.plan = Plan(
            region=self.region,
            coordinator=self.coordinator,
            revision=self.revisions.next(),
            effective_at_ns=stopped_ns,
            mode=PlanMode.STOPPED,
            dwell_ns=self.plan.dwell_ns,
            orders=self.plan.orders,
            first_slot=self.plan.slot(stopped_ns),
            reason=reason,
        )
        return self.plan

    def slots_run(self, at_ns: int) -> int:
        """Whole slots that have passed."""
        if self.plan is None or self.plan.mode is not PlanMode.RUNNING or at_ns < self.plan.slot_start_ns:
            return 0
        passed = (at_ns - self.plan.slot_start_ns) // self.plan.dwell_ns
        return min(passed, self.request.slots) if self.request.slots else passed
