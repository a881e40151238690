# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that writes: what there is no room for is refused and counted, or waited for."""

from __future__ import annotations

import threading

from ptz_stitcher.writer_thread import WriterThread


def test_what_there_is_no_room_for_is_refused_and_counted() -> None:
    go_on, done = threading.Event(), []
    writer = WriterThread(lambda error: None, max_bytes=10)
    assert writer.submit(10, go_on.wait)
    assert not writer.submit(1, lambda: done.append('refused'))
    go_on.set()
    writer.close()
    assert writer.refused == 1 and not done


def test_who_is_patient_loses_nothing_even_what_is_larger_than_the_room() -> None:
    done: list[int] = []
    writer = WriterThread(lambda error: None, max_bytes=10, patient=True)
    for number in range(200):
        assert writer.submit(25 if number % 50 == 0 else 4, lambda number=number: done.append(number))
    writer.close()
    assert done == list(range(200)) and writer.refused == 0 and writer.waiting_bytes == 0
