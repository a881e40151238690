# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the coordinator says on /diagnostics."""

from __future__ import annotations

import math

from collab_coordinator.core.fleet import Fleet, Health, Level
from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import RotationError
from ptz_node.diagnostics import ERROR, OK, WARN, Status

_LEVELS = {Level.OK: OK, Level.WARN: WARN, Level.ERROR: ERROR}


def rotation_status(rotation: Rotation | None, now_ns: int, fleet: Fleet, coordinator: str) -> Status:
    """How the rotation goes."""
    if rotation is None:
        return Status(OK, 'no rotation', {'coordinator': coordinator})
    values: dict[str, object] = {'revision': rotation.plan.revision if rotation.plan else 0, 'coordinator': coordinator}
    if rotation.outcome is not None:
        bad = rotation.outcome.error not in (RotationError.NONE, RotationError.CANCELED)
        return Status(ERROR if bad else OK, f'ended: {rotation.outcome.message or "all slots were run"}', values)
    progress = rotation.progress(now_ns, fleet)
    if rotation.plan is None:
        return Status(WARN, f'waits for {", ".join(progress.waiting_for)}', values)
    values |= {'slot': progress.slot, 'slots': progress.slots or 'without end'}
    values |= {'holds': len(rotation.holds), 'out': ', '.join(rotation.out) or 'nobody'}
    if progress.uncovered:
        return Status(WARN, f'no camera on {", ".join(progress.uncovered)}', values)
    if progress.held:
        holders = ', '.join(f'{hold.camera or "an operator"} ({hold.reason})' for hold in rotation.holds)
        return Status(OK, f'held in slot {progress.slot} by {holders or "nobody any more"}', values)
    return Status(OK, f'slot {progress.slot}' if progress.running else 'starts soon', values)


def camera_status(camera: str, health: Health, fleet: Fleet) -> Status:
    """How one camera does, by its name."""
    report = fleet.newest(camera)
    text = f'{camera}: {health.text}'
    if report is None:
        return Status(_LEVELS[health.level], text)
    offset = fleet.clock_offset(camera)
    values = {
        'scene': report.scene,
        'phase': report.phase.name,
        'slot': report.slot,
        'follows revision': report.plan_revision,
        'clock offset, s': f'{offset:+.4f}' if math.isfinite(offset) else 'not measured',
    }
    return Status(_LEVELS[health.level], text, values)
