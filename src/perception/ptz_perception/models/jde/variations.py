# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of people as they might have been taken as well: for trainings. Without PyTorch."""

from __future__ import annotations

import numpy as np

from ptz_perception.detections import Image

#: Of a picture's size, by which its cut-out is moved at most.
_MOVED = 0.08


def varied(person: Image, rng: np.random.Generator) -> Image:
    """A person seen a little differently: mirrored, not cut out quite right, somebody or something before them."""
    height, width = person.shape[:2]
    left, right, top, bottom = np.round(rng.uniform(0, _MOVED, 4) * (width, width, height, height)).astype(int)
    found = person[top : height - bottom, left : width - right]
    if rng.uniform() < 0.5:
        found = found[:, ::-1]
    found = np.ascontiguousarray(found)
    if rng.uniform() < 0.2 and found.shape[0] > 8:
        # What hides people mostly hides their legs.
        covered = int(found.shape[0] * rng.uniform(0.1, 0.4))
        found[-covered:] = rng.integers(0, 256, 3)
    return found


def relit(picture: Image, most: float, rng: np.random.Generator) -> Image:
    """Another light, by at most a share: brightness, contrast and each colour."""
    gains = (1 + rng.uniform(-most, most)) * (1 + rng.uniform(-most, most, 3) / 3)
    values = picture.astype(np.float32) * gains.astype(np.float32)
    mean = values.mean()
    values = mean + (values - mean) * np.float32(1 + rng.uniform(-most, most))
    return np.asarray(values.clip(0, 255), np.uint8)
