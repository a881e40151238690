# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What recorders ask of whoever looks after their folder: the Keeper of one that is recorded to, or the Parts that are made of other
recordings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ptz_stitcher.storage.limits import FileLimits


class Recorder(Protocol):
    """Who writes files."""

    def suspend(self) -> None:
        """Closes the present files; what comes is not recorded until there is room."""


class Shelf(Protocol):
    """Where the parts of recordings go."""

    @property
    def out(self) -> Path:
        """The folder."""

    @property
    def file_limits(self) -> FileLimits:
        """From when on a file is full."""

    @property
    def in_parts(self) -> bool:
        """Recordings are in parts that are named by time, and made when there is something to write."""

    @property
    def recording(self) -> bool:
        """There is room."""

    def register(self, recorder: Recorder) -> None:
        """A recorder is to be told when there is no room any more."""

    def begin(self, what: str, stamp_ns: int) -> str:
        """The name of a new part of a recording: of a scene, or of the log. Raises RecordingError if it can't be noted."""

    def end(self, name: str) -> None:
        """A part is over."""

    def found_full(self) -> None:
        """A file could not be written for want of room."""
