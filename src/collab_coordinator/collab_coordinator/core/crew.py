# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras can be counted on: who is out, why, and when it is back. Times in ns."""

from __future__ import annotations

from collections.abc import Mapping

from collab_coordinator.core.fleet import Fleet
from ptz_site import NANOSECONDS, Phase, Plan

#: A camera is back only when it has been well for so long, so that one which comes and goes does not move all others.
REJOIN_NS = 2 * NANOSECONDS
#: A camera that does not follow a revision for so long, although it is heard, is out.
FOLLOW_LIMIT_NS = 6 * NANOSECONDS


class Crew:
    """Keeps the cameras that are out, each with the reason, in words that follow the camera's name.

    patience_ns: how long a camera may take to report to a coordinator that has just begun.
    """

    def __init__(self, patience_ns: int) -> None:
        self._patience_ns = patience_ns
        self._begun_ns = 0
        self._out: dict[str, str] = {}
        self._well_since_ns: dict[str, int] = {}

    @property
    def out(self) -> Mapping[str, str]:
        """The cameras that are out, with the reasons."""
        return self._out

    def begin(self, out: Mapping[str, str], now_ns: int) -> None:
        """The cameras that are out when a rotation begins or is taken over, with the reasons."""
        self._out, self._begun_ns = dict(out), now_ns

    def update(self, now_ns: int, fleet: Fleet, plan: Plan, since_ns: int) -> bool:
        """Looks at all cameras; True if somebody went out or came back. plan: the newest one, published at since_ns."""
        before = set(self._out)
        for camera in (order.camera for order in plan.orders):
            if fleet.newest(camera) is None and now_ns - self._begun_ns <= self._patience_ns:
                continue
            reason = _unfit(camera, now_ns, fleet, plan, since_ns)
            if reason:
                self._well_since_ns.pop(camera, None)
                self._out[camera] = reason
            elif camera in self._out and self._is_back(camera, now_ns, fleet):
                del self._out[camera]
        return set(self._out) != before

    def _is_back(self, camera: str, now_ns: int, fleet: Fleet) -> bool:
        """A camera that is out must have arrived somewhere since: one that can't turn looks well while it is asked to."""
        report = fleet.newest(camera)
        if report is None or report.phase is not Phase.IN_POSITION:
            self._well_since_ns.pop(camera, None)
            return False
        return now_ns - self._well_since_ns.setdefault(camera, now_ns) >= REJOIN_NS


def _unfit(camera: str, now_ns: int, fleet: Fleet, plan: Plan, since_ns: int) -> str:
    """Why a camera can't be counted on; empty if it can."""
    report = fleet.newest(camera)
    if report is None:
        return 'has not reported'
    silence_ns = fleet.silence_ns(camera, now_ns)
    if silence_ns:
        return f'is silent for {silence_ns / NANOSECONDS:.0f} s'
    if report.fault or report.phase is Phase.FAULT:
        return report.fault_text or f'reports fault {report.fault}'
    if report.manual:
        return 'is moved by hand'
    if report.plan_revision != plan.revision and now_ns - max(since_ns, fleet.listening_since_ns) > FOLLOW_LIMIT_NS:
        return f'does not follow revision {plan.revision}'
    return ''
