# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of when a camera counts as arrived, also one that tells little or lies."""

from ptz_driver.arrival import ArrivalSource, ArrivalWatch, PtzStatus, Verdict
from ptz_site import PtzPosition

MS = 1_000_000
GOAL = PtzPosition(1.0, 0.2, 2.0)
FAR = PtzPosition(0.0, 0.2, 2.0)


def watch(goal: PtzPosition | None = GOAL) -> ArrivalWatch:
    return ArrivalWatch(0, goal, 5000 * MS)


def test_moving_then_idle_is_an_arrival() -> None:
    w = watch(None)
    assert w.look(PtzStatus(10 * MS, None, True)) is Verdict.TURNING
    assert w.look(PtzStatus(900 * MS, None, False)) is Verdict.ARRIVED
    assert w.source is ArrivalSource.STATUS


def test_idle_before_it_began_to_move_is_not() -> None:
    assert watch().look(PtzStatus(5 * MS, FAR, False)) is Verdict.TURNING


def test_idle_at_the_goal_without_having_moved_is() -> None:
    w = watch()
    assert w.look(PtzStatus(5 * MS, GOAL, False)) is Verdict.ARRIVED
    assert w.source is ArrivalSource.POSITION


def test_a_camera_that_never_says_it_stopped_arrives_by_position() -> None:
    w = watch()
    assert w.look(PtzStatus(500 * MS, GOAL, True)) is Verdict.TURNING
    assert w.look(PtzStatus(600 * MS, GOAL, True)) is Verdict.TURNING
    assert w.look(PtzStatus(701 * MS, GOAL, True)) is Verdict.ARRIVED
    assert w.source is ArrivalSource.POSITION


def test_passing_through_the_goal_is_not_arriving() -> None:
    w = watch()
    w.look(PtzStatus(500 * MS, GOAL, None))
    assert w.look(PtzStatus(600 * MS, FAR, None)) is Verdict.TURNING
    assert w.look(PtzStatus(710 * MS, GOAL, None)) is Verdict.TURNING


def test_a_camera_that_does_not_come_is_too_late() -> None:
    assert watch().look(PtzStatus(5001 * MS, FAR, True)) is Verdict.TOO_LATE
