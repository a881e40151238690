# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the four rules, and of the selection by them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selection_helpers import PERSON, SIZE, S, few, frame, key, person, watched

from ptz_perception.selection import Choice, FrameFacts, RulesSelection, TrackFacts, Urgency, make_selection, rules
from ptz_perception.selection.base import MOST_KEPT
from ptz_perception.selection.geometry import area_share, edge_distance, inside_share
from ptz_site.schema import SelectionSettings

SETTINGS = SelectionSettings(
    min_width=24, min_height=64, score_1=0.5, score_2=0.8, edge_1=10, edge_2=40, area_share=0.02, longest_delay=5
)
BETTER = rules.Showing(key(1), S, 1, edge=50.0, score=0.6, well_exposed=True, area=9000.0, share=0.01)


# The edge distance


@pytest.mark.parametrize(
    ('box', 'orientation', 'expected'),
    [
        ((640, 360, 100, 200), 0.0, 260.0),  # below and above
        ((100, 360, 60, 100), 0.0, 70.0),  # left
        ((1200, 360, 60, 100), 0.0, 50.0),  # right
        ((640, 80, 60, 100), 0.0, 30.0),  # above
        ((640, 660, 60, 100), 0.0, 10.0),  # below
        ((640, 690, 60, 100), 0.0, -20.0),  # beyond the lower edge
        ((640, 360, 1280, 720), 0.0, 0.0),  # fills the picture
        ((100, 360, 60, 160), math.pi / 2, 20.0),  # lies: its upper side's midpoint is 80 px to the left
        ((640, 100, 160, 60), math.pi / 2, 20.0),  # stands: its right side's midpoint is 80 px above
        ((640, 100, 160, 60), -math.pi / 2, 20.0),  # to the other side: the left one's is
        ((100, 360, 100, 200), math.pi / 4, 100 - 100 * math.sqrt(0.5)),  # the upper or lower side's midpoint
    ],
)
def test_the_edge_distance_is_the_smallest_of_the_sides_midpoints(
    box: tuple[float, float, float, float], orientation: float, expected: float
) -> None:
    assert edge_distance(box, orientation, SIZE) == pytest.approx(expected)


@given(st.tuples(st.floats(-100, 1400), st.floats(-100, 800), st.floats(0, 500), st.floats(0, 500)), st.floats(-math.pi, math.pi))
def test_a_box_turned_by_half_a_turn_is_the_same_and_a_mirrored_one_as_far(
    box: tuple[float, float, float, float], turn: float
) -> None:
    distance = edge_distance(box, turn, SIZE)
    assert edge_distance(box, turn + math.pi, SIZE) == pytest.approx(distance)
    assert edge_distance((1280 - box[0], *box[1:]), -turn, SIZE) == pytest.approx(distance)


def test_shares() -> None:
    assert area_share((0, 0, 128, 72), SIZE) == pytest.approx(0.01)
    assert inside_share((0, 360, 100, 100), 0.0, SIZE) == pytest.approx(0.5)
    assert inside_share((0, 0, 100, 100), 0.0, SIZE) == pytest.approx(0.25)
    assert inside_share((640, 360, 100, 100), 0.3, SIZE) == pytest.approx(1.0)
    assert inside_share((-500, 360, 100, 100), 0.0, SIZE) == 0.0


# Rule 1


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        (
            {'observations': 1, 'detected': True, 'box': (9, 9, 1, 1), 'score': 0.0},
            True,
        ),  # the first: only that it is of this frame
        ({'observations': 1, 'detected': False}, False),
        ({'observations': 2, 'detected': True}, True),
        ({'observations': 2, 'detected': False}, False),  # predicted
        ({'box': (640, 360, 24, 64), 'score': 0.5}, True),  # all exactly at the thresholds
        ({'box': (640, 360, 23.9, 64)}, False),
        ({'box': (640, 360, 24, 63.9)}, False),
        ({'score': 0.499}, False),
    ],
)
def test_rule_1_qualifies(changes: dict[str, Any], expected: bool) -> None:
    assert rules.qualifies(replace(PERSON, **changes), SETTINGS) is expected


# Rule 2


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({}, True),  # equal in all respects is not worse
        ({'edge': 50.1, 'score': 0.61, 'area': 9001.0}, True),
        ({'edge': 49.9}, False),
        ({'score': 0.59}, False),
        ({'area': 8999.0}, False),
        ({'well_exposed': False}, False),
        ({'edge': 500.0, 'area': 99999.0, 'score': 0.59}, False),  # one worse is enough
    ],
)
def test_rule_2_better_than_the_last_best(changes: dict[str, Any], expected: bool) -> None:
    assert rules.is_better(replace(BETTER, **changes), BETTER, SETTINGS) is expected


