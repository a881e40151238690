# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of detection values, tracking, ground positions, the choice of frames, and the worker."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from ptz_perception.detections import Detections, nothing, overlaps, suppress_overlaps
from ptz_perception.locate import foot_on_ground, view_of
from ptz_perception.pace import Pace
from ptz_perception.tracker import OverlapTracker
from ptz_perception.worker import LatestWorker
from ptz_site import PtzPosition
from ptz_site.geometry import CameraPose, projection
from ptz_site.schema import Pose, SimulatedCamera

S = 1_000_000_000


def people(*boxes: tuple[float, float, float, float], scores: tuple[float, ...] | None = None) -> Detections:
    values = np.array(scores if scores is not None else [0.9] * len(boxes))
    return Detections(np.array(boxes, float).reshape(-1, 4), values, ('person',) * len(boxes))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match='2 classes need boxes'):
        Detections(np.zeros((1, 4)), np.zeros(2), ('a', 'b'))


@pytest.mark.parametrize(
    ('box', 'score'), [((1, 1, -2, 2), 0.5), ((math.nan, 1, 2, 2), 0.5), ((1, 1, 2, 2), 1.5), ((1, 1, 2, 2), math.nan)]
)
def test_boxes_and_scores_that_can_not_be_are_refused(box: tuple[float, ...], score: float) -> None:
    with pytest.raises(ValueError, match='must be'):
        Detections(np.array([box], float), np.array([score]), ('person',))


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


def test_when_the_stamps_go_back_tracks_start_anew() -> None:
    tracker = OverlapTracker()
    (first,) = tracker.update(people((100, 100, 40, 100)), 10 * S, (1, 0))
    (second,) = tracker.update(people((100, 100, 40, 100)), 2 * S, (1, 0))
    assert second.track_id > first.track_id


def test_objects_of_different_classes_are_not_one_track() -> None:
    tracker = OverlapTracker()
    box = np.array([[100.0, 100, 40, 100]])
    tracker.update(Detections(box, np.array([0.9]), ('person',)), 0, (1, 0))
    tracks = tracker.update(Detections(box, np.array([0.9]), ('bicycle',)), S, (1, 0))
    assert [(track.class_name, track.seen_at(S)) for track in tracks] == [('person', False), ('bicycle', True)]


def test_two_who_pass_each_other_are_told_apart_together_not_one_by_one() -> None:
    # Taken one by one, the first track would take the box that the second one needs.
    tracker = OverlapTracker()
    tracker.update(people((100, 100, 40, 100), (120, 100, 40, 100)), 0, (1, 0))
    tracks = tracker.update(people((115, 100, 40, 100), (90, 100, 40, 100)), S, (1, 0))
    assert {track.track_id: track.box[0] for track in tracks} == {1: 90, 2: 115}


def test_a_track_survives_a_short_gap_and_not_a_long_one() -> None:
    tracker = OverlapTracker(track_buffer_ns=2 * S)
    (first,) = tracker.update(people((100, 100, 40, 100)), 0, (1, 0))
    (unseen,) = tracker.update(nothing(), S, (1, 0))
    assert (unseen.track_id, unseen.seen_at(S), unseen.observations) == (first.track_id, False, 1)
    (again,) = tracker.update(people((100, 100, 40, 100)), 2 * S, (1, 0))
    (late,) = tracker.update(people((100, 100, 40, 100)), 5 * S, (1, 0))
    assert again.track_id == first.track_id != late.track_id


def test_a_foot_point_is_found_on_the_ground_and_is_less_sure_far_away() -> None:
    view = projection(CameraPose(0, 0, 6, 0), PtzPosition(0, math.radians(-20), 1), (1280, 720), math.radians(60))
    errors = []
    for distance in (12.0, 30.0):
        (foot,), _ = view.project(np.array([[distance, 1.5, 0.0]]))
        # A box counts from the picture's edge, half a pixel before the centre of the first one.
        located = foot_on_ground(view, np.array([foot[0] + 0.5, foot[1] + 0.5 - 50, 40, 100]), 720)
        assert located is not None
        assert located[0] == pytest.approx((distance, 1.5), abs=1e-6)
        errors.append(np.trace(located[1]))
    assert errors[1] > 2 * errors[0] > 0
    level = projection(CameraPose(0, 0, 6, 0), PtzPosition(0, 0, 1), (1280, 720), math.radians(60))
    assert foot_on_ground(level, np.array([640.0, 100, 40, 100]), 720) is None


def test_who_is_cut_off_by_the_picture_has_no_place_on_the_ground() -> None:
    view = projection(CameraPose(0, 0, 6, 0), PtzPosition(0, math.radians(-20), 1), (1280, 720), math.radians(60))
    assert foot_on_ground(view, np.array([640.0, 660, 60, 100]), 720) is not None
    assert foot_on_ground(view, np.array([640.0, 670, 60, 100]), 720) is None


def test_a_camera_that_does_not_know_where_it_looks_locates_nothing() -> None:
    camera = SimulatedCamera(backend='simulated', pose=Pose(x=0, y=0, z=5), presets={'gate': 'auto'})
    assert view_of(camera, 0.1, -0.3, 2.0) is not None
    assert view_of(camera, math.nan, math.nan, math.nan) is None


def looked_at(rate: float, stamps: list[int]) -> list[int]:
    pace = Pace(rate)
    return [stamp for stamp in stamps if pace.takes(stamp)]


@pytest.mark.parametrize(('rate', 'expected'), [(1, 20), (4, 80), (10, 200), (30, 200)])
def test_frames_come_at_the_rate_or_all_of_them_even_with_jitter(rate: float, expected: int) -> None:
    generator = np.random.default_rng(3)
    stamps = [5 * S + k * S // 10 + int(generator.normal(0, 3e6)) for k in range(200)]
    assert len(looked_at(rate, stamps)) == pytest.approx(expected, abs=2)


def test_after_a_pause_no_frames_are_made_up_for() -> None:
    pauses = [k * S // 10 for k in (*range(20), *range(100, 120))]
    assert looked_at(1, pauses) == [0, S, 10 * S, 11 * S]


def test_a_clock_that_is_set_back_does_not_stop_the_looking() -> None:
    stamps = [100 * S, 100 * S + S // 10, 3 * S, 3 * S + S // 10, 4 * S]
    assert looked_at(1, stamps) == [100 * S, 3 * S, 4 * S]


def test_the_worker_takes_the_newest_and_counts_what_it_skips() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[int] = []

    def work(item: int) -> None:
        seen.append(item)
        begun.set()
        assert go_on.wait(10)
        if item == 4:
            done.set()

    worker: LatestWorker[int] = LatestWorker(work, lambda _item, _error: None)
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
    failed: list[tuple[int, Exception]] = []
    said, done = threading.Event(), threading.Event()

    def on_error(item: int, error: Exception) -> None:
        failed.append((item, error))
        said.set()

    def work(item: int) -> None:
        if item == 0:
            raise ValueError('bad frame')
        done.set()

    worker: LatestWorker[int] = LatestWorker(work, on_error)
    worker.give(0)
    assert said.wait(10)
    worker.give(1)
    assert done.wait(10)
    worker.close()
    assert [(item, str(error)) for item, error in failed] == [(0, 'bad frame')]
