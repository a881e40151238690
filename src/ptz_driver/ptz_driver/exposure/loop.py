# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that does what the exposure rule says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from ptz_driver.backends.base import BackendError, ExposureControl
from ptz_driver.clock import DriverClock
from ptz_driver.exposure.machine import ExposureMachine, State, Step
from ptz_driver.health import Fault
from ptz_site import ExposureRule

_PERIOD = 0.1
_RETRY = 5.0


class ExposureLoop:
    """One camera's exposure. arrivals: counts its arrivals at presets."""

    def __init__(self, rule: ExposureRule, camera: ExposureControl, clock: DriverClock, arrivals: Callable[[], int]) -> None:
        self._rule, self._camera, self._clock, self._arrivals = rule, camera, clock, arrivals
        self._machine: ExposureMachine | None = None
        self._impossible = False
        self._thread = threading.Thread(target=self._run, name='exposure', daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the thread, after the clock has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    @property
    def possible(self) -> bool:
        """Whether the camera can be set to a fixed exposure, as far as is known."""
        return not self._impossible and (self._machine is None or self._machine.state is not State.IMPOSSIBLE)

    @property
    def text(self) -> str:
        """One sentence for the diagnostics."""
        if self._impossible:
            return "left on automatic: the camera's exposure can't be set"
        machine = self._machine
        if machine is None:
            return 'waits for the camera'
        setting = f'fixed at 1/{1 / machine.time:.0f} s and {machine.gain:.1f} dB'
        text = setting if machine.state is State.MANUAL else machine.state.value
        return f'{text}: {machine.note}' if machine.note else text

    def values(self) -> Mapping[str, object]:
        """Figures for the diagnostics."""
        return {} if self._machine is None else {'state': self._machine.state.name, 'gain': f'{self._machine.gain:.1f}'}

    def _run(self) -> None:
        while self._clock.pause(_PERIOD if self._machine is not None else _PERIOD * 5):
            try:
                if self._machine is None:
                    self._begin()
                else:
                    self._step(self._machine)
            except BackendError as error:
                if self._machine is None:
                    if not self._clock.pause(_RETRY):
                        return
                elif error.fault is Fault.REFUSED:
                    self._machine.refused(self._clock.now_ns())
                else:
                    self._machine.failed(self._clock.now_ns())

    def _begin(self) -> None:
        limits = self._camera.limits()
        if limits is None:
            # Asked again, because a camera may say so while it starts.
            self._impossible = True
            self._clock.pause(_RETRY)
        else:
            self._impossible, self._machine = False, ExposureMachine(self._rule, limits)

    def _step(self, machine: ExposureMachine) -> None:
        now = self._clock.now_ns()
        step = machine.due(now, self._arrivals())
        if step is Step.LOOK:
            reading, brightness = self._camera.read(), self._camera.brightness()
            machine.looked(self._clock.now_ns(), reading, brightness)
        elif step is Step.SET_AUTOMATIC:
            self._camera.set_automatic()
            machine.done(self._clock.now_ns())
        elif step is Step.SET_MANUAL:
            self._camera.set_manual(machine.time, machine.gain)
            machine.done(self._clock.now_ns())
