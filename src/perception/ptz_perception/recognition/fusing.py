# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One feature of a track from those of its good frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.recognition.embedders.base import Feature, unit


@dataclass(frozen=True)
class FusedFeature:
    """The sum of unit vectors times qualities, and of how many frames it is."""

    total: NDArray[np.float32]
    frames: int

    @classmethod
    def of(cls, feature: Feature, quality: float) -> FusedFeature:
        """Of one frame; quality from 0 to 1."""
        return cls(np.asarray(feature * quality, np.float32), 1)

    def and_also(self, feature: Feature, quality: float) -> FusedFeature:
        """With one frame more."""
        return FusedFeature(np.asarray(self.total + feature * quality, np.float32), self.frames + 1)

    @property
    def vector(self) -> Feature:
        """The unit vector."""
        return unit(self.total)
