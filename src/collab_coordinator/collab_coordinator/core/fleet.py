# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the cameras of a region last said of themselves, and what is to be thought of it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ptz_site import NANOSECONDS, Phase, Plan, PtzPosition

#: How long a camera may take to report a new revision: its state comes at least once a second.
FOLLOW_GRACE_NS = 2 * NANOSECONDS
#: Reports whose delays tell of the clock of a driver's host, and how many are needed.
_DELAYS, _ENOUGH_DELAYS = 20, 4


class Level(IntEnum):
    """How grave something is. Values as in DiagnosticStatus.msg."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Health:
    """What is to be thought of a camera, in one sentence."""

    level: Level
    text: str


@dataclass(frozen=True)
class CameraReport:
    """One CameraState: fields as there, times in ns. stamp_ns: when it held; received_ns: when it came.

    position is None and clock_offset (s) is NaN where the camera does not know. filming: it has published pictures.
    """

    camera: str
    stamp_ns: int
    received_ns: int
    session: int
    phase: Phase
    scene: str
    plan_revision: int
    fault: int = 0
    fault_text: str = ''
    slot: int = 0
    switch_start_ns: int = 0
    arrived_ns: int = 0
    position: PtzPosition | None = None
    clock_offset: float = math.nan
    manual: bool = False
    filming: bool = True


class Fleet:
    """The newest report of each camera. Times are given, none is looked up."""

    def __init__(self, cameras: Iterable[str], silence_ns: int) -> None:
        self._newest: dict[str, CameraReport | None] = dict.fromkeys(cameras)
        self._silence_ns = silence_ns
        self._listening_since_ns = 0
        self._delays_ns: dict[str, deque[int]] = {camera: deque(maxlen=_DELAYS) for camera in self._newest}

    @property
    def cameras(self) -> tuple[str, ...]:
        """All cameras of the region."""
        return tuple(self._newest)

    def take(self, report: CameraReport) -> bool:
        """Takes a report. False, and no effect, if a newer one is there or the region has no such camera.

        Of two lives of a driver the later one counts, unless it has fallen silent: somebody may have started a second driver by mistake.
        """
        if report.camera not in self._newest:
            return False
        last = self._newest[report.camera]
        if last is not None and (report.session, report.stamp_ns) < (last.session, last.stamp_ns):
            goes_on = report.session < last.session and report.stamp_ns > last.stamp_ns
            if not goes_on or report.received_ns - last.received_ns <= self._silence_ns:
                return False
        self._newest[report.camera] = report
        self._delays_ns[report.camera].append(report.received_ns - report.stamp_ns)
        return True

    def listen_anew(self, now_ns: int) -> None:
        """Nothing could be heard until now, because whoever listens stood still: silence counts from here on."""
        self._listening_since_ns = now_ns

    @property
    def listening_since_ns(self) -> int:
        """Since when everything was heard that cameras said; 0: since ever."""
        return self._listening_since_ns

    def newest(self, camera: str) -> CameraReport | None:
        """The newest report of a camera; None if it has not reported."""
        return self._newest[camera]

    def present(self, now_ns: int) -> tuple[str, ...]:
        """The cameras that have reported and are not silent."""
        return tuple(camera for camera in self._newest if self._heard(camera, now_ns))

    def missing(self, now_ns: int) -> tuple[str, ...]:
        """The cameras that have not reported, or have fallen silent."""
        return tuple(camera for camera in self._newest if not self._heard(camera, now_ns))

    def unready(self, now_ns: int) -> tuple[str, ...]:
        """The cameras that a rotation waits for: missing ones, and those that have no pictures yet and don't say why."""
        missing = self.missing(now_ns)
        return tuple(
            camera
            for camera, report in self._newest.items()
            if camera in missing or (report is not None and not report.filming and not report.fault)
        )

    def behind(self, plan: Plan) -> tuple[str, ...]:
        """The cameras of a plan that have not said that they follow it."""
        return tuple(
            o.camera for o in plan.orders if (r := self._newest.get(o.camera)) is None or r.plan_revision != plan.revision
        )

    def health(self, camera: str, now_ns: int, plan: Plan | None, since_ns: int, out: str = '') -> Health:
        """What is to be thought of a camera now. plan: the newest one, published at since_ns; out: why it is not counted on."""
        report = self._newest[camera]
        if out:
            return Health(Level.ERROR, out)
        if report is None:
            return Health(Level.WARN if plan is None else Level.ERROR, 'has not reported')
        if silent_ns := self.silence_ns(camera, now_ns):
            return Health(Level.ERROR, f'is silent for {silent_ns / NANOSECONDS:.0f} s')
        if report.fault or report.phase is Phase.FAULT:
            return Health(Level.ERROR, report.fault_text or f'reports fault {report.fault}')
        if plan is not None and plan.order(camera) is None:
            return Health(Level.WARN, 'takes no part: it reaches no scene')
        if plan is not None and report.plan_revision != plan.revision and now_ns - since_ns > FOLLOW_GRACE_NS:
            follows = f'follows {report.plan_revision}' if report.plan_revision else 'follows none'
            return Health(Level.WARN, f'does not follow revision {plan.revision} ({follows})')
        return Health(Level.OK, _doing(report))

    def silence_ns(self, camera: str, now_ns: int) -> int:
        """How long a camera has been silent, if that is too long; 0 if it is not."""
        report = self._newest[camera]
        silent = now_ns - max(report.received_ns, self._listening_since_ns) if report is not None else 0
        return silent if silent > self._silence_ns else 0

    def clock_offset(self, camera: str) -> float:
        """The worse of a camera's own clock and its driver's host's, s ahead of the time here; NaN: not known.

        A message can't come before it is sent, so the smallest delay of the last reports shows how far the host's clock is off:
        down to the true delay, which is small against the limits.
        """
        report, delays = self._newest[camera], self._delays_ns[camera]
        host = -min(delays) / NANOSECONDS if len(delays) >= _ENOUGH_DELAYS else math.nan
        own = report.clock_offset if report is not None else math.nan
        known = [offset for offset in (own, host) if math.isfinite(offset)]
        return max(known, key=abs, default=math.nan)

    def _heard(self, camera: str, now_ns: int) -> bool:
        return self._newest[camera] is not None and not self.silence_ns(camera, now_ns)


def _doing(report: CameraReport) -> str:
    if report.phase is Phase.IN_POSITION:
        return f'in position on {report.scene}'
    if report.phase is Phase.TURNING:
        return f'turning to {report.scene}'
    return 'waits for a plan'
