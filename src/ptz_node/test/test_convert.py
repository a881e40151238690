# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the conversions between messages and values."""

import pytest
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st

from ptz_node.convert import duration_from_ns, duration_to_ns, plan_from_msg, plan_to_msg, time_from_ns, time_to_ns
from ptz_node.images import decode, encode_jpeg
from ptz_site import CameraOrder, Hold, Plan, PlanMode

names = st.from_regex(r'[a-z][a-z0-9_]{0,8}', fullmatch=True)
instants = st.integers(0, 2**31 * 10**9 - 1)
plans = st.builds(
    Plan,
    region=names,
    revision=st.integers(1, 2**63),
    effective_at_ns=instants,
    mode=st.sampled_from(PlanMode),
    dwell_ns=st.integers(1, 10**13),
    orders=st.lists(st.builds(CameraOrder, names, st.lists(names).map(tuple))).map(tuple),
    first_slot=st.integers(0, 2**40),
    slot_start_ns=instants,
    slot_elapsed_ns=st.integers(0, 10**13),
    end_slot=st.integers(0, 2**40),
    holds=st.lists(st.builds(Hold, names, names, names, since_ns=instants)).map(tuple),
    coordinator=names,
    reason=st.text(max_size=20),
)


@given(plans)
def test_a_plan_survives_its_message(plan: Plan) -> None:
    assert plan_from_msg(plan_to_msg(plan)) == plan


def test_a_contradicting_plan_is_refused() -> None:
    message = plan_to_msg(Plan('r', 1, 0, PlanMode.RUNNING, 1, ()))
    message.dwell = duration_from_ns(0)
    with pytest.raises(ValueError, match='dwell'):
        plan_from_msg(message)


@given(instants)
def test_times_keep_their_nanoseconds(ns: int) -> None:
    assert time_to_ns(time_from_ns(ns)) == ns
    assert duration_to_ns(duration_from_ns(ns)) == ns


def test_the_zero_time_stays_zero() -> None:
    assert time_to_ns(Time()) == 0


def test_what_is_no_picture_is_said_so() -> None:
    with pytest.raises(ValueError, match='not a picture'):
        decode(b'no picture')


def test_a_picture_survives_its_jpeg() -> None:
    import numpy as np

    picture = np.full((48, 64, 3), (10, 120, 240), np.uint8)
    assert np.abs(decode(encode_jpeg(picture, 95)).astype(int) - picture).max() <= 4
