# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The order of slots in which the cameras turn little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ptz_site import Site

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
#: What a new order must gain, as a share, before the one that people expect is left.
_WORTH = 0.01
#: Slots of a cycle up to which its order is searched.
_MOST_SLOTS = 400
_MOST_PASSES = 40
_EXCHANGE_PASSES = 3


@dataclass(frozen=True)
class TurnTimes:
    """How long the cameras of a site take from preset to preset.

    cameras, scenes: their numbers. pair: the pairs that have a preset, as camera number * number of scenes + scene number, ascending;
    pan, tilt (rad), octaves (binary logarithm of the magnification): of each pair, NaN: not known, costs nothing. speed (rad/s),
    acceleration (rad/s^2), zoom_rate (octaves/s): of each camera.
    """

    cameras: dict[str, int]
    scenes: dict[str, int]
    pair: Numbers
    pan: Floats
    tilt: Floats
    octaves: Floats
    speed: Floats
    acceleration: Floats
    zoom_rate: Floats

    def looks(self, cameras: Numbers, table: Numbers) -> Floats:
        """Where the cameras look: pan, tilt, octaves by slots by cameras. table: slots by cameras, of scene numbers."""
        at = np.searchsorted(self.pair, cameras * len(self.scenes) + table)
        return np.stack([values[at] for values in (self.pan, self.tilt, self.octaves)])

    def seconds(self, cameras: Numbers, one: Floats, other: Floats) -> Floats:
        """How long cameras turn from one look to another; looks as above, with as many slots as are asked for."""
        pan, tilt, octaves = np.abs(other - one)
        turning = _travel_time(np.fmax(pan, tilt), self.speed[cameras], self.acceleration[cameras])
        return np.asarray(np.nan_to_num(np.fmax(turning, octaves / self.zoom_rate[cameras])))

    def between_slots(self, cameras: Numbers, table: Numbers) -> Floats:
        """Seconds that all cameras together turn from slot to slot: slots by slots. table: slots by cameras, of scene numbers."""
        looks = self.looks(cameras, table)
        seconds = np.zeros((len(table), len(table)))
        for k in range(len(table)):
            seconds[k, k:] = self.seconds(cameras, looks[:, k : k + 1], looks[:, k:]).sum(axis=1)
        return seconds + seconds.T


def turn_times(site: Site) -> TurnTimes:
    """The turn times of a site."""
    cameras, scenes = {name: i for i, name in enumerate(site.cameras)}, {name: i for i, name in enumerate(site.scenes)}
    pairs, positions = [], []
    for camera, number in cameras.items():
        for scene in site.reach(camera):
            preset = site.preset(camera, scene)
            pairs.append(number * len(scenes) + scenes[scene])
            positions.append((preset.pan, preset.tilt, math.log2(preset.zoom)) if preset is not None else (math.nan,) * 3)
    pan, tilt, octaves = np.array(positions, dtype=float).reshape(-1, 3).T
    limits = [camera.slew for camera in site.cameras.values()]
    return TurnTimes(
        cameras,
        scenes,
        np.array(pairs),
        pan,
        tilt,
        octaves,
        np.array([limit.speed for limit in limits]),
        np.array([limit.acceleration for limit in limits]),
        np.array([limit.zoom_rate for limit in limits]),
    )


def short_tour(seconds: Floats, kinds: Numbers) -> Numbers:
    """A cyclic sequence of slots with little turning between them. seconds: symmetric; slots of one kind may change places.

    Local search from the given sequence: exchanges of two slots and, where all are of one kind, reversals (2-opt: Croes 1958).
    """
    size = len(kinds)
    tour = np.arange(size)
    if size < 4 or size > _MOST_SLOTS:
        return tour
    best = tour_length(seconds, tour)
    usual = best
    for _ in range(_MOST_PASSES):
        before = best
        if (kinds == kinds[0]).all():
            tour, best = _reversals(seconds, tour, best)
        tour, best = _exchanges(seconds, tour, best, kinds)
        if best >= before - 1e-9:
            break
    return tour if best < usual * (1 - _WORTH) else np.arange(size)


