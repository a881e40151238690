# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How good a detector is: COCO's average precision, by COCO's own evaluation."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ptz_perception.detections import Boxes, Detections
from ptz_perception.models.labels import Labels

#: px^2, COCO's limit of what is small.
SMALL = 32.0**2
#: Where COCO's evaluation keeps what, of its twelve figures.
_AP, _AP_50, _AP_SMALL, _RECALL_SMALL = 0, 1, 3, 9


@dataclass(frozen=True)
class Precision:
    """Shares from 0 to 1; NaN where there was nothing to find.

    ap: average precision over overlaps of 0.5 to 0.95 and all classes; ap_50: at an overlap of 0.5; ap_small, recall_small: of objects
    below 32x32 px; recall_small_50: at an overlap of 0.5.
    """

    ap: float
    ap_50: float
    ap_small: float
    ap_small_50: float
    recall_small: float
    recall_small_50: float


def precision(found: Sequence[Detections], wanted: Sequence[Labels], names: Sequence[str]) -> Precision:
    """Of what was found in some pictures, by what is in them. Class numbers are indices into names."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = _annotations(wanted, names)
        truth.createIndex()
        results = _results(found)
        if not results:
            nothing = 0.0 if any((~labels.ignored).any() for labels in wanted) else float('nan')
            return Precision(*(nothing,) * 6)
        evaluation = COCOeval(truth, truth.loadRes(results), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = [float(value) if value >= 0 else float('nan') for value in evaluation.stats]
    # Overlaps, recalls, classes, areas (all, small, ...), numbers of detections.
    small = evaluation.eval['precision'][0, :, :, 1, -1]
    recalls = evaluation.eval['recall'][0, :, 1, -1]
    return Precision(stats[_AP], stats[_AP_50], stats[_AP_SMALL], _mean(small), stats[_RECALL_SMALL], _mean(recalls))


def _mean(values: np.ndarray) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else float('nan')


def _annotations(wanted: Sequence[Labels], names: Sequence[str]) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for picture, labels in enumerate(wanted):
        for corner, box, class_id, ignored in zip(
            _corners(labels.boxes), labels.boxes.tolist(), labels.classes.tolist(), labels.ignored.tolist(), strict=True
        ):
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': picture,
                    'category_id': class_id,
                    'bbox': corner,
                    'area': box[2] * box[3],
                    'iscrowd': int(ignored),
                }
            )
    return {
        'info': {},
        'images': [{'id': picture} for picture in range(len(wanted))],
        'categories': [{'id': number, 'name': name} for number, name in enumerate(names)],
        'annotations': annotations,
    }


def _results(found: Sequence[Detections]) -> list[dict[str, object]]:
    return [
        {'image_id': picture, 'category_id': class_id, 'bbox': corner, 'score': score}
        for picture, detections in enumerate(found)
        for corner, class_id, score in zip(
            _corners(detections.boxes), detections.class_ids.tolist(), detections.scores.tolist(), strict=True
        )
    ]


def _corners(boxes: Boxes) -> list[list[float]]:
    """Left, top, width, height."""
    corners: list[list[float]] = np.hstack((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:])).tolist()
    return corners
