# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of the tracking network: where objects are, and who they are."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ptz_perception.models.cells import BoxLoss, CellObjects, CellOutput, assigned, cell_losses
from ptz_perception.models.jde.batches import JdeBatch
from ptz_perception.models.jde.network import JdeNetwork, JdeOutput
from ptz_perception.models.jde.settings import LossSettings
from ptz_perception.models.losses import diou_loss, iou_loss

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
    """Of classes and boxes, from the pictures that tell where nobody is, too."""
    finds = batch.finds
    if not finds.any():
        nothing = (cells.classes.sum() + cells.sides.sum()) * 0.0
        return nothing, nothing
    told = CellOutput(cells.classes[finds], cells.sides[finds])
    objects = CellObjects(batch.boxes[finds], batch.classes[finds], batch.ignored[finds])
    return cell_losses(told, objects, assigned(told, objects), box_loss)


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
    with torch.autocast(seen.device.type, enabled=False):
        logits = scale * seen.flatten(0, 1) @ functional.normalize(directions, dim=1).T
    who = batch.identities[known].repeat_interleave(places)
    return functional.cross_entropy(logits, who, label_smoothing=_SMOOTHING)


def _weighed(parts: dict[str, Tensor], uncertainties: Tensor) -> dict[str, Tensor]:
    """Each task by its variance, which costs its logarithm (Kendall et al., CVPR 2018; JDE, equation 3)."""
    weights = torch.exp(-uncertainties)
    weighed = {name: 0.5 * part * weights[int(name == 'identity')] for name, part in parts.items()}
    return {**weighed, 'uncertainty': 0.5 * uncertainties.sum()}
