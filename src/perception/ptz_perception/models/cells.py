# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Objects by cells: an eighth of the picture, each cell saying a class and the four sides of a box; and the losses of that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ptz_perception.models.assignment import Assignment, assign

#: From predicted and wanted boxes (n, 4) to losses (n,).
BoxLoss = Callable[[Tensor, Tensor], Tensor]
#: px of the picture for each cell of the outputs.
STRIDE = 8
#: What the network says of a cell before it has learnt anything: objects are rare.
_PRIOR = 0.01
#: ln of sides in cells, at most; larger ones have no meaning and would overflow.
_MOST = 5.0


@dataclass(frozen=True)
class CellOutput:
    """What is said of the cells of n pictures: classes (n, c, h, w) as logits, boxes (n, 4, h, w: left, top, right, bottom) in cells."""

    classes: Tensor
    sides: Tensor


@dataclass(frozen=True)
class CellObjects:
    """What is in n pictures. boxes (n, g, 4: centre, size, px), classes (n, g), -1: none; ignored (n, h, w): cells nothing is said of."""

    boxes: Tensor
    classes: Tensor
    ignored: Tensor

    def to(self, device: torch.device) -> CellObjects:
        """The same, where the network is."""
        return CellObjects(self.boxes.to(device), self.classes.to(device), self.ignored.to(device))


class CellHead(nn.Module):
    """Classes and boxes of cells, from features."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = nn.Conv2d(width, classes, 1)
        self.sides = nn.Conv2d(width, 4, 1)
        if self.classes.bias is not None:
            nn.init.constant_(self.classes.bias, -math.log((1 - _PRIOR) / _PRIOR))

    def forward(self, features: Tensor) -> CellOutput:
        # What losses are made of is in float32, whatever the network computes in.
        return CellOutput(self.classes(features).float(), self.sides(features).float().clamp(-_MOST, _MOST).exp())


def cell_centres(like: Tensor) -> Tensor:
    """Of cells (..., height, width): (height * width, 2), x and y in cells, row by row."""
    height, width = like.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=like.device), torch.arange(width, device=like.device), indexing='ij'
    )
    return torch.stack((columns, rows), -1).reshape(-1, 2).to(like.dtype) + 0.5


def boxes_of(output: CellOutput) -> Tensor:
    """(n, cells, 4: centre, size) in px."""
    sides = output.sides.flatten(2).transpose(1, 2)
    centres = cell_centres(output.sides)
    low, high = centres - sides[..., :2], centres + sides[..., 2:]
    return torch.cat(((low + high) / 2, high - low), -1) * STRIDE


def assigned(output: CellOutput, objects: CellObjects) -> Assignment:
    """Which cells have to say which object, by what they say already."""
    scores = output.classes.detach().sigmoid().flatten(2).transpose(1, 2)
    return assign(scores, boxes_of(output).detach(), cell_centres(output.sides) * STRIDE, objects.boxes, objects.classes)


def cell_losses(output: CellOutput, objects: CellObjects, assignment: Assignment, box_loss: BoxLoss) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the classes and the loss of the boxes, by what all cells together have to say."""
    taken = assignment.objects >= 0
    index = assignment.objects.clamp(min=0)
    total = assignment.quality.sum().clamp(min=1.0)
    logits = output.classes.flatten(2).transpose(1, 2)
    targets = torch.zeros_like(logits)
    if objects.classes.shape[1]:
        of_cell = objects.classes.gather(1, index).clamp(min=0)
        targets.scatter_(2, of_cell[..., None], (assignment.quality * taken)[..., None])
    counts = (~objects.ignored.flatten(1) | taken)[..., None]
    classes = (functional.binary_cross_entropy_with_logits(logits, targets, reduction='none') * counts).sum() / total
    if not taken.any():
        return classes, output.sides.sum() * 0.0
    boxes = boxes_of(output)[taken] / STRIDE
    right = objects.boxes.gather(1, index[..., None].expand(-1, -1, 4))[taken] / STRIDE
    # Also a box that overlaps nothing yet is to move.
    share = assignment.quality[taken].clamp(min=0.1)
    return classes, (box_loss(boxes, right) * share).sum() / total
