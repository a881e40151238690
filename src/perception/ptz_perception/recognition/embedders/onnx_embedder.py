# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An embedder that is an ONNX model: one picture in, one vector out."""

from __future__ import annotations

import numpy as np

from ptz_perception.detections import Image
from ptz_perception.detectors.fitting import Placing, Values, fit_picture, to_tensor
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.recognition.embedders.base import Feature, unit
from ptz_site import UserError


class OnnxEmbedder:
    """Models of persons, faces or plates take RGB pictures normalised by ImageNet's mean and spread. Raises UserError for other models."""

    with_detections = False

    def __init__(self, model: OnnxModel) -> None:
        shape = list(model.inputs[0].shape) if len(model.inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]):
            raise UserError(f'{model.path} has {model.describe()}; an embedder takes one input [1, 3, height, width]')
        self._model, self._size = model, (shape[3], shape[2])
        self._kind = model.kind(0)
        try:
            self.length = self._vector(np.full((shape[2], shape[3], 3), 128, np.uint8)).size
        except ValueError as error:
            raise UserError(f'{model.path}: {error}') from None

    @property
    def name(self) -> str:
        """For people."""
        return self._model.path.name

    def embed(self, picture: Image) -> Feature:
        """A unit vector. Raises ValueError if the model fails."""
        if picture.ndim != 3 or min(picture.shape[:2]) < 8:
            raise ValueError(f'a picture of at least 8 x 8 px is needed, not {picture.shape[1]} x {picture.shape[0]}')
        return unit(self._vector(picture))

    def _vector(self, picture: Image) -> Feature:
        fitted, _ = fit_picture(picture, self._size, Placing.STRETCHED)
        found = self._model.run(to_tensor(fitted, Values.RGB_IMAGENET, self._kind))[0]
        if found.ndim not in (1, 2) or found.size != found.shape[-1]:
            raise ValueError(f'{self._model.path.name} gives {list(found.shape)}, not one vector')
        return found.ravel()
