# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of following the plan, the frame grid, the watch over pictures, and the virtual drive."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_driver.backends.recorded import Window, cut_out, window
from ptz_driver.follower import ManualStay, decide
from ptz_driver.frame_grid import FrameGrid
from ptz_driver.health import Fault, PictureWatch
from ptz_site import CameraOrder, Plan, PlanBook, PlanMode, PtzDrive, PtzPosition, SlewLimits

S = 1_000_000_000


def book() -> PlanBook:
    result = PlanBook()
    result.take(Plan('r', 1, 0, PlanMode.RUNNING, 10 * S, (CameraOrder('a', ('x', 'y')),), slot_start_ns=0))
    return result


def test_a_camera_follows_the_plan_and_asks_again_at_the_next_slot() -> None:
    assert decide(book(), 'a', 3 * S).scene == 'x'
    assert decide(book(), 'a', 3 * S).next_ns == 10 * S
    assert decide(book(), 'a', 10 * S).scene == 'y'
    assert decide(PlanBook(), 'a', 0).scene == ''


def test_a_manual_stay_overrides_the_plan_and_ends() -> None:
    manual = ManualStay('z', 15 * S)
    assert decide(book(), 'a', 14 * S, manual).scene == 'z'
    assert decide(book(), 'a', 15 * S, manual).scene == 'y'


def test_the_grid_is_the_same_after_a_restart() -> None:
    first, second = FrameGrid(100, 30), FrameGrid(100, 30)
    assert [first.next_ns(t) for t in (10, 31, 140)] == [30, 130, 230]
    assert second.next_ns(431) % 100 == first.next_ns(240) % 100 == 30


def test_a_slow_camera_skips_and_counts() -> None:
    grid = FrameGrid(100)
    assert grid.next_ns(1) == 100
    assert grid.next_ns(555) == 500
    assert grid.late == 3


@given(st.lists(st.integers(1, 500), min_size=1, max_size=50))
def test_the_grid_never_gives_an_instant_twice(steps: list[int]) -> None:
    grid, now, given_ns = FrameGrid(100), 0, []
    for step in steps:
        now += step
        given_ns.append(grid.next_ns(now))
        now = max(now, given_ns[-1])
    assert given_ns == sorted(set(given_ns))
    assert (given_ns[-1] - given_ns[0]) // 100 + 1 == len(given_ns) + grid.late


def test_silence_and_a_frozen_picture_are_noticed_and_end() -> None:
    watch = PictureWatch(0, 2 * S, 5 * S)
    assert watch.fault(1 * S) is Fault.NONE
    assert watch.fault(3 * S) is Fault.NO_FRAMES
    watch.look_anew(3 * S)
    assert watch.fault(5 * S) is Fault.NONE
    assert watch.fault(5 * S + 1) is Fault.NO_FRAMES
    for second in range(4, 11):
        watch.take(second * S, b'same')
    assert watch.fault(10 * S) is Fault.FROZEN
    watch.take(11 * S, b'new')
    assert watch.fault(11 * S) is Fault.NONE


def test_a_turn_that_is_interrupted_goes_on_from_where_the_camera_is() -> None:
    drive = PtzDrive(PtzPosition(0, 0, 1), SlewLimits(1.0, 1000.0, 1.0))
    drive.go_to(PtzPosition(10, 0, 1), 0)
    halfway = drive.position(5 * S)
    drive.go_to(PtzPosition(0, 0, 1), 5 * S)
    assert drive.position(5 * S) == halfway
    assert halfway.pan == pytest.approx(5, abs=0.01)
    # A frame from before the second command is asked for after it.
    assert drive.position(4 * S).pan == pytest.approx(4, abs=0.01)
    assert drive.is_moving(6 * S)
    assert not drive.is_moving(20 * S)


def test_panning_left_moves_the_window_left_and_tilting_up_moves_it_up() -> None:
    hfov = math.radians(60)
    middle = window(PtzPosition(0, 0, 2), (640, 480), (320, 240), hfov)
    assert middle == Window(160, 120, 320, 240)
    assert window(PtzPosition(0.1, 0, 2), (640, 480), (320, 240), hfov).x < middle.x
    assert window(PtzPosition(0, 0.1, 2), (640, 480), (320, 240), hfov).y < middle.y


@given(st.floats(-1.4, 1.4), st.floats(-1.4, 1.4), st.floats(1, 10))
def test_the_window_stays_inside_the_picture(pan: float, tilt: float, zoom: float) -> None:
    part = window(PtzPosition(pan, tilt, zoom), (360, 288), (1280, 720), 1.0)
    assert -1e-6 <= part.x <= 360 - part.width + 1e-6
    assert -1e-6 <= part.y <= 288 - part.height + 1e-6
    assert part.width / part.height == pytest.approx(1280 / 720)


def test_what_is_cut_out_is_what_the_window_shows() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:50] = 200
    assert (cut_out(picture, Window(30, 10, 20, 10), (20, 10)) == 200).all()
    assert (cut_out(picture, Window(0, 0, 28, 8), (56, 16)) == 0).all()
