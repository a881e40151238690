# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of people as they might have been taken as well: for trainings. Without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ptz_perception.detections import Image
from ptz_perception.recognition.sheets import Sheet

#: Of a picture's size, by which its cut-out is moved at most.
_MOVED = 0.08
#: Places that are tried for a person.
_TRIES = 6


def pasted(
    picture: Image, people: Sequence[Image], heights: tuple[float, float], rng: np.random.Generator
) -> tuple[Sheet, list[int]]:
    """A collage: people put into a picture, at random places where nobody was put before; and the indices of those for whom there was room.

    heights: px, least and greatest.
    """
    shown = picture.copy()
    taken = np.zeros(picture.shape[:2], bool)
    boxes, indices = [], []
    for index, person in enumerate(people):
        high = int(np.exp(rng.uniform(*np.log(heights))))
        wide = max(2, round(person.shape[1] * high / person.shape[0]))
        for _ in range(_TRIES):
            left, top = (
                int(rng.integers(max(1, side - size + 1))) for side, size in ((shown.shape[1], wide), (shown.shape[0], high))
            )
            place = slice(top, top + high), slice(left, left + wide)
            if taken[place].shape == (high, wide) and not taken[place].any():
                shown[place] = cv2.resize(person, (wide, high), interpolation=cv2.INTER_AREA)
                taken[place] = True
                boxes.append((left + wide / 2, top + high / 2, wide, high))
                indices.append(index)
                break
    return Sheet(shown, np.array(boxes, float).reshape(-1, 4)), indices


def varied(person: Image, rng: np.random.Generator) -> Image:
    """A person seen a little differently: mirrored, not cut out quite right, somebody or something before them."""
    found = recut(person, (0.0, _MOVED), rng)
    if rng.uniform() < 0.5:
        found = np.ascontiguousarray(found[:, ::-1])
    return covered(found, 0.2, rng)


def recut(person: Image, shares: tuple[float, float], rng: np.random.Generator) -> Image:
    """Cut out a little differently, as detectors do. shares: of the sides, least and most by which each edge comes in; below 0: out.

    What is beyond the picture looks like its edge.
    """
    height, width = person.shape[:2]
    moved = np.round(rng.uniform(*shares, 4) * (width, width, height, height)).astype(int)
    left, right, top, bottom = np.maximum(moved, 0).tolist()
    found = np.ascontiguousarray(person[top : height - bottom, left : width - right])
    left, right, top, bottom = np.maximum(-moved, 0).tolist()
    if not left + right + top + bottom:
        return found
    return np.asarray(cv2.copyMakeBorder(found, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)


def covered(person: Image, share: float, rng: np.random.Generator) -> Image:
    """With something before them in a share of the pictures."""
    if rng.uniform() >= share or person.shape[0] <= 8:
        return person
    found = person.copy()
    # What hides people mostly hides their legs.
    found[-int(found.shape[0] * rng.uniform(0.1, 0.4)) :] = rng.integers(0, 256, 3)
    return found


def relit(picture: Image, most: float, rng: np.random.Generator) -> Image:
    """Another light, by at most a share: brightness, contrast and each colour."""
    gains = (1 + rng.uniform(-most, most)) * (1 + rng.uniform(-most, most, 3) / 3)
    values = picture.astype(np.float32) * gains.astype(np.float32)
    mean = values.mean()
    values = mean + (values - mean) * np.float32(1 + rng.uniform(-most, most))
    return np.asarray(values.clip(0, 255), np.uint8)
