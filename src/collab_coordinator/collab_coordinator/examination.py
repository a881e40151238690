# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What follows from a site file: its plan, how it covers the scenes, how long the turns take."""

from __future__ import annotations

from dataclasses import dataclass

from collab_coordinator.planner import Schedule, make_schedule, reach_of
from ptz_site import Site, turn_time


@dataclass(frozen=True)
class TurnOfCamera:
    """The slowest turn in a camera's order; seconds. None where only the camera knows its presets."""

    camera: str
    seconds: float | None
    origin: str = ''
    goal: str = ''


@dataclass(frozen=True)
class Examination:
    """A site's plan and what is wrong with it."""

    schedule: Schedule
    turns: tuple[TurnOfCamera, ...]
    errors: tuple[str, ...]

    @property
    def slowest_turn(self) -> float:
        """Seconds of the slowest turn that is known; 0 without one."""
        return max((turn.seconds for turn in self.turns if turn.seconds is not None), default=0.0)


def examine(site: Site, cameras: frozenset[str] | None = None) -> Examination:
    """Plans a site, for all of its cameras or some, and says what can't work. errors: one line each."""
    reach = {camera: scenes for camera, scenes in reach_of(site).items() if cameras is None or camera in cameras}
    schedule = make_schedule(reach, tuple(site.scenes))
    turns = tuple(_slowest(site, order.camera, order.scenes) for order in schedule.orders)
    errors = []
    dwell = site.region.dwell
    for turn in turns:
        if turn.seconds is not None and turn.seconds >= dwell:
            errors.append(
                f'region.dwell: {dwell:g} s is not longer than the slowest turn: {turn.camera} takes {turn.seconds:.1f} s from '
                f'{turn.origin} to {turn.goal}; raise dwell above {turn.seconds:.1f}'
            )
    if not schedule.slots:
        errors.append('cameras: no camera can watch any scene; give presets')
    return Examination(schedule, turns, tuple(errors))


def _slowest(site: Site, camera: str, scenes: tuple[str, ...]) -> TurnOfCamera:
    slowest = TurnOfCamera(camera, None)
    # In a cycle the last scene is followed by the first.
    for origin, goal in zip(scenes, scenes[1:] + scenes[:1], strict=True):
        here, there = site.preset(camera, origin), site.preset(camera, goal)
        if here is None or there is None:
            continue
        seconds = turn_time(here, there, site.cameras[camera].slew)
        if slowest.seconds is None or seconds > slowest.seconds:
            slowest = TurnOfCamera(camera, seconds, origin, goal)
    return slowest
