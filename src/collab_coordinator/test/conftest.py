# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A small site, made by hand: presets are 30 degrees of pan apart, a turn between neighbours takes 0.75 s."""

from collections.abc import Callable
from typing import Any

import pytest

from ptz_site import Site

SiteMaker = Callable[..., Site]


@pytest.fixture
def make_site() -> SiteMaker:
    """Makes a site: make_site({'north': ['gate', 'road'], ...}, ['gate', 'road'], dwell=..., ...)."""

    def make(reach: dict[str, list[str]] | None = None, scenes: list[str] | None = None, **region: Any) -> Site:
        scenes = scenes or ['gate', 'road', 'yard']
        reach = reach or {camera: list(scenes) for camera in ('north', 'south', 'west')}
        pans = {scene: 30.0 * index for index, scene in enumerate(scenes)}
        return Site.model_validate(
            {
                'region': {'name': 'r', 'dwell': 5.0, **region},
                'scenes': {scene: {} for scene in scenes},
                'cameras': {
                    camera: {
                        'backend': 'simulated',
                        'pose': {'x': 0, 'y': 0, 'z': 5},
                        'slew_rate': 60,
                        'slew_acceleration': 240,
                        'presets': {scene: {'pan': pans[scene], 'tilt': -20} for scene in reached},
                    }
                    for camera, reached in reach.items()
                },
            }
        )

    return make
