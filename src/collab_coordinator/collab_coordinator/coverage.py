# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long each scene was covered, and from which cameras, measured from the cameras' states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SceneCoverage:
    """Times in ns."""

    scene: str
    assigned_ns: int
    watched_ns: int
    longest_gap_ns: int
    cameras: tuple[str, ...]


@dataclass
class _Tally:
    assigned_ns: int = 0
    watched_ns: int = 0
    gap_ns: int = 0
    longest_gap_ns: int = 0
    cameras: list[str] = field(default_factory=list)


class CoverageMeter:
    """Takes what the cameras report, in the order of time, between begin_ns and the end."""

    def __init__(self, scenes: Sequence[str], begin_ns: int) -> None:
        self._tallies = {scene: _Tally() for scene in scenes}
        self._present: dict[str, tuple[str, bool]] = {}
        self._begin_ns = begin_ns
        self._now_ns = begin_ns

    def take(self, camera: str, scene: str, in_position: bool, at_ns: int) -> None:
        """From at_ns on a camera is on a scene, or turning to it; empty: on none. Reports from before the begin hold at the begin."""
        self._advance(at_ns)
        self._present[camera] = (scene, in_position)

    def result(self, end_ns: int) -> tuple[SceneCoverage, ...]:
        """The coverage until an instant."""
        self._advance(end_ns)
        return tuple(
            SceneCoverage(scene, t.assigned_ns, t.watched_ns, max(t.longest_gap_ns, t.gap_ns), tuple(t.cameras))
            for scene, t in self._tallies.items()
        )

    def _advance(self, at_ns: int) -> None:
        passed = at_ns - self._now_ns
        if passed <= 0:
            return
        for scene, tally in self._tallies.items():
            watchers = [camera for camera, (s, in_position) in self._present.items() if s == scene and in_position]
            if any(s == scene for s, _ in self._present.values()):
                tally.assigned_ns += passed
                tally.longest_gap_ns = max(tally.longest_gap_ns, tally.gap_ns)
                tally.gap_ns = 0
            else:
                tally.gap_ns += passed
            if watchers:
                tally.watched_ns += passed
                tally.cameras.extend(camera for camera in watchers if camera not in tally.cameras)
        self._now_ns = at_ns
