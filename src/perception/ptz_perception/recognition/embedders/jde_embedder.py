# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracking network as an embedder: its appearance of a single picture of somebody, as of the watchlist."""

from __future__ import annotations

import numpy as np

from ptz_perception.detections import Image
from ptz_perception.detectors.jde_model import JdeModel
from ptz_perception.recognition.embedders.base import Feature, unit
from ptz_perception.recognition.sheets import Grid, make_sheet

#: px: of a sheet that repeats the picture, and the height of a person there.
_SIZE, _HEIGHT = (192, 192), 96


class JdeEmbedder:
    """with_detections: the detector is the same model, and what it found need not be looked at again."""

    def __init__(self, model: JdeModel, with_detections: bool = False) -> None:
        self._model, self.with_detections = model, with_detections
        self._grid = Grid.of_height(_SIZE, _HEIGHT)
        self.length = model.length

    @property
    def name(self) -> str:
        """For people."""
        return self._model.name

    def embed(self, picture: Image) -> Feature:
        """A unit vector. Raises ValueError for a picture that is too small, or if the model fails."""
        if picture.ndim != 3 or min(picture.shape[:2]) < 8:
            raise ValueError(f'a picture of at least 8 x 8 px is needed, not {picture.shape[1]} x {picture.shape[0]}')
        sheet = make_sheet([picture] * self._grid.count, self._grid)
        # Nothing is known of the light that it was taken in.
        seen = self._model.look(sheet.picture, True)
        return unit(np.asarray(seen.vectors_at(sheet.boxes[:, :2]).sum(axis=0)))
