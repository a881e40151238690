# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Between messages and the plain values of ptz_site."""

from builtin_interfaces.msg import Duration, Time

from ptz_collab_msgs import msg
from ptz_site.timetable import CameraOrder, Hold, Plan, PlanMode

NANOSECONDS = 1_000_000_000


def time_to_ns(stamp: Time) -> int:
    """Nanoseconds of a time message; zero stays zero, which messages use for 'not'."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def time_from_ns(ns: int) -> Time:
    """Time message of nanoseconds."""
    return Time(sec=ns // NANOSECONDS, nanosec=ns % NANOSECONDS)


def duration_to_ns(duration: Duration) -> int:
    """Nanoseconds of a duration message."""
    return int(duration.sec) * NANOSECONDS + int(duration.nanosec)


def duration_from_ns(ns: int) -> Duration:
    """Duration message of nanoseconds."""
    return Duration(sec=ns // NANOSECONDS, nanosec=ns % NANOSECONDS)


def plan_to_msg(plan: Plan) -> msg.RotationPlan:
    """A plan as it is published."""
    return msg.RotationPlan(
        region=plan.region,
        coordinator=plan.coordinator,
        revision=plan.revision,
        effective_at=time_from_ns(plan.effective_at_ns),
        mode=int(plan.mode),
        dwell=duration_from_ns(plan.dwell_ns),
        first_slot=plan.first_slot,
        slot_start=time_from_ns(plan.slot_start_ns),
        slot_elapsed=duration_from_ns(plan.slot_elapsed_ns),
        end_slot=plan.end_slot,
        out=list(plan.out),
        orders=[msg.CameraOrder(camera=o.camera, scenes=list(o.scenes)) for o in plan.orders],
        holds=[hold_to_msg(hold) for hold in plan.holds],
        reason=plan.reason,
    )


def plan_from_msg(message: msg.RotationPlan) -> Plan:
    """A plan as it was received. Raises ValueError if its fields contradict each other."""
    return Plan(
        region=message.region,
        coordinator=message.coordinator,
        revision=message.revision,
        effective_at_ns=time_to_ns(message.effective_at),
        mode=PlanMode(message.mode),
        dwell_ns=duration_to_ns(message.dwell),
        first_slot=message.first_slot,
        slot_start_ns=time_to_ns(message.slot_start),
        slot_elapsed_ns=duration_to_ns(message.slot_elapsed),
        end_slot=message.end_slot,
        out=tuple(message.out),
        orders=tuple(CameraOrder(o.camera, tuple(o.scenes)) for o in message.orders),
        holds=tuple(hold_from_msg(hold) for hold in message.holds),
        reason=message.reason,
    )


def hold_to_msg(hold: Hold) -> msg.Hold:
    """A hold as it is published."""
    return msg.Hold(
        hold_id=hold.hold_id,
        camera=hold.camera,
        scene=hold.scene,
        target=hold.target,
        feature=list(hold.feature),
        mark_colour=hold.mark_colour,
        mark_shape=hold.mark_shape,
        reason=hold.reason,
        since=time_from_ns(hold.since_ns),
        until=time_from_ns(hold.until_ns),
        taken_over=time_from_ns(hold.taken_over_ns),
        kept_alive=hold.kept_alive,
        candidate=hold.candidate,
        candidate_scene=hold.candidate_scene,
    )


def hold_from_msg(message: msg.Hold) -> Hold:
    """A hold as it was received."""
    return Hold(
        hold_id=message.hold_id,
        camera=message.camera,
        scene=message.scene,
        target=message.target,
        feature=tuple(message.feature),
        mark_colour=message.mark_colour,
        mark_shape=message.mark_shape,
        reason=message.reason,
        since_ns=time_to_ns(message.since),
        until_ns=time_to_ns(message.until),
        taken_over_ns=time_to_ns(message.taken_over),
        kept_alive=message.kept_alive,
        candidate=message.candidate,
        candidate_scene=message.candidate_scene,
    )
