# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From parts of pictures and from sheets to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptz_perception.detections import Boxes, Image
from ptz_perception.models.jde.network import STRIDE

#: Places of each person at which the appearance is read in training: the middle, and one near it, because boxes are never quite right.
_PLACES = 2
#: Of a box's size, how far from the middle.
_NEAR = 0.15


@dataclass(frozen=True)
class Sample:
    """A picture (height, width, 3), BGR, with n boxes (n, 4: centre, size, px), classes (n,), ignored (n,), identities (n,), -1: not known.

    finds: whether everybody on it has a box, so that it tells where there is nobody.
    """

    picture: Image
    boxes: Boxes
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    identities: NDArray[np.int64]
    finds: bool = True


@dataclass(frozen=True)
class JdeBatch:
    """Of n pictures with at most g objects each, and h x w cells.

    pictures (n, 3, height, width), RGB, 0 to 255; mask (n,): those that are instance-normalised; finds (n,): those that finding is
    learnt from; boxes (n, g, 4: centre, size, px); classes (n, g), -1: none; identities (n, g), -1: not known; ignored (n, h, w): cells
    that nothing is said of; places (n, g, p): cells, row by row, at which an object's appearance is read.
    """

    pictures: Tensor
    mask: Tensor
    finds: Tensor
    boxes: Tensor
    classes: Tensor
    identities: Tensor
    ignored: Tensor
    places: Tensor

    def to(self, device: torch.device) -> JdeBatch:
        """The same, where the network is."""
        return JdeBatch(*(getattr(self, field.name).to(device) for field in fields(self)))

    def inputs(self) -> Tensor:
        """What the network takes, 0 to 1."""
        return (self.pictures.float() / 255.0).contiguous(memory_format=torch.channels_last)


def make_batch(samples: Sequence[Sample], mask: NDArray[np.bool_], rng: np.random.Generator) -> JdeBatch:
    """All of one size."""
    shape = samples[0].picture.shape[:2]
    most = max(int((~sample.ignored).sum()) for sample in samples)
    boxes = np.zeros((len(samples), most, 4), np.float32)
    classes, identities = (np.full((len(samples), most), -1, np.int64) for _ in range(2))
    places = np.zeros((len(samples), most, _PLACES), np.int64)
    for row, sample in enumerate(samples):
        told = ~sample.ignored
        count = int(told.sum())
        boxes[row, :count], classes[row, :count] = sample.boxes[told], sample.classes[told]
        identities[row, :count] = sample.identities[told]
        places[row, :count] = _places(sample.boxes[told], shape, rng)
    return JdeBatch(
        pictures_tensor([sample.picture for sample in samples]),
        torch.from_numpy(mask.copy()),
        torch.tensor([sample.finds for sample in samples]),
        torch.from_numpy(boxes),
        torch.from_numpy(classes),
        torch.from_numpy(identities),
        torch.from_numpy(np.stack([_covered(sample.boxes[sample.ignored], shape) for sample in samples])),
        torch.from_numpy(places),
    )


def pictures_tensor(pictures: Sequence[Image]) -> Tensor:
    """(n, 3, height, width), RGB, 0 to 255, of BGR pictures of one size."""
    return torch.from_numpy(np.stack([picture[:, :, ::-1].transpose(2, 0, 1) for picture in pictures]))


def cells_at(points: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.int64]:
    """The cells, row by row, at points (..., 2: x, y, px) of a picture (height, width); outside of it the nearest ones."""
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    column = np.clip(points[..., 0] // STRIDE, 0, columns - 1)
    row = np.clip(points[..., 1] // STRIDE, 0, rows - 1)
    return np.asarray(row * columns + column, np.int64)


def _places(boxes: Boxes, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n, places): each box's middle, and other cells near it."""
    away = rng.uniform(-_NEAR, _NEAR, (len(boxes), _PLACES, 2)) * boxes[:, None, 2:]
    away[:, 0] = 0.0
    return cells_at(boxes[:, None, :2] + away, shape)


def _covered(boxes: Boxes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The cells of a picture (height, width) whose middle is in a box."""
    y, x = (np.arange(side // STRIDE) * STRIDE + STRIDE / 2 for side in shape)
    covered = np.zeros((len(y), len(x)), bool)
    for centre_x, centre_y, width, height in boxes.tolist():
        covered |= (np.abs(x - centre_x) < width / 2)[None] & (np.abs(y - centre_y) < height / 2)[:, None]
    return covered
