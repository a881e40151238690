# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""At which instants a camera takes its pictures: a grid in ROS time, the same after every restart. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FrameGrid:
    """Instants phase + k * period. late: grid points that had passed by more than a period before they could be taken."""

    period_ns: int
    phase_ns: int = 0
    late: int = 0
    _last_index: int | None = None

    def next_ns(self, now_ns: int) -> int:
        """The next instant to take a picture at; may lie in the past by less than a period."""
        current = (now_ns - self.phase_ns) // self.period_ns
        if self._last_index is None or current < self._last_index - 1:
            # The first picture, or the clock was set back.
            index = current + 1
        else:
            index = self._last_index + 1
            if current > index:
                self.late += current - index
                index = current
        self._last_index = index
        return self.phase_ns + index * self.period_ns
