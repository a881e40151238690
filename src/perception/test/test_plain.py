# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of detection values, tracking, ground positions, and the worker."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from ptz_perception.detections import Detections, nothing, overlaps, suppress_overlaps
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.hog import HogDetector
from ptz_perception.locate import foot_on_ground
from ptz_perception.tracker import OverlapTracker
from ptz_perception.worker import LatestWorker
from ptz_site import PtzPosition, UserError
from ptz_site.geometry import CameraPose, projection
from ptz_site.schema import PerceptionSettings

S = 1_000_000_000


def people(*boxes: tuple[float, float, float, float], scores: tuple[float, ...] | None = None) -> Detections:
    values = np.array(scores if scores is not None else [0.9] * len(boxes))
    return Detections(np.array(boxes, float).reshape(-1, 4), values, ('person',) * len(boxes))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match='2 classes need boxes'):
        Detections(np.zeros((1, 4)), np.zeros(2), ('a', 'b'))


def test_overlap_by_hand() -> None:
    shared = overlaps(np.array([[5.0, 5, 10, 10]]), np.array([[5.0, 5, 10, 10], [10, 5, 10, 10], [50, 5, 10, 10]]))
    assert shared == pytest.approx(np.array([[1.0, 1 / 3, 0.0]]))


def test_of_overlapping_detections_the_best_stays() -> None:
    kept = suppress_overlaps(people((5, 5, 10, 10), (6, 5, 10, 10), (50, 5, 10, 10), scores=(0.5, 0.9, 0.4)), 0.5)
    assert sorted(kept.scores) == [0.4, 0.9]


def test_a_walker_keeps_its_id_and_another_gets_its_own() -> None:
    tracker = OverlapTracker()
    ids = []
    for step in range(5):
        tracks = tracker.update(people((100 + 8 * step, 100, 40, 100), (400, 100, 40, 100)), step * S, (1, 0))
        ids.append(sorted(track.track_id for track in tracks))
    assert ids == [[1, 2]] * 5
    assert {track.observations for track in tracks} == {5}


def test_tracks_start_anew_when_the_camera_turned_and_ids_are_never_reused() -> None:
    tracker = OverlapTracker()
    (first,) = tracker.update(people((100, 100, 40, 100)), 0, (1, 0))
    (second,) = tracker.update(people((100, 100, 40, 100)), S, (1, 500))
    assert second.track_id > first.track_id


def test_a_track_survives_a_short_gap_and_not_a_long_one() -> None:
    tracker = OverlapTracker(keep_ns=2 * S)
    (first,) = tracker.update(people((100, 100, 40, 100)), 0, (1, 0))
    tracker.update(nothing(), S, (1, 0))
    (again,) = tracker.update(people((100, 100, 40, 100)), 2 * S, (1, 0))
    (late,) = tracker.update(people((100, 100, 40, 100)), 5 * S, (1, 0))
    assert again.track_id == first.track_id != late.track_id


def test_a_foot_point_is_found_on_the_ground_and_is_less_sure_far_away() -> None:
    view = projection(CameraPose(0, 0, 6, 0), PtzPosition(0, math.radians(-20), 1), (1280, 720), math.radians(60))
    errors = []
    for distance in (12.0, 30.0):
        (foot,), _ = view.project(np.array([[distance, 1.5, 0.0]]))
        located = foot_on_ground(view, np.array([foot[0], foot[1] - 50, 40, 100]))
        assert located is not None
        assert located[0] == pytest.approx((distance, 1.5), abs=1e-6)
        errors.append(np.trace(located[1]))
    assert errors[1] > 2 * errors[0] > 0
    level = projection(CameraPose(0, 0, 6, 0), PtzPosition(0, 0, 1), (1280, 720), math.radians(60))
    assert foot_on_ground(level, np.array([640.0, 100, 40, 100])) is None


def test_hog_finds_nothing_in_an_empty_or_tiny_picture() -> None:
    detector = HogDetector(640, 0.3)
    assert len(detector.detect(np.full((480, 640, 3), 90, np.uint8))) == 0
    assert len(detector.detect(np.zeros((20, 20, 3), np.uint8))) == 0


def test_a_model_that_is_missing_or_broken_is_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match='no file'):
        make_detector(PerceptionSettings(detector='nowhere.onnx'), tmp_path)
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    with pytest.raises(UserError, match='not an ONNX model') as caught:
        make_detector(PerceptionSettings(detector='broken.onnx'), tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_the_worker_takes_the_newest_and_counts_what_it_skips() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[int] = []

    def work(item: int) -> None:
        seen.append(item)
        begun.set()
        assert go_on.wait(10)
        if item == 4:
            done.set()

    worker: LatestWorker[int] = LatestWorker(work, lambda _error: None)
    worker.give(1)
    assert begun.wait(10)
    for item in (2, 3, 4):
        worker.give(item)
    go_on.set()
    assert done.wait(10)
    worker.close()
    assert seen == [1, 4]
    assert worker.skipped == 2


def test_an_error_does_not_end_the_worker() -> None:
    errors: list[Exception] = []
    done = threading.Event()

    def work(item: int) -> None:
        if item == 0:
            raise ValueError('bad frame')
        done.set()

    worker: LatestWorker[int] = LatestWorker(work, errors.append)
    worker.give(0)
    while not errors:
        pass
    worker.give(1)
    assert done.wait(10)
    worker.close()
