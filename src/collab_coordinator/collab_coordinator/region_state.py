# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The RegionState message: how a region is doing, for people, tools and other coordinators."""

from __future__ import annotations

from collab_coordinator.core.fleet import Fleet, Health
from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import Progress, RotationState
from ptz_collab_msgs.msg import CameraStatus, RegionState
from ptz_node.convert import duration_from_ns, hold_to_msg, time_from_ns


def region_state(now_ns: int, rotation: Rotation | None, fleet: Fleet, health: dict[str, Health]) -> RegionState:
    """Everything but who the coordinator is; health: what it thinks of each camera."""
    message = RegionState(state=RegionState.STATE_IDLE, text='no rotation')
    message.header.stamp = time_from_ns(now_ns)
    progress = None
    if rotation is not None:
        progress = rotation.progress(now_ns, fleet)
        _add_rotation(message, rotation, progress)
    assigned = dict(progress.assignments) if progress is not None else {}
    out = rotation.out if rotation is not None else {}
    message.cameras = [
        _camera(camera, fleet, health[camera], assigned.get(camera, ''), camera in out) for camera in fleet.cameras
    ]
    return message


def _add_rotation(message: RegionState, rotation: Rotation, progress: Progress) -> None:
    if rotation.plan is not None:
        message.plan_revision = rotation.plan.revision
    if rotation.state is RotationState.ENDED:
        assert rotation.outcome is not None
        message.text = f'ended: {rotation.outcome.message or "all slots were run"}'
        return
    message.slot, message.slots = progress.slot, progress.slots
    message.uncovered = list(progress.uncovered)
    message.holds = [hold_to_msg(hold) for hold in rotation.holds]
    if rotation.plan is not None:
        message.dwell = duration_from_ns(rotation.plan.dwell_ns)
        message.slot_left = duration_from_ns(max(0, progress.slot_left_ns))
    if progress.held:
        message.state, message.text = RegionState.STATE_HELD, 'held'
    elif progress.running:
        message.state, message.text = RegionState.STATE_RUNNING, 'rotates'
    else:
        waiting = ', '.join(progress.waiting_for)
        message.state, message.text = RegionState.STATE_WAITING, f'waits for {waiting or "the start"}'


def _camera(camera: str, fleet: Fleet, health: Health, assigned: str, out: bool) -> CameraStatus:
    status = CameraStatus(camera=camera, level=int(health.level), text=health.text, assigned=assigned, out=out)
    status.clock_offset = fleet.clock_offset(camera)
    report = fleet.newest(camera)
    if report is not None:
        status.manual, status.scene, status.phase = report.manual, report.scene, int(report.phase)
        status.plan_revision = report.plan_revision
    return status
