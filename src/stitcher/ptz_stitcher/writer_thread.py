# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One thread that writes, fed through a bounded queue: a slow disk never blocks the receiving of frames."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class WriterThread:
    """Runs jobs in the order in which they were given. Jobs beyond max_bytes that wait are refused and counted.

    patient: who gives one is held up instead, until there is room; nothing is refused.
    """

    def __init__(self, on_error: Callable[[BaseException], None], max_bytes: int = 256_000_000, patient: bool = False) -> None:
        self._jobs: queue.Queue[tuple[int, Callable[[], None]] | None] = queue.Queue()
        self._on_error = on_error
        self._max_bytes = max_bytes
        self._patient = patient
        self._lock = threading.Condition()
        self._waiting_bytes = 0
        self.refused = 0
        self._thread = threading.Thread(target=self._run, name='writer', daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be written."""
        with self._lock:
            return self._waiting_bytes

    def submit(self, size: int, job: Callable[[], None]) -> bool:
        """Gives a job of about so many bytes. False if there is no room: the job is not done then."""
        with self._lock:
            while self._patient and self._waiting_bytes > 0 and self._waiting_bytes + size > self._max_bytes:
                self._lock.wait()
            if not self._patient and self._waiting_bytes + size > self._max_bytes:
                self.refused += 1
                return False
            self._waiting_bytes += size
        self._jobs.put((size, job))
        return True

    def close(self) -> None:
        """Returns when all that was given is done."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            size, job = entry
            try:
                job()
            except Exception as error:
                self._on_error(error)
            with self._lock:
                self._waiting_bytes -= size
                self._lock.notify_all()
