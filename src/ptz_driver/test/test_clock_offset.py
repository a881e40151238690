# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's clock is measured to milliseconds although it tells whole seconds."""

from __future__ import annotations

import random

import pytest

from ptz_driver.onvif.clock_offset import ClockOffset, bounds, narrowed, next_question_ns

S, MS = 1_000_000_000, 1_000_000


def measure(true_ns: int, seed: int = 1, questions: int = 12) -> tuple[ClockOffset, int]:
    """Asks a simulated camera; the offset, and how many questions it took."""
    rng = random.Random(seed)
    now = 1_700_000_000 * S + rng.randrange(S)
    known: ClockOffset | None = None
    for count in range(1, questions + 1):
        there, back = rng.randrange(MS, 2 * MS), rng.randrange(MS, 2 * MS)
        seconds = (now + there + true_ns) // S
        known = narrowed(known, bounds(now, now + there + back, seconds))
        assert known.low_ns <= true_ns <= known.high_ns
        if known.is_fine:
            return known, count
        now = next_question_ns(known, now + 250 * MS, (there + back) // 2)
    raise AssertionError(f'not fine after {questions} questions: {known}')


@pytest.mark.parametrize('true', [0.0, 0.0004, -0.3, 0.999, 30.25, -3600.5, 86400.123])
@pytest.mark.parametrize('seed', range(5))
def test_the_offset_is_found_in_few_questions(true: float, seed: int) -> None:
    found, count = measure(round(true * S), seed)
    assert abs(found.seconds - true) <= found.uncertainty <= 0.005
    assert count <= 10


def test_a_clock_that_was_set_meanwhile_is_measured_anew() -> None:
    before = bounds(10 * S, 10 * S + MS, 10)
    after = bounds(20 * S, 20 * S + MS, 3620)
    assert narrowed(before, after) == after
