# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What perception asks of a detector."""

from __future__ import annotations

from typing import Protocol

from ptz_perception.detections import Detections, Image


class Detector(Protocol):
    """Finds objects in a picture."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that it knows."""

    def describe(self) -> str:
        """What is known of it, in a few lines for people."""

    def detect(self, picture: Image) -> Detections:
        """What is in a BGR picture (height, width, 3)."""
