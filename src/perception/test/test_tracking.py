# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the tracker: who is the same from frame to frame."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ptz_perception.detections import Detections
from ptz_perception.tracking.association import Pairs, assign, similarities, upright
from ptz_perception.tracking.byte_tracker import ByteTracker, TrackerSettings
from ptz_perception.tracking.motion import BoxFilters, MotionNoise
from ptz_perception.tracking.tracks import Tracks

S = 1_000_000_000
NAMES = ('person', 'bicycle')
Box = tuple[float, float, float, float]


def people(*boxes: Box, scores: tuple[float, ...] | None = None, turned: float = 0.0) -> Detections:
    values = np.array(scores if scores is not None else [0.9] * len(boxes), float)
    count = len(boxes)
    return Detections.of(np.array(boxes, float).reshape(-1, 4), values, np.zeros(count, np.int64), NAMES, np.full(count, turned))


def seen(tracks: Tracks) -> dict[int, Box]:
    return {track.track_id: track.box for track in tracks if track.detection is not None}


def test_walkers_keep_their_ids_and_are_predicted_ever_better() -> None:
    tracker = ByteTracker()
    for step in range(12):
        tracks = tracker.update(people((100 + 8 * step, 100, 40, 100), (400, 100, 40, 100)), step * S // 5)
        assert sorted(seen(tracks)) == [1, 2]
    assert {track.observations for track in tracks} == {12}
    assert tracks[0].rates[0] == pytest.approx(40.0, rel=0.15), 'px/s, whatever the rate of the frames'
    assert abs(tracks[1].rates[0]) < 1.0


def test_who_is_not_detected_is_predicted_and_said_to_be() -> None:
    tracker = ByteTracker(TrackerSettings(track_buffer=2.0))
    for step in range(10):
        tracker.update(people((100 + 10 * step, 100, 40, 100)), step * S // 10)
    hidden = tracker.update(people(), S)
    (one,) = hidden
    assert one.detection is None and one.observations == 10 and one.last_seen_ns == 9 * S // 10
    assert one.box[0] == pytest.approx(200.0, abs=4.0), 'it goes on as before'
    (again,) = tracker.update(people((220, 100, 40, 100)), 12 * S // 10)
    assert (again.track_id, again.detection, again.observations) == (1, 0, 11)


def test_who_is_not_seen_is_not_changed_by_who_is() -> None:
    filters = BoxFilters(MotionNoise()).begun(np.array([[100.0, 300], [100, 200], [40, 50], [100, 120], [0.0, 0.3]]))
    filters.predict(0.2)
    before, _ = filters.estimates()
    filters.correct(np.full((5, 2), 110.0), np.array([0.9, 0.9]), np.array([True, False]))
    after, _ = filters.estimates()
    assert after[1].tolist() == before[1].tolist()
    assert 100.0 < after[0, 0] <= 110.0


def test_a_track_ends_after_its_buffer_and_its_id_is_never_used_again() -> None:
    tracker = ByteTracker(TrackerSettings(track_buffer=1.0), first_id=7)
    assert list(seen(tracker.update(people((100, 100, 40, 100)), 0))) == [7]
    assert len(tracker.update(people(), S)) == 1
    assert len(tracker.update(people(), S + 1)) == 0
    assert list(seen(tracker.update(people((100, 100, 40, 100)), 2 * S))) == [8]


def test_low_scores_go_on_with_a_track_and_begin_none() -> None:
    tracker = ByteTracker(TrackerSettings(high=0.5, begin=0.6))
    assert len(tracker.update(people((100, 100, 40, 100), scores=(0.3,)), 0)) == 0
    assert len(tracker.update(people((100, 100, 40, 100), scores=(0.55,)), S // 10)) == 0
    tracker.update(people((100, 100, 40, 100), scores=(0.9,)), 2 * S // 10)
    tracker.update(people((101, 100, 40, 100), scores=(0.9,)), 3 * S // 10)
    (hidden_half,) = tracker.update(people((102, 100, 40, 100), scores=(0.2,)), 4 * S // 10)
    assert hidden_half.detection == 0 and hidden_half.observations == 3


def test_a_flash_of_one_frame_stays_tentative_and_is_soon_gone() -> None:
    tracker = ByteTracker()
    tracker.update(people((100, 100, 40, 100)), 0)
    assert len(tracker.update(people((100, 100, 40, 100), (500, 100, 40, 100)), S // 10)) == 2
    told = [tracker.update(people((100, 100, 40, 100)), step * S // 10) for step in range(2, 4)]
    assert [tracks.ids.tolist() for tracks in told] == [[1, 2], [1]]
    assert told[0].tentative.tolist() == [False, True]


def test_who_is_found_in_every_second_look_at_first_is_one_track() -> None:
    """As people are who come in at the picture's edge."""
    tracker = ByteTracker()
    tracker.update(people(), 0)
    for step in range(1, 6):
        tracks = tracker.update(people((100 + 2 * step, 100, 40, 100)) if step % 2 else people(), step * S // 8)
    assert tracks.ids.tolist() == [1] and tracks.observations.tolist() == [3] and tracks.tentative.tolist() == [False]


@pytest.mark.parametrize(('rate', 'frames'), [(30, 3), (10, 2), (5, 2)])
def test_who_is_seen_for_long_enough_is_not_tentative_any_more(rate: int, frames: int) -> None:
    tracker = ByteTracker()
    tracker.update(people(), 0)
    told = [tracker.update(people((100, 100, 40, 100)), step * S // rate).tentative.tolist() for step in range(1, 5)]
    assert told == [[True]] * (frames - 1) + [[False]] * (5 - frames)
    assert len(tracker.update(people(), 5 * S // rate)) == 1, 'it lives on though a frame does not show it'


def test_objects_of_different_classes_are_not_one_track() -> None:
    tracker = ByteTracker()
    box = np.array([[100.0, 100, 40, 100]])
    for class_id in (0, 1):
        tracks = tracker.update(Detections.of(box, np.array([0.9]), np.array([class_id]), NAMES), class_id * S // 10)
    assert [(track.class_name, track.detection) for track in tracks] == [('person', None), ('bicycle', 0)]


def test_two_who_pass_each_other_are_told_apart_together_not_one_by_one() -> None:
    # Taken one by one, the first track would take the box that the second one needs.
    tracker = ByteTracker()
    tracker.update(people((100, 100, 40, 100), (120, 100, 40, 100)), 0)
    tracks = tracker.update(people((115, 100, 40, 100), (90, 100, 40, 100)), S // 10)
    boxes = seen(tracks)
    assert boxes[1][0] < boxes[2][0]


def test_turned_boxes_are_followed_over_half_a_turn() -> None:
    tracker = ByteTracker()
    angles = [1.3, 1.45, -1.54, -1.39, -1.24]  # 0.15 rad more each time; a box turned by pi is the same
    for step, angle in enumerate(angles):
        tracks = tracker.update(people((200, 200, 80, 30), turned=angle), step * S // 10)
    (one,) = tracks
    assert one.observations == 5
    assert math.remainder(one.orientation - angles[-1], math.pi) == pytest.approx(0.0, abs=0.1)


def test_frames_out_of_order_are_refused() -> None:
    tracker = ByteTracker()
    tracker.update(people((100, 100, 40, 100)), S)
    with pytest.raises(ValueError, match='in the order of their stamps'):
        tracker.update(people((100, 100, 40, 100)), S - 1)


def test_the_rate_of_frames_does_not_change_who_is_who() -> None:
    """Two who walk towards and past each other in different lanes, at 30, 10 and 5 frames/s."""
    for rate in (30, 10, 5):
        tracker = ByteTracker()
        ids = []
        for step in range(4 * rate):
            at = step / rate
            tracks = tracker.update(people((100 + 90 * at, 100, 40, 100), (460 - 90 * at, 150, 40, 110)), round(at * S))
            ids.append(seen(tracks))
        assert all(set(found) == {1, 2} for found in ids), rate
        assert all(b[1][0] > a[1][0] for a, b in pairwise(ids)), rate


def test_the_same_detections_give_the_same_tracks() -> None:
    def run() -> list[tuple[object, ...]]:
        rng = np.random.default_rng(5)
        tracker = ByteTracker()
        out: list[tuple[object, ...]] = []
        for step in range(60):
            boxes = np.column_stack((rng.uniform(0, 900, 30), rng.uniform(0, 500, 30), np.full(30, 40), np.full(30, 90)))
            found = Detections.of(boxes, rng.uniform(0.05, 1, 30), rng.integers(0, 2, 30), NAMES)
            out += [tuple(vars(track).values()) for track in tracker.update(found, step * S // 10)]
        return out

    assert run() == run()


def test_an_earlier_frames_tracks_do_not_change() -> None:
    tracker = ByteTracker()
    first = tracker.update(people((100, 100, 40, 100)), 0)
    before = tuple(first)
    tracker.update(people((120, 100, 40, 100)), S // 10)
    assert tuple(first) == before


@pytest.mark.parametrize('seed', range(20))
def test_assignment_is_the_best_there_is(seed: int) -> None:
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    gains = np.where(rng.uniform(size=(25, 30)) < 0.12, rng.uniform(0, 1, (25, 30)), -0.5).astype(np.float32)
    rows, columns = assign(Pairs.above_zero(gains, np.arange(25), np.arange(30)))
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    assert (gains[rows, columns] > 0).all()
    best_rows, best_columns = linear_sum_assignment(np.maximum(gains, 0), maximize=True)
    assert gains[rows, columns].sum() == pytest.approx(np.maximum(gains, 0)[best_rows, best_columns].sum(), rel=1e-5)


def test_similarities_by_hand() -> None:
    first, second = np.array([[5.0, 5, 10, 10]]), np.array([[5.0, 5, 10, 10], [10, 5, 10, 10], [5, 10, 10, 10], [21, 5, 10, 10]])
    alike = similarities(first.T, second.T, buffer=0.0)
    assert alike[0] == pytest.approx([1.0, 1 / 3, 1 / 9, 0.0], abs=1e-6), 'a shift down counts twice: box and height'
    wider = similarities(first.T, second.T, buffer=0.5)
    assert wider[0] == pytest.approx([1.0, 300 / 500, 9 / 25, 4 * 20 / 720], abs=1e-6)


def test_the_upright_box_around_a_turned_one() -> None:
    around = upright(np.array([[50.0, 50, 30, 10, math.pi / 2], [50, 50, 30, 10, 0.0]]).T)
    assert pytest.approx(np.array([[50.0, 50, 10, 30], [50, 50, 30, 10]])) == around.T


def looking(detections: Detections, *ways: int) -> Detections:
    """The same, each of whom looks in one of a few ways."""
    return detections.seen_as(np.eye(8, dtype=np.float32)[list(ways)])


def test_who_comes_out_elsewhere_is_known_by_the_appearance() -> None:
    for ways, kept in (((0, 1), True), ((2, 3), False)):
        tracker = ByteTracker()
        for step in range(5):
            tracker.update(looking(people((300, 100, 40, 100), (600, 100, 40, 100)), 0, 1), step * S // 5)
        tracker.update(people(), S)
        # Both had turned round behind something: no box is near where it was expected.
        tracks = tracker.update(looking(people((430, 100, 40, 100), (480, 100, 40, 100)), *ways), 2 * S)
        assert (sorted(seen(tracks)) == [1, 2]) == kept
        if kept:
            assert {track: round(box[0], -1) for track, box in seen(tracks).items()} == {1: 430, 2: 480}


@pytest.mark.parametrize('box', [(900, 100, 40, 100), (400, 100, 20, 50)], ids=['too far away', 'half as high'])
def test_who_looks_the_same_but_cannot_be_there_is_somebody_else(box: Box) -> None:
    tracker = ByteTracker()
    for step in range(5):
        tracker.update(looking(people((300, 100, 40, 100)), 0), step * S // 5)
    tracks = tracker.update(looking(people(box), 0), 2 * S)
    assert list(seen(tracks)) == [2]


def test_an_appearance_follows_who_changes_slowly() -> None:
    tracker = ByteTracker()
    for step in range(20):
        angle = math.pi / 2 * step / 19
        way = np.array([[math.cos(angle), math.sin(angle)]], np.float32)
        tracker.update(people((300, 100, 40, 100)).seen_as(way), step * S // 5)
    tracks = tracker.update(people((400, 100, 40, 100)).seen_as(np.array([[0, 1]], np.float32)), 5 * S)
    assert list(seen(tracks)) == [1]
