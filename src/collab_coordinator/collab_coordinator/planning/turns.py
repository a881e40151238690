# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long the turns of a plan take, and whether the dwell leaves time for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ptz_site import CameraOrder, PtzPosition, Site, turn_time


@dataclass(frozen=True)
class PlannedTurn:
    """One turn of a camera that a plan asks for; seconds from the command to standstill."""

    camera: str
    origin: str
    goal: str
    seconds: float


def planned_turns(site: Site, orders: Iterable[CameraOrder]) -> tuple[PlannedTurn, ...]:
    """The different turns of the orders, from the last slot of a cycle to its first one too.

    Turns to or from a preset whose position only the camera knows are left out.
    """
    turns = []
    for order in orders:
        following = order.scenes[1:] + order.scenes[:1]
        limits = site.cameras[order.camera].slew
        for origin, goal in dict.fromkeys(zip(order.scenes, following, strict=True)):
            start, end = site.preset(order.camera, origin), site.preset(order.camera, goal)
            if origin != goal and start is not None and end is not None:
                turns.append(PlannedTurn(order.camera, origin, goal, turn_time(start, end, limits)))
    return tuple(turns)


def slowest_turn(turns: Iterable[PlannedTurn]) -> PlannedTurn | None:
    """The turn that takes longest; None without turns."""
    return max(turns, key=lambda turn: turn.seconds, default=None)


def approach_time(site: Site, orders: Iterable[CameraOrder], positions: Mapping[str, PtzPosition]) -> float:
    """Seconds until the last camera is on its first scene, from where the cameras look now.

    A camera whose position is not known counts with nothing.
    """
    times = [0.0]
    for order in orders:
        goal = site.preset(order.camera, order.scene(0)) if order.scenes else None
        position = positions.get(order.camera)
        if goal is not None and position is not None:
            times.append(turn_time(position, goal, site.cameras[order.camera].slew))
    return max(times)


def dwell_problem(dwell: float, turn: PlannedTurn | None) -> str:
    """Why a dwell (s) is too short for the slowest turn of a plan, for people; empty if it is not."""
    if turn is None or dwell > turn.seconds:
        return ''
    return (
        f'dwell of {dwell:g} s is not longer than the slowest turn, {turn.seconds:.2f} s '
        f'({turn.camera} from {turn.origin} to {turn.goal}); give a dwell of more than {turn.seconds:.2f} s'
    )
