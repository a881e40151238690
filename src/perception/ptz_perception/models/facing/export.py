# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A trained facing network as an ONNX model that perception runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ptz_perception.facing.model import KIND
from ptz_perception.models import export as onnx_file
from ptz_perception.models.facing.network import FacingNetwork
from ptz_perception.models.facing.settings import FacingRecipe
from ptz_perception.models.training import checkpoint
from ptz_site import UserError

_FREE = {0: 'pictures'}


class _Exported(nn.Module):
    """The network as it is run: all outputs of models are tuples."""

    def __init__(self, network: FacingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor]:
        return (self.network(pictures),)


def load_network(path: Path) -> tuple[FacingNetwork, FacingRecipe]:
    """A checkpoint's network and its settings. Raises UserError."""
    state = checkpoint.load(path)
    said = dict(state['recipe'])
    if said.pop('model', '') != KIND:
        raise UserError(f'{path} is no checkpoint of a {KIND} network')
    recipe = FacingRecipe.model_validate(said)
    network = FacingNetwork(recipe.network, recipe.data.size)
    network.load_state_dict(state['network'])
    return network.eval(), recipe


def export_checkpoint(path: Path, out: Path, more: Mapping[str, object]) -> float:
    """Exports a checkpoint's network; more: what else the file should say. Returns the greatest difference. Raises UserError.

    The model takes pictures (n, 3, height, width), RGB normalised by ImageNet's mean and spread, and gives `facing` (n, 2).
    """
    network, recipe = load_network(path)
    width, height = recipe.data.size
    example = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    metadata: dict[str, object] = {'model': KIND, 'trained_size': [width, height], **more}
    ends = onnx_file.ModelEnds(('pictures',), ('facing',), {'pictures': _FREE, 'facing': _FREE})
    return onnx_file.export(_Exported(network), (example,), ends, metadata, out)
