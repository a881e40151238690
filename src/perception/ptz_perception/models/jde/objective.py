# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of the tracking network: where objects are, and who they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ptz_perception.models.cascade.assignment import assign
from ptz_perception.models.cascade.network import CellOutput, boxes_of, cell_centres
from ptz_perception.models.jde.batches import JdeBatch
from ptz_perception.models.jde.network import STRIDE, JdeNetwork, JdeOutput
from ptz_perception.models.jde.settings import LossSettings
from ptz_perception.models.losses import diou_loss, iou_loss

BoxLoss = Callable[[Tensor, Tensor], Tensor]
_BOX_LOSSES: dict[str, BoxLoss] = {'diou': diou_loss, 'iou': iou_loss}
#: Of the certainty that is asked for, what is left to all other identities: they are many, and some look alike.
_SMOOTHING = 0.1


def jde_losses(network: JdeNetwork, batch: JdeBatch, settings: LossSettings) -> dict[str, Tensor]:
    """Named parts, scalars: class, box, identity, and with uncertainties what these cost."""
    output = network(batch.inputs(), batch.mask)
    classes, boxes = _finding(output.cells, batch, _BOX_LOSSES[settings.box])
    parts = {'class': classes, 'box': settings.boxes * boxes}
    if len(network.directions):
        parts['identity'] = settings.identities * _identities(output, batch, network.directions)
    if settings.uncertainty:
        return _weighed(parts, network.uncertainties)
    return parts


def _finding(cells: CellOutput, batch: JdeBatch, box_loss: BoxLoss) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the classes and the loss of the boxes, by what all cells together have to say of the pictures that tell it."""
    finds = batch.finds
    if not finds.any():
        nothing = (cells.classes.sum() + cells.sides.sum()) * 0.0
        return nothing, nothing
    told = CellOutput(cells.classes[finds], cells.sides[finds])
    wanted, wanted_classes = batch.boxes[finds], batch.classes[finds]
    logits, boxes = told.classes.flatten(2).transpose(1, 2), boxes_of(told)
    assigned = assign(logits.detach().sigmoid(), boxes.detach(), cell_centres(told.sides) * STRIDE, wanted, wanted_classes)
    taken, index = assigned.objects >= 0, assigned.objects.clamp(min=0)
    total = assigned.quality.sum().clamp(min=1.0)
    targets = torch.zeros_like(logits)
    if wanted.shape[1]:
        of_cell = wanted_classes.gather(1, index).clamp(min=0)
        targets.scatter_(2, of_cell[..., None], (assigned.quality * taken)[..., None])
    counts = (~batch.ignored[finds].flatten(1) | taken)[..., None]
    classes = (functional.binary_cross_entropy_with_logits(logits, targets, reduction='none') * counts).sum() / total
    if not taken.any():
        return classes, told.sides.sum() * 0.0
    right = wanted.gather(1, index[..., None].expand(-1, -1, 4))[taken]
    # Also a box that overlaps nothing yet is to move.
    share = assigned.quality[taken].clamp(min=0.1)
    return classes, (box_loss(boxes[taken] / STRIDE, right / STRIDE) * share).sum() / total


def _identities(output: JdeOutput, batch: JdeBatch, directions: Tensor) -> Tensor:
    """Cross-entropy of who is seen: one direction for each identity, the similarity of the appearance to it as logit.

    Scaled as in JDE (Wang et al., ECCV 2020, section 3.4), so that the loss can get small at all.
    """
    known = batch.identities >= 0
    if not known.any():
        return output.vectors.sum() * 0.0
    vectors = output.vectors.flatten(2).transpose(1, 2)
    n, most, places = batch.places.shape
    index = batch.places.reshape(n, most * places, 1).expand(-1, -1, vectors.shape[2])
    seen = vectors.gather(1, index).reshape(n, most, places, -1)[known]
    scale = math.sqrt(2.0) * math.log(max(len(directions) - 1, 2))
    logits = scale * seen.flatten(0, 1) @ functional.normalize(directions, dim=1).T
    who = batch.identities[known].repeat_interleave(places)
    return functional.cross_entropy(logits, who, label_smoothing=_SMOOTHING)


def _weighed(parts: dict[str, Tensor], uncertainties: Tensor) -> dict[str, Tensor]:
    """Each task by its variance, which costs its logarithm (Kendall et al., CVPR 2018; JDE, equation 3)."""
    weights = torch.exp(-uncertainties)
    weighed = {name: 0.5 * part * weights[int(name == 'identity')] for name, part in parts.items()}
    return {**weighed, 'uncertainty': 0.5 * uncertainties.sum()}
