# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Fits pictures into a model's input, and boxes back into the picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes, Image

#: Grey that YOLO models are trained with around pictures.
_PADDING = 114
#: Of the pictures of ImageNet, red, green, blue, 0 to 1.
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
_IMAGENET_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


class Placing(Enum):
    """Where the picture lies in the input."""

    CORNER = 'upper left corner'
    CENTRE = 'middle'
    STRETCHED = 'stretched over the input'


class Values(Enum):
    """What the numbers of the input are."""

    BGR_255 = 'BGR, 0 to 255'
    RGB_1 = 'RGB, 0 to 1'
    RGB_IMAGENET = "RGB, normalised by ImageNet's mean and spread"


@dataclass(frozen=True)
class Fit:
    """How a picture lies in the input: input = scale * picture + offset, in px, for x and y."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes (n, 4: centre, size) of the input in the picture."""
        scale, offset = np.array(self.scale), np.array(self.offset)
        return np.hstack(((boxes[:, :2] - offset) / scale, boxes[:, 2:] / scale))


def fit_picture(picture: Image, size: tuple[int, int], placing: Placing) -> tuple[Image, Fit]:
    """A BGR picture in an input of a size (width, height), and where it lies."""
    height, width = picture.shape[:2]
    if placing is Placing.STRETCHED:
        return _resized(picture, size), Fit((size[0] / width, size[1] / height), (0.0, 0.0))
    scale = min(size[0] / width, size[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2) if placing is Placing.CENTRE else (0, 0)
    padded = np.full((size[1], size[0], 3), _PADDING, np.uint8)
    padded[top : top + inner[1], left : left + inner[0]] = _resized(picture, inner)
    return padded, Fit((inner[0] / width, inner[1] / height), (float(left), float(top)))


def reduced_to(picture: Image, width: int, step: int) -> Image:
    """A picture of about a width, whose sides are multiples of step: a little stretched, so that a model's cells fill it."""
    height = picture.shape[0] * width / picture.shape[1]
    size = (max(1, round(width / step)) * step, max(1, round(height / step)) * step)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def to_tensor(picture: Image, values: Values, kind: type[np.generic]) -> NDArray[np.generic]:
    """(1, 3, height, width) of a BGR picture, as a model of this kind of numbers takes it. uint8: always 0 to 255."""
    rgb = picture if values is Values.BGR_255 else picture[:, :, ::-1]
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    if kind is np.uint8:
        return planes[None]
    numbers = planes.astype(np.float32)
    if values is not Values.BGR_255:
        numbers /= 255.0
    if values is Values.RGB_IMAGENET:
        numbers = (numbers - _IMAGENET_MEAN) / _IMAGENET_SPREAD
    return numbers[None].astype(kind)


def _resized(picture: Image, size: tuple[int, int]) -> Image:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
