# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What follows from a site file: the plan, the coverage, the turns, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

from collab_coordinator.planning import Schedule, plan_orders, reach_of, turn_times
from collab_coordinator.turns import PlannedTurn, dwell_problem, planned_turns, slowest_turn
from ptz_site import Site


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
    notes: it can, but it is good to know.
    """

    dwell: float
    schedule: Schedule
    scenes: tuple[SceneCover, ...]
    turns: tuple[PlannedTurn, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def slowest(self) -> PlannedTurn | None:
        """The slowest turn of all cameras."""
        return slowest_turn(self.turns)


def examine(site: Site) -> PlanExamination:
    """Plans a site and looks whether the plan can be run."""
    weights = {name: scene.weight for name, scene in site.scenes.items()}
    schedule = plan_orders(reach_of(site), tuple(site.scenes), weights, turn_times(site))
    scenes = tuple(
        SceneCover(scene, len(schedule.covered_slots(scene)), schedule.views(scene), schedule.longest_gap(scene))
        for scene in site.scenes
    )
    by_camera = (slowest_turn(planned_turns(site, [order])) for order in schedule.orders)
    turns = tuple(turn for turn in by_camera if turn is not None)
    dwell = site.region.first_dwell
    short = dwell_problem(dwell, slowest_turn(turns))
    never = tuple(u for u in schedule.uncovered if not schedule.views(u.scene))
    problems = tuple(
        f'scene {u.scene} is never covered: {u.reason}; give a camera a preset for it, or take it out' for u in never
    )
    if short:
        problems += (f'region.dwell: {short}',)
    return PlanExamination(dwell, schedule, scenes, turns, problems, _notes(schedule, dwell))


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
