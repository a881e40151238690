# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what a camera does about its targets: hold, keep alive, hand off, take over, let go."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ptz_perception.holding.holder import AskHandoff, BeginHold, EndHold, HoldEnd, Holder, KeepAlive, Sighting
from ptz_site import CameraPose, Hold
from ptz_site.schema import HoldLimits, RecognitionSettings

S = 1_000_000_000
FEATURE = np.array([0.6, 0.8], np.float32)
ANNA = Sighting('anna', '#ff0000', 'box', True, FEATURE, (0.0, 0.0), None)
#: The camera looks from the east; who walks west walks away.
POSE = CameraPose(10.0, 0.0, 6.0, 0.0)
WEST, EAST = math.pi, 0.0


def make_holder(pose: CameraPose | None = POSE) -> Holder:
    return Holder('north', RecognitionSettings(lost_after=3, turned_away=100, steady=0.5), HoldLimits(holder_timeout=4), pose)


def held(**changes: object) -> Hold:
    hold = Hold('hold-1', 'north', 'gate', 'anna', feature=(0.6, 0.8), mark_colour='#ff0000', mark_shape='box', kept_alive=True)
    return replace(hold, **changes)  # type: ignore[arg-type]


def holding(pose: CameraPose | None = POSE) -> Holder:
    holder = make_holder(pose)
    (begin,) = holder.see([ANNA], 'gate', (), S)
    assert begin == BeginHold('anna', 'gate', '#ff0000', 'box', pytest.approx((0.6, 0.8)))
    assert holder.held('anna', 'hold-1')
    return holder


def test_a_target_is_held_once_and_kept_alive_while_it_is_seen() -> None:
    holder = holding()
    said = []
    for step in range(40):
        now = S + step * S // 5
        assert holder.see([ANNA], 'gate', (held(),), now) == []
        said += [(step, one) for one in holder.pass_time((held(),), now)]
    assert {one for _, one in said} == {KeepAlive('hold-1')}
    steps = [step for step, _ in said]
    assert max(b - a for a, b in pairwise(steps)) <= 10, 'at least twice in holder_timeout'


