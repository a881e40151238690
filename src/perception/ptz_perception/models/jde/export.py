# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A trained tracking network as an ONNX model that perception runs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ptz_perception.detectors.jde_model import KIND
from ptz_perception.models import export as onnx_file
from ptz_perception.models.cells import boxes_of
from ptz_perception.models.jde.network import STEP, JdeNetwork
from ptz_perception.models.jde.settings import JdeRecipe
from ptz_perception.models.training import checkpoint
from ptz_site import UserError

#: Batch, height and width are free; sides are multiples of 32.
_FREE = {0: 'pictures', 2: 'height', 3: 'width'}
_OF_CELLS = {0: 'pictures', 1: 'cells'}


class ExportedJde(nn.Module):
    """The network as it is run. Pictures (n, 3, h, w), RGB, 0 to 1; mask (n,), bool: those that are instance-normalised.

    Gives boxes (n, cells, 4: centre, size, px), scores (n, cells, classes) and appearances (n, cells, d) of length 1; cells of 8 px go
    row by row. What a box shows has the appearance of the cell in its middle.

    Pictures that are instance-normalised and those that are not take two ways with the same weights, so that each costs no more than it
    has to, and a runtime can make batch normalisation a part of the convolutions.
    """

    def __init__(self, network: JdeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        if not torch.onnx.is_in_onnx_export():
            return self._outputs(pictures, mask)
        ways = mask.nonzero().squeeze(1), mask.logical_not().nonzero().squeeze(1)
        chosen, others = (self._way(pictures, rows, way) for rows, way in zip(ways, (True, False), strict=True))
        # Back into the order of the pictures: where each of them went.
        order = torch.cat(ways).argsort()
        return tuple(torch.cat(pair).index_select(0, order) for pair in zip(chosen, others, strict=True))

    def _way(self, pictures: Tensor, rows: Tensor, chosen: bool) -> tuple[Tensor, ...]:
        """Of some of the pictures. Runtimes need at least one: an empty way gets a corner of the first, of which nothing is said."""
        # Sums and products, because a traced network has no conditions.
        is_there = (rows >= 0).any().long()
        index = torch.cat((rows, torch.zeros(1, dtype=torch.long)))[: rows.shape[0] + 1 - is_there]
        height, width = (STEP + (side - STEP) * is_there for side in pictures.shape[2:])
        outputs = self._outputs(pictures.index_select(0, index)[:, :, :height, :width], chosen)
        return tuple(output[: rows.shape[0]] for output in outputs)

    def _outputs(self, pictures: Tensor, mask: Tensor | bool) -> tuple[Tensor, Tensor, Tensor]:
        output = self.network(pictures, mask)
        scores = output.cells.classes.sigmoid().flatten(2).transpose(1, 2)
        return boxes_of(output.cells), scores, output.vectors.flatten(2).transpose(1, 2)


def load_network(path: Path) -> tuple[JdeNetwork, JdeRecipe, dict[str, object]]:
    """A checkpoint's network, its settings and what else its recipe says. Raises UserError."""
    state = checkpoint.load(path)
    said = dict(state['recipe'])
    if said.pop('model', '') != KIND:
        raise UserError(f'{path} is no checkpoint of a {KIND} network')
    identities, keywords = int(said.pop('identities')), said.pop('keywords')
    recipe = JdeRecipe.model_validate(said)
    network = JdeNetwork(recipe.network, len(recipe.data.classes), identities)
    network.load_state_dict(state['network'])
    same = float(state['figures'].get('val/same', 'nan'))
    return network.eval(), recipe, {'keywords': keywords} if math.isnan(same) else {'keywords': keywords, 'same': same}


def export_checkpoint(path: Path, out: Path, more: Mapping[str, object]) -> float:
    """Exports a checkpoint's network; more: what else the file should say. Returns the greatest difference. Raises UserError."""
    network, recipe, said = load_network(path)
    return export_network(network, recipe, {**said, **more}, out)


def export_network(network: JdeNetwork, recipe: JdeRecipe, more: Mapping[str, object], out: Path) -> float:
    """Writes the model. more: `keywords` of the scenes of the training, `same`, and what else the file should say."""
    # Without both normalisations there is nothing to choose, and the model has no mask.
    takes_mask = recipe.network.normalisation == 'both'
    generator = torch.Generator().manual_seed(1)
    examples = [torch.rand(3, 3, recipe.data.size[1], recipe.data.size[0], generator=generator)]
    free: dict[str, dict[int, str]] = {'pictures': _FREE, 'boxes': _OF_CELLS, 'scores': _OF_CELLS, 'vectors': _OF_CELLS}
    inputs = ['pictures']
    if takes_mask:
        examples.append(torch.tensor([True, False, True]))
        free['mask'] = {0: 'pictures'}
        inputs.append('mask')
    model = ExportedJde(network) if takes_mask else _Unmasked(network)
    metadata: dict[str, object] = {
        'model': KIND,
        'names': str(dict(enumerate(recipe.data.classes))),
        'trained_size': list(recipe.data.size),
        'vector': recipe.network.vector,
        'normalisation': recipe.network.normalisation,
        'factors': list(recipe.loss.factors),
        **more,
    }
    ends = onnx_file.ModelEnds(tuple(inputs), ('boxes', 'scores', 'vectors'), free)
    with warnings.catch_warnings():
        # That the statistics of instance normalisation are those of the picture, as they are to be.
        warnings.filterwarnings('ignore', module=r'torch\..*')
        return onnx_file.export(model, examples, ends, metadata, out)


class _Unmasked(ExportedJde):
    """Of a network with one kind of normalisation alone."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return self._outputs(pictures, True)
