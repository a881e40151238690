# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A handoff: the cameras that are tried one after the other, and how it ended. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from collab_coordinator.core.fleet import CameraReport
from ptz_site import Hold, Phase


class HandoffError(IntEnum):
    """How a handoff ended. Values as in Handoff.action."""

    NONE = 0
    NO_HOLD = 350
    NO_BETTER_CAMERA = 351
    TOO_SOON = 352
    NOT_ARRIVED = 353
    CANCELED = 354
    SHUTDOWN = 355
    BUSY = 356


@dataclass(frozen=True)
class HandoffRequest:
    """What is asked for: heading in rad and ground in m, map frame."""

    hold_id: str
    heading: float
    ground: tuple[float, float]
    camera: str = ''
    feature: tuple[float, ...] = ()


@dataclass(frozen=True)
class HandoffOutcome:
    """How a handoff ended. camera: the one that took over; scene: what the old one took over; fields as in Handoff.action."""

    error: HandoffError
    message: str = ''
    camera: str = ''
    scene: str = ''
    plan_revision: int = 0


@dataclass
class Handoff:
    """One handoff that is under way: candidates are tried in their order, one at a time."""

    hold_id: str
    candidates: list[str]
    feature: tuple[float, ...] = ()
    begun_ns: int = 0
    candidate: str = ''
    ordered_ns: int = 0
    tried: list[str] = field(default_factory=list)
    outcome: HandoffOutcome | None = None

    def next_candidate(self, now_ns: int) -> str:
        """Goes on to the next candidate; empty if there is none left."""
        if self.candidate:
            self.tried.append(self.candidate)
        self.candidate = self.candidates.pop(0) if self.candidates else ''
        self.ordered_ns = now_ns
        return self.candidate


def has_arrived(report: CameraReport | None, hold: Hold, revision: int) -> bool:
    """Whether a hold's candidate stands on its scene by the plan of a revision or a later one."""
    return (
        report is not None
        and report.plan_revision >= revision
        and report.scene == hold.scene
        and report.phase is Phase.IN_POSITION
        and not report.fault
    )