def test_out_of_view_for_long_enough_it_is_let_go() -> None:
    holder = holding()
    for tenth in range(30):
        assert not any(isinstance(one, EndHold) for one in holder.pass_time((held(),), S + tenth * S // 10))
    assert EndHold('anna', 'hold-1') in holder.pass_time((held(),), 4 * S + 1)
    assert holder.holding == {}
    holder.ended('anna', HoldEnd.LET_GO, 5 * S)
    assert isinstance(holder.see([ANNA], 'gate', (), 6 * S)[0], BeginHold), 'it is seen again: a new hold'


def test_a_target_that_another_camera_holds_or_that_is_only_marked_is_not_held() -> None:
    holder = make_holder()
    assert holder.see([ANNA], 'gate', (held(camera='south'),), S) == []
    assert holder.see([replace(ANNA, hold=False)], 'gate', (), S) == []


def test_what_people_ended_does_not_begin_again_at_once() -> None:
    holder = holding()
    holder.ended('anna', HoldEnd.OVER, 2 * S)
    assert holder.see([ANNA], 'gate', (), 10 * S) == []
    assert len(holder.see([ANNA], 'gate', (), 40 * S)) == 1


def test_what_was_refused_is_asked_again_soon() -> None:
    holder = make_holder()
    holder.see([ANNA], 'gate', (), S)
    holder.ended('anna', HoldEnd.REFUSED, S)
    assert holder.see([ANNA], 'gate', (), 2 * S) == []
    assert len(holder.see([ANNA], 'gate', (), 3 * S + 1)) == 1


def test_when_the_coordinator_is_gone_the_hold_goes_on_with_the_next_one() -> None:
    holder = holding()
    holder.ended('anna', HoldEnd.COORDINATOR_GONE, 2 * S)
    begun = []
    for step in range(15):
        now = 2 * S + step * S // 5
        holder.see([ANNA], 'gate', (held(),), now)
        begun += [one for one in holder.pass_time((held(),), now) if isinstance(one, BeginHold)]
    assert [one.hold_id for one in begun] == ['hold-1']


def test_who_walks_away_for_long_enough_is_handed_off_once() -> None:
    holder = holding()
    away = replace(ANNA, heading=WEST)
    assert holder.see([away], 'gate', (held(),), 2 * S) == []
    assert holder.see([away], 'gate', (held(),), 2 * S + S // 4) == []
    (asked,) = holder.see([away], 'gate', (held(),), 2 * S + S // 2)
    assert isinstance(asked, AskHandoff)
    assert (asked.hold_id, asked.heading, asked.ground) == ('hold-1', WEST, (0.0, 0.0))
    assert holder.see([away], 'gate', (held(),), 3 * S) == [], 'it is under way'
    holder.handoff_ended('anna', 2.0, 3 * S)
    assert holder.see([away], 'gate', (held(),), 4 * S) == []
    assert len(holder.see([away], 'gate', (held(),), 5 * S + 1)) == 1


def test_what_was_refused_is_asked_again_at_once_when_the_target_has_turned() -> None:
    holder = holding()
    margin = math.radians(HoldLimits().handoff_margin)

    def ask(heading: float, tenths: int) -> list[object]:
        away = replace(ANNA, heading=heading)
        return [one for one in holder.see([away], 'gate', (held(),), tenths * S // 10) if isinstance(one, AskHandoff)]

    assert [len(ask(WEST, tenths)) for tenths in (20, 25, 30)] == [0, 1, 0]
    holder.handoff_ended('anna', 5.0, 31 * S // 10, or_turned=True)
    assert ask(WEST - margin / 2, 32) == [], 'it has hardly turned'
    assert len(ask(WEST - 1.1 * margin, 33)) == 1
    holder.handoff_ended('anna', 5.0, 34 * S // 10)
    assert ask(WEST - 3 * margin, 35) == [], 'refused for another reason: it is too soon'


def test_who_comes_towards_the_camera_or_stands_is_not_handed_off() -> None:
    holder = holding()
    for step in range(20):
        heading = (EAST, WEST, None)[step % 3]
        assert holder.see([replace(ANNA, heading=heading)], 'gate', (held(),), 2 * S + step * S // 4) == []


def test_without_a_pose_nobody_is_handed_off() -> None:
    holder = holding(None)
    for step in range(10):
        assert holder.see([replace(ANNA, heading=WEST)], 'gate', (held(),), 2 * S + step * S) == []


def test_a_hold_that_was_handed_to_this_camera_is_taken_over_with_its_mark() -> None:
    holder = make_holder()
    begin, alive = holder.pass_time((held(mark_shape='triangle'),), S)
    assert alive == KeepAlive('hold-1')
    assert isinstance(begin, BeginHold)
    assert (begin.hold_id, begin.target, begin.scene, begin.mark_shape) == ('hold-1', 'anna', 'gate', 'triangle')
    assert begin.feature == pytest.approx((0.6, 0.8))
    assert not any(isinstance(one, BeginHold) for one in holder.pass_time((held(),), S + S // 10))
    assert EndHold('anna', 'hold-1') in holder.pass_time((held(),), 5 * S), 'it never came into view here'


def test_a_target_that_is_seen_before_its_hold_is_taken_over_is_not_held_twice() -> None:
    holder = make_holder()
    asked = holder.see([ANNA], 'gate', (held(since_ns=S, taken_over_ns=2 * S),), 2 * S)
    assert [(one.target, one.hold_id) for one in asked if isinstance(one, BeginHold)] == [('anna', 'hold-1')]


def test_a_hold_that_was_let_go_is_not_taken_up_from_the_plan_that_still_has_it() -> None:
    holder = holding()
    old, handed_back = held(since_ns=S), held(since_ns=S, taken_over_ns=9 * S)
    assert EndHold('anna', 'hold-1') in holder.pass_time((old,), 5 * S)
    assert holder.pass_time((old,), 5 * S + S // 20) == []
    holder.ended('anna', HoldEnd.LET_GO, 5 * S + S // 10)
    assert holder.pass_time((old,), 6 * S) == []
    assert isinstance(holder.pass_time((handed_back,), 9 * S)[0], BeginHold)


def test_operators_holds_are_not_taken_over() -> None:
    assert make_holder().pass_time((held(kept_alive=False), held(target='')), S) == []


def test_a_name_that_comes_too_late_is_not_wanted() -> None:
    assert not make_holder().held('anna', 'hold-1')
