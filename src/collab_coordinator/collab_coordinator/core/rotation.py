# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a rotation is asked for, how it goes, and how it ends: the values around the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from collab_coordinator.core.coverage import Coverage
from collab_coordinator.core.stays import StayStatistics
from ptz_site import NANOSECONDS


class RotationError(IntEnum):
    """How a rotation ended. Values as in RunRotation.action."""

    NONE = 0
    BUSY = 100
    BAD_DWELL = 101
    NO_CAMERAS = 102
    NOTHING_TO_WATCH = 103
    CLOCK_OFFSET = 104
    CANCELED = 105
    SHUTDOWN = 106
    BAD_GOAL = 107
    SUPERSEDED = 108
    ASKED_AGAIN = 109


class RotationState(Enum):
    """Where a rotation is in its life."""

    GATHERING = 'gathering'  # waits for the cameras' first reports
    STARTED = 'started'  # the plan is out; before slot 0 the cameras take up their first scenes
    ENDED = 'ended'


@dataclass(frozen=True)
class RotationRequest:
    """What is asked for. start_ns 0: as soon as the cameras are ready; slots and cycles 0: without end."""

    dwell_ns: int
    start_ns: int = 0
    slots: int = 0
    cycles: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a rotation ended, what was covered, and how equal the stays were."""

    error: RotationError
    message: str = ''
    slots: int = 0
    coverage: tuple[Coverage, ...] = ()
    stays: StayStatistics = field(default_factory=StayStatistics)


@dataclass(frozen=True)
class Progress:
    """How a rotation goes, at one instant. Fields as in the feedback of RunRotation.action, times in ns."""

    running: bool
    held: bool
    elapsed_ns: int
    slot: int
    slots: int
    slot_left_ns: int
    plan_revision: int
    assignments: tuple[tuple[str, str], ...]
    uncovered: tuple[str, ...]
    waiting_for: tuple[str, ...]


#: Numbers that a coordinator which takes over leaves out: the one before may have used them although nobody has heard of it yet.
_ROOM = 100


class Revisions:
    """Numbers plan revisions: always above every number that was seen anywhere, so that none is used twice."""

    def __init__(self, coordinator: str) -> None:
        self.coordinator = coordinator
        self.highest = 0
        self._floor = 0

    def leave_room(self, silence_ns: int = 0) -> None:
        """Another coordinator, if there was one, numbered the revisions up to now, and perhaps more that nobody here has heard of.

        silence_ns: since when nothing was heard of it; it made hardly more than one a second.
        """
        self._floor = self.highest + _ROOM + max(0, silence_ns) // NANOSECONDS if self.highest else 0

    def saw(self, revision: int) -> None:
        """Notes a revision that a camera or the plan topic named."""
        self.highest = max(self.highest, revision)

    @property
    def next(self) -> int:
        """The number that the next revision will have."""
        return max(self.highest, self._floor) + 1

    def following(self) -> int:
        """The next number; it counts as used."""
        self.highest = self.next
        return self.highest
