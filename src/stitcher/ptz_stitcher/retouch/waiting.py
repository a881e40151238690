# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Lets frames wait, as they are encoded, until perception has looked at one behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.segments import Placed


@dataclass(frozen=True)
class WaitingFrame:
    """A frame in its place, with its picture and the targets that were known."""

    placed: Placed
    picture: EncodedPicture
    targets: tuple[str, ...]


@dataclass
class WaitingRoom:
    """Frames come out in the order in which they came, delay_ns (of stamps) later; earlier when max_bytes of pictures wait."""

    delay_ns: int
    max_bytes: int
    _frames: deque[WaitingFrame] = field(default_factory=deque)
    _bytes: int = 0
    _newest_ns: int = 0

    def take(self, frame: WaitingFrame) -> Iterator[WaitingFrame]:
        """A frame comes; those whose time is up go."""
        self._frames.append(frame)
        self._bytes += len(frame.picture.data)
        self._newest_ns = max(self._newest_ns, frame.placed.header.stamp_ns)
        while self._frames and (self._is_due(self._frames[0]) or self._bytes > self.max_bytes):
            yield self._next()

    def finish(self) -> Iterator[WaitingFrame]:
        """All that are left."""
        while self._frames:
            yield self._next()

    def _is_due(self, frame: WaitingFrame) -> bool:
        return frame.placed.header.stamp_ns <= self._newest_ns - self.delay_ns

    def _next(self) -> WaitingFrame:
        frame = self._frames.popleft()
        self._bytes -= len(frame.picture.data)
        return frame
