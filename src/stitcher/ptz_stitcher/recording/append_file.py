# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A text file that only grows, by whole entries: killed at any time, or on a full disk, it ends with a complete one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ptz_stitcher.recording.errors import RecordingError


class AppendFile:
    """A new file. Raises RecordingError if it exists already, or can't be written any more; it is closed then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            raise RecordingError(path, 'exists already; recordings are never written over') from None
        except OSError as error:
            raise RecordingError(path, error.strerror or str(error)) from None

    def add(self, text: str) -> None:
        """Writes an entry, with one call: all of it or nothing."""
        data = text.encode()
        try:
            if os.pwrite(self._file, data, self._size) < len(data):
                os.ftruncate(self._file, self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self.close()
            raise RecordingError(self.path, error.strerror or str(error)) from None
        self._size += len(data)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)
