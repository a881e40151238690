# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The output layouts of detection models that people have, and which one a model has, by the shapes of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ptz_perception.detectors.fitting import Placing, Values

#: px of a cell of each grid of YOLO models.
STRIDES = (8, 16, 32)
_ANCHORS = 3
#: More boxes than queries of DETR models, or than models give that suppress overlaps themselves.
_MOST_QUERIES = 1500


class Layout(Enum):
    """Names as in the site file."""

    YOLOX = 'yolox'
    YOLOV5 = 'yolov5'
    YOLOV8 = 'yolov8'
    YOLOV8_TURNED = 'yolov8_obb'
    YOLO_END_TO_END = 'yolo_end2end'
    RTDETR = 'rtdetr'
    RTDETR_SIZED = 'rtdetr_sized'
    RTDETR_JOINED = 'rtdetr_joined'
    DETR = 'detr'
    RFDETR = 'rfdetr'


@dataclass(frozen=True)
class LayoutRule:
    """What a layout looks like, for people, and how pictures are put into such a model."""

    outputs: str
    placing: Placing
    values: Values
    suppresses: bool  #: The model leaves one box for each object by itself.


RULES = {
    Layout.YOLOX: LayoutRule('[1, cells, 5 + classes]', Placing.CORNER, Values.BGR_255, False),
    Layout.YOLOV5: LayoutRule('[1, 3 * cells, 5 + classes]', Placing.CENTRE, Values.RGB_1, False),
    Layout.YOLOV8: LayoutRule('[1, 4 + classes, cells]', Placing.CENTRE, Values.RGB_1, False),
    Layout.YOLOV8_TURNED: LayoutRule('[1, 4 + classes + 1, cells]', Placing.CENTRE, Values.RGB_1, False),
    Layout.YOLO_END_TO_END: LayoutRule('[1, boxes, 6]', Placing.CENTRE, Values.RGB_1, True),
    Layout.RTDETR: LayoutRule('[1, queries, classes] and [1, queries, 4]', Placing.STRETCHED, Values.RGB_1, True),
    Layout.RTDETR_SIZED: LayoutRule(
        'labels, boxes and scores, with a size as second input', Placing.STRETCHED, Values.RGB_1, True
    ),
    Layout.RTDETR_JOINED: LayoutRule('[1, queries, 4 + classes]', Placing.STRETCHED, Values.RGB_1, True),
    Layout.DETR: LayoutRule('[1, queries, classes + 1] and [1, queries, 4]', Placing.STRETCHED, Values.RGB_IMAGENET, True),
    Layout.RFDETR: LayoutRule(
        'dets [1, queries, 4] and labels [1, queries, classes]', Placing.STRETCHED, Values.RGB_IMAGENET, True
    ),
}


@dataclass(frozen=True)
class Ends:
    """What is known of a model: its input's size (width, height), names and shapes of its outputs as a run gave them.

    classes: how many names are known, 0 if none; task: what the model says that it does.
    """

    size: tuple[int, int]
    sized: bool
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    classes: int = 0
    task: str = ''


def cells_of(size: tuple[int, int]) -> int:
    """Cells of all grids of an input."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)


def recognise(ends: Ends) -> Layout | None:
    """The layout of a model; None if no layout fits, or if it can't be told which."""
    shapes = [shape for _, shape in ends.outputs]
    if ends.sized:
        return Layout.RTDETR_SIZED if len(shapes) == 3 else None
    if len(shapes) == 1 and len(shapes[0]) == 3:
        return _single(shapes[0][1], shapes[0][2], ends)
    if len(shapes) >= 2:
        return _queries(ends)
    return None


def class_count(layout: Layout, outputs: Sequence[tuple[str, tuple[int, ...]]]) -> int | None:
    """How many classes a model of a layout tells apart; None if its outputs don't say."""
    first = outputs[0][1]
    match layout:
        case Layout.YOLOX | Layout.YOLOV5:
            return first[2] - 5
        case Layout.YOLOV8:
            return first[1] - 4
        case Layout.YOLOV8_TURNED:
            return first[1] - 5
        case Layout.RTDETR_JOINED:
            return first[2] - 4
        case Layout.RTDETR | Layout.RFDETR:
            return class_output(outputs)[1][2]
        case Layout.DETR:
            return class_output(outputs)[1][2] - 1
    return None


def box_output(outputs: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[int, tuple[int, ...]]:
    """Index and shape of the boxes among a DETR model's outputs."""
    named = [
        k for k, (name, shape) in enumerate(outputs) if len(shape) == 3 and shape[2] == 4 and ('box' in name or 'det' in name)
    ]
    by_shape = [k for k, (_, shape) in enumerate(outputs) if len(shape) == 3 and shape[2] == 4]
    index = (named or by_shape)[0]
    return index, outputs[index][1]


def class_output(outputs: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[int, tuple[int, ...]]:
    """Index and shape of the classes among a DETR model's outputs."""
    boxes, shape = box_output(outputs)
    index = next(k for k, (_, other) in enumerate(outputs) if k != boxes and len(other) == 3 and other[1] == shape[1])
    return index, outputs[index][1]


def _single(rows: int, columns: int, ends: Ends) -> Layout | None:
    cells = cells_of(ends.size)
    if rows == cells and columns > 5:
        return Layout.YOLOX
    if rows == _ANCHORS * cells and columns > 5:
        return Layout.YOLOV5
    if columns == cells and rows > 4:
        turned = ends.task == 'obb' or (ends.classes > 0 and rows == ends.classes + 5)
        return Layout.YOLOV8_TURNED if turned else Layout.YOLOV8
    if rows > _MOST_QUERIES:
        return None
    if columns in (6, 7) and ends.classes != columns - 4:
        # With 7 columns the last one is the orientation.
        return Layout.YOLO_END_TO_END if columns == 6 or ends.task == 'obb' else None
    return Layout.RTDETR_JOINED if columns > 4 else None


def _queries(ends: Ends) -> Layout | None:
    try:
        classes = class_output(ends.outputs)[1][2]
    except (IndexError, StopIteration):
        return None
    if any(name == 'dets' for name, _ in ends.outputs):
        return Layout.RFDETR
    # DETR has one class more than names: nothing. COCO's 91 or 80 tell it where no names are known.
    if classes in (92, ends.classes + 1 if ends.classes else 92):
        return Layout.DETR
    return Layout.RTDETR if classes in (80, ends.classes or 80) else None
