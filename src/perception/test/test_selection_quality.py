# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the selection by quality: the expected value, sharpness, poses, and what is sent when."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from selection_helpers import PERSON, frame, key, person

from ptz_perception.detections import Image
from ptz_perception.locating.movement import Movement
from ptz_perception.pipeline import SeenObject
from ptz_perception.selection import Choice, QualitySelection, TrackFacts, Urgency, make_selection
from ptz_perception.selection.base import MOST_KEPT
from ptz_perception.selection.expected_value import expected_value
from ptz_perception.selection.observed import frontality, track_facts
from ptz_perception.selection.sharpness import sharpness
from ptz_perception.tracking.tracks import Track
from ptz_site import CameraPose
from ptz_site.schema import SelectionSettings

SETTINGS = SelectionSettings(selection='quality', longest_delay=5, margin=0.15)


# The expected value


@pytest.mark.parametrize(
    ('changes', 'factor'),
    [
        ({'box': (130.0, 360.0, 30.0, 75.0)}, 0.5),  # half the lengths
        ({'sharpness': 0.5}, 0.5),
        ({'sharpness': None}, 0.5),
        ({'frontality': 0.0}, 0.1),
        ({'frontality': None}, 0.55),
        ({'hidden': 0.4}, 0.5),
        ({'hidden': 0.9}, 0.0),
        ({'box': (0.0, 360.0, 60.0, 150.0)}, 0.25),  # half is outside, and what else may be cut off is not known
        ({'box': (32.0, 360.0, 60.0, 150.0)}, 0.5),  # 2 px from the edge
        ({'score': 0.1, 'observations': 77, 'object_id': 'anna'}, 1.0),
    ],
)
def test_the_expected_value_is_a_product(changes: dict[str, Any], factor: float) -> None:
    at = frame(1)
    assert expected_value(at, replace(PERSON, **changes)) == pytest.approx(factor * expected_value(at, PERSON))


def test_automatic_exposure_counts_less_if_the_camera_can_do_better() -> None:
    values = [
        expected_value(frame(1, exposure_manual=manual, manual_possible=possible), PERSON)
        for manual, possible in ((True, True), (False, True), (False, False))
    ]
    assert values == pytest.approx([values[0], 0.8 * values[0], values[0]])


# Sharpness


