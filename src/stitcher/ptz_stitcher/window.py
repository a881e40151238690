# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames belong to a rotation: those from its first slot to its end."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import Plan, PlanMode


@dataclass
class RotationWindow:
    """Follows the plans; answers whether a stamp lies inside the rotation. Stamps in ns.

    Cameras take up their first scenes before the first slot begins, so a scene's first segments begin inside the window without the
    frame of the SWITCH_START mark; the header's times tell when the switch was.
    """

    begin_ns: int | None = None
    end_ns: int | None = None

    def take(self, plan: Plan) -> None:
        """A plan revision came."""
        if plan.mode is PlanMode.STOPPED:
            if self.begin_ns is not None:
                stopped = plan.effective_at_ns
                self.end_ns = stopped if self.end_ns is None else min(self.end_ns, stopped)
            return
        if self.begin_ns is None or self.ended_before(plan.effective_at_ns):
            self.begin_ns = plan.slot_start_ns
        self.end_ns = plan.ends_ns()

    def ended_before(self, at_ns: int) -> bool:
        """Whether the rotation was over at an instant."""
        return self.end_ns is not None and at_ns >= self.end_ns

    def holds(self, stamp_ns: int) -> bool:
        """Whether a frame of this stamp belongs to the rotation."""
        return self.begin_ns is not None and stamp_ns >= self.begin_ns and (self.end_ns is None or stamp_ns < self.end_ns)
