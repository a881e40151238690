# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From one plan to the next: held, resumed, with other orders, with another dwell, stopped. Times in ns.

The functions change the timetable of a plan only; its number, orders, holds and reason are put in by whoever publishes it.
"""

from __future__ import annotations

from dataclasses import replace

from collab_coordinator.core.holds import HoldRequest
from ptz_site import NANOSECONDS, Plan, PlanMode

#: A hold that comes so soon after a switch brings the cameras back to the slot in which the target was seen.
BACK_NS = 2 * NANOSECONDS


def slot_to_hold(request: HoldRequest, plan: Plan, now_ns: int) -> tuple[int, int] | None:
    """The slot to stand in for a hold and how much of it has passed; None if the camera is not on the scene."""

    def fits(slot: int) -> bool:
        if not request.scene:
            return True
        watching = [order for order in plan.orders if order.scene(slot) == request.scene]
        return any(not request.camera or order.camera == request.camera for order in watching)

    slot = plan.slot(now_ns)
    if plan.mode is PlanMode.HELD:
        holds_it = any(hold.camera == request.camera and hold.scene == request.scene for hold in plan.holds)
        return (slot, plan.slot_elapsed_ns) if fits(slot) or holds_it else None
    into_ns = now_ns - plan.slot_begins_ns(slot)
    if fits(slot):
        return slot, min(max(0, into_ns), plan.dwell_ns)
    if slot > plan.first_slot and into_ns <= BACK_NS and fits(slot - 1):
        return slot - 1, plan.dwell_ns
    return None


def standing(last: Plan, now_ns: int, stand: tuple[int, int] | None) -> Plan:
    """The timer stands from now on. stand: slot and ns of it that have passed; None: the present ones. last: the plan in force."""
    if last.mode is PlanMode.HELD:
        return replace(last, effective_at_ns=now_ns)
    slot = last.slot(now_ns)
    at, elapsed = stand or (slot, min(max(0, now_ns - last.slot_begins_ns(slot)), last.dwell_ns))
    return replace(last, effective_at_ns=now_ns, mode=PlanMode.HELD, first_slot=at, slot_start_ns=0, slot_elapsed_ns=elapsed)


def resumed(held: Plan, at_ns: int) -> Plan:
    """All go on together at an instant, with the time that was left."""
    # A slot that had passed wholly is not gone back to.
    passed, elapsed = divmod(held.slot_elapsed_ns, held.dwell_ns)
    return replace(
        held,
        effective_at_ns=at_ns,
        mode=PlanMode.RUNNING,
        first_slot=held.first_slot + passed,
        slot_start_ns=at_ns - elapsed,
        slot_elapsed_ns=0,
    )


def running(last: Plan, now_ns: int) -> Plan:
    """The same timetable from now on, for other orders. last: the running plan in force."""
    slot = last.slot(now_ns)
    return replace(last, effective_at_ns=now_ns, first_slot=slot, slot_start_ns=last.slot_begins_ns(slot))


def with_dwell(last: Plan, dwell_ns: int, boundary_ns: int) -> Plan:
    """Slots of another length from a slot boundary on. last: the running plan in force."""
    slot = last.slot(boundary_ns)
    return replace(last, effective_at_ns=boundary_ns, dwell_ns=dwell_ns, first_slot=slot, slot_start_ns=boundary_ns)


def stopped(last: Plan, now_ns: int) -> Plan:
    """Every camera stays where it is. last: the plan in force."""
    return replace(last, effective_at_ns=now_ns, mode=PlanMode.STOPPED, first_slot=last.slot(now_ns), end_slot=0, holds=())


def slots_run(plan: Plan, end_ns: int) -> int:
    """The slots that had passed wholly when a rotation ended. plan: the one in force then."""
    if plan.mode is not PlanMode.RUNNING:
        return plan.first_slot
    return plan.first_slot + max(0, end_ns - plan.slot_start_ns) // plan.dwell_ns
