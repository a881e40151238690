# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The training of a cascade detector: which pictures, which losses, and how it is validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ptz_perception.datasets.data_set import DataSet, Split
from ptz_perception.detections import Detections
from ptz_perception.models.calibration import calibrate
from ptz_perception.models.cascade.batches import Batch, make_batch
from ptz_perception.models.cascade.crops import Crop, cut_crops
from ptz_perception.models.cascade.network import CascadeNetwork
from ptz_perception.models.cascade.objective import cascade_losses
from ptz_perception.models.cascade.settings import CascadeRecipe
from ptz_perception.models.evaluation import precision
from ptz_perception.models.labels import Labels, check_classes, labels_of
from ptz_perception.models.validating import detections_of, read_picture, validation_crops
from ptz_site import UserError

#: Parts of pictures that are validated on, and how many the network looks at in one go.
_VALIDATED, _AT_ONCE = 192, 16


class CascadeTask:
    """Trains on the split `train` of a data set and validates on `val`. Raises UserError if one is missing or empty."""

    def __init__(self, recipe: CascadeRecipe, data: DataSet) -> None:
        check_classes(recipe.data.classes, data.names)
        self._recipe = recipe
        self._pictures = _read(data.split('train'), recipe)
        self._validated = validation_crops(_read(data.split('val'), recipe), _VALIDATED, recipe.data)

    @property
    def recipe(self) -> dict[str, Any]:
        """The settings as plain values."""
        plain: dict[str, Any] = self._recipe.model_dump(mode='json')
        return plain

    def network(self) -> CascadeNetwork:
        """With random weights."""
        return CascadeNetwork(self._recipe.network, len(self._recipe.data.classes))

    def batch(self, iteration: int, /) -> Batch:
        """Parts of randomly drawn pictures."""
        rng = np.random.default_rng([self._recipe.training.seed, iteration])
        crops: list[Crop] = []
        while len(crops) < self._recipe.training.batch:
            path, labels = self._pictures[int(rng.integers(len(self._pictures)))]
            crops += cut_crops(read_picture(path), labels, self._recipe.data, rng)
        return make_batch(crops[: self._recipe.training.batch])

    def losses(self, network: CascadeNetwork, batch: Batch, /) -> Mapping[str, Tensor]:
        """Those of head, stages and heat branches."""
        return cascade_losses(network(batch.inputs()), batch.wanted, self._recipe.weights)

    def validate(self, network: CascadeNetwork, /) -> Mapping[str, float]:
        """Average precision on parts of pictures, at the scales that are trained on, and how scores become probabilities."""
        found: list[Detections] = []
        device = next(network.parameters()).device
        for first in range(0, len(self._validated), _AT_ONCE):
            crops = self._validated[first : first + _AT_ONCE]
            found += detections_of(network(make_batch(crops).to(device).inputs()).head, self._recipe.data.classes)
        wanted = [crop.labels for crop in self._validated]
        result, curve = precision(found, wanted, self._recipe.data.classes), calibrate(found, wanted)
        figures = {'val/ap': result.ap, 'val/ap_50': result.ap_50, 'val/ap_small': result.ap_small}
        return {**figures, 'score/slope': curve.slope, 'score/shift': curve.shift}


def _read(split: Split, recipe: CascadeRecipe) -> list[tuple[Path, Labels]]:
    found = [(picture.path, labels_of(picture, recipe.data.classes)) for picture in split]
    if not found:
        raise UserError(f'the split {split.name} has no pictures; give a data set that has some')
    return found
