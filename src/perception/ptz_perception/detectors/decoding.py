# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From a model's outputs to boxes of its input: one function for each layout.

YOLOX: Ge et al., arXiv:2107.08430. DETR: Carion et al., ECCV 2020. RT-DETR: Zhao et al., CVPR 2024. The others follow their exporters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes
from ptz_perception.detectors.layouts import STRIDES, Layout, box_output, class_output

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Raw:
    """Boxes (n, 4: centre, size) in px of the input, scores and class ids of their best class, orientations in rad or None."""

    boxes: Boxes
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    orientations: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Outputs:
    """One run's outputs. size: the input's width and height; decoded: of YOLOX, whether the model turned offsets into px itself."""

    names: tuple[str, ...]
    values: tuple[Array, ...]
    size: tuple[int, int]
    decoded: bool = True

    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Names and shapes."""
        return tuple((name, value.shape) for name, value in zip(self.names, self.values, strict=True))


def decode(layout: Layout, outputs: Outputs, least: float) -> Raw:
    """What is in a picture, as far as its score is at least `least`."""
    raw = _DECODERS[layout](outputs, least)
    # Where a model says nonsense of a box there is none.
    sound = np.isfinite(raw.boxes).all(axis=1) & np.isfinite(raw.scores) & (raw.boxes[:, 2:] > 0).all(axis=1)
    rows = np.flatnonzero(sound & (raw.scores >= least))
    turned = None if raw.orientations is None else raw.orientations[rows]
    return Raw(raw.boxes[rows], np.clip(raw.scores[rows], 0.0, 1.0), raw.class_ids[rows], turned)


def is_decoded(output: Array, size: tuple[int, int]) -> bool:
    """Whether a YOLOX model's boxes are px already: offsets in cells are small, centres go through the whole input."""
    return float(np.abs(output[0, :, :2]).max()) > max(size) / 4


def _yolox(outputs: Outputs, least: float) -> Raw:
    raw = outputs.values[0][0]
    scores, class_ids = _best(raw[:, 5:])
    scores = scores * raw[:, 4]
    good = np.flatnonzero(scores >= least)
    boxes = raw[good, :4].astype(np.float64)
    if not outputs.decoded:
        cells, strides = _grid(outputs.size)
        with np.errstate(over='ignore'):
            boxes = np.hstack((boxes[:, :2] + cells[good], np.exp(boxes[:, 2:]))) * strides[good]
    return Raw(boxes, scores[good], class_ids[good])


def _yolov5(outputs: Outputs, _least: float) -> Raw:
    raw = outputs.values[0][0]
    scores, class_ids = _best(raw[:, 5:])
    return Raw(raw[:, :4].astype(np.float64), scores * raw[:, 4], class_ids)


def _yolov8(outputs: Outputs, _least: float) -> Raw:
    raw = outputs.values[0][0]
    scores, class_ids = _best(raw[4:].T)
    return Raw(raw[:4].T.astype(np.float64), scores, class_ids)


def _yolov8_turned(outputs: Outputs, _least: float) -> Raw:
    raw = outputs.values[0][0]
    scores, class_ids = _best(raw[4:-1].T)
    # The models turn clockwise, in a picture whose y points down.
    return Raw(raw[:4].T.astype(np.float64), scores, class_ids, -raw[-1].astype(np.float64))


def _end_to_end(outputs: Outputs, _least: float) -> Raw:
    raw = outputs.values[0][0].astype(np.float64)
    class_ids = raw[:, 5].astype(np.int64)
    if raw.shape[1] == 7:
        return Raw(raw[:, :4], raw[:, 4], class_ids, -raw[:, 6])
    return Raw(_from_corners(raw[:, :4]), raw[:, 4], class_ids)


def _rtdetr_sized(outputs: Outputs, _least: float) -> Raw:
    """The model was told the input's size as that of the picture."""
    by_name = dict(zip(outputs.names, outputs.values, strict=True))
    labels, boxes, scores = (by_name.get(name) for name in ('labels', 'boxes', 'scores'))
    if labels is None or boxes is None or scores is None:
        labels, boxes, scores = outputs.values
    return Raw(_from_corners(boxes[0].astype(np.float64)), scores[0].astype(np.float64), labels[0].astype(np.int64))


def _rtdetr_joined(outputs: Outputs, _least: float) -> Raw:
    raw = outputs.values[0][0]
    scores, class_ids = _best(raw[:, 4:])
    return Raw(_from_shares(raw[:, :4], outputs.size), scores, class_ids)


def _sigmoid_queries(outputs: Outputs, _least: float) -> Raw:
    logits, boxes = _query_outputs(outputs)
    scores, class_ids = _best(1.0 / (1.0 + np.exp(-logits)))
    return Raw(_from_shares(boxes, outputs.size), scores, class_ids)


def _softmax_queries(outputs: Outputs, _least: float) -> Raw:
    logits, boxes = _query_outputs(outputs)
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    scores, class_ids = _best(likely[:, :-1])
    return Raw(_from_shares(boxes, outputs.size), scores, class_ids)


def _query_outputs(outputs: Outputs) -> tuple[NDArray[np.float64], Array]:
    shapes = outputs.shapes()
    return outputs.values[class_output(shapes)[0]][0].astype(np.float64), outputs.values[box_output(shapes)[0]][0]


def _best(likely: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The greatest of each row, and its column."""
    class_ids = likely.argmax(axis=1)
    return likely[np.arange(len(likely)), class_ids].astype(np.float64), class_ids.astype(np.int64)


def _from_corners(corners: Boxes) -> Boxes:
    return np.hstack(((corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]))


def _from_shares(boxes: Array, size: tuple[int, int]) -> Boxes:
    return np.asarray(boxes.astype(np.float64) * np.array([*size, *size]))


def _grid(size: tuple[int, int]) -> tuple[Boxes, NDArray[np.float64]]:
    """Column and row, and the size in px, of each cell of all grids."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
        cells.append(np.column_stack((columns.ravel(), rows.ravel())))
        strides.append(np.full((columns.size, 1), stride))
    return np.vstack(cells).astype(np.float64), np.vstack(strides).astype(np.float64)


_DECODERS: dict[Layout, Callable[[Outputs, float], Raw]] = {
    Layout.YOLOX: _yolox,
    Layout.YOLOV5: _yolov5,
    Layout.YOLOV8: _yolov8,
    Layout.YOLOV8_TURNED: _yolov8_turned,
    Layout.YOLO_END_TO_END: _end_to_end,
    Layout.RTDETR: _sigmoid_queries,
    Layout.RTDETR_SIZED: _rtdetr_sized,
    Layout.RTDETR_JOINED: _rtdetr_joined,
    Layout.DETR: _softmax_queries,
    Layout.RFDETR: _sigmoid_queries,
}
