# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of the cascade detector: of its head, of every stage, and of the two heat branches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ptz_perception.models.cascade.network import CascadeOutput
from ptz_perception.models.cascade.settings import LossWeights
from ptz_perception.models.cells import CellObjects, assigned, cell_losses
from ptz_perception.models.losses import ciou_loss

#: Weight of a cell that shows an object against one of background: there are many more of these.
_OBJECT = 3.0
#: Objects a cell are few hundredths; with this factor their squared error is of the size of the other losses.
_DENSITY = 3.0


@dataclass(frozen=True)
class Wanted:
    """What is in n pictures. Of cells (n, h, w): structure: whether they show an object; density: objects a cell."""

    objects: CellObjects
    structure: Tensor
    density: Tensor

    def to(self, device: torch.device) -> Wanted:
        """The same, where the network is."""
        return Wanted(self.objects.to(device), self.structure.to(device), self.density.to(device))


def cascade_losses(output: CascadeOutput, wanted: Wanted, weights: LossWeights) -> dict[str, Tensor]:
    """Named parts: class and box of the head, the sum of those of the stages, structure, density."""
    objects = wanted.objects
    assignment = assigned(output.head, objects)
    classes, boxes = cell_losses(output.head, objects, assignment, ciou_loss)
    losses = {'class': weights.classes * classes, 'box': weights.boxes * boxes}
    if output.stages:
        # The head knows best which cells can say what; the stages learn to say the same.
        parts = [cell_losses(stage, objects, assignment, ciou_loss) for stage in output.stages]
        stages = torch.stack([weights.classes * c + weights.boxes * b for c, b in parts])
        losses['stages'] = weights.stage * stages.mean()
    if output.structure is not None:
        losses['structure'] = weights.structure * _structure_loss(output.structure, wanted)
    if output.density is not None:
        losses['density'] = weights.density * _density_loss(output.density[:, 0], wanted)
    return losses


def _structure_loss(logits: Tensor, wanted: Wanted) -> Tensor:
    weight = logits.new_tensor([1.0, _OBJECT])
    loss = functional.cross_entropy(logits, wanted.structure.long(), weight, reduction='none')
    counts = ~wanted.objects.ignored | wanted.structure
    return (loss * counts).sum() / counts.sum().clamp(min=1)


def _density_loss(density: Tensor, wanted: Wanted) -> Tensor:
    """The Euclidean distance of both maps, squared, for each picture."""
    error = (density - wanted.density) * ~wanted.objects.ignored
    return (_DENSITY * error).square().sum(dim=(1, 2)).mean()
