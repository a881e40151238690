# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Whether there is room to record. Free bytes and times in, decisions out."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from ptz_site import NANOSECONDS

#: Recording starts again when so much more is free than what it stopped at: it does not stop again at once.
_MARGIN_SHARE = 0.1
_MARGIN = 20_000_000
#: Between a write that found no room and the next try; free bytes may not tell of quotas.
_RETRY_NS = 10 * NANOSECONDS
_NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))


def is_for_want_of_room(failure: str) -> bool:
    """Whether a file could not be written because the disk, or what one may have of it, is full."""
    return any(text in failure for text in _NO_ROOM)


@dataclass
class DiskGuard:
    """least_free: bytes; with fewer, recording stops. Times in ns of a clock that nobody sets."""

    least_free: int
    recording: bool = True
    free: int = 0
    _retry_ns: int = 0

    @property
    def wanted(self) -> int:
        """Bytes that must be free for recording to start again."""
        return self.least_free + max(_MARGIN, round(_MARGIN_SHARE * self.least_free))

    def look(self, free: int, now_ns: int) -> bool:
        """What is free now; whether to record."""
        self.free = free
        if self.recording:
            self.recording = free >= self.least_free
        else:
            self.recording = free >= self.wanted and now_ns >= self._retry_ns
        return self.recording

    def found_full(self, now_ns: int) -> None:
        """A file could not be written for want of room."""
        self.recording = False
        self._retry_ns = now_ns + _RETRY_NS
