# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From labelled parts of pictures to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptz_perception.density import density_map
from ptz_perception.detections import Boxes
from ptz_perception.models.cascade.crops import Crop
from ptz_perception.models.cascade.objective import Wanted
from ptz_perception.models.cells import STRIDE, CellObjects
from ptz_perception.models.labels import Labels


@dataclass(frozen=True)
class Batch:
    """pictures (n, 3, h, w), RGB, 0 to 255, and what is in them."""

    pictures: Tensor
    wanted: Wanted

    def to(self, device: torch.device) -> Batch:
        """The same, where the network is."""
        return Batch(self.pictures.to(device), self.wanted.to(device))

    def inputs(self) -> Tensor:
        """What the network takes, 0 to 1."""
        return (self.pictures.float() / 255.0).contiguous(memory_format=torch.channels_last)


def make_batch(crops: Sequence[Crop]) -> Batch:
    """All of one size."""
    pictures = np.stack([crop.picture[:, :, ::-1].transpose(2, 0, 1) for crop in crops])
    shape = crops[0].picture.shape[:2]
    most = max(int((~crop.labels.ignored).sum()) for crop in crops)
    boxes = np.zeros((len(crops), most, 4), np.float32)
    classes = np.full((len(crops), most), -1, np.int64)
    ignored, structure, density = [], [], []
    for row, crop in enumerate(crops):
        labels = crop.labels
        told = ~labels.ignored
        count = int(told.sum())
        boxes[row, :count], classes[row, :count] = labels.boxes[told], labels.classes[told]
        ignored.append(_covered(labels.boxes[labels.ignored], shape, oval=False))
        structure.append(_covered(labels.boxes[told], shape, oval=True))
        density.append(_density(labels, shape))
    objects = CellObjects(torch.from_numpy(boxes), torch.from_numpy(classes), torch.from_numpy(np.stack(ignored)))
    wanted = Wanted(objects, torch.from_numpy(np.stack(structure)), torch.from_numpy(np.stack(density)))
    return Batch(torch.from_numpy(np.ascontiguousarray(pictures)), wanted)


def _covered(boxes: Boxes, shape: tuple[int, int], oval: bool) -> NDArray[np.bool_]:
    """The cells of a picture (height, width) whose middle is in a box, or in the oval in it; at least the one of each box's middle."""
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    covered = np.zeros((rows, columns), bool)
    x, y = (np.arange(columns) + 0.5) * STRIDE, (np.arange(rows) + 0.5) * STRIDE
    for centre_x, centre_y, width, height in boxes.tolist():
        across, down = np.abs(x - centre_x) * 2 / max(width, 1e-6), np.abs(y - centre_y) * 2 / max(height, 1e-6)
        if oval:
            covered |= across[None] ** 2 + down[:, None] ** 2 < 1
        else:
            covered |= (across < 1)[None] & (down < 1)[:, None]
        row, column = int(centre_y / STRIDE), int(centre_x / STRIDE)
        covered[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)] = True
    return covered


def _density(labels: Labels, shape: tuple[int, int]) -> NDArray[np.float32]:
    boxes = labels.boxes[~labels.ignored]
    points = np.clip(boxes[:, :2], 0, np.array(shape[::-1]))
    return density_map(points, boxes[:, 2:], shape, STRIDE)
