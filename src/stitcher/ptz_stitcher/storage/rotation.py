# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""When a recording goes on in a new file. Stamps and sizes in, decisions out."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import NANOSECONDS
from ptz_stitcher.storage.limits import FileLimits

#: A segment that begins so soon after the limit is waited for: by time, or by this share of what the file may hold.
_LONGEST_WAIT_NS = 30 * NANOSECONDS
_WAIT_SHARE = 0.1


@dataclass
class Rotation:
    """Watches one file after the other; is told of each picture before it is written. size: bytes."""

    limits: FileLimits
    _first_ns: int | None = None
    _size: int = 0
    #: Since when, and from which size on, the file is full.
    _full_ns: int | None = None

    def cuts_before(self, stamp_ns: int, size: int, opens: bool, keyframe: bool) -> bool:
        """Whether a picture begins a new file. opens: it is the first of a segment; keyframe: it can be decoded by itself."""
        cuts = self._first_ns is not None and self._cuts(stamp_ns, size, opens, keyframe)
        if cuts or self._first_ns is None:
            self._first_ns, self._size, self._full_ns = stamp_ns, 0, None
        self._size += size
        return cuts

    def _cuts(self, stamp_ns: int, size: int, opens: bool, keyframe: bool) -> bool:
        if not self._is_full(stamp_ns, size):
            return False
        if self._full_ns is None:
            self._full_ns = stamp_ns
        # What a segment begins with is not decoded by what another camera showed before; in the middle only a keyframe will do.
        return opens or (keyframe and self._waited(stamp_ns, size))

    def _is_full(self, stamp_ns: int, size: int) -> bool:
        assert self._first_ns is not None
        too_long = 0 < self.limits.time_ns <= stamp_ns - self._first_ns
        return too_long or 0 < self.limits.size < self._size + size

    def _waited(self, stamp_ns: int, size: int) -> bool:
        """No segment began soon enough."""
        assert self._full_ns is not None
        patience_ns = min(_LONGEST_WAIT_NS, _WAIT_SHARE * self.limits.time_ns) if self.limits.time_ns else _LONGEST_WAIT_NS
        too_large = 0 < (1 + _WAIT_SHARE) * self.limits.size < self._size + size
        return stamp_ns - self._full_ns >= patience_ns or too_large
