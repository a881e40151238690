# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera should do now, by the plans that it has and its clock."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import PlanBook


@dataclass(frozen=True)
class ManualStay:
    """Somebody sent the camera to a scene by hand; it goes back into the plan at until_ns. speed: share of the top speed; 0: that."""

    scene: str
    until_ns: int
    speed: float = 0.0


@dataclass(frozen=True)
class Decision:
    """scene: where to be now, empty: stay. next_ns: when to ask again at the latest, None: when a plan comes."""

    scene: str
    next_ns: int | None
    speed: float = 0.0


def decide(book: PlanBook, camera: str, now_ns: int, manual: ManualStay | None = None) -> Decision:
    """Where a camera should be at an instant."""
    if manual is not None and now_ns < manual.until_ns:
        return Decision(manual.scene, manual.until_ns, manual.speed)
    plan = book.in_force(now_ns)
    if plan is None:
        return Decision('', None)
    return Decision(plan.scene(camera, now_ns), book.next_change_ns(now_ns))
