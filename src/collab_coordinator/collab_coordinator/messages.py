# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Between the coordinator's plain values and messages. What two packages need is in ptz_node.convert."""

from __future__ import annotations

import math

from collab_coordinator.core.fleet import CameraReport
from collab_coordinator.core.handoff import HandoffRequest
from collab_coordinator.core.holds import HoldRequest
from collab_coordinator.core.rotation import Outcome, Progress, RotationRequest
from ptz_collab_msgs.action import Handoff, HoldScene, RunRotation
from ptz_collab_msgs.msg import CameraState, SceneCoverage, SlotAssignment, StayStatistics
from ptz_node.convert import duration_from_ns, duration_to_ns, time_to_ns
from ptz_site import NANOSECONDS, Phase, PtzPosition


def report_from_msg(message: CameraState, received_ns: int) -> CameraReport:
    """A camera's report as it was received. Raises ValueError for a phase that does not exist."""
    known = math.isfinite(message.pan) and math.isfinite(message.tilt) and message.zoom >= 1
    return CameraReport(
        camera=message.camera,
        stamp_ns=time_to_ns(message.header.stamp),
        received_ns=received_ns,
        session=message.session,
        phase=Phase(message.phase),
        scene=message.scene,
        plan_revision=message.plan_revision,
        fault=message.fault,
        fault_text=message.fault_text,
        slot=message.slot,
        switch_start_ns=time_to_ns(message.switch_start),
        arrived_ns=time_to_ns(message.arrived),
        position=PtzPosition(message.pan, message.tilt, message.zoom) if known else None,
        clock_offset=message.clock_offset,
        manual=message.manual,
        filming=message.frames > 0,
    )


def request_from_goal(goal: RunRotation.Goal, site_dwell_ns: int, now_ns: int) -> RotationRequest:
    """What a goal asks for; site_dwell_ns for a goal without dwell. Raises ValueError, for people, if a field is out of range."""
    dwell = duration_to_ns(goal.dwell)
    start = time_to_ns(goal.start_time)
    if dwell < 0:
        raise ValueError(f"dwell of {dwell / NANOSECONDS:g} s: must be positive, or zero for the site's")
    if start < 0 or 0 < start < now_ns:
        raise ValueError(
            f'start_time is {(now_ns - start) / NANOSECONDS:.1f} s ago; give a later one, or zero to start when all are ready'
        )
    if goal.slots and goal.cycles:
        raise ValueError(f'slots {goal.slots} and cycles {goal.cycles} are both given; give one of them')
    return RotationRequest(dwell or site_dwell_ns, start, goal.slots, goal.cycles)


def feedback_to_msg(progress: Progress) -> RunRotation.Feedback:
    """A progress as it is published."""
    feedback = RunRotation.Feedback
    return feedback(
        state=_state(progress),
        elapsed=duration_from_ns(progress.elapsed_ns),
        slot=progress.slot,
        slots=progress.slots,
        plan_revision=progress.plan_revision,
        assignments=[SlotAssignment(camera=camera, scene=scene) for camera, scene in progress.assignments],
        uncovered=list(progress.uncovered),
        waiting_for=list(progress.waiting_for),
    )


def _state(progress: Progress) -> int:
    feedback = RunRotation.Feedback
    if progress.held:
        return int(feedback.STATE_HELD)
    return int(feedback.STATE_RUNNING if progress.running else feedback.STATE_WAITING)


def hold_request_from_goal(goal: HoldScene.Goal) -> HoldRequest:
    """What a holder asks for."""
    return HoldRequest(
        goal.camera,
        goal.scene,
        goal.target,
        tuple(goal.feature),
        goal.mark_colour,
        goal.mark_shape,
        goal.reason or f'{goal.camera} sees {goal.target or "a target"}',
        goal.hold_id,
    )


def handoff_request_from_goal(goal: Handoff.Goal) -> HandoffRequest:
    """What a holder asks for when its target turns away."""
    return HandoffRequest(goal.hold_id, goal.heading, (goal.ground.x, goal.ground.y), goal.camera, tuple(goal.feature))


def result_to_msg(outcome: Outcome) -> RunRotation.Result:
    """An outcome as it is sent."""
    return RunRotation.Result(
        error_code=int(outcome.error),
        error_msg=outcome.message,
        slots=outcome.slots,
        coverage=[
            SceneCoverage(
                scene=c.scene,
                assigned=duration_from_ns(c.assigned_ns),
                watched=duration_from_ns(c.watched_ns),
                longest_gap=duration_from_ns(c.longest_gap_ns),
                cameras=list(c.cameras),
            )
            for c in outcome.coverage
        ],
        stays=StayStatistics(
            stays=outcome.stays.stays,
            cameras_max=duration_from_ns(outcome.stays.cameras_max_ns),
            cameras_p99=duration_from_ns(outcome.stays.cameras_p99_ns),
            scenes_max=duration_from_ns(outcome.stays.scenes_max_ns),
            scenes_p99=duration_from_ns(outcome.stays.scenes_p99_ns),
        ),
    )
