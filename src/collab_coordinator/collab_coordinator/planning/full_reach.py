# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plans for cameras that all reach all scenes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def full_reach(cameras: int, scenes: int) -> NDArray[np.intp]:
    """Slots by cameras; every camera visits every scene once in a cycle of as many slots as there are scenes.

    Up to as many scenes as cameras it is the Latin square: camera i on scene (i + k) mod scenes in slot k. With more scenes, slot
    k is a window of scenes that begins at k * cameras, so that no scene waits longer than it must. When the windows come round
    to where they began, the cameras change places in them, so that each sees the scenes that it did not see yet.
    """
    if scenes <= cameras:
        return np.add.outer(np.arange(scenes), np.arange(cameras)) % scenes
    slot = np.arange(scenes)[:, None]
    rounds = slot // (scenes // math.gcd(cameras, scenes))
    return (slot * cameras + (np.arange(cameras) + rounds) % cameras) % scenes
