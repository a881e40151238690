# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a data set, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FaultKind(StrEnum):
    """Kinds of faults."""

    MISSING_PICTURE = 'missing pictures'
    UNREADABLE_PICTURE = 'unreadable pictures'
    WRONG_PICTURE_SIZE = 'pictures of another size than said'
    BAD_BOX = 'boxes without size'
    BOX_OUTSIDE = 'boxes outside of their picture'
    UNKNOWN_CLASS = 'unknown classes'
    DUPLICATE = 'the same more than once'
    FRAME_GAP = 'gaps between frames'
    UNKNOWN_PICTURE = 'labels without a picture'
    MISSING_LABELS = 'missing labels'
    BAD_LABEL = "labels that can't be read"
    SHARED_PICTURE = 'pictures in two splits'
    SHARED_SCENE = 'scenes in two splits'


@dataclass(frozen=True)
class Fault:
    """One fault. text: what is wrong, and the remedy, after a semicolon."""

    kind: FaultKind
    path: Path
    text: str

    def __str__(self) -> str:
        return f'{self.path}: {self.text}'


#: Is called with each fault that a reader meets.
Tell = Callable[[Fault], None]


def unheard(_fault: Fault) -> None:
    """For those who only want what is usable."""
