# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a recording."""

from __future__ import annotations

from pathlib import Path


class RecordingError(Exception):
    """A file can't be written any more. What was written before opens."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f'{path}: {reason}')
        self.path = path
        self.reason = reason


class PictureRefusedError(RecordingError):
    """A picture doesn't fit into a file; others may follow."""
