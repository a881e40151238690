# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the frames that are looked at, by their stamps."""

from __future__ import annotations

_NANOSECONDS = 1_000_000_000
#: How far stamps jitter about a camera's own grid, at most.
_JITTER_NS = 20_000_000


class Pace:
    """Lets at most rate frames a second through, on average; rate in frames/s.

    Frames are due on a grid of the rate's period, and may come a little early: if one had to wait a whole period after the last
    frame, a camera of just that rate whose stamps jitter would lose every other frame.
    """

    def __init__(self, rate: float) -> None:
        self._period_ns = round(_NANOSECONDS / rate)
        self._early_ns = min(_JITTER_NS, self._period_ns // 4)
        self._due_ns: int | None = None

    def takes(self, stamp_ns: int) -> bool:
        """Whether the frame of this stamp is looked at. A clock that was set back begins a new grid."""
        due_ns = stamp_ns if self._due_ns is None else self._due_ns
        if due_ns - 2 * self._period_ns < stamp_ns < due_ns - self._early_ns:
            return False
        on_grid = -self._early_ns <= stamp_ns - due_ns <= self._period_ns
        self._due_ns = (due_ns if on_grid else stamp_ns) + self._period_ns
        return True
