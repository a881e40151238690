# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A trained cascade detector as an ONNX model that perception runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ptz_perception.models import export as onnx_file
from ptz_perception.models.calibration import Calibration
from ptz_perception.models.cascade.network import CascadeNetwork
from ptz_perception.models.cascade.settings import CascadeRecipe
from ptz_perception.models.cells import boxes_of
from ptz_perception.models.training import checkpoint

#: Batch, height and width are free, so that one model looks at the reduced picture and at parts of the full one.
_FREE = {0: 'pictures', 2: 'height', 3: 'width'}
_OF_CELLS = {0: 'pictures', 1: 'cells'}
_OF_MAP = {0: 'pictures', 1: 'rows', 2: 'columns'}


class _Exported(nn.Module):
    """The network as it is run: boxes in px, scores that say how often a box is right, heats from 0 on."""

    def __init__(self, network: CascadeNetwork, curve: Calibration) -> None:
        super().__init__()
        self.network, self._curve = network, curve

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        output = self.network(pictures)
        scores = (self._curve.slope * output.head.classes + self._curve.shift).sigmoid()
        found = [boxes_of(output.head), scores.flatten(2).transpose(1, 2)]
        if output.structure is not None:
            found.append(output.structure.softmax(1)[:, 1])
        if output.density is not None:
            found.append(output.density[:, 0])
        return tuple(found)


def export_checkpoint(path: Path, out: Path, more: Mapping[str, object]) -> float:
    """Exports a checkpoint's network; more: what else the file should say. Returns the greatest difference. Raises UserError."""
    state = checkpoint.load(path)
    recipe = CascadeRecipe.model_validate(state['recipe'])
    network = CascadeNetwork(recipe.network, len(recipe.data.classes))
    network.load_state_dict(state['network'])
    figures = state['figures']
    curve = Calibration(figures.get('score/slope', 1.0), figures.get('score/shift', 0.0))
    outputs = ['boxes', 'scores']
    free = {'pictures': _FREE, 'boxes': _OF_CELLS, 'scores': _OF_CELLS}
    for name, is_there in (('structure', recipe.network.structure), ('density', recipe.network.density)):
        if is_there:
            outputs.append(name)
            free[name] = _OF_MAP
    metadata: dict[str, object] = {
        'model': 'cascade',
        'names': str(dict(enumerate(recipe.data.classes))),
        'trained_size': list(recipe.data.size),
        **more,
    }
    example = torch.rand(2, 3, recipe.data.size[1], recipe.data.size[0], generator=torch.Generator().manual_seed(1))
    ends = onnx_file.ModelEnds(('pictures',), tuple(outputs), free)
    return onnx_file.export(_Exported(network, curve), (example,), ends, metadata, out)
