# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What follows from a site file: the plan, the coverage, the turns, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

from collab_coordinator.core.start import first_dwell_ns
from collab_coordinator.planning import Schedule, plan_orders, reach_of, turn_times
from collab_coordinator.planning.turns import PlannedTurn, dwell_problem, planned_turns, slowest_turn
from ptz_site import NANOSECONDS, DwellSuggestion, Site, StayTimes, suggest_dwell


@dataclass(frozen=True)
class SceneCover:
    """How a scene is covered in a cycle: slots with a camera, cameras that visit it, longest gap in slots."""

    scene: str
    covered_slots: int
    views: tuple[str, ...]
    longest_gap: int


@dataclass(frozen=True)
class PlanExamination:
    """The plan of a site with all cameras there, and what was found in it.

    turns: the slowest turn of each camera whose positions are known. problems: the region can't run as the site says.
    refusal: the one of them for which a rotation is not begun at all; empty: none. notes: it can, but it is good to know.
    suggestion: the dwell that fits how long people were seen to stay.
    """

    dwell: float
    schedule: Schedule
    scenes: tuple[SceneCover, ...]
    turns: tuple[PlannedTurn, ...]
    problems: tuple[str, ...]
    refusal: str
    notes: tuple[str, ...]
    suggestion: DwellSuggestion | None = None

    @property
    def slowest(self) -> PlannedTurn | None:
        """The slowest turn of all cameras."""
        return slowest_turn(self.turns)


def examine(site: Site, stays: StayTimes | None = None) -> PlanExamination:
    """Plans a site and looks whether the plan can be run. stays: what was seen of people in an earlier run."""
    weights = {name: scene.weight for name, scene in site.scenes.items()}
    schedule = plan_orders(reach_of(site), tuple(site.scenes), weights, turn_times(site))
    scenes = tuple(
        SceneCover(scene, len(schedule.covered_slots(scene)), schedule.views(scene), schedule.longest_gap(scene))
        for scene in site.scenes
    )
    by_camera = (slowest_turn(planned_turns(site, [order])) for order in schedule.orders)
    turns = tuple(turn for turn in by_camera if turn is not None)
    dwell = first_dwell_ns(site, schedule.orders) / NANOSECONDS
    slowest = slowest_turn(turns)
    short = dwell_problem(dwell, slowest)
    refusal = f'region.dwell: {short}' if short else ''
    never = tuple(u for u in schedule.uncovered if not schedule.views(u.scene))
    problems = tuple(
        f'scene {u.scene} is never covered: {u.reason}; give a camera a preset for it, or take it out' for u in never
    )
    if refusal:
        problems += (refusal,)
    suggestion = suggest_dwell(stays or StayTimes(), schedule.slots_per_cycle, slowest.seconds if slowest else 0.0)
    return PlanExamination(dwell, schedule, scenes, turns, problems, refusal, _notes(schedule, dwell), suggestion)


def _notes(schedule: Schedule, dwell: float) -> tuple[str, ...]:
    by_reason: dict[str, list[str]] = {}
    for uncovered in schedule.uncovered:
        if schedule.views(uncovered.scene):
            by_reason.setdefault(uncovered.reason, []).append(uncovered.scene)
    in_turn = tuple(
        f'{reason}, each without a camera for up to {max(map(schedule.longest_gap, scenes)) * dwell:g} s'
        for reason, scenes in by_reason.items()
    )
    kept = tuple(
        f'camera {camera} has a preset for {scene}, but never watches it: it is needed elsewhere so that all scenes are covered'
        for camera, scene in schedule.unvisited
    )
    return in_turn + kept
