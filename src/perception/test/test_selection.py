# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what holds for both selections, and of their settings."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from selection_helpers import few, frame, person, watched

from ptz_perception.selection import (
    Choice,
    Decision,
    FrameFacts,
    FrameKey,
    Remembered,
    Selection,
    TrackFacts,
    make_selection,
    rules,
)
from ptz_perception.selection.base import MOST_KEPT
from ptz_perception.selection.memory import _MOST_OBJECTS
from ptz_site.schema import PerceptionSettings, SelectionSettings

Watched = list[tuple[FrameFacts, tuple[TrackFacts, ...]]]
both = pytest.mark.parametrize('name', ['rules', 'quality'])


def settings_of(name: str, **changes: float) -> SelectionSettings:
    return SelectionSettings.model_validate({'selection': name, 'longest_delay': 2.0, **changes})


def run(selection: Selection, frames: Watched, order: Callable[[list[TrackFacts]], None] = lambda _: None) -> list[Decision]:
    decisions = []
    for at, tracks in frames:
        shuffled = list(tracks)
        order(shuffled)
        decisions.append(selection.look(at, shuffled))
    return [*decisions, selection.end_segment()]


def chosen(decisions: list[Decision]) -> list[Choice]:
    return [choice for decision in decisions for choice in decision.choices]


@both
@few
@given(frames=watched())
def test_a_frame_is_chosen_at_most_once_and_only_if_it_was_kept(name: str, frames: Watched) -> None:
    kept: set[FrameKey] = set()
    sent: list[FrameKey] = []
    for (at, _), decision in zip([*frames, (None, ())], run(make_selection(settings_of(name)), frames), strict=True):
        if at is not None:
            kept.add(at.key)
        for choice in decision.choices:
            assert choice.frame in kept, 'its picture is there'
            assert choice.track_ids == tuple(sorted(set(choice.track_ids))) and choice.track_ids
            sent.append(choice.frame)
        assert decision.keep <= kept and len(decision.keep) <= MOST_KEPT
        assert not decision.keep & set(sent)
        kept &= decision.keep
    assert len(sent) == len(set(sent))


@both
@few
@given(frames=watched())
def test_a_frame_is_chosen_for_tracks_that_qualify_in_it(name: str, frames: Watched) -> None:
    settings = settings_of(name)
    shown = {at.key: {track.track_id for track in tracks if rules.qualifies(track, settings)} for at, tracks in frames}
    for choice in chosen(run(make_selection(settings), frames)):
        assert set(choice.track_ids) <= shown[choice.frame]


@both
@few
@given(frames=watched())
def test_everybody_who_was_there_for_long_enough_is_sent(name: str, frames: Watched) -> None:
    settings = settings_of(name)
    people: dict[str | int, set[int]] = {}
    times: dict[int, list[int]] = {}
    sure: set[int] = set()
    for at, tracks in frames:
        for track in tracks:
            if track.detected:
                times.setdefault(track.track_id, []).append(at.stamp_ns)
            if track.observations >= 2 or track.object_id:
                sure.add(track.track_id)
            if rules.qualifies(track, settings):
                people.setdefault(track.track_id % 100 if track.track_id % 100 < 3 else track.track_id, set()).add(track.track_id)
    served = {track_id for choice in chosen(run(make_selection(settings), frames)) for track_id in choice.track_ids}
    for tracks_of in people.values():
        if any(times[track_id][-1] - times[track_id][0] >= 1_500_000_000 for track_id in tracks_of & sure):
            assert tracks_of & served


@both
@few
@given(frames=watched(), seed=st.integers(0, 1000))
def test_the_order_of_tracks_does_not_matter_and_the_same_input_gives_the_same(name: str, frames: Watched, seed: int) -> None:
    first = run(make_selection(settings_of(name)), frames)
    assert run(make_selection(settings_of(name)), frames, random.Random(seed).shuffle) == first


@both
@few
@given(frames=watched())
def test_after_the_end_only_objects_are_remembered_and_after_long_nothing_is(name: str, frames: Watched) -> None:
    selection = make_selection(settings_of(name))
    run(selection, frames)
    assert selection.remembered == Remembered(0, selection.remembered.objects, 0)
    assert selection.remembered.objects <= 3
    assert {holder for holder in selection._memory.states if isinstance(holder, int)} == set()  # type: ignore[attr-defined]
    selection.look(frame(100_000, segment=99), [])
    assert selection.remembered == Remembered()
    assert selection._memory.states == {}  # type: ignore[attr-defined]


@both
@few
@given(frames=watched())
def test_a_frame_is_sent_before_the_longest_delay_and_one_more_frame_are_over(name: str, frames: Watched) -> None:
    stamps = {at.key: at.stamp_ns for at, _ in frames}
    decisions = run(make_selection(settings_of(name)), frames)
    for (at, _), decision in zip(frames, decisions, strict=False):
        for choice in decision.choices:
            before = max((stamp for stamp in stamps.values() if stamp < at.stamp_ns), default=at.stamp_ns)
            assert before - stamps[choice.frame] <= 2_000_000_000


@both
def test_objects_are_bounded(name: str) -> None:
    selection = make_selection(settings_of(name))
    for number in range(_MOST_OBJECTS + 50):
        selection.look(frame(number, segment=number), [person(number, object_id=f'object-{number}')])
    assert selection.remembered.objects == _MOST_OBJECTS
    assert len(selection._memory.states) == _MOST_OBJECTS  # type: ignore[attr-defined]


@both
def test_stamps_that_go_back_begin_anew(name: str) -> None:
    selection = make_selection(settings_of(name))
    selection.look(frame(1, 10.0), [person(1)])
    decision = selection.look(frame(2, 3.0), [person(2)])
    assert [choice.frame.sequence for choice in decision.choices] == [1]
    assert selection.remembered == Remembered(1, 0, 1)


@pytest.mark.parametrize(
    ('given_', 'sentence'),
    [
        ({'score_1': 0.9, 'score_2': 0.8}, 'score_2: 0.8 found; allowed: at least score_1, which is 0.9'),
        ({'edge_1': 50, 'edge_2': 40}, 'edge_2: 40 found; allowed: at least edge_1, which is 50'),
    ],
)
def test_thresholds_are_in_order(given_: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SelectionSettings.model_validate(given_)


def test_equal_thresholds_and_the_defaults_are_allowed() -> None:
    SelectionSettings(score_1=0.8, score_2=0.8, edge_1=0.0, edge_2=0.0)
    assert PerceptionSettings().best_frames.selection == 'rules'
