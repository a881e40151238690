# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where the parts of a recording go that is made of others: nothing is kept, deleted or waited for there."""

from __future__ import annotations

from pathlib import Path

from ptz_stitcher.storage.limits import FileLimits
from ptz_stitcher.storage.names import free_name, part_name
from ptz_stitcher.storage.shelf import Recorder


class Parts:
    """Of one folder, which is nobody else's; implements Shelf."""

    def __init__(self, out: Path, region: str, limits: FileLimits) -> None:
        self.out, self.file_limits = out, limits
        self._region = region
        self._names: set[str] = set()

    @property
    def in_parts(self) -> bool:
        """As of Shelf."""
        return self.file_limits.rotates

    @property
    def recording(self) -> bool:
        """Always: what finds no room is a failure, and is told at the end."""
        return True

    def register(self, recorder: Recorder) -> None:
        """Nobody is told anything."""

    def begin(self, what: str, stamp_ns: int) -> str:
        """As of Shelf."""
        wanted = part_name(self._region, what, stamp_ns) if self.in_parts else what
        name = free_name(wanted, self._names.__contains__)
        self._names.add(name)
        return name

    def end(self, name: str) -> None:
        """It stays where it is."""

    def found_full(self) -> None:
        """The failure says it."""
