# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""YOLOX models in ONNX: output (1, n, 5 + classes), not decoded.

Ge et al., YOLOX: Exceeding YOLO Series in 2021, arXiv:2107.08430. Input: BGR from 0 to 255, the picture in the upper left
corner, the rest 114.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ptz_perception.detections import Detections, Image, nothing, suppress_overlaps
from ptz_perception.detectors.coco import COCO_CLASSES
from ptz_site import UserError

_STRIDES = (8, 16, 32)


class YoloxDetector:
    """Raises UserError for a file that is not such a model."""

    def __init__(self, path: Path, classes: list[str], score: float) -> None:
        self.name = f'yolox {path.name}'
        self._score, self._wanted = score, classes
        self._session = _session(path)
        model_input, output = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._input_name = model_input.name
        shape = model_input.shape
        found = f'input {model_input.name} {shape}, output {output.name} {output.shape}'
        if len(shape) != 4 or shape[1] != 3 or not all(isinstance(side, int) for side in shape[2:]):
            raise UserError(f'{path}: {found}; understood is YOLOX with input (1, 3, height, width)')
        self._height, self._width = int(shape[2]), int(shape[3])
        self._grid, self._stride = _grid(self._height, self._width)
        if len(output.shape) != 3 or output.shape[1] != len(self._grid) or output.shape[2] != 5 + len(COCO_CLASSES):
            expected = f'(1, {len(self._grid)}, {5 + len(COCO_CLASSES)})'
            raise UserError(f'{path}: {found}; understood is YOLOX with COCO classes and output {expected}')

    def detect(self, picture: Image) -> Detections:
        """Objects of the wanted classes."""
        scale = min(self._width / picture.shape[1], self._height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        padded = np.full((self._height, self._width, 3), 114, np.uint8)
        padded[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        tensor = padded.transpose(2, 0, 1)[None].astype(np.float32)
        raw = self._session.run(None, {self._input_name: tensor})[0][0]
        return self._decode(np.asarray(raw, np.float64), scale)

    def _decode(self, raw: NDArray[np.float64], scale: float) -> Detections:
        likely = raw[:, 4:5] * raw[:, 5:]
        best = likely.argmax(axis=1)
        scores = likely[np.arange(len(best)), best]
        good = np.flatnonzero(scores >= self._score)
        good = np.array([i for i in good if COCO_CLASSES[best[i]] in self._wanted], dtype=np.intp)
        if len(good) == 0:
            return nothing()
        centres = (raw[good, :2] + self._grid[good]) * self._stride[good]
        sizes = np.exp(raw[good, 2:4]) * self._stride[good]
        boxes = np.hstack((centres, sizes)) / scale
        return suppress_overlaps(Detections(boxes, scores[good], tuple(COCO_CLASSES[best[i]] for i in good)), 0.45)


def _session(path: Path) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise UserError(f'perception.detector: no file {path}; give hog, or the path of an ONNX model')
    options = onnxruntime.SessionOptions()
    # One process for each camera: more threads would take the processor from the others.
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'perception.detector: {path} is not an ONNX model that can be run: {reason}') from None


def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cells, strides = [], []
    for stride in _STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        cells.append(np.column_stack((xs.ravel(), ys.ravel())))
        strides.append(np.full((xs.size, 1), stride))
    return np.vstack(cells).astype(np.float64), np.vstack(strides).astype(np.float64)
