# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The cascade detector, coarse to fine: the reduced picture first, then the hot parts of it again with every pixel.

Its model (ptz_perception.models.cascade, or one that is made like it) says where something is (structure) and how much of it (density)
beside boxes and scores, and takes pictures of any size. What is too small in the reduced picture still warms these maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.density import hot_regions
from ptz_perception.detections import Detections, Image, joined, suppress_overlaps
from ptz_perception.detectors.base import Guide
from ptz_perception.detectors.class_names import names_in, wanted_classes
from ptz_perception.detectors.fitting import Values, reduced_to, to_tensor
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.parts import Part, in_picture
from ptz_site import UserError

#: What the model's author writes into it under the key `model`.
KIND = 'cascade'
_MOST_OVERLAP = 0.5
#: px; the model's cells at its coarsest.
_STEP = 16
#: px, width and height of what is looked at again, at least: smaller parts cost hardly less.
_LEAST_PART = (128, 128)
#: px around hot cells, so that somebody at the edge is seen whole.
_MARGIN = 24
#: Objects in a cell above which it is hot.
_LEAST_HEAT = 0.004
#: px of height in the reduced picture from which somebody needs no second look.
_LARGE = 48.0
#: Score from which a detection of the first look explains the heat around it.
_SURE = 0.5
_PADDING = 114
#: Of a piece of somebody: share of it that is within the whole, its area and score by those of the whole.
_WITHIN, _LEAST_PIECE, _LESS_SURE = 0.85, 0.1, 0.85
#: By which a piece's score is lowered.
_PIECE = 0.3


@dataclass(frozen=True)
class CascadeOptions:
    """width: px that wider pictures are reduced to; second_look: share of the picture's pixels that may be looked at again, 0: none."""

    classes: Sequence[str] = ()
    score: float = 0.3
    width: int = 640
    second_look: float = 0.25


class CascadeDetector:
    """Raises UserError if the model is not one of this kind, or a wanted class is unknown."""

    guide = Guide.NONE

    def __init__(self, model: OnnxModel, options: CascadeOptions) -> None:
        self._model, self._options = model, options
        self._outputs = [end.name for end in model.outputs]
        self.names = names_in(model.metadata.get('names', ''))
        if not self.names or self._outputs[:2] != ['boxes', 'scores']:
            raise UserError(f'{model.path} says that it is a {KIND} model, but has {model.describe()}')
        self._wanted = wanted_classes(options.classes, self.names, model.path.name)
        self._looks_again = options.second_look > 0 and {'structure', 'density'} & set(self._outputs) != set()
        self.looked_at = 0.0

    @property
    def name(self) -> str:
        """For people."""
        return f'{KIND} {self._model.path.name}'

    def describe(self) -> str:
        """What was understood of the model, in a few lines."""
        again = f'at most {self._options.second_look:.0%} of the pixels' if self._looks_again else 'nothing'
        return (
            f'{KIND}: boxes, scores, {", ".join(self._outputs[2:]) or "no heat maps"}\n'
            f'reduced to a width of {self._options.width} px, then {again} again in full\n'
            f'{len(self.names)} classes: {", ".join(self.names)}\n'
            f'runs on {self._model.provider}'
        )

    def expect(self, _keywords: Sequence[str], /) -> None:
        """All scenes are one to it."""

    def detect(self, picture: Image, _parts: Sequence[Part] | None = None, /) -> Detections:
        """Objects of the wanted classes. Raises ValueError if the model fails."""
        size = (picture.shape[1], picture.shape[0])
        if size[0] <= self._options.width:
            self.looked_at = 1.0
            return self._look(picture)[0]
        reduced = reduced_to(picture, self._options.width, _STEP)
        found, outputs = self._look(reduced)
        inner = (reduced.shape[1], reduced.shape[0])
        scale = np.array([size[0] / inner[0], size[1] / inner[1]])
        self.looked_at = 1.0 / float(scale.prod())
        looks = [Detections.of(found.boxes * np.tile(scale, 2), found.scores, found.class_ids, self.names)]
        if not self._looks_again:
            return looks[0]
        heat = _unexplained(_heat(outputs), found, inner)
        for region in hot_regions(heat, size, self._options.second_look, _LEAST_HEAT, 0.05, _LEAST_PART, _MARGIN):
            closer, _ = self._look(region.part.of(picture))
            looks.append(in_picture(closer, region.part, size))
            self.looked_at += region.part.area / (size[0] * size[1])
        return self._sure_enough(with_less_sure_pieces(suppress_overlaps(joined(looks), _MOST_OVERLAP)))

    def _sure_enough(self, found: Detections) -> Detections:
        return found.chosen(found.scores >= self._options.score)

    def _look(self, picture: Image) -> tuple[Detections, Mapping[str, NDArray[np.float32]]]:
        """What is in a picture as it is, and the model's outputs for it."""
        height, width = picture.shape[:2]
        below, right = -height % _STEP, -width % _STEP
        padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(_PADDING,) * 3)
        tensor = to_tensor(np.asarray(padded, np.uint8), Values.RGB_1, self._model.kind(0))
        outputs = dict(zip(self._outputs, self._model.run(tensor), strict=True))
        boxes, scores = outputs['boxes'][0].astype(float), outputs['scores'][0].astype(float)
        class_ids = scores.argmax(axis=1)
        best = np.clip(scores[np.arange(len(scores)), class_ids], 0.0, 1.0)
        rows = np.flatnonzero((best >= self._options.score) & self._wanted[class_ids] & (boxes[:, 2:] > 0).all(axis=1))
        found = Detections.of(_inside(boxes[rows], width, height), best[rows], class_ids[rows], self.names)
        return suppress_overlaps(found, _MOST_OVERLAP), outputs


