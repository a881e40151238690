# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Work that takes longer than writing: decoding and encoding. It never holds up the receiving, or the bag."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from functools import partial

from ptz_stitcher.writer_thread import WriterThread

_MAX_BYTES = 64_000_000
_NICE = 10
#: s; what is not done so long after the end is not done at all: nobody waits for a file for minutes, least of all who ends a whole region.
_PATIENCE = 3.0


class Background:
    """Does jobs in their order, in a thread of its own; FFmpeg computes beside Python there.

    patient: jobs are done at once, by the caller, who can wait: nothing is refused. Otherwise what can't be done in time is, and counted.
    """

    def __init__(self, patient: bool, on_error: Callable[[BaseException], None]) -> None:
        self._thread = None if patient else WriterThread(on_error, _MAX_BYTES)
        self._on_error = on_error
        self._given_up = 0
        self._deadline = math.inf
        if self._thread is not None:
            self._thread.submit(0, _step_back)

    @property
    def refused(self) -> int:
        """Jobs that were not done."""
        return self._given_up + (self._thread.refused if self._thread is not None else 0)

    def submit(self, size: int, job: Callable[[], None]) -> None:
        """Gives a job that holds about so many bytes."""
        if self._thread is not None:
            self._thread.submit(size, partial(self._do, job))
            return
        try:
            job()
        except Exception as error:  # as in the thread
            self._on_error(error)

    def close(self) -> None:
        """Returns when all that was given is done, or there was no more time for it."""
        self._deadline = time.monotonic() + _PATIENCE
        if self._thread is not None:
            self._thread.close()

    def _do(self, job: Callable[[], None]) -> None:
        if time.monotonic() > self._deadline:
            self._given_up += 1
            return
        job()


def _step_back() -> None:
    """Whoever receives and writes goes first on a busy machine. Linux has a priority for each thread."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
