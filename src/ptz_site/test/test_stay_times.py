# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what is learned about stays, and of the dwell that follows."""

import math
import random

import pytest

from ptz_site.stay_times import StayObserver, StayTimes, all_stays, suggest_dwell

S = 1_000_000_000


@pytest.mark.parametrize('watch', [4, 15, 60])
def test_short_watches_do_not_make_stays_look_short(watch: int) -> None:
    """People come and go with a mean stay of 20 s; a camera looks for a few seconds and away for the same time."""
    dice = random.Random(5)
    people = [(at := dice.uniform(0, 40_000), at + dice.expovariate(1 / 20)) for _ in range(6000)]
    observer = StayObserver()
    for begin in range(0, 40_000, 2 * watch):
        near = [(k, came, left) for k, (came, left) in enumerate(people) if came < begin + watch and left > begin]
        for step in range(watch * 2 + 1):
            now = begin + step / 2
            seen = [k for k, came, left in near if came <= now < left]
            observer.take('north', 'gate', 1, begin * S + 1, round(now * S), seen)
    stays = all_stays(observer.finish())
    assert stays.ends > 100
    assert stays.median == pytest.approx(20 * math.log(2), rel=0.25)


def test_a_track_that_was_there_when_the_camera_turned_away_has_not_ended() -> None:
    observer = StayObserver()
    for second in range(10):
        observer.take('north', 'gate', 1, 1, second * S, [7, *([8] if second < 4 else []), *([9] if second < 2 else [])])
    observer.take('north', 'road', 1, 11 * S, 12 * S, [])
    assert observer.stays() == {'gate': StayTimes(5.5 + 1.0, 1)}


def test_too_few_ends_say_nothing() -> None:
    assert StayTimes(1000.0, 7).median is None
    assert suggest_dwell(StayTimes(1000.0, 7), 3, 1.0) is None


def test_a_cycle_fits_into_the_median_stay() -> None:
    suggestion = suggest_dwell(StayTimes(3000.0, 100), 3, 1.0)
    assert suggestion is not None
    assert suggestion.dwell * 3 == pytest.approx(suggestion.median, abs=0.3)
    assert not suggestion.limited


def test_a_dwell_is_never_suggested_that_leaves_no_time_for_turns() -> None:
    suggestion = suggest_dwell(StayTimes(100.0, 100), 3, 1.5)
    assert suggestion is not None
    assert (suggestion.dwell, suggestion.limited) == (3.0, True)
