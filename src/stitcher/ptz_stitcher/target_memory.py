# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which targets were in a camera's picture, by what perception said of the pictures before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ptz_site import NANOSECONDS

#: What was said longer ago tells nothing.
_AGE_NS = 2 * NANOSECONDS
_ENTRIES = 200


@dataclass
class TargetMemory:
    """Remembers the last seconds of each camera. Perception does not look at every picture, and takes a while for each."""

    _said: dict[str, deque[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)

    def take(self, camera: str, stamp_ns: int, targets: tuple[str, ...]) -> None:
        """Perception said which targets are in the picture of this stamp."""
        self._said.setdefault(camera, deque(maxlen=_ENTRIES)).append((stamp_ns, targets))

    def at(self, camera: str, stamp_ns: int) -> tuple[str, ...]:
        """The targets in a picture: those of the newest one that was looked at and is not newer."""
        for said_ns, targets in reversed(self._said.get(camera, ())):
            if said_ns <= stamp_ns:
                return targets if stamp_ns - said_ns <= _AGE_NS else ()
        return ()
