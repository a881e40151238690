# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The file below an MP4 muxer: what is added to it shows only when it is complete.

A fragment is written in many pieces. Killed in between, or out of room, a plain file would end in half a picture. Here
everything that is added begins as a box of type 'free' that reaches to the end of the file, which players skip; its real first
eight bytes come last.
"""

from __future__ import annotations

import os
from pathlib import Path

#: A box of type 'free' and size 0: up to the end of the file (ISO/IEC 14496-12, 4.2 and 8.1.2).
HIDDEN = bytes(4) + b'free'


class HidingFile:
    """A new file that FFmpeg writes to through PyAV. Raises OSError (FileExistsError too)."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._path = path
        self._position = 0
        # Where the part begins that does not show yet, and where the file ends.
        self._shown = self._end = 0
        self._head = bytearray()
        self._patches: list[tuple[int, bytes]] = []

    def write(self, data: bytes) -> int:
        """Writes at the position. What lies below the part that shows waits for `show`."""
        start, self._position = self._position, self._position + len(data)
        if start < self._shown:
            self._patches.append((start, bytes(data)))
        else:
            self._write_hidden(start, bytes(data))
        self._end = max(self._end, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def show(self) -> None:
        """What was written so far is complete."""
        if self._end > self._shown:
            self._write_at(self._shown, bytes(self._head))
            self._shown, self._head = self._end, bytearray()
        patches, self._patches = self._patches, []
        for offset, data in patches:
            self._write_at(offset, data)

    def close(self) -> None:
        """Closes the file and drops what is not complete; a file in which nothing ever was is removed."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        try:
            os.ftruncate(file, self._shown)
        finally:
            os.close(file)
            if not self._shown:
                self._path.unlink(missing_ok=True)

    def _write_hidden(self, offset: int, data: bytes) -> None:
        if self._end == self._shown:
            self._write_at(self._shown, HIDDEN)
        # The first eight bytes of the part are kept back; the muxer may also come back to mend them.
        inside = offset - self._shown
        kept = max(0, min(len(HIDDEN) - inside, len(data)))
        if kept:
            self._head[inside : inside + kept] = data[:kept]
        self._write_at(offset + kept, data[kept:])

    def _write_at(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, offset)
            offset += written
            view = view[written:]
