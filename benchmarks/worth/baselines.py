# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where cameras look over time, and the ways of watching without coordination that ours is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ptz_site import Site, turn_time

Scenes = NDArray[np.int8]


@dataclass(frozen=True)
class Watching:
    """(T, C), numbers of scenes, -1: none. at_rest: the scene that a camera stands on; assigned: the one it stands on or turns to."""

    at_rest: Scenes
    assigned: Scenes


def turn_times(site: Site) -> NDArray[np.float64]:
    """(C, S, S): s from one scene to another."""
    found = np.zeros((len(site.cameras), len(site.scenes), len(site.scenes)))
    for c, (name, camera) in enumerate(site.cameras.items()):
        positions = [site.preset(name, scene) for scene in site.scenes]
        for a, before in enumerate(positions):
            for b, after in enumerate(positions):
                found[c, a, b] = turn_time(before, after, camera.slew) if before and after and a != b else 0.0
    return found


def fixed(site: Site, steps: int) -> Watching:
    """Every camera looks at one scene for ever: all scenes are watched, and the cameras stand as near to them as that allows."""
    distances = _distances(site)
    cameras, scenes = distances.shape
    # Cameras beyond the number of scenes take a second one of each.
    copies = math.ceil(cameras / scenes)
    choice = np.full(cameras, -1)
    first, second = linear_sum_assignment(np.hstack([distances + 1000.0 * copy for copy in range(copies)]))
    choice[first] = second % scenes
    here = np.tile(choice.astype(np.int8), (steps, 1))
    return Watching(here, here)


def tours(site: Site, steps: int, step: float, dwell: float, dice: np.random.Generator) -> Watching:
    """Every camera tours its presets by itself: in an order of its own, with a dwell of its own, begun at any time."""
    turns, seconds = turn_times(site), steps * step
    cameras, scenes = turns.shape[:2]
    found = []
    for c in range(cameras):
        order, own = dice.permutation(scenes), dwell * float(dice.uniform(0.7, 1.4))
        begin = -float(dice.uniform(0, own * scenes))
        count = math.ceil((seconds - begin) / own) + 1
        commands = [(begin + own * k, int(order[k % scenes])) for k in range(count)]
        found.append(_follow(commands, turns[c], steps, step))
    return _together(found)


def lockstep(site: Site, steps: int, step: float, dwell: float, dice: np.random.Generator) -> Watching:
    """All cameras look at the same scene, one scene after the other."""
    turns = turn_times(site)
    begin = -float(dice.uniform(0, dwell * turns.shape[1]))
    count = math.ceil((steps * step - begin) / dwell) + 1
    commands = [(begin + dwell * k, k % turns.shape[1]) for k in range(count)]
    return _together([_follow(commands, own, steps, step) for own in turns])


def _follow(commands: Sequence[tuple[float, int]], turns: NDArray[np.float64], steps: int, step: float) -> tuple[Scenes, Scenes]:
    """One camera that turns to a scene at a time: where it rests, and where it is sent, at each step (T,)."""
    times = np.arange(steps) * step
    assigned, arrives = np.full(steps, -1, np.int8), np.zeros(steps)
    before = commands[0][1]
    for begin, scene in commands:
        assigned[times >= begin] = scene
        arrives[times >= begin] = begin + turns[before, scene]
        before = scene
    return np.where(times >= arrives, assigned, -1).astype(np.int8), assigned


def _together(cameras: Sequence[tuple[Scenes, Scenes]]) -> Watching:
    return Watching(np.column_stack([rest for rest, _ in cameras]), np.column_stack([sent for _, sent in cameras]))


def _distances(site: Site) -> NDArray[np.float64]:
    """(C, S): m from cameras to the middles of scenes."""
    middles = np.array([np.mean(scene.polygon, axis=0) for scene in site.scenes.values() if scene.polygon is not None])
    places = np.array([(pose.x, pose.y) for camera in site.cameras.values() if (pose := camera.mounting) is not None])
    return np.asarray(np.linalg.norm(places[:, None] - middles[None], axis=2))
