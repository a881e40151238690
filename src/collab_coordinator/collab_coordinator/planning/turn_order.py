# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The order of slots in which the cameras turn little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_site import Site

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
#: What a new order must gain, as a share, before the one that people expect is left.
_WORTH = 0.01
#: Slots of a cycle up to which its order is searched.
_MOST_SLOTS = 400
_MOST_PASSES = 40


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

    def between_slots(self, cameras: Numbers, table: Numbers) -> Floats:
        """Seconds that all cameras together turn from slot to slot: slots by slots. table: slots by cameras, of scene numbers."""
        at = np.searchsorted(self.pair, cameras * len(self.scenes) + table)
        pan, tilt, octaves = (values[at] for values in (self.pan, self.tilt, self.octaves))
        speed, acceleration, zoom_rate = self.speed[cameras], self.acceleration[cameras], self.zoom_rate[cameras]
        seconds = np.zeros((len(table), len(table)))
        for k in range(len(table)):
            angle = np.fmax(np.abs(pan[k:] - pan[k]), np.abs(tilt[k:] - tilt[k]))
            zooming = np.abs(octaves[k:] - octaves[k]) / zoom_rate
            turning = np.fmax(_travel_time(angle, speed, acceleration), zooming)
            seconds[k, k:] = np.nan_to_num(turning).sum(axis=1)
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
