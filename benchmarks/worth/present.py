# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras could see of targets that know all of the present, and nothing of the future.

They know at once where everybody is, where they look, and who stands before whom; they turn at once, and keep every scene watched. What
they miss is the price of turning after people, not before them: no way of deciding that keeps the scenes gets around it.
It is a way of watching that could be had by such cameras, no bound: a better one may be possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worth import oracle
from worth.baselines import Watching
from worth.views import Array, Flags, Views


@dataclass(frozen=True)
class _Move:
    """A camera goes to a scene, and another one, or none (-1), takes the place that it leaves. steps: that the first one needs."""

    steps: int
    camera: int
    scene: int
    replacement: int = -1


def present(views: Views, turns: Array, targets: Sequence[int]) -> Watching:
    """At each step, for each target that nobody sees from the front: the camera that could and gets there first. turns: (C, S, S), s."""
    frontal = oracle.frontal_views(views, targets)
    lost = oracle.lost_steps(turns, views.step)
    cameras, scenes = frontal.shape[2:]
    at, ready = np.arange(cameras) % scenes, np.zeros(cameras, int)
    rest, sent = (np.full((len(frontal), cameras), -1, np.int8) for _ in range(2))
    for k, now in enumerate(frontal):
        for target in range(len(targets)):
            moves = _moves(now, target, at, lost)
            if moves:
                move = min(moves, key=lambda one: (one.steps, one.camera, one.scene))
                left = int(at[move.camera])
                for camera, goal in ((move.camera, move.scene), (move.replacement, left)):
                    if camera >= 0:
                        ready[camera] = max(ready[camera], k) + lost[camera, at[camera], goal]
                        at[camera] = goal
        sent[k], rest[k] = at, np.where(k >= ready, at, -1)
    return Watching(rest, sent)


def _moves(now: Flags, target: int, at: NDArray[np.int64], lost: NDArray[np.int64]) -> list[_Move]:
    """What would bring a target into frontal view; empty if it is, or will be when the cameras have turned. now: (targets, C, S)."""
    who = np.arange(len(at))
    seen = now[:, who, at]
    if seen[target].any():
        return []
    # Cameras that are the only ones to see somebody stay.
    needed = (seen & (seen.sum(axis=1) == 1)[:, None]).any(axis=0)
    crews = np.bincount(at, minlength=now.shape[2])
    found = []
    for camera, scene in zip(*np.nonzero(now[target]), strict=True):
        move = _Move(int(lost[camera, at[camera], scene]), int(camera), int(scene))
        if needed[camera]:
            continue
        if crews[at[camera]] > 1:
            found.append(move)
            continue
        spare = [c for c in who.tolist() if c != camera and not needed[c] and (at[c] == scene or crews[at[c]] > 1)]
        if spare:
            nearest = min(spare, key=lambda c: int(lost[c, at[c], at[camera]]))
            found.append(_Move(move.steps, move.camera, move.scene, nearest))
    return found