def striped(blur: float = 0.0, noise: float = 0.0, brightness: float = 1.0, motion: int = 1) -> Image:
    """A picture with somebody of 200 px at 320, 240 whose clothes have patterns."""
    rng = np.random.default_rng(4)
    figure = cv2.resize(rng.integers(20, 235, (25, 10, 3), np.uint8), (80, 200), interpolation=cv2.INTER_NEAREST)
    picture = np.full((480, 640, 3), 120, np.uint8)
    picture[140:340, 280:360] = figure
    if blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)
    if motion > 1:
        picture = np.asarray(cv2.filter2D(picture, -1, np.full((1, motion), 1.0 / motion)), np.uint8)
    return np.clip(brightness * picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


BOX = (320.0, 240.0, 80.0, 200.0)


def test_blur_lowers_the_sharpness_step_by_step() -> None:
    values = [sharpness(striped(blur), BOX) for blur in (0, 3, 5, 8)]
    assert None not in values and values == sorted(values, key=lambda value: -(value or 0))
    assert values[0] == 1.0 and (values[-1] or 0) < 0.3
    moved = [sharpness(striped(motion=length), BOX) or 0.0 for length in (1, 9, 17)]
    assert moved[0] > moved[1] > moved[2]


@pytest.mark.parametrize(('noise', 'brightness'), [(0, 0.4), (4, 1.0), (8, 0.7)])
def test_noise_and_darkness_are_not_taken_for_sharpness_or_blur(noise: float, brightness: float) -> None:
    sharp = sharpness(striped(0, noise, brightness), BOX)
    blurred = sharpness(striped(5, noise, brightness), BOX)
    assert sharp is not None and blurred is not None
    assert sharp > 0.85 and blurred < 0.6 * sharp


@pytest.mark.parametrize('box', [(320, 240, 6, 200), (-300, 240, 80, 200), (320, 900, 80, 200), (60, 60, 80, 100)])
def test_where_there_is_nothing_to_see_sharpness_is_not_known(box: tuple[float, float, float, float]) -> None:
    assert sharpness(striped(), box) is None


# From what the pipeline saw


def seen(
    track_id: int, detection: int | None, box: tuple[float, float, float, float], heading: float | None = None
) -> SeenObject:
    track = Track(track_id, 'person', box, 0.0, (0.0, 0.0, 0.0, 0.0), 0.8, 0, 0, 4, detection)
    movement = Movement(0, np.array([10.0, 0.0, 1.0, 0.0]), np.eye(4)) if heading is not None else None
    return SeenObject(track, None, movement, heading)


@pytest.mark.parametrize(('heading', 'expected'), [(0.0, 1.0), (math.pi / 2, 0.5), (math.pi, 0.0), (math.pi / 3, 0.75)])
def test_frontality_is_the_heading_against_the_direction_to_the_camera(heading: float, expected: float) -> None:
    assert frontality(heading, (10.0, 0.0), CameraPose(20.0, 0.0, 6.0, 1.0)) == pytest.approx(expected)


def test_facts_of_tracks() -> None:
    objects = (seen(1, 0, BOX, math.pi), seen(2, None, (340.0, 280.0, 80.0, 200.0)))
    one, other = track_facts(objects, {1: 'anna', 2: ''}.__getitem__, striped(), CameraPose(20.0, 0.0, 6.0, 0.0))
    assert (one.track_id, one.object_id, one.observations, one.detected, one.box, one.score) == (1, 'anna', 4, True, BOX, 0.8)
    assert one.sharpness == 1.0 and one.frontality == pytest.approx(0.0)
    assert one.hidden == pytest.approx(0.75 * 0.8), 'the other one stands lower, so nearer'
    assert (other.detected, other.sharpness, other.frontality, other.hidden) == (False, None, None, 0.0)
    assert track_facts((), str, None, None) == ()
    assert track_facts(objects, str, None, None)[0].sharpness is None


# What is sent when


def look_at(selection: QualitySelection, heights: list[float], first: int = 1, **changes: Any) -> list[tuple[int, Choice]]:
    found = []
    for number, height in enumerate(heights, start=first):
        found += [(number, choice) for choice in selection.look(frame(number), [person(height=height, **changes)]).choices]
    return found


def test_the_best_of_all_is_sent_when_the_camera_turns() -> None:
    selection = QualitySelection(SETTINGS)
    assert look_at(selection, [100, 120, 200, 140, 199, 90, 80, 80, 80, 80, 80, 80, 80, 80]) == []
    decision = selection.look(frame(60, segment=2), [])
    assert decision.choices == (Choice(key(3), (1,), Urgency.QUEUED),)
    assert selection.end_segment().choices == ()


def test_the_delay_is_bounded_and_then_only_a_clearly_better_one_is_sent() -> None:
    selection = QualitySelection(SETTINGS)
    assert look_at(selection, [100.0] * 20 + [120.0] + [100.0] * 30) == [(51, Choice(key(21), (1,), Urgency.QUEUED))]
    assert look_at(selection, [137.0] * 100, first=52) == [], '14 % better is not clearly better'
    assert look_at(selection, [139.0] + [100.0] * 60, first=152) == [(202, Choice(key(152), (1,), Urgency.QUEUED))]


def test_a_heading_that_is_known_late_counts_for_the_frames_just_before() -> None:
    selection = QualitySelection(SETTINGS)
    for number in range(1, 30):
        known = None if number < 5 else 0.0 if number < 20 else 0.5
        height = 300.0 if number < 5 else 200.0
        selection.look(frame(number), [person(height=height, frontality=known)])
    (choice,) = selection.end_segment().choices
    assert choice.frame.sequence >= 20, 'the first frames were larger, but from behind'


def test_one_frame_that_is_nearly_the_best_for_two_is_sent_instead_of_two() -> None:
    selection = QualitySelection(SETTINGS)
    for number, (first, second) in enumerate(((200, 150), (195, 196), (150, 200)), start=1):
        selection.look(frame(number), [person(1, first), person(2, second)])
    assert selection.end_segment().choices == (Choice(key(2), (1, 2), Urgency.QUEUED),)


def test_nobody_gets_a_frame_that_is_clearly_worse() -> None:
    selection = QualitySelection(SETTINGS)
    for number, (first, second) in enumerate(((200, 100), (150, 150), (100, 200)), start=1):
        selection.look(frame(number), [person(1, first), person(2, second)])
    choices = selection.end_segment().choices
    assert {(choice.frame, choice.track_ids) for choice in choices} == {(key(1), (1,)), (key(3), (2,))}


@pytest.mark.parametrize(('height', 'sent'), [(150, False), (170, False), (175, True)])
def test_a_person_who_comes_again_is_sent_only_if_clearly_better(height: float, sent: bool) -> None:
    selection = QualitySelection(SETTINGS)
    selection.look(frame(1), [person(1, 150, object_id='anna')])
    assert len(selection.end_segment().choices) == 1
    selection.look(frame(200, segment=2), [person(2, height)])
    selection.look(frame(210, segment=2), [person(2, 100, object_id='anna')])
    assert bool(selection.end_segment().choices) is sent
    value = selection.sent_value('anna')
    assert value == pytest.approx(expected_value(frame(1), person(1, height if sent else 150)))


def test_a_name_that_comes_after_the_last_frame_is_in_time() -> None:
    selection = QualitySelection(SETTINGS)
    selection.look(frame(1), [person(1, 150, object_id='anna')])
    selection.end_segment()
    selection.look(frame(200, segment=2), [person(2, 150)])
    assert selection.nameless == (2,)
    assert selection.end_segment({2: 'anna'}).choices == ()


def test_good_frames_say_that_they_are_not_to_wait_any_longer() -> None:
    selection = QualitySelection(SETTINGS)
    selection.look(frame(1), [person(1, 300, score=0.9)])
    assert selection.end_segment().choices == (Choice(key(1), (1,), Urgency.IMMEDIATE),)


def test_the_frames_that_are_kept_are_bounded_and_nobody_is_lost() -> None:
    selection = QualitySelection(SETTINGS)
    known: list[TrackFacts] = []
    choices: list[Choice] = []
    for number in range(1, 61):
        known = [replace(one, detected=False) for one in known] + [person(number)]
        decision = selection.look(frame(number, number / 50), known)
        choices += decision.choices
        assert len(decision.keep) <= MOST_KEPT
    choices += selection.look(frame(61, 3.0), [person(one.track_id, 60) for one in known]).choices
    choices += selection.end_segment().choices
    assert sorted(i for choice in choices for i in choice.track_ids) == list(range(1, 61))


def test_a_camera_that_stands_still_before_people_who_stand_keeps_few_frames() -> None:
    selection = QualitySelection(SETTINGS.model_copy(update={'longest_delay': 600.0}))
    for number in range(1, 400):
        decision = selection.look(frame(number), [person(1), person(2)])
    assert len(decision.keep) <= MOST_KEPT
    assert len(selection.end_segment().choices) == 1


def test_the_site_names_the_selection() -> None:
    assert isinstance(make_selection(SETTINGS), QualitySelection)
