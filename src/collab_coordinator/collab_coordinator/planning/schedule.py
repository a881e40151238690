# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A plan's cycle, and what it covers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ptz_site import CameraOrder

Reach = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Uncovered:
    """A scene that is not watched all the time: why, and in which slots of a cycle it has no camera."""

    scene: str
    reason: str
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """Who watches what in each slot of a cycle.

    slots_per_cycle: of the longest order; cameras that share no scenes may go round in cycles of their own lengths.
    unvisited: pairs of camera and scene that would be possible, but at the price of leaving another scene without a camera, or for longer.
    """

    orders: tuple[CameraOrder, ...]
    slots_per_cycle: int
    uncovered: tuple[Uncovered, ...] = ()
    unvisited: tuple[tuple[str, str], ...] = ()

    def views(self, scene: str) -> tuple[str, ...]:
        """The cameras that visit a scene in a cycle."""
        return tuple(order.camera for order in self._visitors.get(scene, ()))

    def covered_slots(self, scene: str) -> tuple[int, ...]:
        """The slots of a cycle in which a scene has a camera."""
        covered, period = self._covered(scene)
        return tuple(k for k in range(self.slots_per_cycle) if k % period in covered)

    def longest_gap(self, scene: str) -> int:
        """The longest run of slots without a camera on a scene, over cycle ends too; slots_per_cycle if it never has one."""
        covered, period = self._covered(scene)
        if not covered:
            return self.slots_per_cycle
        ranked = sorted(covered)
        return max(b - a - 1 for a, b in zip(ranked, [*ranked[1:], ranked[0] + period], strict=True))

    @cached_property
    def _visitors(self) -> dict[str, list[CameraOrder]]:
        visitors: dict[str, list[CameraOrder]] = {}
        for order in self.orders:
            for scene in dict.fromkeys(order.scenes):
                visitors.setdefault(scene, []).append(order)
        return visitors

    def _covered(self, scene: str) -> tuple[set[int], int]:
        """The slots of the scene's own cycle that have a camera, and the length of that cycle."""
        visitors = self._visitors.get(scene, [])
        period = math.lcm(*(len(order.scenes) for order in visitors)) if visitors else 1
        covered: set[int] = set()
        for order in visitors:
            length = len(order.scenes)
            for k in (k for k, s in enumerate(order.scenes) if s == scene):
                covered.update(range(k, period, length))
        return covered, period
