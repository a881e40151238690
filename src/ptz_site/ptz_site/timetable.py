# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a plan says for any instant: the one reading of a plan that driver, coordinator and reports share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class PlanMode(IntEnum):
    """Whether slots follow each other. Values as in RotationPlan.msg."""

    STOPPED = 0
    RUNNING = 1
    HELD = 2


@dataclass(frozen=True)
class CameraOrder:
    """The scene of a camera in slot k is scenes[k mod size]; an empty name means: stay where you are."""

    camera: str
    scenes: tuple[str, ...]

    def scene(self, slot: int) -> str:
        """The scene of a slot, empty if there is none."""
        return self.scenes[slot % len(self.scenes)] if self.scenes else ''


@dataclass(frozen=True)
class Hold:
    """What holds the rotation; fields as in Hold.msg, times in ns, 0: not set."""

    hold_id: str
    camera: str
    scene: str
    target: str = ''
    feature: tuple[float, ...] = ()
    mark_colour: str = ''
    mark_shape: str = ''
    reason: str = ''
    since_ns: int = 0
    until_ns: int = 0
    taken_over_ns: int = 0
    kept_alive: bool = False
    candidate: str = ''
    candidate_scene: str = ''


@dataclass(frozen=True)
class Plan:
    """Who watches what from effective_at_ns on. Immutable; every change is a new revision. Fields as in RotationPlan.msg."""

    region: str
    revision: int
    effective_at_ns: int
    mode: PlanMode
    dwell_ns: int
    orders: tuple[CameraOrder, ...]
    first_slot: int = 0
    slot_start_ns: int = 0
    slot_elapsed_ns: int = 0
    end_slot: int = 0
    out: tuple[str, ...] = ()
    holds: tuple[Hold, ...] = ()
    coordinator: str = ''
    reason: str = ''

    def __post_init__(self) -> None:
        if self.mode is not PlanMode.STOPPED and self.dwell_ns <= 0:
            raise ValueError(f'dwell of {self.dwell_ns} ns: must be positive')

    def order(self, camera: str) -> CameraOrder | None:
        """The order of a camera, None if it takes no part."""
        return next((order for order in self.orders if order.camera == camera), None)

    def slot(self, at_ns: int) -> int:
        """The slot of an instant. Before the first slot it is the first, after the last it is the last."""
        if self.mode is not PlanMode.RUNNING:
            return self.first_slot
        slot = self.first_slot + max(0, (at_ns - self.slot_start_ns) // self.dwell_ns)
        return min(slot, self.end_slot - 1) if self.end_slot else slot

    def slot_begins_ns(self, slot: int) -> int:
        """When a slot of a running plan begins."""
        return self.slot_start_ns + (slot - self.first_slot) * self.dwell_ns

    def ends_ns(self) -> int | None:
        """When a running plan has run its slots; None if it has no end or does not run."""
        if self.mode is not PlanMode.RUNNING or not self.end_slot:
            return None
        return self.slot_begins_ns(self.end_slot)

    def scene(self, camera: str, at_ns: int) -> str:
        """The scene that a camera watches at an instant; empty: it stays where it is, or takes no part.

        Before slot_start_ns it is the scene of the first slot, so that cameras are in place when the rotation begins.
        """
        if self.mode is PlanMode.STOPPED:
            return ''
        order = self.order(camera)
        return order.scene(self.slot(at_ns)) if order else ''

    def next_slot_ns(self, at_ns: int) -> int | None:
        """The first slot boundary after an instant; None if the plan has none."""
        if self.mode is not PlanMode.RUNNING:
            return None
        if at_ns < self.slot_start_ns:
            # The first slot's scene is taken up early: its own boundary changes nothing.
            boundary = self.slot_start_ns + self.dwell_ns
        else:
            passed = (at_ns - self.slot_start_ns) // self.dwell_ns
            boundary = self.slot_start_ns + (passed + 1) * self.dwell_ns
        end = self.ends_ns()
        return boundary if end is None or boundary < end else None


@dataclass
class PlanBook:
    """The revisions that somebody has taken, newest last; answers which one is in force at an instant."""

    _plans: list[Plan] = field(default_factory=list)

    def take(self, plan: Plan) -> bool:
        """Takes a revision. False if it is not newer than what is there: it changes nothing then.

        Should a number have been used twice, because nobody was left who knew of its first use, the later one counts.
        """
        if self._plans:
            newest = self._plans[-1]
            if (plan.revision, plan.effective_at_ns) <= (newest.revision, newest.effective_at_ns):
                return False
        # What would have come into force later than the new revision never does.
        self._plans = [p for p in self._plans if p.effective_at_ns < plan.effective_at_ns]
        self._plans.append(plan)
        return True

    @property
    def newest(self) -> Plan | None:
        """The newest revision taken; it may not be in force yet."""
        return self._plans[-1] if self._plans else None

    def in_force(self, at_ns: int) -> Plan | None:
        """The plan in force at an instant.

        The first plan ever is in force from when it is taken, so that cameras go to their first scenes before it begins.
        """
        for plan in reversed(self._plans):
            if plan.effective_at_ns <= at_ns:
                return plan
        return self._plans[0] if self._plans else None

    def next_change_ns(self, at_ns: int) -> int | None:
        """The next instant after at_ns at which somebody's scene may change: a slot boundary or a revision's begin."""
        current = self.in_force(at_ns)
        if current is None:
            return None
        changes = [p.effective_at_ns for p in self._plans if p.effective_at_ns > at_ns]
        boundary = current.next_slot_ns(at_ns)
        if boundary is not None:
            changes.append(boundary)
        return min(changes) if changes else None

    def forget_before(self, at_ns: int) -> None:
        """Drops revisions that can't come into force again after at_ns."""
        current = self.in_force(at_ns)
        if current is not None:
            self._plans = self._plans[self._plans.index(current) :]
