# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the choice of frames, and of the worker."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ptz_perception.pace import Pace
from ptz_perception.worker import InTurn, LatestWorker

S = 1_000_000_000


def looked_at(rate: float, stamps: list[int]) -> list[int]:
    pace = Pace(rate)
    return [stamp for stamp in stamps if pace.takes(stamp)]


@pytest.mark.parametrize(('rate', 'expected'), [(1, 20), (4, 80), (10, 200), (30, 200)])
def test_frames_come_at_the_rate_or_all_of_them_even_with_jitter(rate: float, expected: int) -> None:
    generator = np.random.default_rng(3)
    stamps = [5 * S + k * S // 10 + int(generator.normal(0, 3e6)) for k in range(200)]
    assert len(looked_at(rate, stamps)) == pytest.approx(expected, abs=2)


def test_after_a_pause_no_frames_are_made_up_for() -> None:
    pauses = [k * S // 10 for k in (*range(20), *range(100, 120))]
    assert looked_at(1, pauses) == [0, S, 10 * S, 11 * S]


def test_a_clock_that_is_set_back_does_not_stop_the_looking() -> None:
    stamps = [100 * S, 100 * S + S // 10, 3 * S, 3 * S + S // 10, 4 * S]
    assert looked_at(1, stamps) == [100 * S, 3 * S, 4 * S]


def test_the_worker_takes_the_newest_and_counts_what_it_skips() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[int] = []

    def work(item: int) -> None:
        seen.append(item)
        begun.set()
        assert go_on.wait(120)
        if item == 4:
            done.set()

    worker: LatestWorker[int] = LatestWorker(work, lambda _item, _error: None)
    worker.give(1)
    assert begun.wait(120)
    for item in (2, 3, 4):
        worker.give(item)
    assert worker.busy
    go_on.set()
    assert done.wait(120)
    worker.close()
    assert not worker.busy
    assert seen == [1, 4]
    assert worker.skipped == 2


def test_an_error_does_not_end_the_worker() -> None:
    failed: list[tuple[int, Exception]] = []
    said, done = threading.Event(), threading.Event()

    def on_error(item: int, error: Exception) -> None:
        failed.append((item, error))
        said.set()

    def work(item: int) -> None:
        if item == 0:
            raise ValueError('bad frame')
        done.set()

    worker: LatestWorker[int] = LatestWorker(work, on_error)
    worker.give(0)
    assert said.wait(120)
    worker.give(1)
    assert done.wait(120)
    worker.close()
    assert [(item, str(error)) for item, error in failed] == [(0, 'bad frame')]


def test_in_turn_every_item_is_worked_at_before_the_next_one_comes() -> None:
    done: list[int] = []
    failed: list[int] = []

    def work(item: int) -> None:
        if item == 2:
            raise ValueError('damaged')
        done.append(item)

    worker = InTurn(work, lambda item, _error: failed.append(item))
    for item in range(5):
        worker.give(item)
        assert len(done) + len(failed) == item + 1 and not worker.busy
    assert done == [0, 1, 3, 4] and failed == [2] and worker.skipped == 0
