# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Changes of orders that keep as much of them as possible: cover for cameras that are out, and the swap of two cameras."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from ptz_site import CameraOrder

Orders = tuple[CameraOrder, ...]
Slot = dict[str, str]
#: slots; orders whose common cycle is longer are not mended slot by slot.
LONGEST_CYCLE = 2000


def common_cycle(orders: Iterable[CameraOrder]) -> int:
    """The number of slots after which all orders together begin again; 0 without orders."""
    lengths = [len(order.scenes) for order in orders if order.scenes]
    return math.lcm(*lengths) if lengths else 0


def cover(
    orders: Orders,
    out: Collection[str],
    reach: Mapping[str, Collection[str]],
    scenes: Sequence[str],
    fixed: Mapping[str, str],
    slot: int,
) -> Orders:
    """The orders with which the cameras that are not out watch as many of the scenes as possible in every slot.

    Orders change only where a scene would be without a camera, by shortest augmenting paths (Berge 1957), so that as few cameras as
    possible leave their order. The orders of cameras that are out stay as they are: those cameras go on by them when they are back.
    fixed: cameras that must watch a given scene in the given slot, and in no other way.
    """
    period = common_cycle(orders)
    if not period or period > LONGEST_CYCLE:
        return orders
    able = [order for order in orders if order.camera not in out]
    slots: list[Slot] = []
    for k in range(period):
        watching = {order.camera: order.scene(k) for order in able}
        held: Mapping[str, str] = {}
        if k == slot % period:
            held = {camera: scene for camera, scene in fixed.items() if camera in watching}
            watching.update(held)
        _fill(watching, reach, scenes, held)
        slots.append(watching)
    return tuple(
        order if order.camera in out else _order(order.camera, [watching[order.camera] for watching in slots], len(order.scenes))
        for order in orders
    )


def exchange(orders: Orders, first: str, second: str, reach: Mapping[str, Collection[str]]) -> Orders:
    """Two cameras exchange their orders; in slots in which one does not reach the other's scene both keep their own."""
    one, other = (next(order for order in orders if order.camera == camera) for camera in (first, second))
    ones, others = [], []
    for k in range(common_cycle((one, other))):
        a, b = one.scene(k), other.scene(k)
        if a in reach[second] and b in reach[first]:
            a, b = b, a
        ones.append(a)
        others.append(b)
    changed = {first: _order(first, ones, len(one.scenes)), second: _order(second, others, len(other.scenes))}
    return tuple(changed.get(order.camera, order) for order in orders)


def put(orders: Orders, camera: str, scene: str, slot: int) -> Orders:
    """The orders with another scene for one camera in one slot of its cycle."""
    return tuple(
        CameraOrder(camera, tuple(scene if k == slot % len(order.scenes) else s for k, s in enumerate(order.scenes)))
        if order.camera == camera and order.scenes
        else order
        for order in orders
    )


def lent(order: CameraOrder, scene: str, slot: int) -> CameraOrder:
    """The order of a camera that watches another scene in one slot. Its own cycle stands in it twice and is changed once, so that whoever
    reads the plan can tell what it was (returned()).
    """
    twice = order.scenes * 2
    return CameraOrder(order.camera, tuple(scene if k == slot % len(twice) else own for k, own in enumerate(twice)))


def returned(order: CameraOrder, slot: int) -> CameraOrder:
    """What lent() made of in a slot; the order itself if it was not lent then. Every camera visits all scenes that it reaches, so that
    an order which has the scene only once was not.
    """
    half = len(order.scenes) // 2
    own = tuple(order.scene(k if k % half != slot % half else slot + half) for k in range(half)) if half else ()
    is_lent = half and lent(CameraOrder(order.camera, own), order.scene(slot), slot) == order and order.scene(slot) in own
    return CameraOrder(order.camera, own) if is_lent else order


def worst_gap(orders: Orders, out: Collection[str], scenes: Iterable[str]) -> int:
    """The longest run of slots in which one of the scenes has no camera that is not out; the whole cycle if one never has."""
    period = common_cycle(orders)
    slots: dict[str, set[int]] = {}
    for order in orders:
        if order.camera not in out:
            for k in range(period):
                slots.setdefault(order.scene(k), set()).add(k)
    worst = 0
    for scene in scenes:
        covered = sorted(slots.get(scene, ()))
        if not covered:
            return period
        following = [*covered[1:], covered[0] + period]
        worst = max(worst, max(b - a - 1 for a, b in zip(covered, following, strict=True)))
    return worst


def aligned(orders: Orders, present: Mapping[str, str], slot: int) -> Orders:
    """The same cycle, begun at the place where most cameras stay on the scene that they are on in the given slot."""
    period = common_cycle(orders)
    if not period or period > LONGEST_CYCLE:
        return orders

    def staying(shift: int) -> int:
        return sum(order.scene(slot + shift) == present.get(order.camera) for order in orders)

    shift = max(range(period), key=lambda s: (staying(s), -s))
    return tuple(
        CameraOrder(order.camera, tuple(order.scene(k + shift) for k in range(len(order.scenes)))) if order.scenes else order
        for order in orders
    )


def _fill(watching: Slot, reach: Mapping[str, Collection[str]], scenes: Sequence[str], held: Mapping[str, str]) -> None:
    """Gives cameras that are doubled to scenes without one, in place."""
    views: dict[str, list[str]] = {}
    for camera, scene in watching.items():
        views.setdefault(scene, []).append(camera)
    if all(scene in views for scene in scenes):
        return
    for scene in scenes:
        if scene not in views:
            for camera, goal in _path(scene, watching, views, reach, held):
                views[watching[camera]].remove(camera)
                if not views[watching[camera]]:
                    del views[watching[camera]]
                watching[camera] = goal
                views.setdefault(goal, []).append(camera)


def _path(
    scene: str, watching: Slot, views: Mapping[str, Sequence[str]], reach: Mapping[str, Collection[str]], held: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The fewest moves (camera, scene) after which a scene has a camera and no other has lost its last one; empty: there are none."""
    came_by: dict[str, tuple[str, str]] = {}
    ask = [scene]
    for goal in ask:
        for camera, on in watching.items():
            if camera in held or on in (goal, scene) or goal not in reach[camera] or on in came_by:
                continue
            came_by[on] = (camera, goal)
            if len(views[on]) > 1:
                return _moves(on, came_by, scene)
            ask.append(on)
    return []


def _moves(last: str, came_by: Mapping[str, tuple[str, str]], scene: str) -> list[tuple[str, str]]:
    moves, at = [], last
    while at != scene:
        camera, goal = came_by[at]
        moves.append((camera, goal))
        at = goal
    return moves


def _order(camera: str, scenes: Sequence[str], usual: int) -> CameraOrder:
    """An order in its shortest form: of its usual length if it repeats after it."""
    short = scenes[:usual]
    repeats = all(scene == short[k % usual] for k, scene in enumerate(scenes))
    return CameraOrder(camera, tuple(short if repeats else scenes))
