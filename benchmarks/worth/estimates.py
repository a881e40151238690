# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Means over seeds, with intervals that say how far chance may have moved them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A value, and the interval that holds it with 95 %."""

    value: float
    low: float
    high: float


def mean(values: Sequence[float]) -> Estimate:
    """Of one value per seed (NaN: nothing to say): the mean, and its percentile bootstrap interval (Efron 1979)."""
    return ratio(values, np.ones(len(values)))


def ratio(values: Sequence[float], others: Sequence[float] | np.ndarray) -> Estimate:
    """Of two means over the same seeds; seeds are drawn in pairs, so that what both have in common does not widen the interval."""
    above, below = np.asarray(values, float), np.asarray(others, float)
    known = np.isfinite(above) & np.isfinite(below)
    above, below = above[known], below[known]
    if not len(above) or below.mean() <= 0:
        return Estimate(float('nan'), float('nan'), float('nan'))
    drawn = np.random.default_rng(0).integers(0, len(above), (_DRAWS, len(above)))
    with np.errstate(divide='ignore', invalid='ignore'):
        found = above[drawn].mean(axis=1) / below[drawn].mean(axis=1)
    low, high = np.nanpercentile(found, (2.5, 97.5))
    return Estimate(float(above.mean() / below.mean()), float(low), float(high))
