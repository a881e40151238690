# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Any detection model in ONNX whose layout is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Detections, Image, suppress_overlaps
from ptz_perception.detectors.base import Guide
from ptz_perception.detectors.class_names import names_by_count, names_in, some, wanted_classes
from ptz_perception.detectors.decoding import Outputs, decode, is_decoded
from ptz_perception.detectors.fitting import fit_picture, to_tensor
from ptz_perception.detectors.layouts import RULES, Ends, Layout, class_count, recognise
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.parts import Part
from ptz_site import UserError

_MOST_OVERLAP = 0.45
#: px, of models that take pictures of any size and don't say which they like.
_FREE_SIZE = (640, 640)
_STEP = 32


@dataclass(frozen=True)
class DetectorOptions:
    """classes: those that are wanted; empty: all. score: the least. layout, names: None: as the model says."""

    classes: Sequence[str] = ()
    score: float = 0.3
    layout: Layout | None = None
    names: tuple[str, ...] | None = None


class OnnxDetector:
    """Runs the model once to see what it gives. Raises UserError if its layout is not understood, or a wanted class is unknown."""

    guide = Guide.NONE

    def __init__(self, model: OnnxModel, options: DetectorOptions) -> None:
        self._model, self._options = model, options
        self._size = _input_size(model)
        self._kinds = [model.kind(index) for index in range(len(model.inputs))]
        self.looked_at = 0.0
        self.layout, outputs = self._recognised()
        self._rule = RULES[self.layout]
        self._decoded = self.layout is not Layout.YOLOX or is_decoded(outputs.values[0], self._size)
        self.names = self._named(outputs)
        hint = '; if these are not its names, give a file of them as perception.names'
        self._wanted = wanted_classes(options.classes, self.names, model.path.name, hint)

    @property
    def name(self) -> str:
        """For people."""
        return f'{self.layout.value} {self._model.path.name}'

    def describe(self) -> str:
        """What was understood of the model, in a few lines."""
        inner = '' if self._decoded else ', offsets in cells'
        return (
            f'layout {self.layout.value}: {self._rule.outputs}{inner}\n'
            f'input {self._size[0]}x{self._size[1]} px, {self._kinds[0].__name__}, {self._rule.values.value}\n'
            f'picture: {self._rule.placing.value}\n'
            f'{len(self.names)} classes: {some(self.names)}\n'
            f'runs on {self._model.provider}'
        )

    def expect(self, _keywords: Sequence[str], /) -> None:
        """All scenes are one to it."""

    def detect(self, picture: Image, _parts: Sequence[Part] | None = None, /) -> Detections:
        """Objects of the wanted classes, always in the whole picture: a part costs the same. Raises ValueError if the model fails."""
        fitted, fit = fit_picture(picture, self._size, self._rule.placing)
        self.looked_at = self._size[0] * self._size[1] / (picture.shape[0] * picture.shape[1])
        raw = decode(self.layout, self._run(fitted), self._options.score)
        known = np.flatnonzero((raw.class_ids >= 0) & (raw.class_ids < len(self.names)))
        rows = known[self._wanted[raw.class_ids[known]]]
        turned = None if raw.orientations is None else raw.orientations[rows]
        found = Detections.of(fit.to_picture(raw.boxes[rows]), raw.scores[rows], raw.class_ids[rows], self.names, turned)
        return found if self._rule.suppresses else suppress_overlaps(found, _MOST_OVERLAP)

    def _run(self, fitted: Image) -> Outputs:
        rule = RULES[self.layout]
        tensors: list[NDArray[np.generic]] = [to_tensor(fitted, rule.values, self._kinds[0])]
        if len(self._kinds) == 2:
            tensors.append(self._second_input(self.layout))
        return self._outputs(tensors, self._decoded)

    def _second_input(self, layout: Layout | None) -> NDArray[np.generic]:
        """The picture's size, or which of its pixels count: all."""
        if layout is Layout.RTDETR_SIZED or (layout is None and self._is_sized()):
            return np.array([self._size], np.int64)
        shape = [side if isinstance(side, int) else 64 for side in self._model.inputs[1].shape[1:]]
        return np.ones((1, *shape), self._kinds[1])

    def _is_sized(self) -> bool:
        return len(self._model.inputs) == 2 and list(self._model.inputs[1].shape[1:]) == [2]

    def _outputs(self, tensors: Sequence[NDArray[np.generic]], decoded: bool) -> Outputs:
        values = tuple(self._model.run(*tensors))
        return Outputs(tuple(end.name for end in self._model.outputs), values, self._size, decoded)

    def _recognised(self) -> tuple[Layout, Outputs]:
        grey = np.full((1, 3, self._size[1], self._size[0]), 114, self._kinds[0])
        if self._kinds[0] is not np.uint8:
            grey = grey / self._kinds[0](255)
        tensors = [grey] if len(self._kinds) == 1 else [grey, self._second_input(self._options.layout)]
        try:
            outputs = self._outputs(tensors, True)
        except ValueError as error:
            raise UserError(f'{self._model.path}: {error}; it has {self._model.describe()}') from None
        metadata = self._model.metadata
        known = self._options.names or names_in(metadata.get('names', ''))
        ends = Ends(self._size, self._is_sized(), outputs.shapes(), len(known), metadata.get('task', ''))
        layout = self._options.layout or recognise(ends)
        if layout is None:
            understood = '; '.join(f'{known.value}: {rule.outputs}' for known, rule in RULES.items())
            raise UserError(
                f'{self._model.path} has {self._model.describe()}, a layout that is not known; understood are {understood}. If it is one '
                'of these, name it as perception.layout'
            )
        return layout, outputs

    def _named(self, outputs: Outputs) -> tuple[str, ...]:
        try:
            count = class_count(self.layout, outputs.shapes())
        except (IndexError, StopIteration):
            count = -1
        if count is not None and count < 1:
            raise UserError(f'{self._model.path} has {self._model.describe()}; that is not of the layout {self.layout.value}')
        known = self._options.names or names_in(self._model.metadata.get('names', ''))
        if not known:
            return names_by_count(count or 80)
        if count is not None and len(known) != count:
            raise UserError(f'{self._model.path} tells {count} classes apart, but there are {len(known)} names for them')
        return known


def _input_size(model: OnnxModel) -> tuple[int, int]:
    """Width and height of what a model looks at."""
    shape = list(model.inputs[0].shape) if model.inputs else []
    batch, channels, height, width = shape if len(shape) == 4 else (0, 0, 0, 0)
    # A side that is not a number is free.
    fits = all(side == wanted or not isinstance(side, int) for side, wanted in ((batch, 1), (channels, 3)))
    if len(model.inputs) not in (1, 2) or not fits:
        raise UserError(
            f'{model.path} has {model.describe()}; understood are models of one picture at a time, [1, 3, height, width]'
        )
    free = _preferred(model)
    return (width if isinstance(width, int) else free[0], height if isinstance(height, int) else free[1])


def _preferred(model: OnnxModel) -> tuple[int, int]:
    """Of a model that takes any size: what it was trained with, if it says so."""
    sides = [int(side) for side in model.metadata.get('imgsz', '').strip('[] ').split(',') if side.strip().isdigit()]
    if len(sides) == 1:
        sides *= 2
    return (sides[1], sides[0]) if len(sides) == 2 and min(sides) >= _STEP else _FREE_SIZE
