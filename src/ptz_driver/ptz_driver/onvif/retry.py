# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""When to try again, and when not: network errors with growing, jittered pauses, refused passwords never. Times in ns."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ptz_site import NANOSECONDS, Credentials


@dataclass
class RetryPolicy:
    """first, longest: pauses in s. Pauses double, and each is shortened at random by up to a half, so that cameras don't answer at once."""

    first: float = 0.5
    longest: float = 30.0
    random: random.Random = field(default_factory=random.Random)
    _pause: float = 0.0
    _due_ns: int = 0
    _refused: Credentials | None = None

    def may_try(self, now_ns: int, credentials: Credentials) -> bool:
        """Whether to try now. What was refused once is not sent again: cameras lock accounts."""
        return now_ns >= self._due_ns and credentials != self._refused

    def seconds_left(self, now_ns: int) -> float:
        """S until the next try."""
        return max(0.0, (self._due_ns - now_ns) / NANOSECONDS)

    def failed(self, now_ns: int) -> None:
        """The network or the camera failed."""
        self._pause = min(max(self.first, 2 * self._pause), self.longest)
        self._due_ns = now_ns + round(self._pause * (1 - 0.5 * self.random.random()) * NANOSECONDS)

    def refused(self, credentials: Credentials) -> None:
        """User or password were refused."""
        self._refused = credentials

    @property
    def is_refused(self) -> bool:
        """Whether it waits for other credentials."""
        return self._refused is not None

    def succeeded(self) -> None:
        """All is well."""
        self._pause, self._due_ns, self._refused = 0.0, 0, None
