# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that came are known to have come, in whatever order, and cost what their gaps cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ptz_stitcher.number_set import NumberSet


@given(st.lists(st.integers(0, 40)))
def test_it_is_a_set(numbers: list[int]) -> None:
    seen: set[int] = set()
    of = NumberSet()
    for number in numbers:
        assert of.add(number) == (number not in seen)
        seen.add(number)


def test_what_follows_each_other_costs_nothing() -> None:
    of = NumberSet()
    for stay in range(100):
        for number in range(1000 * stay, 1000 * stay + 250):
            assert of.add(number)
    assert len(of._firsts) == 100
    assert not of.add(99_001)


def test_the_lowest_are_forgotten() -> None:
    of = NumberSet()
    for number in range(0, 40_000, 2):
        of.add(number)
    assert len(of._firsts) == 10_000
    assert not of.add(39_998)
