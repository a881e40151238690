# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plans the order in which each camera goes through the scenes.

Where every camera reaches every scene the plan is a Latin square; with more scenes than cameras a window of as many scenes as
there are cameras moves on by its own length. Elsewhere each slot is a maximum matching of cameras and scenes
(`scipy.optimize.linear_sum_assignment`: Crouse 2016, "On implementing 2D rectangular assignment algorithms"), weighted so that
pairs and scenes that were not visited for longest come first. The same input always gives the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ptz_site import CameraOrder, Site

#: slots; ages count up to here, so that the weights stay exact in doubles for thousands of cameras.
_OLDEST = 64

Reach = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Uncovered:
    """A scene that is not watched all the time: why, and in which slots of a cycle it has no camera."""

    scene: str
    reason: str
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """Who watches what in each slot of a cycle. All orders are slots_per_cycle long.

    unvisited: pairs of camera and scene that would be possible, but at the price of leaving another scene without a camera.
    """

    orders: tuple[CameraOrder, ...]
    slots_per_cycle: int
    uncovered: tuple[Uncovered, ...] = ()
    unvisited: tuple[tuple[str, str], ...] = ()

    def views(self, scene: str) -> tuple[str, ...]:
        """The cameras that visit a scene in a cycle."""
        return tuple(order.camera for order in self.orders if scene in order.scenes)

    def covered_slots(self, scene: str) -> tuple[int, ...]:
        """The slots of a cycle in which a scene has a camera."""
        return tuple(k for k in range(self.slots_per_cycle) if any(order.scene(k) == scene for order in self.orders))

    def longest_gap(self, scene: str) -> int:
        """The longest run of slots without a camera on a scene, over cycle ends too; slots_per_cycle if it never has one."""
        covered = self.covered_slots(scene)
        if not covered:
            return self.slots_per_cycle
        following = (*covered[1:], covered[0] + self.slots_per_cycle)
        return max(b - a - 1 for a, b in zip(covered, following, strict=True))


