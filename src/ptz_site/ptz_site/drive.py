# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The drive of a camera that is not there: where it looks is a pure function of the commands that it got."""

from __future__ import annotations

import threading

from ptz_site.motion import PtzPosition, SlewLimits, Turn


class PtzDrive:
    """Turns at the slew rate; a command in the middle of a turn begins where the camera is then. May be used from several threads."""

    def __init__(self, start: PtzPosition, limits: SlewLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._turns: tuple[Turn, ...] = (Turn(start, start, 0, limits),)

    def go_to(self, goal: PtzPosition, at_ns: int, limits: SlewLimits | None = None) -> None:
        """Begins a turn; limits: by default those of the drive."""
        with self._lock:
            # The last but one answers for frames that were captured before the command and are asked for after it.
            self._turns = (self._turns[-1], Turn(self._at(at_ns).position(at_ns), goal, at_ns, limits or self._limits))

    def turn(self, at_ns: int) -> Turn:
        """The turn that is under way at an instant, or that has ended last."""
        with self._lock:
            return self._at(at_ns)

    def position(self, at_ns: int) -> PtzPosition:
        """Where the camera looks at an instant."""
        return self.turn(at_ns).position(at_ns)

    def is_moving(self, at_ns: int) -> bool:
        """Whether it turns at an instant."""
        turn = self.turn(at_ns)
        return turn.start_ns <= at_ns < turn.end_ns

    def _at(self, at_ns: int) -> Turn:
        newest = self._turns[-1]
        return newest if at_ns >= newest.start_ns else self._turns[0]
