# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracking network at work: where people are and what they look like, in one pass over the reduced picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptz_perception.detections import Detections, Image, suppress_overlaps
from ptz_perception.detectors.base import Guide
from ptz_perception.detectors.class_names import wanted_classes
from ptz_perception.detectors.fitting import reduced_to
from ptz_perception.detectors.jde_model import STEP, JdeModel
from ptz_perception.parts import Part
from ptz_perception.relatedness import Sparsity, instance_normalised, relatedness

_MOST_OVERLAP = 0.5


@dataclass(frozen=True)
class JdeOptions:
    """classes: those that are wanted; empty: all. score: the least. width: px that wider pictures are reduced to."""

    classes: Sequence[str] = ()
    score: float = 0.3
    width: int = 640


class JdeDetector:
    """Every k-th picture of a scene is instance-normalised: k is great for a scene like those of the training, and 1 for an unlike one.

    Raises UserError if a wanted class is unknown.
    """

    guide = Guide.NONE

    def __init__(self, model: JdeModel, options: JdeOptions) -> None:
        self._model, self._options = model, options
        self.names = model.names
        self._wanted = wanted_classes(options.classes, self.names, model.name)
        self.looked_at = 0.0
        self._factor, self._pictures = 1, 0

    @property
    def name(self) -> str:
        """For people."""
        return self._model.name

    def describe(self) -> str:
        """What was understood of the model, in a few lines."""
        normalised = f'every picture to every {self._model.most_sparse}th' if self._model.takes_mask else 'as it was trained'
        return (
            f'{self._model.name}: boxes, scores, appearances of {self._model.length} numbers\n'
            f'reduced to a width of {self._options.width} px; instance normalisation: {normalised}\n'
            f'{len(self.names)} classes: {", ".join(self.names)}; trained on {len(self._model.keywords)} kinds of scenes\n'
            f'runs on {self._model.provider}'
        )

    def expect(self, keywords: Sequence[str], /) -> None:
        """What is known of the scene that the next pictures show: they are counted from here on."""
        related = relatedness(keywords, self._model.keywords)
        self._factor, self._pictures = Sparsity(1, self._model.most_sparse).factor(related), 0

    def detect(self, picture: Image, _parts: Sequence[Part] | None = None, /) -> Detections:
        """Objects of the wanted classes with their appearances, always in the whole picture. Raises ValueError if the model fails."""
        height, width = picture.shape[:2]
        reduced = reduced_to(picture, min(self._options.width, width), STEP)
        self.looked_at = reduced.shape[0] * reduced.shape[1] / (height * width)
        normalised = bool(instance_normalised(1, self._factor, self._pictures)[0])
        self._pictures += 1
        output = self._model.look(reduced, normalised)
        class_ids = output.scores.argmax(axis=1)
        best = output.scores[np.arange(len(class_ids)), class_ids]
        sound = np.isfinite(output.boxes).all(axis=1) & (output.boxes[:, 2:] > 0).all(axis=1)
        rows = np.flatnonzero((best >= self._options.score) & self._wanted[class_ids] & sound)
        boxes, scale = output.boxes[rows], np.array([width / reduced.shape[1], height / reduced.shape[0]])
        vectors = output.vectors_at(boxes[:, :2])
        low = np.clip((boxes[:, :2] - boxes[:, 2:] / 2) * scale, 0, (width, height))
        high = np.clip((boxes[:, :2] + boxes[:, 2:] / 2) * scale, 0, (width, height))
        inside = np.hstack(((low + high) / 2, high - low))
        found = Detections.of(inside, best[rows], class_ids[rows].astype(np.int64), self.names).seen_as(vectors)
        return suppress_overlaps(found, _MOST_OVERLAP)
