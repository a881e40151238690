# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plans for cameras that reach some scenes only.

The graph falls into a part in which every scene can have a camera in every slot, and parts with too few cameras, in which the scenes
take turns. In both, how often each camera visits each scene in a cycle is a flow; the visits then are the edges of a multigraph
whose edge colouring puts them into slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from collab_coordinator.planning.colouring import balanced_colours, perfect_matchings
from collab_coordinator.planning.matching import (
    Flags,
    Graph,
    Numbers,
    largest_flow,
    maximum_matching,
    possible_pairs,
    undersupplied,
)

#: A cycle is not made longer than so many times the least one for the sake of weights.
_MOST_STRETCH = 8
#: Scenes of a part up to which other ways to share places are tried.
_SMALL = 12
#: slots; far beyond what any graph needs.
_LONGEST = 1_000_000


@dataclass(frozen=True)
class Part:
    """The cycle of cameras and scenes that have nothing to do with others.

    table: slots by cameras, scenes by their numbers in the whole graph. turns: slots that may change places have the same number.
    in_turn: there are too few cameras, so the scenes are watched in turn.
    """

    cameras: Numbers
    scenes: Numbers
    table: Numbers
    turns: Numbers
    in_turn: bool


def plan_parts(graph: Graph, weights: Numbers) -> Iterator[Part]:
    """The parts of a graph in which every camera and every scene has an edge. weights: of the scenes, at least 1."""
    match = maximum_matching(graph)
    few_cameras, few_scenes = undersupplied(graph, match)
    if few_scenes.any():
        part, cameras, scenes = graph.part(few_cameras, few_scenes)
        for inner, some_cameras, some_scenes in _components(part):
            yield _in_turn(inner, weights[scenes[some_scenes]], cameras[some_cameras], scenes[some_scenes])
    if not few_scenes.all():
        part, cameras, scenes = graph.part(~few_cameras, ~few_scenes)
        table = _covered(part, weights[scenes])
        yield Part(cameras, scenes, scenes[table], np.zeros(len(table), dtype=np.intp), in_turn=False)


def _components(graph: Graph) -> Iterator[tuple[Graph, Numbers, Numbers]]:
    size = graph.cameras + graph.scenes
    ones = np.ones(len(graph.camera), dtype=np.int8)
    arcs = csr_array((ones, (graph.camera, graph.cameras + graph.scene)), shape=(size, size))
    count, label = connected_components(arcs, directed=False)
    for number in range(count):
        inside = label == number
        yield graph.part(inside[: graph.cameras], inside[graph.cameras :])


# Every scene in every slot


