# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What could be seen of targets at best by cameras that know the future and are limited by how fast they turn.

Which schedule of the cameras sees the most frontal target time is a maximum coverage problem: two cameras that see the same target at
the same instant count once. It is bounded by Lagrangian relaxation (Fisher 1981). For a target that is seen by n cameras
at an instant, min(1, n) <= (1 - p) + p n for any price p in [0, 1]. With prices fixed, what is to be maximised falls apart into one sum
for each camera, whose maximum is found exactly by dynamic programming over the steps, with the slew times as costs of a change. So

    best <= sum(1 - p) + sum over cameras of the best schedule of that camera alone, which earns p for each target that it sees

holds for all prices, and the prices are moved by subgradients to where the right side is small. A camera loses only those steps that lie
wholly within a turn, begins wherever it likes, needs no time to see who somebody is, and may leave its own scene alone.

The schedule that *clairvoyant* returns can be had: cameras are planned one after the other for what the others don't see, again and again.
It shows how far the bound may be from the best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worth.baselines import Watching
from worth.views import Array, Flags, Views

_ROUNDS = 3


@dataclass(frozen=True)
class _Schedules:
    """The best schedule of each camera alone: what they earn together, and the scene that each rests on and is assigned to (T, C)."""

    earned: float
    at_rest: NDArray[np.int8]
    assigned: NDArray[np.int8]


def bound(views: Views, turns: Array, targets: Sequence[int], steps: int = 15) -> float:
    """An upper bound of the share of the targets' time on scenes that is seen frontally. turns: (C, S, S), s; NaN without targets.

    steps: of the search for good prices; any number gives a bound, more give a closer one.
    """
    there = float((views.scene[:, targets] >= 0).sum())
    if not there:
        return math.nan
    frontal = frontal_views(views, targets)
    lost = lost_steps(turns, views.step)
    can = frontal.any(axis=(2, 3))
    price = can / np.maximum(frontal.any(axis=3).sum(axis=2), 1.0)
    best = float(can.sum())
    for k in range(steps):
        earnings = np.einsum('tw,twcs->tcs', price, frontal)
        found = _best_schedules(earnings, lost)
        best = min(best, float((can - price).sum()) + found.earned)
        seen = _seen(frontal, found.at_rest).sum(axis=2)
        price = np.clip(price - 0.5 / math.sqrt(k + 1) * (seen - 1.0), 0.0, 1.0) * can
    return best / there


def clairvoyant(views: Views, turns: Array, targets: Sequence[int]) -> Watching:
    """A schedule that knows the future: each camera in turn is planned for what the others don't see."""
    frontal = frontal_views(views, targets)
    lost = lost_steps(turns, views.step)
    count = frontal.shape[2]
    rest, sent = (np.full((len(frontal), count), -1, np.int8) for _ in range(2))
    for _ in range(_ROUNDS):
        for c in range(count):
            others = _seen(frontal, rest)
            others[:, :, c] = False
            left = (frontal[:, :, c] & ~others.any(axis=2)[:, :, None]).sum(axis=1).astype(float)
            found = _best_schedules(left[:, None], lost[c : c + 1])
            rest[:, c], sent[:, c] = found.at_rest[:, 0], found.assigned[:, 0]
    return Watching(rest, sent)


def lost_steps(turns: Array, step: float) -> NDArray[np.int64]:
    """(C, S, S): the steps at which a camera that turns can't see, at least: those that lie within the turn."""
    return np.maximum(np.ceil(turns / step - 1e-9).astype(int) - 1, 0)


def frontal_views(views: Views, targets: Sequence[int]) -> Flags:
    """(T, targets, C, S): which camera on which scene would see whom frontally, where they stand on a scene."""
    chosen = list(targets)
    there = (views.scene[:, chosen] >= 0)[:, :, None, None]
    return np.asarray(views.clear[:, chosen] & views.frontal[:, chosen, :, None] & there)


def _seen(frontal: Flags, at_rest: NDArray[np.int8]) -> Flags:
    """(T, targets, C)."""
    rest = np.maximum(at_rest, 0).astype(int)[:, None, :, None]
    return np.asarray(np.take_along_axis(frontal, rest, axis=3)[..., 0] & (at_rest >= 0)[:, None, :])


def _best_schedules(earnings: Array, lost: NDArray[np.int64]) -> _Schedules:
    """The best schedule of each camera alone: earnings (T, C, S) of a camera at rest; lost (C, S, S): steps of a turn."""
    steps, cameras, scenes = earnings.shape
    value = np.zeros((steps + int(lost.max(initial=0)) + 2, cameras, scenes))
    choice = np.zeros((steps, cameras, scenes), np.int8)
    who, to = np.arange(cameras)[:, None, None], np.arange(scenes)[None, None, :]
    # What a choice leads to, seen from the next step on: places in the flat array of values.
    flat = np.broadcast_to(lost * cameras * scenes + who * scenes + to, lost.shape)
    for t in range(steps - 1, -1, -1):
        options = value.ravel()[(t + 1) * cameras * scenes :].take(flat)
        choice[t] = options.argmax(axis=2)
        value[t] = earnings[t] + options.max(axis=2)
    return _followed(value[0], choice, lost)


def _followed(first: Array, choice: NDArray[np.int8], lost: NDArray[np.int64]) -> _Schedules:
    steps, cameras, _ = choice.shape
    rest, sent = (np.full((steps, cameras), -1, np.int8) for _ in range(2))
    for c in range(cameras):
        at, t = int(first[c].argmax()), 0
        while t < steps:
            rest[t, c] = sent[t, c] = at
            goal = int(choice[t, c, at])
            away = int(lost[c, at, goal])
            sent[t + 1 : t + 1 + away, c] = goal
            t, at = t + 1 + away, goal
    return _Schedules(float(first.max(axis=1).sum()), rest, sent)
