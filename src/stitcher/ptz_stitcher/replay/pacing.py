# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""When a recording's messages are due at some speed. Times in, times out; ns of ROS time, s of a clock that nobody sets."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import NANOSECONDS

#: A gap in a recording, as between two runs, is not waited for.
LONGEST_GAP_NS = 10 * NANOSECONDS


@dataclass
class Pace:
    """rate: seconds of the recording in a second."""

    rate: float
    _at_ns: int = 0
    _due: float | None = None

    def due(self, at_ns: int, now: float) -> float:
        """When a message of this time is due; give them in order. It may be over: then at once."""
        if self._due is None:
            self._due = now
        else:
            gap_ns = max(0, at_ns - self._at_ns)
            self._due = now if gap_ns > LONGEST_GAP_NS else self._due + gap_ns / NANOSECONDS / self.rate
        self._at_ns = max(self._at_ns, at_ns)
        return self._due

    def recording_ns(self, now: float) -> int:
        """The time in the recording, up to the message that is due next."""
        assert self._due is not None
        return self._at_ns - max(0, round((self._due - now) * self.rate * NANOSECONDS))
