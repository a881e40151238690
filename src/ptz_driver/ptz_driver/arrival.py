# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Decides when a camera has arrived, from what it says of itself. Times in ns, angles in rad."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from ptz_site import PtzPosition


class ArrivalSource(IntEnum):
    """How the arrival was noticed. Values as in CameraState.msg."""

    NONE = 0
    STATUS = 1
    POSITION = 2
    PICTURE = 3


class Verdict(Enum):
    """Where a turn is."""

    TURNING = 'turning'
    ARRIVED = 'arrived'
    TOO_LATE = 'too late'


@dataclass(frozen=True)
class PtzStatus:
    """What a camera says of itself at an instant. None: it does not say.

    still: whether its picture stands still after it turned; None while the camera itself says enough.
    """

    at_ns: int
    position: PtzPosition | None
    moving: bool | None
    still: bool | None = None


@dataclass
class ArrivalWatch:
    """Watches one turn. tolerance: rad for pan and tilt, and share of the magnification."""

    commanded_ns: int
    goal: PtzPosition | None
    limit_ns: int
    tolerance: float = 0.003
    settle_ns: int = 200_000_000
    source: ArrivalSource = ArrivalSource.NONE
    _was_moving: bool = False
    _near_since_ns: int | None = None

    def look(self, status: PtzStatus) -> Verdict:
        """Takes a status reading; readings come in the order of time."""
        near = status.position is not None and self.goal is not None and self._near(status.position, self.goal)
        if status.moving:
            self._was_moving = True
        elif status.moving is False and (near or (self._was_moving and not self._contradicted(status))):
            self.source = ArrivalSource.STATUS if self._was_moving else ArrivalSource.POSITION
            return Verdict.ARRIVED
        if not near:
            self._near_since_ns = None
        elif self._near_since_ns is None:
            self._near_since_ns = status.at_ns
        elif status.at_ns - self._near_since_ns >= self.settle_ns:
            # It has been there for a while; some cameras never say that they stopped.
            self.source = ArrivalSource.POSITION
            return Verdict.ARRIVED
        if status.still:
            self.source = ArrivalSource.PICTURE
            return Verdict.ARRIVED
        return Verdict.TOO_LATE if status.at_ns - self.commanded_ns > self.limit_ns else Verdict.TURNING

    def _contradicted(self, status: PtzStatus) -> bool:
        """Whether the camera says that it stands, but somewhere else: it paused, or was stopped on the way."""
        return status.position is not None and self.goal is not None

    def _near(self, position: PtzPosition, goal: PtzPosition) -> bool:
        return (
            abs(position.pan - goal.pan) <= self.tolerance
            and abs(position.tilt - goal.tilt) <= self.tolerance
            and abs(position.zoom - goal.zoom) <= max(self.tolerance, 0.01) * goal.zoom
        )
