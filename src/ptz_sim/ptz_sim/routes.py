# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Ways around what stands in the way: shortest paths over the corners of obstacles (a visibility graph)."""

from __future__ import annotations

import heapq

import numpy as np

from ptz_sim.shapes import Array, Blocks, Flags, Point

#: Metres that people keep from walls, and at which they round corners.
CLEARANCE = 0.35
CORNER = 0.55


class Routes:
    """Shortest walks in a square of half side `half` that keep clear of solid blocks."""

    def __init__(self, solid: Blocks, half: float) -> None:
        self._solid = solid
        corners = [block.corners(CORNER) for block in solid.blocks]
        nodes = np.vstack(corners) if corners else np.zeros((0, 2))
        free = ~solid.contain(nodes, CLEARANCE) & (np.abs(nodes).max(axis=1, initial=0.0) < half - 1)
        self._nodes = nodes[free]
        self._links = [self._reachable(node) for node in self._nodes]

    def are_free(self, points: Array, margin: float = 0.6) -> Flags:
        """At which points (n, 2) somebody can stand."""
        return np.asarray(~self._solid.contain(points, margin))

    def between(self, start: Point, goal: Point) -> list[Point]:
        """The corners of the walk, both ends included. Straight if there is no way at all."""
        if self._clear(np.array([start]), np.array([goal]))[0]:
            return [start, goal]
        if not len(self._nodes):
            return [start, goal]
        first = self._reachable(np.array(start))
        last = set(self._reachable(np.array(goal)).tolist())
        return [start, *self._search(start, goal, first, last), goal]

    def _search(self, start: Point, goal: Point, first: np.ndarray, last: set[int]) -> list[Point]:
        nodes = self._nodes
        to_goal = np.hypot(nodes[:, 0] - goal[0], nodes[:, 1] - goal[1])
        best: dict[int, float] = {}
        came: dict[int, int] = {}
        queue: list[tuple[float, float, int, int]] = []
        for i in first.tolist():
            walked = float(np.hypot(*(nodes[i] - start)))
            heapq.heappush(queue, (walked + float(to_goal[i]), walked, i, -1))
        while queue:
            _, walked, node, previous = heapq.heappop(queue)
            if node in best:
                continue
            best[node], came[node] = walked, previous
            if node in last:
                return self._trace(came, node)
            for i in self._links[node].tolist():
                if i not in best:
                    further = walked + float(np.hypot(*(nodes[i] - nodes[node])))
                    heapq.heappush(queue, (further + float(to_goal[i]), further, i, node))
        return []

    def _trace(self, came: dict[int, int], node: int) -> list[Point]:
        way = []
        while node >= 0:
            way.append((float(self._nodes[node][0]), float(self._nodes[node][1])))
            node = came[node]
        return way[::-1]

    def _reachable(self, point: Array) -> np.ndarray:
        return np.flatnonzero(self._clear(np.tile(point, (len(self._nodes), 1)), self._nodes))

    def _clear(self, starts: Array, ends: Array) -> np.ndarray:
        if not self._solid.blocks:
            return np.ones(len(starts), bool)
        return np.asarray(~self._solid.hits(starts, ends, CLEARANCE).any(axis=1))
