# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What perception asks of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from ptz_perception.detections import Detections, Image
from ptz_perception.parts import Part


class Guide(Enum):
    """What tells a detector which parts of a picture are worth looking at."""

    #: Nothing: it always looks at all of it.
    NONE = 'none'
    #: What moves there, and who is known to be there: for one that costs less with less to look at.
    MOVEMENT = 'movement'
    #: Where objects were found in the last minutes: for one that looks closer at parts, because more than it sees at first is there.
    HEAT = 'heat'


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

    @property
    def guide(self) -> Guide:
        """By what the parts are chosen that it is given."""

    @property
    def looked_at(self) -> float:
        """Pixels that the newest picture was looked at with, by its own: 1 is all of it in full, 0.25 all of it at half the size."""

    def expect(self, keywords: Sequence[str], /) -> None:
        """Which scene the next pictures show, by the words that describe it in the site file; most detectors don't care."""

    def detect(self, picture: Image, parts: Sequence[Part] | None = None, /) -> Detections:
        """What is in a BGR picture (height, width, 3). parts: those its guide tells of; None: all."""
