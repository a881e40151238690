# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a coordinator that starts learns before it does anything: what is going on, and whether another one is at it. Times in ns."""

from __future__ import annotations

from dataclasses import dataclass

from collab_coordinator.core.fleet import Fleet
from ptz_site import NANOSECONDS, Plan, PlanMode

#: How long to listen at least: cameras and other coordinators tell of themselves twice a second, and networks may be slow.
LISTEN_NS = 5 * NANOSECONDS // 2
#: How long to wait for a plan that cameras say they follow.
PATIENCE_NS = 6 * NANOSECONDS


@dataclass(frozen=True)
class Instance:
    """One coordinator: its name, since when it runs, and the newest revision that it published; 0: none."""

    name: str
    since_ns: int
    revision: int


def gives_way(own: Instance, other: Instance) -> bool:
    """Whether a coordinator has to leave a region to another one: to the one whose plan is newer, or that was there first."""
    if own.name == other.name:
        return False
    return (-other.revision, other.since_ns, other.name) < (-own.revision, own.since_ns, own.name)


class Takeover:
    """Collects the plans that the cameras follow."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._newest: Plan | None = None

    def saw(self, plan: Plan) -> None:
        """Takes a plan that a camera follows, or that was published. Of two with one number the later one wins, as with the cameras."""
        newest = self._newest
        if newest is None or (plan.revision, plan.effective_at_ns) > (newest.revision, newest.effective_at_ns):
            self._newest = plan

    def is_ready(self, now_ns: int, fleet: Fleet) -> bool:
        """Whether enough is known: the newest plan that any camera says it has, or that nobody has one."""
        if self._since_ns is None:
            self._since_ns = now_ns
        listened = now_ns - self._since_ns
        named = max((report.plan_revision for c in fleet.cameras if (report := fleet.newest(c)) is not None), default=0)
        known = self._newest.revision if self._newest is not None else 0
        return listened >= PATIENCE_NS or (listened >= LISTEN_NS and known >= named)

    def plan(self, now_ns: int) -> Plan | None:
        """The plan to go on with; None if there is none, or it has ended."""
        plan = self._newest
        if plan is None or plan.mode is PlanMode.STOPPED:
            return None
        ends = plan.ends_ns()
        return None if ends is not None and now_ns >= ends else plan
