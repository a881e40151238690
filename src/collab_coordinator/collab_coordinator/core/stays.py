# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How equal the stays on scenes are, from what the cameras say of their switches. Times in ns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from collab_coordinator.core.fleet import CameraReport

#: Values kept for the percentiles; the newest ones of a rotation without end.
_KEPT = 20_000


@dataclass(frozen=True)
class StayStatistics:
    """Fields as in StayStatistics.msg, in ns."""

    stays: int = 0
    cameras_max_ns: int = 0
    cameras_p99_ns: int = 0
    scenes_max_ns: int = 0
    scenes_p99_ns: int = 0


@dataclass
class _Differences:
    """The greatest of all values, and the newest ones for a percentile."""

    greatest: int = 0

    def __post_init__(self) -> None:
        self._newest: deque[int] = deque(maxlen=_KEPT)

    def add(self, value: int) -> None:
        self.greatest = max(self.greatest, value)
        self._newest.append(value)

    def percentile(self, share: float) -> int:
        """The nearest-rank percentile; 0 without values."""
        ranked = sorted(self._newest)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0


class StayMeter:
    """Takes the cameras' reports. A stay counts if it began after begin_ns, which is when slot 0 began (cameras take up their first scenes
    before that), and if the next switch came in the next slot: then both its ends are the plan's.

    Stays of slots in which the rotation was held are compared between cameras, but not with the stays before and after them.
    """

    def __init__(self, begin_ns: int = 0) -> None:
        self._begin_ns = begin_ns
        self._last: dict[str, CameraReport] = {}
        self._stay_ns: dict[str, tuple[int, int]] = {}
        self._slots: dict[int, list[int]] = {}
        self._held: set[int] = set()
        self._between_cameras = _Differences()
        self._between_scenes = _Differences()
        self._stays = 0

    def held(self, slot: int) -> None:
        """The rotation was held, or otherwise changed, in a slot."""
        self._held.add(slot)

    def take(self, report: CameraReport) -> None:
        """Takes a report; those of one camera come in order."""
        last = self._last.get(report.camera)
        if last is None or report.session != last.session:
            self._last[report.camera] = report
            return
        if report.switch_start_ns <= last.switch_start_ns:
            return
        self._last[report.camera] = report
        if last.switch_start_ns >= self._begin_ns > 0 and report.slot == last.slot + 1:
            self._add(report.camera, last.slot, report.switch_start_ns - last.switch_start_ns)

    def finish(self) -> StayStatistics:
        """What was measured."""
        for slot in tuple(self._slots):
            self._compare(slot)
        return StayStatistics(
            self._stays,
            self._between_cameras.greatest,
            self._between_cameras.percentile(0.99),
            self._between_scenes.greatest,
            self._between_scenes.percentile(0.99),
        )

    def _add(self, camera: str, slot: int, stay_ns: int) -> None:
        self._stays += 1
        before = self._stay_ns.get(camera)
        if before is not None and before[0] == slot - 1 and not self._held & {slot, slot - 1}:
            self._between_scenes.add(abs(stay_ns - before[1]))
        self._stay_ns[camera] = (slot, stay_ns)
        self._slots.setdefault(slot, []).append(stay_ns)
        for old in [s for s in self._slots if s < slot - 2]:
            self._compare(old)
        self._held = {s for s in self._held if s > slot - 4}

    def _compare(self, slot: int) -> None:
        stays = self._slots.pop(slot)
        if len(stays) > 1:
            self._between_cameras.add(max(stays) - min(stays))
