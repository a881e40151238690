# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What perception asks of an embedder."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image

Feature = NDArray[np.float32]


class Embedder(Protocol):
    """Describes what a picture of one object shows, so that pictures of the same object have similar descriptions."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def length(self) -> int:
        """Numbers of a feature."""

    @property
    def with_detections(self) -> bool:
        """Whether the detector gives these features with what it finds, so that it need not be looked at again."""

    def embed(self, picture: Image) -> Feature:
        """A unit vector for a BGR picture (height, width, 3) of the object alone, upright. Raises ValueError if it can't."""


def unit(vector: NDArray[np.floating]) -> Feature:
    """A vector of length 1. Raises ValueError for one that has no direction."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 1e-9:
        raise ValueError('a feature must be finite and not zero')
    return np.asarray(vector / length, np.float32)
