# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How well directions are told: errors in degrees, and whether the network knows when it can't tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]

#: Degrees up to which a direction is right, and from which on front and back are confused; length of vectors that are sure.
_RIGHT, _FLIPPED, SURE = 45.0, 135.0, 0.5


@dataclass(frozen=True)
class FacingFigures:
    """Of some pictures. within_45, sure, flipped: shares; median, ninety: degrees that half and nine tenths of the errors don't exceed.

    sure: whose vector has a length of 0.5 or more; those_sure: share of these that are within 45 degrees; cosine: mean of the errors'.
    NaN if there are none.
    """

    within_45: float
    sure: float
    those_sure: float
    cosine: float
    median: float
    ninety: float
    flipped: float


def figures_of(found: Vectors, wanted: Vectors) -> FacingFigures:
    """Found (n, 2): vectors; wanted (n, 2): unit vectors."""
    error, sure = errors(found, wanted), np.linalg.norm(found, axis=1) >= SURE
    if not len(error):
        return FacingFigures(*[float('nan')] * 7)
    right = error < _RIGHT
    median, ninety = np.quantile(error, (0.5, 0.9)).tolist()
    return FacingFigures(
        float(right.mean()),
        float(sure.mean()),
        float(right[sure].mean()) if sure.any() else float('nan'),
        float(np.cos(np.radians(error)).mean()),
        median,
        ninety,
        float((error > _FLIPPED).mean()),
    )


def errors(found: Vectors, wanted: Vectors) -> NDArray[np.float64]:
    """(n,): degrees between directions, 0 to 180."""
    cross = found[:, 0] * wanted[:, 1] - found[:, 1] * wanted[:, 0]
    return np.asarray(np.degrees(np.abs(np.arctan2(cross, (found * wanted).sum(axis=1)))), float)
