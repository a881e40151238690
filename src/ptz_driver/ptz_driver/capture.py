# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that reads the camera's frames; it connects again, with growing pauses, when they stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ptz_driver.backends.base import BackendError, CameraBackend, CapturedFrame
from ptz_driver.clock import DriverClock
from ptz_driver.health import Fault, PictureWatch

_NANOSECONDS = 1_000_000_000
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 2.0
#: From one question for faults to the next: if it takes longer, this process stood still, and pictures wait to be read.
_STOOD_STILL_NS = _NANOSECONDS


class Capture:
    """Hands every frame to on_frame, in this thread. The backend is open when it starts."""

    def __init__(
        self, backend: CameraBackend, clock: DriverClock, period: float, on_frame: Callable[[CapturedFrame], None]
    ) -> None:
        self._backend, self._clock, self._on_frame = backend, clock, on_frame
        self._lock = threading.Lock()
        self._watch = PictureWatch(clock.now_ns(), round(max(2.0, 5 * period) * _NANOSECONDS))
        self._asked_ns = clock.now_ns()
        self._error, self._fault = '', Fault.NONE
        self._came = False
        self.reconnects = 0
        self._thread = threading.Thread(target=self._run, name='capture', daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the thread, after the clock has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def fault(self) -> tuple[Fault, str]:
        """What is wrong with the pictures now, and a sentence that says so. Asked at least twice a second."""
        now = self._clock.now_ns()
        with self._lock:
            if now - self._asked_ns > _STOOD_STILL_NS:
                self._watch.look_anew(now)
            self._asked_ns = now
            fault, silence, error = self._watch.fault(now), self._watch.silence(now), self._error
            reason = self._fault
        if error:
            return reason, error
        if fault is Fault.NO_FRAMES:
            return fault, f'no frame for {silence:.0f} s; check the camera and its connection'
        if fault is Fault.FROZEN:
            return fault, 'the same picture again and again; restart the camera'
        if fault is Fault.BLACK:
            return fault, 'the picture is black; check the lens, and the light'
        return Fault.NONE, ''

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._clock.ended:
            try:
                frame = self._backend.read()
                if frame is None:
                    return
                with self._lock:
                    self._see(frame)
                    self.reconnects += bool(self._error and self._came)
                    self._error, self._came = '', True
                pause = _FIRST_PAUSE
                self._on_frame(frame)
            except BackendError as error:
                with self._lock:
                    self._error, self._fault = str(error), error.fault
                if not self._clock.pause(pause):
                    return
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _see(self, frame: CapturedFrame) -> None:
        # By when it came, not by when it was captured: late pictures are another matter.
        now = self._clock.now_ns()
        if frame.look is not None:
            self._watch.looked(now, frame.look.same, frame.look.black)
        elif frame.encoding == 'jpeg':
            self._watch.take(now, frame.data)
        else:
            self._watch.came(now)
