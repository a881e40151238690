# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Every camera's own order, and what becomes of the orders while cameras are out, hold, or take over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from collab_coordinator.core.orders import (
    LONGEST_CYCLE,
    Orders,
    aligned,
    common_cycle,
    cover,
    exchange,
    lent,
    put,
    returned,
    worst_gap,
)
from collab_coordinator.planning import TurnTimes, plan_orders, reach_of
from ptz_site import Hold, Site


class Roster:
    """Keeps each camera's own order, which swaps change, and the orders that the rotation runs by, mended for cameras that are out."""

    def __init__(self, site: Site, orders: Orders, turns: TurnTimes | None = None) -> None:
        self._site, self._turns = site, turns
        self._scenes = tuple(site.scenes)
        self._reach = {camera: frozenset(scenes) for camera, scenes in reach_of(site).items()}
        self._own = self._running = orders

    def adopt(self, orders: Orders) -> None:
        """Goes on with the orders of an earlier coordinator."""
        self._own = self._running = orders

    def reaches(self, camera: str, scene: str) -> bool:
        """Whether a camera can and may watch a scene."""
        return scene in self._reach.get(camera, ())

    def scene(self, camera: str, slot: int) -> str:
        """The scene that a camera would be on if nobody held it elsewhere."""
        return next((order.scene(slot) for order in self._running if order.camera == camera), '')

    def running(self, slot: int, out: Collection[str]) -> Orders:
        """The orders to go on with: without the cameras that are out. slot: the present one."""
        covered = cover(self._own, out, self._reach, self._scenes, {}, slot)
        self._running = self._fairer(covered, slot, out)
        return self._running

    def standing(self, slot: int, out: Collection[str], holds: Collection[Hold]) -> Orders:
        """The orders while the rotation is held: everybody where they are, holders and those that take over on the holds' scenes."""
        standing = cover(self._running, out, self._reach, self._scenes, _fixed(holds), slot)
        return self._lent(standing, slot, out, holds)

    def swap(self, hold: Hold, others: Collection[Hold], slot: int) -> str:
        """A hold's camera and its candidate exchange their orders. Returns the scene of the old camera in the present slot."""
        if hold.candidate_scene == hold.scene:
            return hold.scene
        leaves = self._leaves(hold, others)
        self._own, self._running = (self._swapped(orders, hold, slot, leaves) for orders in (self._own, self._running))
        return hold.candidate_scene if leaves else hold.scene

    def can_swap(self, hold: Hold, candidate: str, slot: int, out: Collection[str], others: Collection[Hold]) -> bool:
        """Whether a camera can take a hold over without a scene being left alone afterwards."""
        if not self.reaches(candidate, hold.scene):
            return False
        before = self.standing(slot, out, [*others, hold])
        trial = replace(hold, candidate=candidate, candidate_scene=self.scene(candidate, slot))
        fixed = {**_fixed(others), candidate: hold.scene}
        if hold.camera not in out:
            fixed[hold.camera] = trial.candidate_scene if self._leaves(trial, others) else hold.scene
        after = cover(before, out, self._reach, self._scenes, fixed, slot)
        return watched(before, out, slot) <= watched(after, out, slot)

    def _lent(self, orders: Orders, slot: int, out: Collection[str], holds: Collection[Hold]) -> Orders:
        """The orders with which cameras that their scenes don't need watch the targets' scenes too: each shows another side of a target."""
        goals = [hold.scene for hold in holds if hold.scene and hold.target]
        if not goals or common_cycle(orders) > LONGEST_CYCLE // 2:
            return orders
        crews = Counter(order.scene(slot) for order in orders if order.camera not in out)
        busy = {*_fixed(holds), *out}
        found = []
        for order in orders:
            scene, able = order.scene(slot), [goal for goal in goals if self.reaches(order.camera, goal)]
            spare = order.camera not in busy and scene not in goals and crews[scene] > 1
            if spare and able:
                goal = min(able, key=lambda one: crews[one])
                crews[scene], crews[goal] = crews[scene] - 1, crews[goal] + 1
                found.append(lent(order, goal, slot))
            else:
                found.append(order)
        return tuple(found)

    def _swapped(self, orders: Orders, hold: Hold, slot: int, leaves: bool) -> Orders:
        if leaves:
            orders = exchange(orders, hold.camera, hold.candidate, self._reach)
            orders = put(orders, hold.camera, hold.candidate_scene, slot)
        return put(orders, hold.candidate, hold.scene, slot)

    def _leaves(self, hold: Hold, others: Collection[Hold]) -> bool:
        """Whether the old camera goes to the candidate's scene after the swap."""
        return self.reaches(hold.camera, hold.candidate_scene) and all(other.camera != hold.camera for other in others)

    def _fairer(self, covered: Orders, slot: int, out: Collection[str]) -> Orders:
        """A new plan for the cameras that are left, if with the mended one a scene would wait longer."""
        able = [camera for camera in self._reach if camera not in out]
        scenes = [scene for scene in self._scenes if any(scene in self._reach[camera] for camera in able)]
        if not worst_gap(covered, out, scenes):
            return covered
        weights = {name: scene.weight for name, scene in self._site.scenes.items()}
        fresh = plan_orders(reach_of(self._site, able), self._scenes, weights, self._turns).orders
        if worst_gap(fresh, (), scenes) >= worst_gap(covered, out, scenes):
            return covered
        watching = {order.camera: order.scene(slot) for order in self._running}
        new = {order.camera: order for order in aligned(fresh, watching, slot)}
        return tuple(new.get(order.camera, order) for order in covered)


def _fixed(holds: Collection[Hold]) -> dict[str, str]:
    fixed = {hold.camera: hold.scene for hold in holds if hold.camera}
    return fixed | {hold.candidate: hold.scene for hold in holds if hold.candidate}


def watched(orders: Orders, out: Collection[str], slot: int) -> set[str]:
    """The scenes that have a camera in a slot."""
    return {order.scene(slot) for order in orders if order.camera not in out}


def restored(orders: Orders, holds: Collection[Hold], slot: int) -> Orders:
    """The orders of a plan without the handoffs that were under way in it, and without cameras that were lent to a target's scene."""
    lenders = {hold.scene for hold in holds if hold.target} if holds else set()
    fixed = _fixed(holds)
    orders = tuple(returned(o, slot) if o.camera not in fixed and o.scene(slot) in lenders else o for o in orders)
    for hold in holds:
        if hold.candidate:
            orders = put(orders, hold.candidate, hold.candidate_scene, slot)
    return orders
