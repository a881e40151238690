# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times: right within what can be known, always growing, and never led astray by a camera's wrong clock."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptz_driver.backends.base import StampSource
from ptz_driver.stream.stamps import StampEstimator

S, MS = 1_000_000_000, 1_000_000


def run(
    estimator: StampEstimator,
    seed: int,
    *,
    seconds: float = 60.0,
    period: float = 0.1,
    drift: float = 0.0,
    reports: float | None = None,
    jitter: float = 0.005,
    delay: float = 0.02,
    begin: float = 0.0,
) -> list[tuple[int, int]]:
    """Pictures (true capture time, stamp). drift: of the stream's clock; reports: s that the camera's own clock is ahead, None: it sends none."""
    rng = random.Random(seed)
    found = []
    for k in range(round(seconds / period)):
        true = round((1_000_000 + begin + k * period) * S)
        pts = round((begin + k * period) * (1 + drift) * S) + 12_345 * S
        # A picture is complete when the next one begins.
        arrival = true + round((period + delay + rng.expovariate(1 / jitter)) * S)
        reported = None if reports is None or k < 2 else true + round(reports * S)
        found.append((true, estimator.take(pts, arrival, reported)))
    return found


@pytest.mark.parametrize('drift', [0.0, 80e-6, -80e-6])
def test_sender_reports_give_the_capture_time(drift: float) -> None:
    estimator = StampEstimator()
    found = run(estimator, 1, drift=drift, reports=0.0)
    assert estimator.source is StampSource.SENDER_REPORT
    assert max(abs(stamp - true) for true, stamp in found[20:]) < 1 * MS
    assert estimator.uncertainty < 0.01


@pytest.mark.parametrize('drift', [0.0, 80e-6, -80e-6])
def test_without_reports_the_smallest_delay_is_taken_for_the_networks(drift: float) -> None:
    estimator = StampEstimator()
    found = run(estimator, 2, drift=drift, seconds=120)
    assert estimator.source is StampSource.ARRIVAL
    errors = [stamp - true for true, stamp in found[50:]]
    # The delay that every picture has can't be seen; what jitters is gone.
    assert all(15 * MS < error < 30 * MS for error in errors), (min(errors) / MS, max(errors) / MS)


@pytest.mark.parametrize('ahead', [30.0, -30.0, 3600.0, 0.5])
def test_reports_of_a_wrong_clock_are_not_believed(ahead: float) -> None:
    estimator = StampEstimator()
    found = run(estimator, 3, reports=ahead)
    assert estimator.source is StampSource.ARRIVAL
    assert all(abs(stamp - true) < 40 * MS for true, stamp in found[20:])


def test_a_wrong_first_report_changes_nothing() -> None:
    """FFmpeg's first capture time is one period off."""
    estimator = StampEstimator()
    stamps = []
    for k in range(100):
        true = 1_000_000 * S + k * S // 10
        reported = None if k < 3 else true + (S // 10 if k == 3 else 0)
        stamps.append((true, estimator.take(k * S // 10, true + 120 * MS, reported)))
    assert max(abs(stamp - true) for true, stamp in stamps[10:]) < 1 * MS


def test_a_camera_that_starts_again_is_followed_at_once() -> None:
    estimator = StampEstimator()
    run(estimator, 4, seconds=20, reports=0.0)
    estimator.restart()
    assert estimator.source is StampSource.UNKNOWN
    found = run(estimator, 5, seconds=20, begin=100.0, reports=0.0)
    assert max(abs(stamp - true) for true, stamp in found[20:]) < 1 * MS


def test_a_pause_without_pictures_does_no_harm() -> None:
    estimator = StampEstimator()
    run(estimator, 6, seconds=20)
    found = run(estimator, 7, seconds=20, begin=60.0)
    assert all(abs(stamp - true) < 40 * MS for true, stamp in found)


@given(
    seed=st.integers(0, 10_000),
    drift=st.floats(-300e-6, 300e-6),
    jitter=st.floats(0.0005, 0.08),
    reports=st.none() | st.floats(-0.01, 0.05),
    period=st.sampled_from([0.04, 0.1, 0.5]),
)
@settings(max_examples=60, deadline=None)
def test_stamps_grow_and_intervals_are_those_of_the_stream(
    seed: int, drift: float, jitter: float, reports: float | None, period: float
) -> None:
    found = run(StampEstimator(), seed, seconds=30, drift=drift, jitter=jitter, reports=reports, period=period)
    stamps = [stamp for _, stamp in found]
    assert all(after > before for before, after in itertools.pairwise(stamps))
    # Slewed by 500 ppm at most, beside the stream's own drift; the first pictures may be moved while the source is found.
    for before, after in itertools.pairwise(stamps[60:]):
        assert abs((after - before) / S - period) < 0.001 * period + 1e-4
