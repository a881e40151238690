# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plans the order in which each camera goes through the scenes.

Where every camera reaches every scene the plan is a Latin square, or a window that moves over the scenes; elsewhere it is an edge
colouring of the graph of cameras and scenes. Coverage comes first, then short waits, then that every camera sees every scene, then
little turning. The same input always gives the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from collab_coordinator.planning.full_reach import full_reach
from collab_coordinator.planning.matching import Graph, Numbers
from collab_coordinator.planning.partial_reach import Part, plan_parts
from collab_coordinator.planning.schedule import Reach, Schedule, Uncovered
from collab_coordinator.planning.turn_order import TurnTimes, exchanged_turns, short_tour, tour_length
from ptz_site import CameraOrder, Site

#: slots; orders of different lengths are brought to a common length up to this one.
_COMMON_CYCLE = 240
#: Names in a message before 'and N more'.
_NAMED = 8


def reach_of(site: Site, cameras: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The scenes that each camera can and may watch, in the site's order; of all cameras, or of the given ones."""
    wanted = set(site.cameras if cameras is None else cameras)
    return {camera: site.reach(camera) for camera in site.cameras if camera in wanted}


def plan_orders(
    reach: Reach, scenes: Sequence[str], weights: Mapping[str, int] | None = None, turns: TurnTimes | None = None
) -> Schedule:
    """Plans a cycle for cameras that reach the given scenes.

    In every slot as many scenes as possible at all have a camera; where there are too few cameras the scenes take turns and none
    waits longer than it must. Every pair of camera and scene is visited that this allows. Cameras that are not needed for coverage
    double up. weights: 2 means twice the time, or two cameras when there are enough. turns: the slots are put into an
    order with little turning. Cameras that reach nothing get no order.
    """
    number = {scene: k for k, scene in enumerate(scenes)}
    able = {camera: sorted({number[s] for s in reached if s in number}) for camera, reached in reach.items()}
    cameras = [camera for camera, reached in able.items() if reached]
    reached_scenes = {scene for camera in cameras for scene in able[camera]}
    nobody = f'no camera has a preset for it (cameras: {_names(list(reach)) or "none"})'
    if not cameras:
        return Schedule((), 0, tuple(Uncovered(scene, nobody, ()) for scene in scenes))
    targets = sorted(reached_scenes)
    heavy = np.array([(weights or {}).get(scenes[s], 1) for s in targets])
    if heavy.max() == 1 and all(len(able[camera]) == len(targets) for camera in cameras):
        parts = [_full_part(len(cameras), len(targets), cameras, [scenes[s] for s in targets], turns)]
    else:
        graph = _graph(cameras, able, {scene: k for k, scene in enumerate(targets)})
        parts = [_in_short_order(part, cameras, [scenes[s] for s in targets], turns) for part in plan_parts(graph, heavy)]
    names = np.array([scenes[s] for s in targets], dtype=object)
    orders = _orders(parts, cameras, names)
    schedule = Schedule(orders, max(len(order.scenes) for order in orders))
    uncovered = [Uncovered(s, nobody, tuple(range(schedule.slots_per_cycle))) for s in scenes if number[s] not in reached_scenes]
    uncovered += _watched_in_turn(schedule, parts, cameras, names)
    seen = {order.camera: set(order.scenes) for order in orders}
    unvisited = tuple((camera, scenes[s]) for camera in cameras for s in able[camera] if scenes[s] not in seen[camera])
    return Schedule(orders, schedule.slots_per_cycle, tuple(uncovered), unvisited)


def _graph(cameras: Sequence[str], able: Mapping[str, Sequence[int]], number: Mapping[int, int]) -> Graph:
    counts = [len(able[camera]) for camera in cameras]
    scene = np.array([number[s] for camera in cameras for s in able[camera]], dtype=np.intp)
    return Graph(np.repeat(np.arange(len(cameras)), counts), scene, len(cameras), len(number))


def _full_part(cameras: int, scenes: int, names: Sequence[str], scene_names: Sequence[str], turns: TurnTimes | None) -> Part:
    table = full_reach(cameras, scenes)
    # Of more scenes than cameras each slot shows a window, and of up to three there is one cyclic order only.
    if turns is not None and 3 < scenes <= cameras:
        rows = np.array([turns.cameras[name] for name in names])
        columns = np.array([turns.scenes[name] for name in scene_names])
        every = np.repeat(columns[:, None], cameras, axis=1)
        sequence = short_tour(turns.between_slots(rows, every), np.zeros(scenes, dtype=np.intp))
        table = sequence[table]
    return Part(np.arange(cameras), np.arange(scenes), table, np.arange(scenes), in_turn=scenes > cameras)


def _in_short_order(part: Part, cameras: Sequence[str], scenes: Sequence[str], turns: TurnTimes | None) -> Part:
    if turns is None or len(part.table) < 4:
        return part
    rows = np.array([turns.cameras[cameras[c]] for c in part.cameras])
    columns = np.array([turns.scenes[scene] for scene in scenes])
    tour = short_tour(turns.between_slots(rows, columns[part.table]), part.turns)
    table, kinds = columns[part.table[tour]], part.turns[tour]
    table = exchanged_turns(turns, rows, table, kinds)
    number = np.zeros(len(turns.scenes), dtype=np.intp)
    number[columns] = np.arange(len(columns))
    return Part(part.cameras, part.scenes, number[table], kinds, part.in_turn)


def _orders(parts: Sequence[Part], cameras: Sequence[str], names: Numbers) -> tuple[CameraOrder, ...]:
    common = math.lcm(*(len(part.table) for part in parts))
    found: dict[int, CameraOrder] = {}
    for part in parts:
        repeats = common // len(part.table) if common <= _COMMON_CYCLE else 1
        columns = np.tile(names[part.table], (repeats, 1)).T.tolist()
        for camera, column in zip(part.cameras.tolist(), columns, strict=True):
            found[camera] = CameraOrder(cameras[camera], tuple(column))
    return tuple(found[camera] for camera in range(len(cameras)))


def _watched_in_turn(schedule: Schedule, parts: Iterable[Part], cameras: Sequence[str], names: Numbers) -> list[Uncovered]:
    """The scenes that have a camera only in some slots, each with what stands in the way (Hall's condition)."""
    found = []
    for part in (part for part in parts if part.in_turn):
        group, shared = [str(names[s]) for s in part.scenes], [cameras[c] for c in part.cameras]
        reason = (
            f'{len(group)} scenes ({_names(group)}) are reached by {len(shared)} camera{"s" * (len(shared) != 1)} only '
            f'({_names(shared)}), so they are watched in turn'
        )
        for scene in group:
            covered = set(schedule.covered_slots(scene))
            without = tuple(k for k in range(schedule.slots_per_cycle) if k not in covered)
            found += [Uncovered(scene, reason, without)] if without else []
    return found


def _names(names: Sequence[str]) -> str:
    more = f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''
    return ', '.join(names[:_NAMED]) + more


def total_turning(schedule: Schedule, turns: TurnTimes) -> float:
    """Seconds that all cameras together turn in the longest cycle of a schedule."""
    total = 0.0
    for order in schedule.orders:
        camera = np.array([turns.cameras[order.camera]])
        table = np.array([[turns.scenes[scene]] for scene in order.scenes])
        total += tour_length(turns.between_slots(camera, table), np.arange(len(table))) * schedule.slots_per_cycle / len(table)
    return total