def with_less_sure_pieces(found: Detections) -> Detections:
    """Lowers the scores of boxes that lie within a much surer one and are no small part of it.

    In a closer look a trunk alone looks like somebody; but somebody may also stand before or behind somebody larger, so that as in
    soft non-maximum suppression (Bodla et al., ICCV 2017) they are made less sure, and not left out.
    """
    low, high = found.boxes[:, :2] - found.boxes[:, 2:] / 2, found.boxes[:, :2] + found.boxes[:, 2:] / 2
    shared = np.clip(np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]), 0, None).prod(axis=2)
    areas = np.maximum(found.boxes[:, 2:].prod(axis=1), 1e-9)
    within = (shared / areas[:, None] > _WITHIN) & (areas[:, None] > _LEAST_PIECE * areas[None])
    within &= (found.class_ids[:, None] == found.class_ids[None]) & (found.scores[:, None] < _LESS_SURE * found.scores[None])
    return replace(found, scores=np.where(within.any(axis=1), _PIECE * found.scores, found.scores))


def _inside(boxes: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    low = np.clip(boxes[:, :2] - boxes[:, 2:] / 2, 0, (width, height))
    high = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, (width, height))
    return np.hstack(((low + high) / 2, high - low))


def _heat(outputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Objects in each cell: as dense as the one branch says, where the other says that there is something."""
    density, structure = outputs.get('density'), outputs.get('structure')
    if density is None:
        assert structure is not None
        return np.asarray(0.05 * structure[0], np.float32)
    dense = np.maximum(density[0], 0.0)
    return np.asarray(dense if structure is None else dense * structure[0], np.float32)


def _unexplained(heat: NDArray[np.float32], found: Detections, size: tuple[int, int]) -> NDArray[np.float32]:
    """The heat over a picture (width, height) without what is seen well already: large and sure."""
    left = heat.copy()
    cell = np.array([size[0] / heat.shape[1], size[1] / heat.shape[0]])
    for box, score in zip(found.boxes, found.scores.tolist(), strict=True):
        if score >= _SURE and box[3] >= _LARGE:
            begin = np.maximum(0, ((box[:2] - box[2:] / 2) / cell).astype(int))
            end = np.ceil((box[:2] + box[2:] / 2) / cell).astype(int)
            left[begin[1] : end[1], begin[0] : end[0]] = 0.0
    return left
