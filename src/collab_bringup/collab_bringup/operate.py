# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands for a region that runs: status, hold, release, goto, pause, stop. Each says what it did; 0 done, 1 refused."""

from __future__ import annotations

import math
import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.action import GoToPreset
from ptz_collab_msgs.msg import CameraStatus, RegionState
from ptz_node.convert import duration_to_ns, time_to_ns
from ptz_site import NANOSECONDS, Phase

_STATES = {
    RegionState.STATE_LISTENING: 'starts',
    RegionState.STATE_IDLE: 'idle',
    RegionState.STATE_WAITING: 'waits',
    RegionState.STATE_RUNNING: 'rotates',
    RegionState.STATE_HELD: 'held',
}
_COLOURS = {CameraStatus.LEVEL_OK: 'green', CameraStatus.LEVEL_WARN: 'yellow', CameraStatus.LEVEL_ERROR: 'red'}
#: s that every camera may take to follow a hold before it is said who does not.
_FOLLOW = 3.0
_REFRESH = 0.5


def status(region: str, watch: bool, out: Console) -> int:
    """Shows how a region does; watch: until Ctrl-C."""
    with RegionConsole(region) as console:
        if not watch:
            out.print(status_view(console.region, console.state))
            return 0
        with Live(console=out, auto_refresh=False) as live:
            while True:
                live.update(status_view(console.region, console.state), refresh=True)
                time.sleep(_REFRESH)


def hold(region: str, scene: str, camera: str, seconds: float, reason: str, out: Console) -> int:
    """Holds a scene with the cameras as they are; scene and camera empty: pauses the rotation."""
    with RegionConsole(region) as console:
        answer = console.hold(scene, camera, seconds, reason)
        if answer.error_code:
            return refused(answer.error_msg, out)
        revision = answer.plan_revision
        followed = console.wait_for(lambda state: not _behind(state, revision), _FOLLOW)
        what = f'{camera} on {scene}' if camera and scene else scene or camera or 'the rotation'
        until = f'for {seconds:g} s' if seconds else f'until it is released: ptz-collab release {answer.hold_id}'
        out.print(f'{answer.hold_id}: {escape(what)} is held {until}', soft_wrap=True, highlight=False)
        if not followed:
            missing = ', '.join(_behind(console.state, revision))
            out.print(f'[yellow]warning:[/] not yet followed by {missing}', soft_wrap=True, highlight=False)
        return 0


def release(region: str, hold_id: str, out: Console) -> int:
    """Ends a hold, or all of them."""
    with RegionConsole(region) as console:
        answer = console.release(hold_id)
        if answer.error_code:
            return refused(answer.error_msg, out)
        at = time_to_ns(answer.resume_at)
        left = (at - time_to_ns(console.state.header.stamp)) / NANOSECONDS
        then = f'the rotation goes on in {max(0.0, left):.1f} s' if at else 'others still hold the rotation'
        out.print(f'released {", ".join(answer.released)}; {then}', soft_wrap=True, highlight=False)
        return 0


def go_to(region: str, camera: str, scene: str, seconds: float, out: Console) -> int:
    """Sends a camera to a scene by hand for a time, then back into the plan."""
    with RegionConsole(region) as console:
        known = [one.camera for one in console.state.cameras]
        if camera not in known:
            return refused(f'region {console.region} has no camera {camera}; it has {", ".join(known)}', out)
        said = []

        def tell(feedback: GoToPreset.Feedback) -> None:
            if feedback.state not in said:
                said.append(feedback.state)
                there = feedback.state == GoToPreset.Feedback.STATE_STAYING
                text = f'{camera} is on {scene}, for {seconds:g} s' if there else f'{camera} turns to {scene}'
                out.print(text, highlight=False)

        result = console.go_to(camera, scene, seconds, tell)
        if result.error_code:
            return refused(result.error_msg, out)
        out.print(f'{camera} goes back into the plan', highlight=False)
        return 0


def stop(region: str, out: Console) -> int:
    """Ends the rotation."""
    with RegionConsole(region) as console:
        answer = console.stop()
        if not answer.success:
            return refused(answer.message, out)
        out.print(answer.message, highlight=False)
        return 0


def status_view(region: str, state: RegionState) -> RenderableType:
    """The state as tables."""
    parts: list[RenderableType] = [_headline(region, state), _camera_table(state)]
    if state.holds:
        parts.append(_hold_table(state))
    if state.uncovered:
        parts.append(f'[yellow]without a camera now:[/] {", ".join(state.uncovered)}')
    return Group(*parts)


def _headline(region: str, state: RegionState) -> str:
    text = f'region [bold]{region}[/]: {_STATES[state.state]}'
    if state.state in (RegionState.STATE_RUNNING, RegionState.STATE_HELD):
        of = f' of {state.slots}' if state.slots else ''
        left, dwell = (duration_to_ns(duration) / NANOSECONDS for duration in (state.slot_left, state.dwell))
        text += f', slot {state.slot + 1}{of}, {left:.1f} of {dwell:g} s left, revision {state.plan_revision}'
    elif state.text:
        text += f' ({escape(state.text)})'
    return f'{text}; coordinator {state.coordinator}'


def _camera_table(state: RegionState) -> Table:
    table = Table()
    for heading in ('camera', 'plan', 'shows', 'phase', 'revision', 'clock', 'state'):
        table.add_column(heading)
    for one in state.cameras:
        clock = f'{one.clock_offset * 1000:+.0f} ms' if math.isfinite(one.clock_offset) else '-'
        phase = Phase(one.phase).name.lower().replace('_', ' ')
        well = one.level == CameraStatus.LEVEL_OK
        text = 'well' if well else f'out: {one.text}' if one.out else one.text
        colour = _COLOURS[one.level]
        revision = str(one.plan_revision or '-')
        if one.plan_revision != state.plan_revision:
            revision = f'[yellow]{revision}[/]'
        table.add_row(one.camera, one.assigned or '-', one.scene or '-', phase, revision, clock, f'[{colour}]{escape(text)}[/]')
    return table


def _hold_table(state: RegionState) -> Table:
    table = Table()
    for heading in ('hold', 'camera', 'scene', 'target', 'since', 'ends', 'reason'):
        table.add_column(heading)
    now = time_to_ns(state.header.stamp)
    for one in state.holds:
        until = time_to_ns(one.until)
        ends = f'in {max(0, until - now) / NANOSECONDS:.0f} s at the latest' if until else 'when it is released'
        camera = f'{one.camera} -> {one.candidate}' if one.candidate else one.camera or 'all'
        since = f'{(now - time_to_ns(one.since)) / NANOSECONDS:.0f} s'
        table.add_row(one.hold_id, camera, one.scene or 'all', one.target or '-', since, ends, escape(one.reason))
    return table


def _behind(state: RegionState, revision: int) -> list[str]:
    """The cameras that can be counted on and do not follow a revision or a later one."""
    return [one.camera for one in state.cameras if not one.out and one.plan_revision < revision]


def refused(reason: str, out: Console) -> int:
    """Says why something was not done; the exit code."""
    out.print(f'[red]not done:[/] {escape(reason)}', soft_wrap=True, highlight=False)
    return 1
