# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of how a camera turns."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_site import PtzPosition, SlewLimits, Turn, turn_time

S = 1_000_000_000
LIMITS = SlewLimits(speed=1.0, acceleration=2.0, zoom_rate=1.0)


def test_a_long_turn_takes_the_angle_at_top_speed_and_one_ramp() -> None:
    # v = 1, a = 2: ramps of 0.5 s; 3 rad take 3 / 1 + 0.5 s.
    assert turn_time(PtzPosition(0, 0, 1), PtzPosition(3, 0, 1), LIMITS) == pytest.approx(3.5)


def test_a_short_turn_never_reaches_top_speed() -> None:
    # 0.125 rad = 2 * (1/2 * 2 * t^2) with t = 0.25 s.
    assert turn_time(PtzPosition(0, 0, 1), PtzPosition(0.125, 0, 1), LIMITS) == pytest.approx(0.5)


def test_the_slowest_axis_decides() -> None:
    assert turn_time(PtzPosition(0, 0, 1), PtzPosition(0.1, 0, 8), LIMITS) == pytest.approx(3.0)


def test_no_way_takes_no_time() -> None:
    assert turn_time(PtzPosition(1, 1, 2), PtzPosition(1, 1, 2), LIMITS) == 0


positions = st.builds(PtzPosition, st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(1, 30))


@given(positions, positions)
def test_a_turn_begins_at_its_origin_ends_at_its_goal_and_keeps_the_limits(origin: PtzPosition, goal: PtzPosition) -> None:
    turn = Turn(origin, goal, 5 * S, LIMITS)
    start = turn.position(5 * S)
    assert (start.pan, start.tilt, start.zoom) == pytest.approx((origin.pan, origin.tilt, origin.zoom))
    assert turn.position(turn.end_ns) == goal
    step = max(1, (turn.end_ns - turn.start_ns) // 50)
    for at in range(turn.start_ns, turn.end_ns, step):
        now, then = turn.position(at), turn.position(at + step)
        assert abs(then.pan - now.pan) <= LIMITS.speed * step / S + 1e-9
        assert abs(math.log2(then.zoom / now.zoom)) <= LIMITS.zoom_rate * step / S + 1e-9
        assert abs(goal.pan - then.pan) <= abs(goal.pan - now.pan) + 1e-9
