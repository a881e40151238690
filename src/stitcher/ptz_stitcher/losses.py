# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Counts the frames that never came, by the gaps in the numbers of those that did."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

#: Gaps that are kept apart for each life of a driver; older ones are lost for good. Memory stays flat.
_GAPS = 2_000


@dataclass
class _Life:
    """The frames of one life of a driver. gaps: (first, last) of the numbers that have not come, in order; lost: for good."""

    first: int
    last: int
    count: int = 1
    lost: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)

    def take(self, number: int) -> None:
        if number > self.last:
            self._gap(len(self.gaps), self.last + 1, number - 1)
            self.last = number
        elif number < self.first:
            self._gap(0, number + 1, self.first - 1)
            self.first = number
        elif not self._fill(number):
            return  # came already
        self.count += 1
        while len(self.gaps) > _GAPS:
            first, last = self.gaps.pop(0)
            self.lost += last - first + 1

    def missing(self) -> int:
        return self.lost + sum(last - first + 1 for first, last in self.gaps)

    def _gap(self, at: int, first: int, last: int) -> None:
        if first <= last:
            self.gaps.insert(at, (first, last))

    def _fill(self, number: int) -> bool:
        at = bisect.bisect_right(self.gaps, (number, self.last)) - 1
        if at < 0 or not self.gaps[at][0] <= number <= self.gaps[at][1]:
            return False
        first, last = self.gaps.pop(at)
        self._gap(at, number + 1, last)
        self._gap(at, first, number - 1)
        return True


@dataclass
class LossCounter:
    """Counts the frames of each camera that never came, by the gaps in their sequence. Frames may come in any order, and twice."""

    _lives: dict[tuple[str, int], _Life] = field(default_factory=dict)

    def take(self, camera: str, session: int, sequence: int) -> None:
        """A frame came."""
        life = self._lives.get((camera, session))
        if life is None:
            self._lives[(camera, session)] = _Life(sequence, sequence)
        else:
            life.take(sequence)

    def lost(self) -> dict[str, int]:
        """Frames of each camera between its first and its last that did not come."""
        result: dict[str, int] = {}
        for (camera, _), life in self._lives.items():
            result[camera] = result.get(camera, 0) + life.missing()
        return result

    def frames(self) -> dict[str, int]:
        """Frames of each camera that came."""
        result: dict[str, int] = {}
        for (camera, _), life in self._lives.items():
            result[camera] = result.get(camera, 0) + life.count
        return result
