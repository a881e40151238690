# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Notices that a camera's pictures stop or freeze. Times in ns."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum


class Fault(IntEnum):
    """Values as in CameraState.msg."""

    NONE = 0
    NOT_ARRIVED = 1
    UNREACHABLE = 2
    NO_FRAMES = 3
    FROZEN = 4
    REFUSED = 5
    MANUAL = 6
    BLACK = 7


@dataclass
class PictureWatch:
    """Takes every picture, and says what is wrong with them. The limits are how long nothing, or nothing new, may come."""

    begun_ns: int
    silence_limit_ns: int
    frozen_limit_ns: int = 5_000_000_000
    _last_ns: int = 0
    _looked_ns: int = 0
    _changed_ns: int = 0
    _digest: int = 0
    _seen_ns: int = 0

    def take(self, stamp_ns: int, data: bytes) -> None:
        """A picture came that can be told from others by its bytes."""
        digest = zlib.crc32(data)
        if digest != self._digest or not self._changed_ns:
            self._changed_ns = stamp_ns
        self._digest = digest
        self._last_ns = self._looked_ns = self._seen_ns = stamp_ns

    def came(self, stamp_ns: int) -> None:
        """A picture came that was not looked at."""
        self._last_ns = stamp_ns

    def looked(self, stamp_ns: int, same: bool, black: bool) -> None:
        """A picture was looked at: whether it was the one before again, and whether it was black."""
        self._last_ns = self._looked_ns = stamp_ns
        if not black or not self._seen_ns:
            self._seen_ns = stamp_ns
        if black or not same or not self._changed_ns:
            # Black ones may well be the same.
            self._changed_ns = stamp_ns

    def look_anew(self, now_ns: int) -> None:
        """No picture could be taken until now, because the process stood still: silence counts from here on."""
        self.begun_ns = now_ns

    def fault(self, now_ns: int) -> Fault:
        """What is wrong at an instant."""
        if now_ns - max(self._last_ns, self.begun_ns) > self.silence_limit_ns:
            return Fault.NO_FRAMES
        # Up to the newest that was looked at: keyframes may be rare, and after a silence the first pictures may be none.
        if self._changed_ns and self._looked_ns - self._changed_ns > self.frozen_limit_ns:
            return Fault.FROZEN
        if self._seen_ns and self._looked_ns - self._seen_ns > self.frozen_limit_ns:
            return Fault.BLACK
        return Fault.NONE

    def silence(self, now_ns: int) -> float:
        """Seconds since the last picture."""
        return (now_ns - max(self._last_ns, self.begun_ns)) / 1e9
