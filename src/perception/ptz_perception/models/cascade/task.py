# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The training of a cascade detector: which pictures, which losses, and how it is validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from ptz_perception.datasets.data_set import DataSet, Split
from ptz_perception.detections import Detections, Image, suppress_overlaps
from ptz_perception.models.calibration import calibrate
from ptz_perception.models.cascade.batches import Batch, make_batch
from ptz_perception.models.cascade.crops import Crop, cut, cut_crops
from ptz_perception.models.cascade.network import CascadeNetwork
from ptz_perception.models.cascade.objective import cascade_losses
from ptz_perception.models.cascade.settings import CascadeRecipe
from ptz_perception.models.cells import boxes_of
from ptz_perception.models.evaluation import precision
from ptz_perception.models.labels import Labels, check_classes, labels_of
from ptz_site import UserError

#: Parts of pictures that are validated on, and how many the network looks at in one go.
_VALIDATED, _AT_ONCE = 192, 16
#: Scores that count in validation.
_LEAST_SCORE = 0.02
_MOST_OVERLAP = 0.5


class CascadeTask:
    """Trains on the split `train` of a data set and validates on `val`. Raises UserError if one is missing or empty."""

    def __init__(self, recipe: CascadeRecipe, data: DataSet) -> None:
        check_classes(recipe.data.classes, data.names)
        self._recipe = recipe
        self._pictures = _read(data.split('train'), recipe)
        self._validated = self._validation_crops(_read(data.split('val'), recipe))

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
            crops += cut_crops(_picture(path), labels, self._recipe.data, rng)
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
            output = network(make_batch(crops).to(device).inputs())
            boxes, scores = boxes_of(output.head).cpu().numpy(), output.head.classes.sigmoid().flatten(2).transpose(1, 2)
            found += [self._detections(*pair) for pair in zip(boxes, scores.cpu().numpy(), strict=True)]
        wanted = [crop.labels for crop in self._validated]
        result, curve = precision(found, wanted, self._recipe.data.classes), calibrate(found, wanted)
        figures = {'val/ap': result.ap, 'val/ap_50': result.ap_50, 'val/ap_small': result.ap_small}
        return {**figures, 'score/slope': curve.slope, 'score/shift': curve.shift}

    def _detections(self, boxes: np.ndarray, scores: np.ndarray) -> Detections:
        class_ids = scores.argmax(axis=1)
        best = scores.max(axis=1).astype(float)
        rows = np.flatnonzero(best > _LEAST_SCORE)
        names = tuple(self._recipe.data.classes)
        found = Detections.of(boxes[rows].astype(float), best[rows], class_ids[rows].astype(np.int64), names)
        return suppress_overlaps(found, _MOST_OVERLAP)

    def _validation_crops(self, pictures: Sequence[tuple[Path, Labels]]) -> list[Crop]:
        """Always the same: evenly chosen pictures, at scales that go through the range, around an object where there is one."""
        rng = np.random.default_rng(0)
        low, high = self._recipe.data.scales
        crops = []
        for number in range(_VALIDATED):
            path, labels = pictures[number * len(pictures) // _VALIDATED]
            picture = _picture(path)
            scale = low * (high / low) ** ((number % 8) / 7)
            there = labels.boxes[~labels.ignored]
            middle = there[int(rng.integers(len(there))), :2] if len(there) else np.array(picture.shape[1::-1]) / 2
            crops.append(cut(picture, labels, (float(middle[0]), float(middle[1])), scale, self._recipe.data))
        return crops


def _read(split: Split, recipe: CascadeRecipe) -> list[tuple[Path, Labels]]:
    found = [(picture.path, labels_of(picture, recipe.data.classes)) for picture in split]
    if not found:
        raise UserError(f'the split {split.name} has no pictures; give a data set that has some')
    return found


def _picture(path: Path) -> Image:
    picture = cv2.imread(str(path))
    if picture is None:
        raise UserError(f"{path} can't be read as a picture; `ptz-collab dataset check` finds all that are wrong")
    return np.asarray(picture, np.uint8)
