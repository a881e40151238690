# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who watches what in which slot of a cycle. A pure function of who reaches what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ptz_site import CameraOrder, Site

Reach = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Uncovered:
    """A scene that no camera can ever watch, and why."""

    scene: str
    reason: str


@dataclass(frozen=True)
class Schedule:
    """The orders of all cameras for one cycle, and what they leave open."""

    orders: tuple[CameraOrder, ...]
    slots: int
    scenes: tuple[str, ...]
    uncovered: tuple[Uncovered, ...]

    def watchers(self, scene: str, slot: int) -> tuple[str, ...]:
        """The cameras that watch a scene in a slot."""
        return tuple(order.camera for order in self.orders if order.scene(slot) == scene)

    def views(self, scene: str) -> tuple[str, ...]:
        """The cameras that watch a scene at some time of a cycle."""
        return tuple(order.camera for order in self.orders if scene in order.scenes)

    def longest_gap(self, scene: str) -> int:
        """The most slots in a row, also across the end of a cycle, in which nobody watches a scene."""
        watched = [slot for slot in range(self.slots) if self.watchers(scene, slot)]
        if not watched:
            return self.slots
        following = [*watched[1:], watched[0] + self.slots]
        return max(then - now - 1 for now, then in zip(watched, following, strict=True))


def reach_of(site: Site) -> dict[str, tuple[str, ...]]:
    """The scenes that each camera can watch."""
    return {camera: site.reach(camera) for camera in site.cameras}


def make_schedule(reach: Reach, scenes: Sequence[str]) -> Schedule:
    """Plans one cycle. Deterministic; every camera gets at most one scene in each slot.

    Where every camera reaches every scene, and there are not more scenes than cameras: a Latin square, camera i on scene (i + k) mod n in
    slot k. Otherwise a maximum matching for each slot, which prefers what was watched longest ago, until every pair had its turn that
    can have one while all scenes stay covered.
    """
    can = {camera: [scene for scene in scenes if scene in set(known)] for camera, known in reach.items()}
    coverable = [scene for scene in scenes if any(scene in known for known in can.values())]
    uncovered = tuple(Uncovered(scene, _why_uncovered(can)) for scene in scenes if scene not in coverable)
    cameras = [camera for camera, known in can.items() if known]
    if not cameras:
        return Schedule(tuple(CameraOrder(camera, ()) for camera in can), 0, tuple(scenes), uncovered)
    complete = all(len(can[camera]) == len(coverable) for camera in cameras)
    if complete and len(coverable) <= len(cameras):
        rows = _latin_square(len(cameras), coverable)
    else:
        rows = _matchings(cameras, coverable, can)
    by_camera = dict(zip(cameras, rows, strict=True))
    orders = tuple(CameraOrder(camera, tuple(by_camera.get(camera, ()))) for camera in can)
    return Schedule(orders, len(rows[0]), tuple(scenes), uncovered)


def _why_uncovered(can: Mapping[str, Sequence[str]]) -> str:
    return f'no preset for it in {", ".join(can)}' if can else 'there is no camera'


def _latin_square(cameras: int, scenes: Sequence[str]) -> list[list[str]]:
    count = len(scenes)
    return [[scenes[(camera + slot) % count] for slot in range(count)] for camera in range(cameras)]


def _matchings(cameras: Sequence[str], scenes: Sequence[str], can: Mapping[str, Sequence[str]]) -> list[list[str]]:
    reachable = np.array([[scene in can[camera] for scene in scenes] for camera in cameras])
    shape = reachable.shape
    pair_seen = np.full(shape, -1)
    scene_seen = np.full(shape[1], -1)
    rows: list[list[str]] = [[] for _ in cameras]
    slot = last_new = 0
    # Some pairs never get a turn, because their camera is the only one for another scene: covering all scenes comes first.
    while (reachable & (pair_seen < 0)).any() and slot - last_new <= sum(shape):
        chosen = _choose(reachable, slot - pair_seen, slot - scene_seen)
        for camera, scene in enumerate(chosen):
            if pair_seen[camera, scene] < 0:
                last_new = slot
            rows[camera].append(scenes[scene])
            pair_seen[camera, scene] = slot
            scene_seen[scene] = slot
        slot += 1
    return [row[: last_new + 1] for row in rows]


def _choose(reachable: NDArray[np.bool_], pair_age: NDArray[np.int64], scene_age: NDArray[np.int64]) -> list[int]:
    """One scene for each camera: as many scenes as possible, those first that wait longest, then the pairs that do."""
    cameras, scenes = reachable.shape
    pair_weight = pair_age / (pair_age.max() + 1)
    weight = np.where(reachable, 1e6 + scene_age[None, :] * cameras + pair_weight, 0.0)
    matched_cameras, matched_scenes = linear_sum_assignment(weight, maximize=True)
    chosen = np.full(cameras, -1)
    for camera, scene in zip(matched_cameras, matched_scenes, strict=True):
        if reachable[camera, scene]:
            chosen[camera] = scene
    taken = np.bincount(chosen[chosen >= 0], minlength=scenes)
    for camera in np.flatnonzero(chosen < 0):
        # A camera that is left over doubles up where it has not been for longest, and where fewest others are.
        score = np.where(reachable[camera], pair_age[camera] * 1000.0 - taken, -np.inf)
        chosen[camera] = int(np.argmax(score))
        taken[chosen[camera]] += 1
    return [int(scene) for scene in chosen]
