# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The regions that ways of watching are compared in: a site and its people, all from one seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptz_site import Site

#: Middles of the scenes, m, by how many there are. Each is a square about 11 m wide.
_MIDDLES = {
    1: ((0, 0),),
    2: ((-11, -2), (11, 2)),
    3: ((-12, 10), (12, 10), (0, -11)),
    4: ((-12, 11), (12, 11), (-12, -11), (12, -11)),
}
_HALF = 5.5
#: m from the middle of the region, and above the ground.
_RING, _HEIGHT = 29.0, 7.0
DWELL = 5.0


@dataclass(frozen=True)
class Size:
    """Of a region."""

    cameras: int
    scenes: int

    def __str__(self) -> str:
        return f'{self.cameras}x{self.scenes}'


SIZES = (Size(2, 2), Size(3, 2), Size(3, 3), Size(4, 4), Size(6, 4))
DENSITIES = (3, 10, 30)


@dataclass(frozen=True)
class Scenario:
    """One region for some time. walkers: people who come and go; seconds: how long it is watched; step: s from one look to the next."""

    size: Size
    walkers: int
    seed: int
    seconds: float = 180.0
    step: float = 0.2

    @property
    def begin(self) -> float:
        """The world's s at which it begins: every seed sees another part of people's coming and going."""
        return float(np.random.default_rng([self.seed, 21]).uniform(0, 600))

    @property
    def times(self) -> np.ndarray:
        """The world's s of every look."""
        return self.begin + self.step * np.arange(round(self.seconds / self.step))

    @property
    def targets(self) -> tuple[int, ...]:
        """Who is on the watchlist: one of every ten, but somebody at least."""
        dice = np.random.default_rng([self.seed, 22])
        return tuple(sorted(dice.permutation(self.walkers)[: max(1, self.walkers // 10)].tolist()))


def scenarios(sizes: tuple[Size, ...], densities: tuple[int, ...], seeds: int, seconds: float) -> Iterator[Scenario]:
    """All of them; those with the same seed differ only in what is asked for."""
    return (Scenario(size, walkers, seed, seconds) for size in sizes for walkers in densities for seed in range(seeds))


def site_of(scenario: Scenario) -> Site:
    """Cameras on a ring around the scenes, each with a preset for every scene; buildings stand where the simulator finds room for them."""
    dice = np.random.default_rng([scenario.seed, 20])
    turned = float(dice.uniform(0, 2 * math.pi))
    scenes = {f's{k}': _scene(middle, dice) for k, middle in enumerate(_MIDDLES[scenario.size.scenes])}
    cameras = {f'c{k}': _camera(turned, k, scenario.size.cameras, tuple(scenes), dice) for k in range(scenario.size.cameras)}
    simulation = {'seed': scenario.seed, 'walkers': scenario.walkers, 'vehicles': 0, 'buildings': 6}
    content: dict[str, Any] = {
        'region': {'name': 'worth', 'dwell': DWELL},
        'scenes': scenes,
        'cameras': cameras,
        'perception': {'facing': 'facing'},
    }
    auto = Site.model_validate({**content, 'simulation': simulation})
    # Written out, because a preset that is worked out anew at every turn would cost more time than all the rest.
    for camera, entry in cameras.items():
        entry['presets'] = {scene: _degrees(auto, camera, scene) for scene in scenes}
    return Site.model_validate({**content, 'simulation': simulation})


def _scene(middle: tuple[int, int], dice: np.random.Generator) -> dict[str, Any]:
    x, y = (float(value) for value in np.asarray(middle) + dice.uniform(-1.5, 1.5, 2))
    half = _HALF
    return {'polygon': [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]}


def _camera(turned: float, k: int, count: int, scenes: tuple[str, ...], dice: np.random.Generator) -> dict[str, Any]:
    angle = turned + 2 * math.pi * (k + float(dice.uniform(-0.15, 0.15))) / count
    return {
        'backend': 'simulated',
        'pose': {
            'x': _RING * math.cos(angle),
            'y': _RING * math.sin(angle),
            'z': _HEIGHT,
            'yaw': math.degrees((angle + 2 * math.pi) % (2 * math.pi) - math.pi),
        },
        'hfov': 62,
        'zoom': [1, 20],
        'slew_rate': 90,
        'slew_acceleration': 270,
        'zoom_rate': 2,
        'resolution': [1280, 720],
        'rate': 10,
        'presets': dict.fromkeys(scenes, 'auto'),
    }


def _degrees(site: Site, camera: str, scene: str) -> dict[str, float]:
    position = site.aim(camera, scene)
    return {'pan': math.degrees(position.pan), 'tilt': math.degrees(position.tilt), 'zoom': position.zoom}
