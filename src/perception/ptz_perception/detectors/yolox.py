# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""YOLOX models in ONNX: output (1, n, 5 + classes), not decoded: offsets in cells of three grids, objectness, class scores.

Ge et al., YOLOX: Exceeding YOLO Series in 2021, arXiv:2107.08430. Input: BGR from 0 to 255, the picture in the upper left
corner, the rest 114.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Detections, Image, nothing, suppress_overlaps
from ptz_perception.detectors.coco import COCO_CLASSES
from ptz_perception.detectors.onnx import OnnxModel
from ptz_site import UserError

_STRIDES = (8, 16, 32)
_MOST_OVERLAP = 0.45
_PADDING = 114


class YoloxDetector:
    """Keeps the wanted classes with at least the given score. Raises UserError if the model's layout is another one."""

    def __init__(self, model: OnnxModel, classes: Sequence[str], score: float) -> None:
        self.name = f'yolox {model.path.name}'
        self._model, self._score = model, score
        self._height, self._width = _input_size(model)
        self._cells, self._strides = _grid(self._height, self._width)
        expected = [1, len(self._cells), 5 + len(COCO_CLASSES)]
        shape = list(model.outputs[0].shape)
        if len(model.outputs) != 1 or len(shape) != 3 or shape[1:] != expected[1:]:
            raise _unknown(model, f'for that input, one output {expected}')
        self._wanted = np.array([name in classes for name in COCO_CLASSES])

    def detect(self, picture: Image) -> Detections:
        """Objects of the wanted classes."""
        tensor, scale = self._letterbox(picture)
        return self._decode(self._model.run(tensor)[0].astype(np.float64), scale)

    def _letterbox(self, picture: Image) -> tuple[NDArray[np.float32], float]:
        height, width = picture.shape[:2]
        scale = min(self._width / width, self._height / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        padded = np.full((self._height, self._width, 3), _PADDING, np.uint8)
        padded[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        return padded.transpose(2, 0, 1)[None].astype(np.float32), scale

    def _decode(self, raw: NDArray[np.float64], scale: float) -> Detections:
        likely = raw[:, 4:5] * raw[:, 5:]
        best = likely.argmax(axis=1)
        scores = np.clip(likely[np.arange(len(best)), best], 0.0, 1.0)
        good = np.flatnonzero((scores >= self._score) & self._wanted[best])
        if len(good) == 0:
            return nothing()
        centres = (raw[good, :2] + self._cells[good]) * self._strides[good]
        sizes = np.exp(raw[good, 2:4]) * self._strides[good]
        boxes = np.hstack((centres, sizes)) / scale
        names = tuple(COCO_CLASSES[index] for index in best[good])
        return suppress_overlaps(Detections(boxes, scores[good], names), _MOST_OVERLAP)


def _input_size(model: OnnxModel) -> tuple[int, int]:
    """Height and width of the model's only input, a picture."""
    understood = 'one input tensor(float) [1, 3, height, width], height and width multiples of 32'
    if len(model.inputs) != 1 or model.inputs[0].type != 'tensor(float)' or len(model.inputs[0].shape) != 4:
        raise _unknown(model, understood)
    batch, channels, height, width = model.inputs[0].shape
    sides = [side for side in (height, width) if isinstance(side, int) and side > 0 and side % _STRIDES[-1] == 0]
    if len(sides) != 2 or channels != 3 or (isinstance(batch, int) and batch != 1):
        raise _unknown(model, understood)
    return sides[0], sides[1]


def _unknown(model: OnnxModel, understood: str) -> UserError:
    return UserError(
        f'perception.detector: {model.path} has {model.describe()}; understood are YOLOX models of the COCO classes: {understood}'
    )


def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cells, strides = [], []
    for stride in _STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        cells.append(np.column_stack((xs.ravel(), ys.ravel())))
        strides.append(np.full((xs.size, 1), stride))
    return np.vstack(cells).astype(np.float64), np.vstack(strides).astype(np.float64)
