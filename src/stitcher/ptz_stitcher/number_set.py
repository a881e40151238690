# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Remembers which numbers came, where most follow each other: a day of a camera's frames costs no more than the gaps between its stays."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

#: Runs of numbers that are remembered; the lowest are forgotten. Memory stays flat.
_RUNS = 10_000


@dataclass
class NumberSet:
    """Whole numbers, as runs from first to last; runs are in order and do not touch."""

    _firsts: list[int] = field(default_factory=list)
    _lasts: list[int] = field(default_factory=list)

    def add(self, number: int) -> bool:
        """A number came. False if it was there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and number == lasts[-1] + 1:  # as almost all are
            lasts[-1] = number
            return True
        at = bisect.bisect_right(firsts, number)
        if at and number <= lasts[at - 1]:
            return False
        follows = at > 0 and lasts[at - 1] == number - 1
        precedes = at < len(firsts) and firsts[at] == number + 1
        if follows and precedes:
            lasts[at - 1] = lasts.pop(at)
            firsts.pop(at)
        elif follows:
            lasts[at - 1] = number
        elif precedes:
            firsts[at] = number
        else:
            firsts.insert(at, number)
            lasts.insert(at, number)
            if len(firsts) > _RUNS:
                del firsts[0], lasts[0]
        return True