def exchanged_turns(turns: TurnTimes, cameras: Numbers, table: Numbers, kinds: Numbers) -> Numbers:
    """The same table with less turning: groups of cameras exchange what they watch in two slots of one kind.

    A group is closed: the scenes that it watches in the two slots are watched by no camera outside of it in them (the components of the
    union of two matchings). So every scene keeps its cover. Slots by cameras, of scene numbers.
    """
    size, table = len(table), table.copy()
    if size < 4 or size > _MOST_SLOTS:
        return table
    looks = turns.looks(cameras, table)
    for _ in range(_EXCHANGE_PASSES):
        moved = False
        for i in range(size):
            for j in range(i + 1, size):
                if kinds[i] != kinds[j]:
                    continue
                group = _groups(table[i], table[j], len(turns.scenes))
                gain = np.bincount(group, weights=_gain(turns, cameras, looks, i, j))
                swap = gain[group] > 1e-9
                if swap.any():
                    table[i, swap], table[j, swap] = table[j, swap], table[i, swap]
                    looks[:, i, swap], looks[:, j, swap] = looks[:, j, swap], looks[:, i, swap]
                    moved = True
        if not moved:
            break
    return table


def _groups(one: Numbers, other: Numbers, scenes: int) -> Numbers:
    """The closed group of each camera, for the scenes that the cameras watch in two slots."""
    count = len(one)
    camera = np.arange(count)
    tails, heads = np.concatenate((camera, camera)), count + np.concatenate((one, other))
    arcs = coo_array((np.ones(2 * count, dtype=np.int8), (tails, heads)), shape=(count + scenes, count + scenes))
    _, label = connected_components(arcs.tocsr(), directed=False)
    return np.asarray(label[:count])


def _gain(turns: TurnTimes, cameras: Numbers, looks: Floats, i: int, j: int) -> Floats:
    """The seconds in a cycle that each camera saves when it exchanges slots i and j (i < j)."""
    size = looks.shape[1]

    def between(a: int, b: int) -> Floats:
        return turns.seconds(cameras, looks[:, a % size], looks[:, b % size])

    if (j + 1) % size == i:
        i, j = j, i + size
    if j == i + 1:
        return between(i - 1, i) + between(j, j + 1) - between(i - 1, j) - between(i, j + 1)
    before = between(i - 1, i) + between(i, i + 1) + between(j - 1, j) + between(j, j + 1)
    return before - between(i - 1, j) - between(j, i + 1) - between(j - 1, i) - between(i, j + 1)


def tour_length(seconds: Floats, tour: Numbers) -> float:
    """The seconds of a whole cycle."""
    return float(seconds[tour, np.roll(tour, -1)].sum())


def _reversals(seconds: Floats, tour: Numbers, best: float) -> tuple[Numbers, float]:
    size = len(tour)
    for i in range(size - 2):
        a, b = tour[i], tour[i + 1]
        ends = np.arange(i + 2, size if i else size - 1)
        c, d = tour[ends], tour[(ends + 1) % size]
        gain = seconds[a, b] + seconds[c, d] - seconds[a, c] - seconds[b, d]
        k = int(np.argmax(gain)) if len(gain) else 0
        if len(gain) and gain[k] > 1e-9:
            end = int(ends[k])
            tour = np.concatenate((tour[: i + 1], tour[i + 1 : end + 1][::-1], tour[end + 1 :]))
            best -= float(gain[k])
    return tour, best


def _exchanges(seconds: Floats, tour: Numbers, best: float, kinds: Numbers) -> tuple[Numbers, float]:
    for i in range(len(tour)):
        for j in range(i + 1, len(tour)):
            if kinds[tour[i]] == kinds[tour[j]]:
                other = tour.copy()
                other[i], other[j] = tour[j], tour[i]
                length = tour_length(seconds, other)
                if length < best - 1e-9:
                    tour, best = other, length
    return tour, best


def _travel_time(angle: Floats, speed: Floats, acceleration: Floats) -> Floats:
    """As ptz_site.motion: a trapezoid of speed, or a triangle where the top speed is not reached."""
    ramp = speed / acceleration
    return np.where(angle >= speed * ramp, angle / speed + ramp, 2.0 * np.sqrt(angle / acceleration))
