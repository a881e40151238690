# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Edge colouring of regular bipartite multigraphs: k edges at every node fall apart into k perfect matchings (König 1916)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from collab_coordinator.planning.matching import Graph, Numbers, maximum_matching


def perfect_matchings(left: Numbers, right: Numbers, nodes: int, degree: int) -> Numbers:
    """The colour (0 to degree - 1) of each edge, so that no two edges of one colour meet.

    left, right: the nodes of each edge, `nodes` on either side, each with `degree` edges. Halves the graph along Euler tours (Gabow
    1976), and takes a perfect matching away where the degree is odd.
    """
    colour = np.empty(len(left), dtype=np.intp)
    _colour(left, right, np.arange(len(left)), nodes, degree, 0, colour)
    return colour


def balanced_colours(left: Numbers, right: Numbers, nodes: tuple[int, int], colours: int) -> Numbers:
    """The colour of each edge of a multigraph with at most `colours` edges at each node: filled up to a regular one, then coloured."""
    size = max(nodes)
    missing_left = colours - np.bincount(left, minlength=size)
    missing_right = colours - np.bincount(right, minlength=size)
    more_left, more_right = np.repeat(np.arange(size), missing_left), np.repeat(np.arange(size), missing_right)
    all_left, all_right = np.concatenate((left, more_left)), np.concatenate((right, more_right))
    return perfect_matchings(all_left, all_right, size, colours)[: len(left)]


def _colour(left: Numbers, right: Numbers, edges: Numbers, nodes: int, degree: int, first: int, colour: Numbers) -> None:
    if degree % 2:
        taken = _one_matching(left[edges], right[edges], nodes)
        colour[edges[taken]] = first
        edges, degree, first = np.delete(edges, taken), degree - 1, first + 1
    if degree:
        half = _half(left[edges], right[edges], degree)
        for part, begin in ((edges[half], first), (edges[~half], first + degree // 2)):
            if degree == 2:
                colour[part] = begin
            else:
                _colour(left, right, part, nodes, degree // 2, begin, colour)


def _one_matching(left: Numbers, right: Numbers, nodes: int) -> Numbers:
    """The numbers of edges that make a perfect matching."""
    order = np.lexsort((right, left))
    match = maximum_matching(Graph(left[order], right[order], nodes, nodes))
    chosen = np.flatnonzero(match[left[order]] == right[order])
    _, first = np.unique(left[order][chosen], return_index=True)
    return np.asarray(order[chosen[first]])


def _half(left: Numbers, right: Numbers, degree: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Half of the edges, so that each node keeps half of its own.

    The edges of each node are paired, on the left and on the right. Going from partner to partner leads round even cycles; every
    second edge of each is taken. Two steps are a permutation, whose orbits are the two halves of each cycle.
    """
    partner_left, partner_right = _partners(left, degree), _partners(right, degree)
    step = partner_right[partner_left]
    count = len(left)
    arcs = coo_array((np.ones(count, dtype=np.int8), (np.arange(count), step)), shape=(count, count))
    _, orbit = connected_components(arcs.tocsr(), directed=False)
    return np.asarray(orbit < orbit[partner_left])


def _partners(node: Numbers, degree: int) -> Numbers:
    pairs = np.argsort(node, kind='stable').reshape(-1, degree // 2, 2)
    partner = np.empty(len(node), dtype=np.intp)
    partner[pairs[..., 0]], partner[pairs[..., 1]] = pairs[..., 1], pairs[..., 0]
    return partner