@pytest.mark.parametrize(('edge', 'expected'), [(10.0, True), (9.9, False)])
def test_rule_2_away_from_the_edge(edge: float, expected: bool) -> None:
    assert rules.is_better(replace(BETTER, edge=edge), replace(BETTER, edge=5.0), SETTINGS) is expected


def test_rule_2_the_first_one_founds_the_best_whatever_it_is() -> None:
    assert rules.is_better(replace(BETTER, edge=-5.0, score=0.0, well_exposed=False), None, SETTINGS)


@pytest.mark.parametrize(
    ('manual', 'possible', 'expected'), [(True, True, True), (False, True, False), (False, False, True), (True, False, True)]
)
def test_rule_2_a_camera_without_fixed_exposure_is_exempt(manual: bool, possible: bool, expected: bool) -> None:
    new = rules.showing(frame(2, exposure_manual=manual, manual_possible=possible), person())
    assert rules.is_better(new, rules.showing(frame(1), person()), SETTINGS) is expected


# Rule 3


def test_rule_3_a_frame_that_is_taken() -> None:
    assert rules.is_taken(key(3), {key(3)})
    assert not rules.is_taken(key(3), {key(2), key(3, session=2)})


# Rule 4


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({}, Urgency.IMMEDIATE),
        ({'share': 0.02}, Urgency.QUEUED),  # above, not at
        ({'score': 0.8}, Urgency.IMMEDIATE),  # at least
        ({'score': 0.79}, Urgency.QUEUED),
        ({'edge': 40.0}, Urgency.QUEUED),  # above, not at
    ],
)
def test_rule_4_now_or_later(changes: dict[str, Any], expected: Urgency) -> None:
    good = replace(BETTER, share=0.021, score=0.9, edge=40.1)
    assert rules.urgency(replace(good, **changes), SETTINGS) is expected


# The selection


def test_a_best_waits_for_better_ones_and_the_last_of_them_is_sent_when_the_camera_turns() -> None:
    selection = RulesSelection(SETTINGS)
    for number, height in enumerate((100, 120, 110, 140, 90), start=1):
        decision = selection.look(frame(number), [person(height=height)])
        assert decision.choices == ()
    assert decision.keep == {key(4)}
    turned = selection.look(frame(60, segment=2), [person(200, height=300, observations=2)])
    assert turned.choices == (Choice(key(4), (1,), Urgency.QUEUED),)
    assert turned.keep == {key(60)}
    assert selection.end_segment().choices == (Choice(key(60), (200,), Urgency.QUEUED),)
    assert selection.end_segment() == selection.end_segment(), 'nothing is left'


def test_a_track_that_ends_is_sent() -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(1), person(2)])
    selection.look(frame(18), [person(1, 100), person(2)])
    selection.look(frame(19), [person(1, detected=False), person(2)])
    decision = selection.look(frame(20), [person(2, detected=False)])
    assert decision.choices == (Choice(key(1), (1,), Urgency.QUEUED),)
    assert decision.keep == {key(19)}


def test_a_frame_is_sent_once_for_all_whom_it_is_best_for() -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(2), person(1)])
    selection.look(frame(19), [person(2, 100), person(1, 100)])
    decision = selection.look(frame(20), [person(2, detected=False)])
    assert decision.choices == (Choice(key(1), (1, 2), Urgency.QUEUED),)
    assert decision.keep == frozenset()
    assert selection.end_segment().choices == ()


def test_good_ones_go_at_once_and_better_ones_again() -> None:
    selection = RulesSelection(SETTINGS)
    first = selection.look(frame(1), [person(height=300, score=0.85, object_id='anna')])
    assert first.choices == (Choice(key(1), (1,), Urgency.IMMEDIATE),)
    assert selection.look(frame(2), [person(height=290, score=0.9, object_id='anna')]).choices == ()
    better = selection.look(frame(3), [person(height=310, score=0.9, object_id='anna')])
    assert better.choices == (Choice(key(3), (1,), Urgency.IMMEDIATE),)
    assert selection.end_segment().choices == ()


def test_a_good_one_waits_a_moment_for_being_told_who_it_is() -> None:
    def sent(number: int, object_id: str) -> bool:
        return bool(selection.look(frame(number), [person(height=300, score=0.85, object_id=object_id)]).choices)

    selection = RulesSelection(SETTINGS)
    assert [sent(number, '') for number in (1, 15, 16)] == [False, False, True]
    selection = RulesSelection(SETTINGS)
    assert [sent(number, name) for number, name in ((1, ''), (2, 'anna'))] == [False, True]


