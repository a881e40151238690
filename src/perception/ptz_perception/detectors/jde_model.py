# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A model that gives boxes and appearances in one pass, as ptz_perception.models.jde exports it, or one that is made like it.

Inputs: pictures [n, 3, height, width], RGB, 0 to 1, sides multiples of 32; mask [n], bool: those that are instance-normalised; a model
may have none. Outputs: boxes [n, cells, 4] (centre, size, px), scores [n, cells, classes], vectors [n, cells, d] of length 1; cells of
8 px, row by row. Metadata: model: jde, names, keywords of the scenes of the training, factors, and same: from which cosine on two vectors
are the same person's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptz_perception.appearance_scale import SAME, on_common_scale
from ptz_perception.detections import Boxes, Image
from ptz_perception.detectors.class_names import names_in
from ptz_perception.detectors.fitting import Values, to_tensor
from ptz_perception.detectors.session import OnnxModel
from ptz_site import UserError

#: What the model's author writes into it under the key `model`.
KIND = 'jde'
#: px that the sides of pictures are multiples of, and of a cell.
STEP, CELL = 32, 8


@dataclass(frozen=True)
class JdeOutput:
    """Of a picture's cells: boxes (cells, 4: centre, size, px), scores (cells, classes), vectors (cells, d) on the common scale.

    columns: cells of a row.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    vectors: NDArray[np.float32]
    columns: int

    def vectors_at(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, d): the appearance at points (n, 2: x, y, px); outside of the picture that of the nearest cell."""
        rows = len(self.vectors) // self.columns
        column = np.clip(points[:, 0] // CELL, 0, self.columns - 1).astype(int)
        row = np.clip(points[:, 1] // CELL, 0, rows - 1).astype(int)
        found: NDArray[np.float32] = self.vectors[row * self.columns + column]
        return found


class JdeModel:
    """Raises UserError if the model is not one of this kind."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self.names = names_in(model.metadata.get('names', ''))
        ends = [end.name for end in model.inputs], [end.name for end in model.outputs]
        inputs = (['pictures'], ['pictures', 'mask'])
        if not self.names or ends[0] not in inputs or ends[1] != ['boxes', 'scores', 'vectors']:
            raise UserError(f'{model.path} says that it is a {KIND} model, but has {model.describe()}')
        self.takes_mask = len(ends[0]) == 2
        #: Of the scenes that it was trained on.
        self.keywords = tuple(tuple(map(str, words)) for words in _listed(model, 'keywords') if isinstance(words, list))
        #: The greatest sparsity factor that it was trained with.
        self.most_sparse = max((int(factor) for factor in _listed(model, 'factors') if isinstance(factor, int)), default=1)
        self._same = _number(model, 'same', SAME)
        # Some runtimes tell the length only when they run.
        self.length = int(self.look(np.zeros((STEP, STEP, 3), np.uint8), True).vectors.shape[1])

    @property
    def name(self) -> str:
        """For people."""
        return f'{KIND} {self._model.path.name}'

    @property
    def provider(self) -> str:
        """What runs it."""
        return self._model.provider

    def look(self, picture: Image, normalised: bool) -> JdeOutput:
        """At a BGR picture whose sides are multiples of 32; normalised: by itself. Raises ValueError if the model fails."""
        tensors: list[NDArray[Any]] = [to_tensor(picture, Values.RGB_1, self._model.kind(0))]
        if self.takes_mask:
            tensors.append(np.array([normalised]))
        boxes, scores, vectors = self._model.run(*tensors)
        columns, alike = picture.shape[1] // CELL, on_common_scale(vectors[0], self._same)
        return JdeOutput(boxes[0].astype(float), np.clip(scores[0].astype(float), 0.0, 1.0), alike, columns)


def _listed(model: OnnxModel, key: str) -> list[Any]:
    try:
        found = json.loads(model.metadata.get(key, '[]'))
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise UserError(f'{model.path}: {key} in its metadata is no list; export it again')
    return found


def _number(model: OnnxModel, key: str, otherwise: float) -> float:
    try:
        return float(model.metadata.get(key, otherwise))
    except ValueError:
        raise UserError(f'{model.path}: {key} in its metadata is no number; export it again') from None
