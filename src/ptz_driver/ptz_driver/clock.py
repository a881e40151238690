# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ROS time for the driver's threads."""

from __future__ import annotations

import threading

from rclpy.clock import Clock

_NANOSECONDS = 1_000_000_000
#: s; how long a thread may take to notice that simulated time went on, or that the driver ends.
_SLICE = 0.05
_SIMULATED_SLICE = 0.002
#: s; a thread that sleeps until the very instant wakes some milliseconds late on a busy machine, so it is awake before.
_AWAKE = 0.008
_AWAKE_STEP = 0.0002


class DriverClock:
    """Sleeps on the node's clock, real or simulated, and wakes when the driver ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether the driver ends."""
        return self._ended.is_set()

    def end(self) -> None:
        """Wakes everybody."""
        self._ended.set()

    def now_ns(self) -> int:
        """The present."""
        return int(self._clock.now().nanoseconds)

    def slice(self, at_ns: int, *, punctual: bool) -> float:
        """Seconds to wait before looking at the clock again on the way to an instant.

        punctual: the last milliseconds in very small steps, which cost a few percent of a core if they come ten times a second.
        """
        if self._clock.ros_time_is_active:
            return _SIMULATED_SLICE
        left = (at_ns - self.now_ns()) / _NANOSECONDS
        return min(max(_AWAKE_STEP, left - _AWAKE if punctual else left), _SLICE)

    def sleep_until(self, at_ns: int) -> bool:
        """Returns at an instant, or soon after it, or with False when the driver ends."""
        while self.now_ns() < at_ns:
            if self._ended.wait(self.slice(at_ns, punctual=False)):
                return False
        return not self._ended.is_set()

    def pause(self, seconds: float) -> bool:
        """Waits real seconds, for a device that needs them; False when the driver ends."""
        return not self._ended.wait(seconds)