def _covered(graph: Graph, weights: Numbers) -> Numbers:
    """Slots by cameras, for a graph in which a matching covers all scenes: they are covered in every slot."""
    graph = graph.only(possible_pairs(graph, maximum_matching(graph), np.ones(graph.scenes, dtype=bool)))
    busy, views = np.bincount(graph.camera, minlength=graph.cameras), np.bincount(graph.scene, minlength=graph.scenes)
    least = int(busy.max()) * min(_MOST_STRETCH, int(weights.max()))

    def visits(slots: int) -> Numbers | None:
        """How often each pair meets beyond the first time, so that every scene has `slots` visits at least."""
        demand = np.maximum(0, slots - views)
        spare = slots - busy
        rest = int(spare.sum() - demand.sum())
        return largest_flow(spare, graph, np.full(len(graph.camera), slots), demand, np.full(graph.scenes, max(rest, 0)), rest)

    slots, more = _least(least, visits)
    if more.any():
        more = _by_weight(graph, more, views, slots, weights)
    edges = np.repeat(np.arange(len(graph.camera)), 1 + more)
    edges = edges[np.argsort(graph.scene[edges], kind='stable')]
    scene = graph.scene[edges]
    # The first visits of each scene are of a node of its own, so it has one in each slot; all others share nodes, scene after scene.
    number = np.arange(len(edges)) - np.concatenate(([0], np.cumsum(np.bincount(scene, minlength=graph.scenes))))[scene]
    beyond = number >= slots
    node = np.where(beyond, graph.scenes + (np.cumsum(beyond) - 1) // slots, scene)
    colour = perfect_matchings(graph.camera[edges], node, graph.cameras, slots)
    table = np.empty((slots, graph.cameras), dtype=np.intp)
    table[colour, graph.camera[edges]] = scene
    return table


def _by_weight(graph: Graph, more: Numbers, views: Numbers, slots: int, weights: Numbers) -> Numbers:
    """The same number of visits of each camera, moved from scenes that have more than their share to those that have less.

    A scene keeps a visit in every slot.
    """
    more = more.copy()
    visits = views + np.bincount(graph.scene, weights=more, minlength=graph.scenes).astype(np.intp)
    first = np.searchsorted(graph.camera, np.arange(graph.cameras + 1))
    for _ in range(slots):
        moved = False
        for camera in range(graph.cameras):
            edges = np.arange(first[camera], first[camera + 1])
            scenes = graph.scene[edges]
            gives = np.flatnonzero((more[edges] > 0) & (visits[scenes] > slots))
            if not len(gives):
                continue
            source = gives[np.argmax(visits[scenes[gives]] / weights[scenes[gives]])]
            goal = int(np.argmin((visits[scenes] + 1) / weights[scenes]))
            if (visits[scenes[goal]] + 1) / weights[scenes[goal]] >= visits[scenes[source]] / weights[scenes[source]]:
                continue
            more[edges[source]] -= 1
            more[edges[goal]] += 1
            visits[scenes[source]] -= 1
            visits[scenes[goal]] += 1
            moved = True
        if not moved:
            break
    return more


# Scenes in turn


def _in_turn(graph: Graph, weights: Numbers, cameras: Numbers, scenes: Numbers) -> Part:
    """A part with fewer cameras than scenes: blocks of as few slots as possible, in each of which every scene has its slots.

    A scene has the same places in every block, so it never waits for longer than a block; no plan does better, because the cameras of
    some group of scenes have no time for shorter blocks. Pairs that find no room in the blocks get slots of their own between them,
    at most one after each block.
    """
    tables, extra = min(_attempts(graph, weights), key=lambda attempt: len(attempt[1]))
    rounds = max(len(extra), *(len(table) for table in tables))
    between = {(k + 1) * rounds // len(extra) - 1: k for k in range(len(extra))}
    rows, turns = [], []
    for number in range(rounds):
        for phase, table in enumerate(tables):
            # Phases that are through with all pairs begin again.
            rows.append(table[number % len(table)])
            turns.append(phase)
        if number in between:
            rows.append(extra[between[number]])
            turns.append(len(tables))
    return Part(cameras, scenes, scenes[np.array(rows)], np.array(turns), in_turn=True)


def _attempts(graph: Graph, weights: Numbers) -> Iterator[tuple[list[Numbers], list[Numbers]]]:
    """The tables of the places, and the slots for pairs that found no room: until there are none, for scenes named differently.

    Which scenes share a place is arbitrary, and some choices leave more room for pairs than others.
    """
    size = graph.scenes
    shifts = range(size) if size <= _SMALL else range(1)
    for shift in shifts:
        for names in (np.roll(np.arange(size), shift), np.roll(np.arange(size), shift)[::-1]):
            # names: the old number of each new one.
            new = np.argsort(names)[graph.scene]
            order = np.lexsort((new, graph.camera))
            renamed = Graph(graph.camera[order], new[order], graph.cameras, size)
            _, places = _places(renamed, weights[names])
            tables = [_phase(renamed, required) for required in places]
            extra = _missing_pairs(renamed, tables)
            yield [names[table] for table in tables], [names[row] for row in extra]
            if not extra:
                return


def _missing_pairs(graph: Graph, tables: Sequence[Numbers]) -> list[Numbers]:
    """Slots, as few as that goes, with the pairs that no table has although some slot could have them."""
    nothing = np.zeros(graph.scenes, dtype=bool)
    possible = graph.only(possible_pairs(graph, maximum_matching(graph), nothing))
    key = possible.camera * graph.scenes + possible.scene
    everybody = np.arange(graph.cameras)
    seen = np.unique(np.concatenate([(everybody * graph.scenes + row) for table in tables for row in table]))
    missing = ~np.isin(key, seen)
    slots = []
    while missing.any():
        # A matching of all cameras with as many missing pairs as possible.
        cost = csr_array((np.where(missing, 1.0, 2.0), (possible.camera, possible.scene)), shape=(graph.cameras, graph.scenes))
        _, row = min_weight_full_bipartite_matching(cost)
        slots.append(np.asarray(row, dtype=np.intp))
        missing &= ~np.isin(key, everybody * graph.scenes + row)
    return slots


def _places(graph: Graph, weights: Numbers) -> tuple[int, list[Flags]]:
    """The length of a block, and the scenes that have each of its places: each as many places as its weight."""
    total = int(weights.sum())

    def owners(block: int) -> Numbers | None:
        idle = block * graph.cameras - total
        if idle < 0:
            return None
        # A scene beyond all others takes the time that no scene needs.
        everybody = np.arange(graph.cameras)
        camera, scene = (
            np.concatenate((graph.camera, everybody)),
            np.concatenate((graph.scene, np.full(graph.cameras, graph.scenes))),
        )
        wide = Graph(camera, scene, graph.cameras, graph.scenes + 1)
        supply, room = np.full(graph.cameras, block), np.full(len(camera), block)
        flow = largest_flow(supply, wide, room, np.append(weights, idle), np.zeros(graph.scenes + 1, dtype=np.intp), 0)
        return None if flow is None else flow[: len(graph.camera)]

    block, owned = _least(max(-(-total // graph.cameras), int(weights.max())), owners)
    edges = np.repeat(np.arange(len(graph.camera)), owned)
    colour = balanced_colours(graph.camera[edges], graph.scene[edges], (graph.cameras, graph.scenes), block)
    places = np.zeros((block, graph.scenes), dtype=bool)
    places[colour, graph.scene[edges]] = True
    return block, list(_spread(places, weights))


def _spread(places: Flags, weights: Numbers) -> Flags:
    """The same places in another sequence, so that those of heavy scenes lie apart: next comes what has least in common with the last."""
    if weights.max() == 1 or len(places) < 3:
        return places
    left, sequence = list(range(1, len(places))), [0]
    while left:
        age = np.arange(1, len(sequence) + 1)[::-1]
        common = [float((places[sequence] & places[k]).sum(axis=1) @ (1.0 / age)) for k in left]
        sequence.append(left.pop(int(np.argmin(common))))
    return places[sequence]


def _phase(graph: Graph, required: Flags) -> Numbers:
    """Slots by cameras for one place of the block: the required scenes in every slot, and others with the cameras that are left."""
    match = _extended(graph, required)
    possible = possible_pairs(graph, match, required)
    wanted = possible & required[graph.scene]
    graph = graph.only(possible)
    wanted = wanted[possible]
    busy = np.bincount(graph.camera[wanted], minlength=graph.cameras)
    views = np.bincount(graph.scene[wanted], minlength=graph.scenes)
    least = int(max(busy.max(), views.max()))

    def visits(slots: int) -> Numbers | None:
        demand = np.where(required, slots - views, 0)
        spare = slots - busy
        rest = np.where(required, 0, slots)
        return largest_flow(spare, graph, np.full(len(graph.camera), slots), demand, rest, int(spare.sum() - demand.sum()))

    slots, more = _least(least, visits)
    edges = np.repeat(np.arange(len(graph.camera)), wanted + more)
    colour = balanced_colours(graph.camera[edges], graph.scene[edges], (graph.cameras, graph.scenes), slots)
    table = np.empty((slots, graph.cameras), dtype=np.intp)
    table[colour, graph.camera[edges]] = graph.scene[edges]
    return table


def _extended(graph: Graph, required: Flags) -> Numbers:
    """A matching of all cameras in which all required scenes are (both are possible, so both together are: Mendelsohn and Dulmage 1958)."""
    supply = np.ones(graph.cameras, dtype=np.intp)
    demand = required.astype(np.intp)
    flow = largest_flow(
        supply, graph, np.ones(len(graph.camera), dtype=np.intp), demand, 1 - demand, graph.cameras - int(demand.sum())
    )
    assert flow is not None
    match = np.full(graph.cameras, -1)
    match[graph.camera[flow > 0]] = graph.scene[flow > 0]
    return match


def _least(begin: int, attempt: Callable[[int], Numbers | None]) -> tuple[int, Numbers]:
    """The least number from `begin` on for which something is possible, and what; if it is for one number, it is for all above."""
    low, high = begin - 1, begin
    best = attempt(high)
    step = 1
    while best is None:
        assert high < _LONGEST, 'the flow that must exist was not found'
        low, high = high, high + step
        step *= 2
        best = attempt(high)
    while high - low > 1:
        middle = (low + high) // 2
        found = attempt(middle)
        if found is None:
            low = middle
        else:
            high, best = middle, found
    return high, best
