# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells have to say which object: those within it that say it best already.

Feng et al., TOOD: Task-aligned One-stage Object Detection, ICCV 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ptz_perception.models.losses import iou

#: Cells that an object has at most.
_CELLS = 10
#: Powers of the class score and of the overlap in how well a cell says an object.
_SCORE, _OVERLAP = 0.5, 4.0
#: Overlap that is granted to every cell, so that in the beginning those near the middle are taken.
_GRANTED = 0.02
_NONE = -1


@dataclass(frozen=True)
class Assignment:
    """Of n pictures' cells: objects (n, cells), the index of the object or -1; quality (n, cells), 0 to 1, of what they are to say."""

    objects: Tensor
    quality: Tensor


def assign(scores: Tensor, boxes: Tensor, centres: Tensor, wanted: Tensor, classes: Tensor) -> Assignment:
    """Scores (n, cells, c) and boxes (n, cells, 4) are what cells say now, centres (cells, 2) their middles.

    wanted (n, g, 4), classes (n, g) are the objects, padded with class -1. Boxes: centre and size, px. No gradient goes through it.
    """
    n, cells, _ = scores.shape
    count = wanted.shape[1]
    if count == 0:
        return Assignment(scores.new_full((n, cells), _NONE, dtype=torch.long), scores.new_zeros((n, cells)))
    overlap = iou(
        boxes[:, None].expand(n, count, cells, 4).reshape(-1, 4), wanted[:, :, None].expand(n, count, cells, 4).reshape(-1, 4)
    ).reshape(n, count, cells)
    allowed, nearness = _allowed(centres, wanted)
    allowed &= (classes >= 0)[..., None]
    of_class = scores.gather(2, classes.clamp(min=0)[:, None].expand(n, cells, count)).transpose(1, 2)
    fitness = of_class.clamp(min=1e-6) ** _SCORE * (overlap + _GRANTED * nearness) ** _OVERLAP
    fitness = torch.where(allowed, fitness, fitness.new_tensor(-1.0))
    best = fitness.topk(min(_CELLS, cells), dim=2)
    chosen = torch.zeros_like(allowed).scatter_(2, best.indices, best.values > 0)
    fitness = torch.where(chosen, fitness, fitness.new_tensor(-1.0))
    greatest, objects = fitness.max(dim=1)
    taken = greatest > 0
    # An object's best cell is to be as sure as its box is right; the others in proportion.
    mine = torch.zeros_like(chosen).scatter_(1, objects[:, None], taken[:, None])
    most_fit = torch.where(mine, fitness, fitness.new_tensor(0.0)).amax(2, keepdim=True).clamp(min=1e-12)
    most_overlap = torch.where(mine, overlap, overlap.new_tensor(0.0)).amax(2, keepdim=True)
    quality = torch.where(mine, fitness / most_fit * most_overlap, fitness.new_tensor(0.0)).amax(1)
    return Assignment(torch.where(taken, objects, torch.full_like(objects, _NONE)), quality.clamp(0.0, 1.0))


def _allowed(centres: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Cells (n, g, cells) within an object or next to its middle, and how near they are to the middle, 0 to 1."""
    away = (centres[None, None] - wanted[:, :, None, :2]).abs()
    half = wanted[:, :, None, 2:] / 2
    inside = (away < half).all(-1)
    distance = away.square().sum(-1)
    nearest = torch.zeros_like(inside).scatter_(2, distance.argmin(2, keepdim=True), True)
    return inside | nearest, torch.exp(-2.0 * (away / half.clamp(min=1.0)).square().sum(-1))
