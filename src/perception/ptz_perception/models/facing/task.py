# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The training of a facing network: which pictures, which loss, and how it is validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ptz_perception.facing.model import KIND
from ptz_perception.models.facing.batches import FacingBatch, Sample, make_batch, reduced, varied
from ptz_perception.models.facing.data import FacingPicture
from ptz_perception.models.facing.evaluation import figures_of
from ptz_perception.models.facing.network import FacingNetwork
from ptz_perception.models.facing.settings import FacingRecipe
from ptz_perception.models.validating import read_picture

#: Pictures that the network looks at in one go while it is validated.
_AT_ONCE = 64
#: px of height of pictures in validation: the least, and where they are told apart.
_LEAST, _EDGES = 48, (80, 160)


class FacingTask:
    """Trains on some pictures and validates on others, of other people in other scenes."""

    def __init__(self, recipe: FacingRecipe, trained: Sequence[FacingPicture], validated: Sequence[FacingPicture]) -> None:
        self._recipe, self._trained, self._validated = recipe, trained, validated

    @property
    def recipe(self) -> dict[str, Any]:
        """The settings as plain values."""
        return {'model': KIND, **self._recipe.model_dump(mode='json')}

    def network(self) -> FacingNetwork:
        """With random weights."""
        return FacingNetwork(self._recipe.network, self._recipe.data.size)

    def batch(self, iteration: int, /) -> FacingBatch:
        """Randomly drawn pictures, varied."""
        rng = np.random.default_rng([self._recipe.training.seed, iteration])
        rows = rng.integers(len(self._trained), size=self._recipe.training.batch).tolist()
        settings = self._recipe.data
        return make_batch([varied(_sample(self._trained[row]), settings, rng) for row in rows], settings.size)

    def losses(self, network: FacingNetwork, batch: FacingBatch, /) -> Mapping[str, Tensor]:
        """The squared distance to the unit vector: least for the mean of what a picture may mean."""
        return {'direction': (network(batch.pictures) - batch.wanted).square().sum(1).mean()}

    def validate(self, network: FacingNetwork, /) -> Mapping[str, float]:
        """How well directions are told: of all pictures, as they are and reduced, and the median error by their height."""
        heights, found, wanted = look(network, self._validated, self._recipe.data.size)
        figures = {f'val/{name}': value for name, value in asdict(figures_of(found, wanted)).items()}
        for name, rows in by_height(heights).items():
            figures[f'val/median_{name}'] = figures_of(found[rows], wanted[rows]).median
        return figures


def look(
    network: FacingNetwork, pictures: Sequence[FacingPicture], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Each picture as it is, and once more reduced, evenly between 48 px and its height: heights (n,), vectors found and wanted (n, 2)."""
    device = next(network.parameters()).device
    heights, found, wanted = [], [], []
    for first in range(0, len(pictures), _AT_ONCE):
        samples = []
        for number, picture in enumerate(pictures[first : first + _AT_ONCE], first):
            sample = _sample(picture)
            tall = sample.picture.shape[0]
            lower = round(_LEAST * (max(1.0, tall / _LEAST)) ** ((number % 8) / 8))
            samples += [sample, Sample(reduced(sample.picture, min(tall, lower)), sample.facing)]
        batch = make_batch(samples, size)
        heights += [sample.picture.shape[0] for sample in samples]
        found.append(network(batch.pictures.to(device)).cpu().numpy())
        wanted.append(batch.wanted.numpy())
    return np.array(heights), np.concatenate(found), np.concatenate(wanted)


def by_height(heights: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Which pictures are how high, by a name."""
    low, high = _EDGES
    return {
        f'{_LEAST}_{low}': heights < low,
        f'{low}_{high}': (heights >= low) & (heights < high),
        f'{high}_up': heights >= high,
    }


def _sample(picture: FacingPicture) -> Sample:
    return Sample(read_picture(picture.path), picture.facing)
