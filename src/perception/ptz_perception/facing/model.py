# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A model that tells from the picture of one person which way they face, seen from the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image
from ptz_perception.detectors.fitting import Placing, Values, fit_picture, to_tensor
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.shipped import shipped_model
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

#: What the model's file says it is.
KIND = 'facing'

Vector = NDArray[np.float64]


class FacingModel:
    """Takes RGB pictures normalised by ImageNet's mean and spread, gives two numbers. Raises UserError for other models."""

    def __init__(self, model: OnnxModel) -> None:
        shape = list(model.inputs[0].shape) if len(model.inputs) == 1 else []
        out = list(model.outputs[0].shape) if len(model.outputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]) or out[1:] != [2]:
            raise UserError(f'{model.path} has {model.describe()}; a facing model takes [n, 3, height, width] and gives [n, 2]')
        self._model, self._size, self._kind = model, (shape[3], shape[2]), model.kind(0)

    @property
    def name(self) -> str:
        """For people."""
        return self._model.path.name

    def look(self, picture: Image) -> Vector:
        """Of a BGR picture (height, width, 3) of one person alone, upright: (cos, sin) of the angle from the direction to the camera
        to where they face, counter-clockwise seen from above, times how sure that is (0 to 1). Raises ValueError if it can't.
        """
        if picture.ndim != 3 or min(picture.shape[:2]) < 8:
            raise ValueError(f'a picture of at least 8 x 8 px is needed, not {picture.shape[1]} x {picture.shape[0]}')
        fitted, _ = fit_picture(picture, self._size, Placing.STRETCHED)
        found = np.asarray(self._model.run(to_tensor(fitted, Values.RGB_IMAGENET, self._kind))[0][0], float)
        if not np.isfinite(found).all():
            raise ValueError(f'{self.name} gives numbers that are not finite')
        return np.asarray(found / max(1.0, float(np.linalg.norm(found))))


def make_facing(settings: PerceptionSettings, folder: Path) -> FacingModel | None:
    """The site's model, its path relative to folder; None if it names none. Raises UserError if it can't be had."""
    if not settings.facing:
        return None
    try:
        return FacingModel(OnnxModel(shipped_model(settings.facing) or folder / settings.facing, settings.provider))
    except UserError as error:
        raise UserError(f'perception.facing: {error}; or leave it empty') from None
