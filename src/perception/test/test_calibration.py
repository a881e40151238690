# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of scores that say how often a box is right."""

from __future__ import annotations

import numpy as np
import pytest

from ptz_perception.detections import Detections
from ptz_perception.models.calibration import Calibration, calibrate
from ptz_perception.models.labels import Labels

BOX = (50.0, 50.0, 20.0, 40.0)


def found(*boxes: tuple[float, float, float, float], scores: list[float]) -> Detections:
    return Detections.of(np.array(boxes, float).reshape(-1, 4), np.array(scores), np.zeros(len(boxes), np.int64), ('person',))


def wanted(*boxes: tuple[float, float, float, float], ignored: bool = False) -> Labels:
    return Labels(np.array(boxes, float).reshape(-1, 4), np.zeros(len(boxes), np.int64), np.full(len(boxes), ignored))


def curve(at: float, by: Calibration) -> float:
    return float(1 / (1 + np.exp(-(by.slope * np.log(at / (1 - at)) + by.shift))))


def test_scores_become_the_share_of_boxes_that_are_right() -> None:
    rng = np.random.default_rng(1)
    pictures, truth = [], []
    for _ in range(3000):
        score = float(rng.uniform(0.05, 0.6))
        pictures.append(found(BOX, scores=[score]))
        # Unsure scores: a box with 0.3 is right in 0.66 of all cases.
        truth.append(wanted(BOX) if rng.uniform() < curve(score, Calibration(1.5, 1.93)) else wanted())
    fitted = calibrate(pictures, truth)
    for score in (0.1, 0.3, 0.5):
        assert curve(score, fitted) == pytest.approx(curve(score, Calibration(1.5, 1.93)), abs=0.04)


def test_a_second_box_of_one_object_is_wrong_and_ignored_regions_say_nothing() -> None:
    near = (52.0, 50.0, 20.0, 40.0)
    pictures = [found(BOX, near, scores=[0.6, 0.4])] * 50
    doubled = calibrate(pictures, [wanted(BOX)] * 50)
    assert curve(0.6, doubled) > 0.9
    assert curve(0.4, doubled) < 0.1
    away = (150.0, 50.0, 20.0, 40.0)
    ignored = Labels(np.array([BOX, away]), np.zeros(2, np.int64), np.array([False, True]))
    pictures = [found(BOX, away, (250.0, 50.0, 20.0, 40.0), scores=[0.6, 0.5, 0.3])] * 50
    assert curve(0.5, calibrate(pictures, [ignored] * 50)) == pytest.approx(0.6, abs=0.25), (
        'between what is right and what is wrong'
    )


def test_without_right_or_without_wrong_boxes_scores_stay() -> None:
    assert calibrate([], []) == Calibration()
    assert calibrate([found(BOX, scores=[0.4])], [wanted(BOX)]) == Calibration()
    assert calibrate([found(BOX, scores=[0.4])], [wanted()]) == Calibration()