def test_after_the_longest_delay_it_is_sent_and_waits_anew_for_better_ones() -> None:
    selection = RulesSelection(SETTINGS)
    chosen = {}
    for number in range(1, 102):
        for choice in selection.look(frame(number), [person(score=0.5 + 0.001 * number)]).choices:
            chosen[number] = choice.frame
    assert chosen == {51: key(51)}, 'the wait of frame 52 ends with frame 102'
    assert selection.end_segment().choices == (Choice(key(101), (1,), Urgency.QUEUED),)


def test_false_alarms_that_come_and_go_before_a_camera_at_rest_are_not_sent() -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(1)])
    assert selection.look(frame(2), []).choices == ()


@pytest.mark.parametrize(
    ('looked', 'lived', 'name', 'sent'),
    [
        (4.0, 1.4, '', False),
        (4.0, 1.5, '', True),
        (1.0, 0.5, '', True),
        (1.0, 0.4, '', False),
        (4.0, 0.1, 'object-1', True),
    ],
)
def test_somebody_whom_the_region_does_not_know_when_the_camera_turns(looked: float, lived: float, name: str, sent: bool) -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1, 0.0), [])
    selection.look(frame(2, looked - lived), [person(1)])
    selection.look(frame(3, looked), [person(1, 100)])
    assert bool(selection.end_segment({1: name} if name else {}).choices) is sent


def test_what_was_detected_once_is_sent_if_the_region_knows_who_it_is_and_else_not() -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(1, observations=1), person(2, observations=1)])
    (choice,) = selection.end_segment({2: 'object-5'}).choices
    assert choice.track_ids == (2,)


@pytest.mark.parametrize(('second', 'sent'), [(150, False), (140, False), (160, True)])
def test_a_person_who_comes_again_is_sent_only_if_better(second: float, sent: bool) -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(1, height=150, object_id='anna')])
    assert len(selection.end_segment().choices) == 1
    selection.look(frame(200, segment=2), [person(2, height=second, score=0.6 if sent else 0.59)])
    selection.look(frame(205, segment=2), [person(2, height=100, object_id='anna')])
    assert bool(selection.end_segment().choices) is sent
    best = selection.best('anna')
    assert best is not None and best.frame == (key(200) if sent else key(1))


def test_a_name_that_comes_after_the_last_frame_is_in_time() -> None:
    selection = RulesSelection(SETTINGS)
    selection.look(frame(1), [person(1, height=150, object_id='anna')])
    selection.end_segment()
    selection.look(frame(200, segment=2), [person(2, height=100)])
    assert selection.nameless == (2,)
    assert selection.end_segment({2: 'anna', 99: 'nobody'}).choices == ()
    assert selection.remembered.objects == 1


def test_the_frames_that_are_kept_are_bounded() -> None:
    selection = RulesSelection(SETTINGS)
    known: list[TrackFacts] = []
    choices: list[Choice] = []
    for number in range(1, 41):
        known = [replace(one, detected=False) for one in known] + [person(number)]
        decision = selection.look(frame(number, number / 100), known)
        choices += decision.choices
        assert len(decision.keep) <= MOST_KEPT
    choices += selection.look(frame(41, 2.0), [person(one.track_id, 100) for one in known]).choices
    choices += selection.end_segment().choices
    assert [choice.frame.sequence for choice in choices] == list(range(1, 41))


def test_a_track_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match='track 1 is twice'):
        RulesSelection(SETTINGS).look(frame(1), [person(1), person(1)])


@few
@given(watched())
def test_what_replaces_is_in_no_respect_worse(frames: list[tuple[FrameFacts, tuple[TrackFacts, ...]]]) -> None:
    selection = RulesSelection(SETTINGS)
    before: dict[int | str, rules.Showing] = {}
    for at, tracks in frames:
        selection.look(at, tracks)
        for track in tracks:
            holder = track.object_id or track.track_id
            best, last = selection.best(holder), before.get(holder)
            if rules.qualifies(track, SETTINGS):
                assert best is not None, 'everybody who qualifies has a best'
            if best is None or last is None:
                continue
            assert (best.edge, best.score, best.area) == (last.edge, last.score, last.area) or (
                best.edge >= last.edge and best.score >= last.score and best.area >= last.area and best.well_exposed
            )
        before = {
            holder: best
            for track in tracks
            for holder in (track.object_id or track.track_id,)
            if (best := selection.best(holder))
        }


def test_the_site_names_the_selection() -> None:
    assert isinstance(make_selection(SelectionSettings()), RulesSelection)
