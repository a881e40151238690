# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what detectors find, as values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ptz_perception.detections import Detections, joined, overlaps, suppress_overlaps

NAMES = ('person', 'bicycle')


def found(*boxes: tuple[float, float, float, float], scores: tuple[float, ...], class_ids: tuple[int, ...]) -> Detections:
    return Detections.of(np.array(boxes, float), np.array(scores), np.array(class_ids, np.int64), NAMES)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match='2 classes need boxes'):
        Detections.of(np.zeros((1, 4)), np.zeros(2), np.zeros(2, np.int64), NAMES)


@pytest.mark.parametrize(
    ('box', 'score', 'class_id'),
    [
        ((1, 1, -2, 2), 0.5, 0),
        ((math.nan, 1, 2, 2), 0.5, 0),
        ((1, 1, 2, 2), 1.5, 0),
        ((1, 1, 2, 2), math.nan, 0),
        ((1, 1, 2, 2), 0.5, 2),
    ],
)
def test_values_that_can_not_be_are_refused(box: tuple[float, float, float, float], score: float, class_id: int) -> None:
    with pytest.raises(ValueError, match='must be'):
        found(box, scores=(score,), class_ids=(class_id,))


def test_overlap_by_hand() -> None:
    shared = overlaps(np.array([[5.0, 5, 10, 10]]), np.array([[5.0, 5, 10, 10], [10, 5, 10, 10], [50, 5, 10, 10]]))
    assert shared == pytest.approx(np.array([[1.0, 1 / 3, 0.0]]))


def test_of_overlapping_detections_of_a_class_the_best_stays() -> None:
    boxes = ((5.0, 5.0, 10.0, 10.0), (6.0, 5.0, 10.0, 10.0), (6.0, 5.0, 10.0, 10.0), (50.0, 5.0, 10.0, 10.0))
    kept = suppress_overlaps(found(*boxes, scores=(0.5, 0.9, 0.3, 0.4), class_ids=(0, 0, 1, 0)), 0.5)
    assert list(kept.scores) == [0.9, 0.4, 0.3] and kept.classes == ('person', 'person', 'bicycle')


def test_turned_boxes_that_only_cross_both_stay() -> None:
    boxes = np.array([[50.0, 50, 80, 10], [50, 50, 80, 10], [50, 50, 80, 10]])
    turned = Detections.of(boxes, np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64), NAMES, np.array([0.8, -0.8, 0.82]))
    assert list(suppress_overlaps(turned, 0.5).scores) == [0.9, 0.8]


def test_nothing_joined_to_something_is_that() -> None:
    one = found((5, 5, 10, 10), scores=(0.5,), class_ids=(1,))
    assert joined((Detections.none(NAMES), one)).classes == ('bicycle',)
    assert len(suppress_overlaps(Detections.none(NAMES), 0.5)) == 0
