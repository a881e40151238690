# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Matchings of cameras and scenes: which are possible, which pairs they can hold, and where there are too few cameras.

A graph is given as its edges: equally long arrays of camera and scene numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_bipartite_matching, maximum_flow

Numbers = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Which camera reaches which scene: edge k is camera[k] - scene[k], sorted by camera, then scene."""

    camera: Numbers
    scene: Numbers
    cameras: int
    scenes: int

    def part(self, cameras: Flags, scenes: Flags) -> tuple[Graph, Numbers, Numbers]:
        """The graph between some cameras and some scenes, and the old numbers of its cameras and scenes."""
        keep = cameras[self.camera] & scenes[self.scene]
        camera_new, scene_new = np.cumsum(cameras) - 1, np.cumsum(scenes) - 1
        part = Graph(camera_new[self.camera[keep]], scene_new[self.scene[keep]], int(cameras.sum()), int(scenes.sum()))
        return part, np.flatnonzero(cameras), np.flatnonzero(scenes)

    def only(self, keep: Flags) -> Graph:
        """The graph with some of its edges."""
        return Graph(self.camera[keep], self.scene[keep], self.cameras, self.scenes)


def maximum_matching(graph: Graph) -> Numbers:
    """The scene of each camera in a maximum matching, -1 for none (Hopcroft and Karp 1973)."""
    if not len(graph.camera):
        return np.full(graph.cameras, -1)
    ones = np.ones(len(graph.camera), dtype=np.int8)
    matrix = csr_array((ones, (graph.camera, graph.scene)), shape=(graph.cameras, graph.scenes))
    return np.asarray(maximum_bipartite_matching(matrix, perm_type='column'), dtype=np.intp)


def undersupplied(graph: Graph, match: Numbers) -> tuple[Flags, Flags]:
    """The cameras and scenes of the part in which there are too few cameras (Dulmage and Mendelsohn 1958).

    Those that alternating paths from unmatched scenes lead to. No camera outside reaches one of these scenes.
    """
    scenes = np.ones(graph.scenes, dtype=bool)
    scenes[match[match >= 0]] = False
    used = match[graph.camera] >= 0
    # A scene leads to the scenes that the cameras which reach it are matched to.
    scenes = _reached(graph.scene[used], match[graph.camera[used]], scenes)
    cameras = np.zeros(graph.cameras, dtype=bool)
    cameras[graph.camera[scenes[graph.scene]]] = True
    return cameras, scenes


def possible_pairs(graph: Graph, match: Numbers, required: Flags) -> Flags:
    """Which edges lie in some matching that covers all required scenes and, like `match`, as many cameras or scenes as possible.

    match: such a matching. Cycles and paths of the alternating graph (Berge 1957): camera a leads to camera b if a reaches b's scene.
    """
    owner = np.full(graph.scenes, -1)
    matched = match >= 0
    owner[match[matched]] = np.flatnonzero(matched)
    taken = owner[graph.scene] >= 0
    source, goal = graph.camera[taken], owner[graph.scene[taken]]
    arcs = coo_array((np.ones(len(source), dtype=np.int8), (source, goal)), shape=(graph.cameras, graph.cameras))
    _, group = connected_components(arcs.tocsr(), directed=True, connection='strong')
    # A camera without a scene may take any, and so on along the arcs from it.
    free = _reached(source, goal, ~matched)
    # Where somebody may leave a scene that is not required: paths from there, by cameras that replace each other, to a free scene.
    relieved = _reached(source, goal, matched & ~required[np.maximum(match, 0)])
    ends = np.zeros(graph.cameras, dtype=bool)
    ends[graph.camera[~taken]] = True
    escapes = _reached(goal, source, ends)
    possible = (match[graph.camera] == graph.scene) | free[graph.camera]
    other = np.maximum(owner[graph.scene], 0)
    possible |= taken & (group[graph.camera] == group[other])
    possible |= taken & relieved[graph.camera] & escapes[other]
    return np.asarray(possible | (~taken & relieved[graph.camera]))


def largest_flow(supply: Numbers, graph: Graph, room: Numbers, demand: Numbers, rest: Numbers, rest_total: int) -> Numbers | None:
    """Units along each edge that use up every camera's supply and fill every scene's demand; None if that is not possible.

    room: most units along an edge; rest: what a scene may take beyond its demand; rest_total: of all scenes together.
    """
    total = int(supply.sum())
    if total != int(demand.sum()) + rest_total or rest_total < 0:
        return None
    if not total:
        return np.zeros(len(graph.camera), dtype=np.intp)
    # Nodes: source, cameras, scenes, one that collects what goes beyond demands, sink.
    first_scene, collector = 1 + graph.cameras, 1 + graph.cameras + graph.scenes
    sink, scene_nodes = collector + 1, first_scene + np.arange(graph.scenes)
    tails = np.concatenate((np.zeros(graph.cameras), 1 + graph.camera, scene_nodes, scene_nodes, [collector])).astype(np.int32)
    heads = np.concatenate(
        (
            1 + np.arange(graph.cameras),
            first_scene + graph.scene,
            np.full(graph.scenes, sink),
            np.full(graph.scenes, collector),
            [sink],
        )
    ).astype(np.int32)
    room_of = np.concatenate((supply, room, demand, rest, [rest_total])).astype(np.int32)
    network = csr_array((room_of, (tails, heads)), shape=(sink + 1, sink + 1))
    result = maximum_flow(network, 0, sink, method='dinic')
    if result.flow_value < total:
        return None
    return np.asarray(result.flow[1 + graph.camera, first_scene + graph.scene], dtype=np.intp).ravel()


def _reached(source: Numbers, goal: Numbers, begin: Flags) -> Flags:
    """The nodes that arcs lead to from some nodes, with those themselves."""
    if not begin.any():
        return begin.copy()
    size = len(begin)
    starts = np.flatnonzero(begin)
    tails, heads = np.concatenate((source, np.full(len(starts), size))), np.concatenate((goal, starts))
    arcs = csr_array((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(size + 1, size + 1))
    order = breadth_first_order(arcs, size, directed=True, return_predecessors=False)
    found = np.zeros(size + 1, dtype=bool)
    found[order] = True
    return found[:size]
