# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the region's objects: tracks of one camera and of several that are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptz_perception.identity.news import AGAIN_NS, ObjectNews
from ptz_perception.identity.register import ObjectRegister, RegionObject, TrackKey, TrackView

S = 1_000_000_000
SESSION = 7 * S


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


RED, BLUE = unit(1, 0.1, 0), unit(0, 0.1, 1)


def view(camera: str, track: int, x: float, y: float, feature: np.ndarray | None = None, **changes: object) -> TrackView:
    key = TrackKey(camera, SESSION, track)
    found = TrackView(key, 'person', 0, 3, True, 'gate', (x, y), np.eye(2) * 0.05, feature=feature)
    return replace(found, **changes)  # type: ignore[arg-type]


def region() -> ObjectRegister:
    """Which follows nobody before telling who it is, so that one frame each is enough."""
    return ObjectRegister(ripe_ns=0)


def name(register: ObjectRegister, camera: str, track: int) -> str:
    return register.object_of(TrackKey(camera, SESSION, track))


def test_an_object_is_named_by_its_first_track_once_that_is_sure() -> None:
    register = region()
    register.take([view('north', 4, 0, 0, observations=1)], S)
    assert name(register, 'north', 4) == ''
    register.take([view('north', 4, 0, 0, observations=2, detected=False)], 3 * S // 2)
    assert name(register, 'north', 4) == ''
    register.take([view('north', 4, 0, 0, observations=2)], 2 * S)
    assert name(register, 'north', 4) == 'north-7-4'


@pytest.mark.parametrize(('stay', 'told'), [(5.0, 1.2), (60.0, 1.2), (2.0, 0.5)])
def test_who_somebody_is_is_told_when_the_track_has_settled(stay: float, told: float) -> None:
    register = ObjectRegister.for_stays(stay)
    begin = 100 * S
    register.take([view('north', 4, 0, 0, first_seen_ns=begin)], begin + round(told * S) - 1)
    assert name(register, 'north', 4) == ''
    register.take([view('north', 4, 0, 0, first_seen_ns=begin)], begin + round(told * S))
    assert name(register, 'north', 4) == 'north-7-4'


def test_a_place_that_is_far_off_for_once_is_forgiven_to_whom_one_looks_like() -> None:
    def found(feature: np.ndarray) -> bool:
        register = region()
        register.take([view('north', 1, 0, 0, RED)], S)
        register.take([view('south', 8, 3.5, 0, feature)], 2 * S)
        return name(register, 'south', 8) == name(register, 'north', 1)

    assert found(RED)
    assert not found(unit(1, 0.1, 1.5)), 'who looks as other people do'


def test_a_new_track_of_somebody_whose_old_one_is_only_predicted() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED)], S)
    lost = view('north', 1, 0.1, 0, RED, detected=False)
    register.take([lost, view('north', 2, 0.1, 0, RED)], 3 * S // 2)
    assert name(register, 'north', 2) == name(register, 'north', 1)


def test_the_next_camera_on_the_scene_sees_the_same_people() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED), view('north', 2, 3, 1, BLUE)], S)
    register.take([view('south', 8, 3.4, 1.2, BLUE), view('south', 9, 0.3, -0.4, RED)], 3 * S)
    assert name(register, 'south', 9) == name(register, 'north', 1)
    assert name(register, 'south', 8) == name(register, 'north', 2)
    assert len(list(register)) == 2


def test_appearance_decides_where_places_do_not() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED), view('north', 2, 0.6, 0, BLUE)], S)
    register.take([view('south', 8, 0.3, 0, BLUE), view('south', 9, 0.3, 0.1, RED)], 3 * S)
    assert name(register, 'south', 8) == name(register, 'north', 2)
    assert name(register, 'south', 9) == name(register, 'north', 1)


def test_somebody_far_away_or_unlike_is_somebody_else() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED)], S)
    register.take([view('south', 8, 9, 0, RED)], 2 * S)
    register.take([view('west', 5, 0.2, 0, BLUE)], 2 * S)
    assert len({name(register, 'north', 1), name(register, 'south', 8), name(register, 'west', 5)}) == 3


def test_two_tracks_of_one_picture_are_never_one_object() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED)], S)
    register.take([view('north', 1, 0, 0, RED), view('north', 2, 0.2, 0, RED)], 2 * S)
    assert name(register, 'north', 1) != name(register, 'north', 2)


def test_after_a_turn_and_back_the_camera_finds_them_again() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED, velocity=(1.0, 0.0))], S)
    register.take([view('north', 77, 6, 1, RED)], 11 * S)
    assert name(register, 'north', 77) == 'north-7-1'
    register.take([view('north', 90, 6, 1, RED)], 90 * S)
    assert name(register, 'north', 90) == 'north-7-90', 'that was too long ago'


def test_without_places_only_a_striking_likeness_in_the_same_view_joins() -> None:
    register = region()
    blind = {'ground': None, 'covariance': None}
    register.take([view('north', 1, 0, 0, RED, **blind)], S)
    register.take([view('north', 2, 0, 0, RED, **blind)], 3 * S)
    register.take([view('south', 3, 0, 0, RED, **blind)], 3 * S)
    register.take([view('north', 4, 0, 0, BLUE, **blind)], 4 * S)
    assert name(register, 'north', 2) == name(register, 'north', 1)
    assert len({name(register, 'north', 1), name(register, 'south', 3), name(register, 'north', 4)}) == 3


def test_an_object_knows_the_target_that_any_of_its_tracks_was() -> None:
    register = region()
    register.take([view('north', 1, 0, 0, RED, target='anna', target_score=0.93)], S)
    register.take([view('south', 2, 0.2, 0, RED)], 2 * S)
    (one,) = register
    assert (one.target, one.target_score, one.track.camera) == ('anna', 0.93, 'south')


def test_who_is_which_object_is_said_when_it_changes_and_now_and_then() -> None:
    def one(track: int, object_id: str = '', target: str = '') -> RegionObject:
        return RegionObject(object_id, 'person', TrackKey('north', 1, track), 'gate', 0, 0, target=target)

    news, s = ObjectNews(), 1_000_000_000
    assert news.is_due('north', [], s), 'nobody is there: also that was not known'
    assert not news.is_due('north', [], s + AGAIN_NS - 1)
    assert news.is_due('south', [], s), 'another camera'
    changes = [[one(1)], [one(1, 'a')], [one(1, 'a', 'anna')], [one(1, 'a', 'anna'), one(2)], [one(2)]]
    for k, objects in enumerate(changes):
        assert news.is_due('north', objects, 2 * s + k)
        assert not news.is_due('north', objects, 2 * s + k)
    assert news.is_due('north', changes[-1], 2 * s + AGAIN_NS + len(changes))
    assert news.is_due('north', changes[-1], s), 'the clock was set back'


def test_the_same_tracks_give_the_same_objects() -> None:
    def run() -> list[str]:
        rng = np.random.default_rng(4)
        register = region()
        for step in range(80):
            camera = ('north', 'south')[step % 2]
            views = [view(camera, 1000 * (step // 10) + k, *rng.uniform(-5, 5, 2), unit(*rng.uniform(0, 1, 3))) for k in range(4)]
            register.take(views, step * S // 2)
        return [one.object_id for one in register]

    assert run() == run()
