# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Notices that somebody else moves the camera: it leaves the place where it came to rest, without a command of ours. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import NANOSECONDS, PtzPosition


@dataclass
class Vigil:
    """tolerance: rad, and share of the magnification, that a camera at rest may seem to move. pause: s to stay away; 0: never."""

    tolerance: float
    pause: float
    _resting: PtzPosition | None = None
    _until_ns: int = 0

    def commanded(self) -> None:
        """The camera was told to turn: where it rests next is not known yet."""
        self._resting = None

    def look(self, position: PtzPosition, at_ns: int) -> bool:
        """Takes a position at rest; whether somebody else moved the camera just now."""
        before, self._resting = self._resting, position
        moved = self.pause > 0 and before is not None and not _near(position, before, self.tolerance)
        if moved:
            self._until_ns = at_ns + round(self.pause * NANOSECONDS)
        return moved

    def seconds_left(self, at_ns: int) -> float:
        """S to stay away."""
        return max(0.0, (self._until_ns - at_ns) / NANOSECONDS)


def _near(one: PtzPosition, other: PtzPosition, tolerance: float) -> bool:
    angles = abs(one.pan - other.pan) <= tolerance and abs(one.tilt - other.tilt) <= tolerance
    return angles and abs(one.zoom / other.zoom - 1) <= max(tolerance, 0.02)