def reach_of(site: Site, cameras: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The scenes that each camera can watch, in the site's order; of all cameras, or of the given ones."""
    wanted = set(site.cameras if cameras is None else cameras)
    return {camera: site.reach(camera) for camera in site.cameras if camera in wanted}


def plan_orders(reach: Reach, scenes: Sequence[str]) -> Schedule:
    """Plans a cycle for cameras that reach the given scenes.

    Coverage comes first: in every slot as many scenes as possible at all have a camera. Then every pair is visited that
    coverage allows. Cameras that are not needed for coverage double up. Cameras that reach nothing get no order.
    """
    cameras = [camera for camera in reach if set(reach[camera]) & set(scenes)]
    targets = [scene for scene in scenes if any(scene in reach[camera] for camera in cameras)]
    unreached = tuple(
        Uncovered(scene, f'no camera has a preset for it (cameras: {", ".join(reach) or "none"})', ())
        for scene in scenes
        if scene not in targets
    )
    if not cameras:
        return Schedule((), 0, unreached)
    can = np.array([[scene in reach[camera] for scene in targets] for camera in cameras])
    table = _full_reach(*can.shape) if can.all() else _matched_slots(can)
    orders = tuple(CameraOrder(camera, tuple(targets[s] for s in table[:, i])) for i, camera in enumerate(cameras))
    visited = {(i, int(s)) for i in range(len(cameras)) for s in table[:, i]}
    unvisited = tuple(
        (cameras[i], targets[s]) for i, s in zip(*(a.tolist() for a in np.nonzero(can)), strict=True) if (i, s) not in visited
    )
    slots = len(table)
    unreached = tuple(Uncovered(u.scene, u.reason, tuple(range(slots))) for u in unreached)
    return Schedule(orders, slots, unreached + _watched_in_turn(table, can, cameras, targets), unvisited)


def _full_reach(cameras: int, scenes: int) -> NDArray[np.intp]:
    """Slots by cameras; every camera visits every scene once in a cycle of as many slots as there are scenes.

    Up to as many scenes as cameras it is the Latin square: camera i on scene (i + k) mod scenes in slot k. With more scenes, slot
    k is a window of scenes that begins at k * cameras, so that no scene waits longer than it must. When the windows come round
    to where they began, the cameras change places in them, so that each sees the scenes that it did not see yet.
    """
    if scenes <= cameras:
        return np.add.outer(np.arange(scenes), np.arange(cameras)) % scenes
    slot = np.arange(scenes)[:, None]
    rounds = slot // (scenes // math.gcd(cameras, scenes))
    return (slot * cameras + (np.arange(cameras) + rounds) % cameras) % scenes


def _matched_slots(can: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Slots by cameras, slot by slot, until every pair was visited that coverage allows."""
    scene_age = np.full(can.shape[1], _OLDEST)
    pair_age = np.full(can.shape, _OLDEST)
    new = can.copy()
    slots: list[NDArray[np.intp]] = []
    while new.any():
        choice = _slot(can, new, scene_age, pair_age, scenes_first=True)
        if not _takes(new, choice):
            # Nothing new in the scenes' own turn: ask for a new pair. If there is none, coverage allows no more.
            choice = _slot(can, new, scene_age, pair_age, scenes_first=False)
            if not _takes(new, choice):
                break
        slots.append(choice)
        rows = np.arange(len(choice))
        new[rows, choice] = False
        scene_age, pair_age = np.minimum(scene_age + 1, _OLDEST), np.minimum(pair_age + 1, _OLDEST)
        scene_age[choice] = 0
        pair_age[rows, choice] = 0
    return np.array(slots)


def _takes(new: NDArray[np.bool_], choice: NDArray[np.intp]) -> bool:
    return bool(new[np.arange(len(choice)), choice].any())


def _slot(
    can: NDArray[np.bool_],
    new: NDArray[np.bool_],
    scene_age: NDArray[np.int_],
    pair_age: NDArray[np.int_],
    *,
    scenes_first: bool,
) -> NDArray[np.intp]:
    """The scene of each camera: as many scenes as possible, then old scenes and new pairs, then old pairs."""
    size = min(can.shape)
    ages = _OLDEST * size + 1  # more than all ages of a slot together
    scene_weight, new_weight = (ages * (size + 1), ages) if scenes_first else (ages, ages * ages)
    most = ages * ages * (size + 1)
    weight = np.where(can, most + scene_age[None, :] * scene_weight + new * new_weight + pair_age, 0).astype(float)
    rows, columns = linear_sum_assignment(weight, maximize=True)
    choice = np.full(can.shape[0], -1)
    matched = can[rows, columns]
    choice[rows[matched]] = columns[matched]
    views = np.bincount(choice[choice >= 0], minlength=can.shape[1])
    for camera in np.flatnonzero(choice < 0):
        scene = max(np.flatnonzero(can[camera]), key=lambda s: (new[camera, s], pair_age[camera, s], -views[s], -s))
        choice[camera] = scene
        views[scene] += 1
    return choice


def _watched_in_turn(
    table: NDArray[np.intp], can: NDArray[np.bool_], cameras: Sequence[str], scenes: Sequence[str]
) -> tuple[Uncovered, ...]:
    """The scenes that have a camera only in some slots, each with what stands in the way."""
    found = []
    for index, scene in enumerate(scenes):
        without = tuple(k for k in range(len(table)) if index not in table[k])
        if without:
            group, shared = _bottleneck(table[without[0]], can, index)
            names = ', '.join(scenes[s] for s in group)
            reason = (
                f'{len(group)} scenes ({names}) are reached by {len(shared)} camera{"s" * (len(shared) != 1)} only '
                f'({", ".join(cameras[c] for c in shared)}), so they are watched in turn'
            )
            found.append(Uncovered(scene, reason, without))
    return tuple(found)


def _bottleneck(choice: NDArray[np.intp], can: NDArray[np.bool_], scene: int) -> tuple[list[int], list[int]]:
    """All scenes that share too few cameras with the given one (Hall's condition), and those cameras.

    Follows the alternating paths from a scene that a maximum matching left out: a camera that reaches a scene of the group
    brings the scene it is on into the group.
    """
    group, shared, ask = {scene}, set(), [scene]
    while ask:
        for camera in np.flatnonzero(can[:, ask.pop()]).tolist():
            shared.add(camera)
            on = int(choice[camera])
            if on not in group:
                group.add(on)
                ask.append(on)
    only = [s for s in range(can.shape[1]) if set(np.flatnonzero(can[:, s]).tolist()) <= shared]
    return only, sorted(shared)
