# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An object with texture of its own, and frames that hold it, for tests of likeness."""

from __future__ import annotations

import cv2
import numpy as np

from ptz_perception.detections import Image

SIZE = (640, 360)


def poster(seed: int = 1, size: tuple[int, int] = (280, 210)) -> Image:
    """Coloured shapes; another seed gives another one."""
    random, (width, height) = np.random.default_rng(seed), size
    picture = np.full((height, width, 3), 220, np.uint8)
    for _ in range(60):
        colour = tuple(random.integers(0, 255, 3).tolist())
        x, y, across, down = (int(value) for value in random.integers((0, 0, 6, 6), (width, height, 40, 40)))
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), across // 2, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + across, y + down), colour, -1)
    return picture


def yard(seed: int = 0) -> Image:
    """A frame without it: a floor of stones, with noise."""
    random = np.random.default_rng(seed)
    stones = cv2.resize(random.uniform(90, 150, (36, 64, 1)).astype(np.float32), SIZE, interpolation=cv2.INTER_NEAREST)
    return np.clip(stones[..., None] + random.normal(0, 4, (SIZE[1], SIZE[0], 3)), 0, 255).astype(np.uint8)


def corners(x: float, y: float, height: float, turn: float = 0.0, taper: float = 0.0) -> np.ndarray:
    """Where a poster's corners are (4, 2), px: centre, height, turn in rad, and by how much its right side is shorter."""
    wide = height * 4 / 3
    shape = np.array([(-wide, -height), (wide, -height * (1 - taper)), (wide, height * (1 - taper)), (-wide, height)]) / 2
    matrix = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    return (shape @ matrix.T + (x, y)).astype(np.float32)


def holding(frame: Image, at: np.ndarray, shown: Image | None = None) -> Image:
    """The frame with a poster in it, a little darker and blurred."""
    shown = poster() if shown is None else shown
    height, width = shown.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, at)
    # Drawn larger and reduced, so that it is not aliased.
    double = cv2.warpPerspective(shown, np.diag([2.0, 2.0, 1.0]) @ matrix, (2 * SIZE[0], 2 * SIZE[1]), flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, SIZE)[..., None] > 127
    small = cv2.resize(double, SIZE, interpolation=cv2.INTER_AREA)
    return np.where(inside, (0.85 * small).astype(np.uint8), frame)


def box(at: np.ndarray) -> np.ndarray:
    """Around corners, as far as it is in the frame: (1, 4: centre, size)."""
    low, high = np.clip(at.min(axis=0), 0, SIZE), np.clip(at.max(axis=0), 0, SIZE)
    return np.array([(*((low + high) / 2), *(high - low))], float)
