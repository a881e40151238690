# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a training is shown: parts of labelled pictures, at many scales, more of them from where objects are dense. Without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.density import density_map
from ptz_perception.detections import Boxes, Image
from ptz_perception.models.cascade.settings import DataSettings
from ptz_perception.models.labels import Labels

#: Grey around pictures.
_PADDING = (114, 114, 114)
#: Share of an object that must be in what is cut out; of less, nothing is said.
_LEAST_SEEN = 0.4
#: px; the density by which places are chosen needs no finer cells.
_COARSE = 32


@dataclass(frozen=True)
class Crop:
    """A part of a picture (height, width, 3), BGR, and its labels."""

    picture: Image
    labels: Labels


def cut_crops(picture: Image, labels: Labels, settings: DataSettings, rng: np.random.Generator) -> list[Crop]:
    """As many as the settings say, each with its own place, scale, mirroring and colours."""
    return [_coloured(_cut(picture, labels, settings, rng), rng) for _ in range(settings.crops)]


def cut(picture: Image, labels: Labels, middle: tuple[float, float], scale: float, settings: DataSettings) -> Crop:
    """The part around a point, reduced or enlarged by a scale. What is beyond the picture is grey."""
    width, height = settings.size
    shift = np.array([width / 2, height / 2]) - scale * np.asarray(middle)
    matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    # Reducing without averaging would leave patterns that cameras don't make.
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale) if scale < 0.7 else picture
    shown = cv2.warpAffine(smooth, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=_PADDING)
    boxes = np.hstack((labels.boxes[:, :2] * scale + shift, labels.boxes[:, 2:] * scale))
    low = np.clip(boxes[:, :2] - boxes[:, 2:] / 2, 0, settings.size)
    high = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, settings.size)
    inner = np.hstack(((low + high) / 2, high - low))
    seen = inner[:, 2:].prod(axis=1) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-9)
    ignored = labels.ignored | (seen < _LEAST_SEEN) | (inner[:, 3] < settings.least_size)
    there = seen > 0
    return Crop(np.asarray(shown, np.uint8), Labels(inner[there], labels.classes[there], ignored[there]))


def _cut(picture: Image, labels: Labels, settings: DataSettings, rng: np.random.Generator) -> Crop:
    scale = float(np.exp(rng.uniform(*np.log(settings.scales))))
    size = np.array([picture.shape[1], picture.shape[0]], float)
    half = np.array(settings.size) / scale / 2
    wanted = labels.boxes[~labels.ignored]
    if len(wanted) and rng.uniform() < settings.hot_share:
        middle = _hot_place(wanted, picture, rng) + rng.uniform(-0.8, 0.8, 2) * half
    else:
        middle = rng.uniform(0, 1, 2) * size
    # As much of the picture as fits.
    low, high = np.minimum(half, size / 2), np.maximum(size - half, size / 2)
    middle = np.clip(middle, low, high)
    crop = cut(picture, labels, (float(middle[0]), float(middle[1])), scale, settings)
    return _mirrored(crop) if rng.uniform() < 0.5 else crop


def _hot_place(boxes: Boxes, picture: Image, rng: np.random.Generator) -> NDArray[np.float64]:
    """A point, drawn by the density of objects: every object counts the same, however small it is."""
    size = (picture.shape[1], picture.shape[0])
    points = np.clip(boxes[:, :2], 0, np.array(size) - 1e-3)
    heat = density_map(points, boxes[:, 2:], picture.shape[:2], _COARSE).astype(float)
    cell = int(rng.choice(heat.size, p=heat.ravel() / heat.sum()))
    row, column = divmod(cell, heat.shape[1])
    return (np.array([column, row]) + rng.uniform(0, 1, 2)) * _COARSE


def _mirrored(crop: Crop) -> Crop:
    boxes = crop.labels.boxes.copy()
    boxes[:, 0] = crop.picture.shape[1] - boxes[:, 0]
    return Crop(np.ascontiguousarray(crop.picture[:, ::-1]), Labels(boxes, crop.labels.classes, crop.labels.ignored))


def _coloured(crop: Crop, rng: np.random.Generator) -> Crop:
    """Another light, another lens, another sensor."""
    picture = crop.picture.astype(np.float32)
    picture *= rng.uniform(0.7, 1.35) * rng.uniform(0.92, 1.08, 3).astype(np.float32)
    mean = picture.mean()
    picture = mean + (picture - mean) * np.float32(rng.uniform(0.75, 1.25))
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * np.float32(rng.uniform(0.0, 1.4))
    if rng.uniform() < 0.3:
        picture += rng.normal(0, rng.uniform(1, 8), picture.shape[:2])[..., None].astype(np.float32)
    shown = picture.clip(0, 255).astype(np.uint8)
    if rng.uniform() < 0.2:
        shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.4, 1.1)), np.uint8)
    return Crop(shown, crop.labels)
