# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a stream of pictures gives, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class StreamError(Exception):
    """The stream can't be opened, or has ended. The message is half a sentence without addresses or passwords."""


class StreamRefusedError(StreamError):
    """User or password are refused: do not try again."""


@dataclass(frozen=True)
class Picture:
    """One encoded picture. pts_ns: by the stream's own clock, None without one; reported_ns: by the camera's sender reports."""

    data: bytes
    encoding: str
    keyframe: bool
    size: tuple[int, int]
    arrival_ns: int
    pts_ns: int | None = None
    reported_ns: int | None = None


class PictureSource(Protocol):
    """A stream that is open."""

    def read(self) -> Picture:
        """Waits for the next picture. Raises StreamError, in time."""

    def close(self) -> None:
        """Lets go of it; another thread may do so while one reads."""


#: Opens a stream; raises StreamError.
Opener = Callable[[], PictureSource]
