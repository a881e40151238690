# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What trainings minimise, where PyTorch has it not.

Boxes are rows of (centre x, centre y, width, height), in any one unit; widths and heights of zero are allowed. All losses are finite with
finite gradients for every pair of finite boxes: no overlap, one within the other, equal, or without area.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: In squared units: what is smaller counts as a point, which has neither overlap nor shape.
_LEAST = 1e-9


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union (n,) of boxes (n, 4) with boxes (n, 4), 0 to 1; of two without area: 0."""
    overlap, union = _areas(first, second)
    return _share(overlap, union)


def iou_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """1 - IoU for each of n boxes (n, 4): 0 to 1. Without overlap there is no gradient, which is what the others mend."""
    return 1.0 - iou(predicted, wanted)


def diou_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """1 - IoU + the centres' distance by the diagonal of the box around both, both squared, for each of n boxes (n, 4): 0 to 2.

    Zheng et al., Distance-IoU Loss, AAAI 2020, equation 7.
    """
    return iou_loss(predicted, wanted) + _centre_distance(predicted, wanted)


def ciou_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """DIoU and, weighted, how differently the boxes are shaped: for each of n boxes (n, 4).

    Zheng et al., Distance-IoU Loss, AAAI 2020, equations 8 to 11. The weight alpha is a constant for the gradient, as the authors have it.
    """
    overlap = iou(predicted, wanted)
    shape = 4.0 / math.pi**2 * (_slenderness(wanted) - _slenderness(predicted)) ** 2
    with torch.no_grad():
        weight = _share(shape, 1.0 - overlap + shape)
    return 1.0 - overlap + _centre_distance(predicted, wanted) + weight * shape


def _areas(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Of what boxes share, and of both together."""
    low = torch.maximum(first[:, :2] - first[:, 2:] / 2, second[:, :2] - second[:, 2:] / 2)
    high = torch.minimum(first[:, :2] + first[:, 2:] / 2, second[:, :2] + second[:, 2:] / 2)
    overlap = (high - low).clamp(min=0).prod(dim=1)
    return overlap, first[:, 2:].prod(dim=1) + second[:, 2:].prod(dim=1) - overlap


def _centre_distance(first: Tensor, second: Tensor) -> Tensor:
    """Squared, by the squared diagonal of the smallest box around both: 0 to 1."""
    low = torch.minimum(first[:, :2] - first[:, 2:] / 2, second[:, :2] - second[:, 2:] / 2)
    high = torch.maximum(first[:, :2] + first[:, 2:] / 2, second[:, :2] + second[:, 2:] / 2)
    diagonal = ((high - low) ** 2).sum(dim=1)
    return _share(((first[:, :2] - second[:, :2]) ** 2).sum(dim=1), diagonal)


def _slenderness(boxes: Tensor) -> Tensor:
    """The angle of a box's diagonal, rad: arctan(width / height), 0 to pi/2."""
    is_point = boxes[:, 2] ** 2 + boxes[:, 3] ** 2 < _LEAST
    # The angle of a point has no gradient; a square's stands for it, and gets none.
    width, height = (torch.where(is_point, torch.ones_like(side), side) for side in (boxes[:, 2], boxes[:, 3]))
    return torch.atan2(width, height)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """What part is of a whole; 0, without gradient, where the whole is nothing."""
    is_nothing = whole < _LEAST
    return torch.where(is_nothing, torch.zeros_like(part), part / torch.where(is_nothing, torch.ones_like(whole), whole))
