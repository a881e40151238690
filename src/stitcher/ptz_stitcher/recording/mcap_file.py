# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An MCAP file that is whole at every instant, also between two system calls and in the middle of one.

Readers find everything from the footer in the last bytes, so growing a file means replacing its end. A write of more than a
page is cut short when the process is killed; a file whose end is replaced by one such write may be left without any. Therefore
the old end is first copied to where the new data does not reach, then the data is written before it, and at last the file is
cut behind the new end. What readers see changes only by writes within one page and by truncation, which happen wholly or not at
all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from ptz_stitcher.recording.mcap_end import FOOTER_BYTES, RECORD_HEAD_BYTES, Summary, data_end, filler_head, footer_to

#: The smallest page of the systems we know; larger ones are multiples of it.
PAGE_BYTES = 4096
#: As many as one call writes (IOV_MAX of Linux).
_MOST_PARTS = 1024


class CheckpointedFile:
    """An MCAP file to which records are appended together with the next summary. Made new, as a whole: raises OSError.

    head: all that comes before the first appended record.
    """

    def __init__(self, path: Path, head: bytes) -> None:
        self._path = path
        self._head = head
        self._summary = Summary()
        self.data_end = len(head)
        self._file, self._end = self._replace(head + self._ending(self.data_end))

    def moved(self, path: Path) -> None:
        """Tells where the file lies from now on."""
        self._path = path

    def append(self, parts: Sequence[bytes | memoryview], summary: Summary) -> None:
        """Writes data behind the data that is there, and makes the file whole with the new summary.

        Raises OSError if that fails; the file is then as it was before.
        """
        record = b''.join(parts)
        start = self.data_end + len(record)
        ending = data_end() + summary.encode(start + len(data_end()))
        if not self._summary.chunks:
            # Of a file without schemas some readers scan the data; there is none, so it is replaced as a whole.
            replaced = self._file
            self._file, end = self._replace(self._head + record + ending)
            os.close(replaced)
        else:
            end = self._extend(record, ending)
        self.data_end, self._end, self._summary = start, end, summary

    def close(self) -> None:
        """Closes the file, which is whole already."""
        os.close(self._file)

    def _ending(self, at: int) -> bytes:
        return data_end() + self._summary.encode(at + len(data_end()))

    def _replace(self, data: bytes) -> tuple[int, int]:
        """Puts a new file in the place of the present one. Returns it, and where it ends."""
        draft = self._path.with_suffix('.tmp')
        try:
            draft.write_bytes(data)
            file = os.open(draft, os.O_RDWR)
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return file, len(data)

    def _extend(self, record: bytes, ending: bytes) -> int:
        """Puts a record and a new end in the place of the present end. Returns where the file ends."""
        try:
            copy_at = self._park(self.data_end + len(record) + len(ending))
            # To readers that go from one end to the other, too, nothing is here until the record's head takes the place of the filler's.
            self._write(self.data_end, filler_head(copy_at - self.data_end))
            end = self._write(self._write(self.data_end + RECORD_HEAD_BYTES, record[RECORD_HEAD_BYTES:]), ending)
            self._write(self.data_end, record[:RECORD_HEAD_BYTES])
            os.ftruncate(self._file, end)
        except OSError:
            self._put_back()
            raise
        return end

    def _park(self, reach: int) -> int:
        """Copies the present end behind `reach`, the end of what will be written. Returns where the copy begins."""
        size = self._end - self.data_end
        footer_at = _within_page(max(reach, self._end) + size - FOOTER_BYTES, FOOTER_BYTES)
        copy_at = footer_at + FOOTER_BYTES - size
        copy = self._ending(copy_at)
        # First a footer far behind that points back to the summary where it is: from now on nothing below ends the file.
        try:
            self._write(footer_at, footer_to(self.data_end + len(data_end())))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        old_footer = self._end - FOOTER_BYTES
        if _within_page(old_footer, RECORD_HEAD_BYTES) == old_footer:
            # For readers that take all up to the last footer for the summary, what lies between is a record to skip.
            self._write(old_footer, filler_head(footer_at - old_footer))
        self._write(copy_at, copy[:-FOOTER_BYTES])
        self._write(footer_at, copy[-FOOTER_BYTES:])
        return copy_at

    def _put_back(self) -> None:
        # There is room: these blocks were the file's before. Should it fail all the same, the copy behind still serves.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._write(self.data_end, self._ending(self.data_end)))

    def _write(self, offset: int, data: bytes) -> int:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, offset)
            offset += written
            view = view[written:]
        return offset


class PlainFile:
    """The same file made faster: it is whole when it is closed, and not before. Raises OSError."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._summary = Summary()
        self.data_end = 0
        self._write([head])

    def moved(self, path: Path) -> None:
        """Where it lies does not matter while it is open."""

    def append(self, parts: Sequence[bytes | memoryview], summary: Summary) -> None:
        """Writes data behind the data that is there."""
        for first in range(0, len(parts), _MOST_PARTS):
            self._write(parts[first : first + _MOST_PARTS])
        self._summary = summary

    def close(self) -> None:
        """Makes the file whole, and closes it."""
        try:
            self._write([data_end() + self._summary.encode(self.data_end + len(data_end()))])
        finally:
            os.close(self._file)

    def _write(self, parts: Sequence[bytes | memoryview]) -> None:
        left = sum(map(len, parts))
        written = os.pwritev(self._file, parts, self.data_end)
        self.data_end, left = self.data_end + written, left - written
        if left:
            # A write of gigabytes, or a disk that is nearly full, which the next one will tell.
            view = memoryview(b''.join(parts))[-left:]
            while view:
                written = os.pwrite(self._file, view, self.data_end)
                self.data_end += written
                view = view[written:]


def _within_page(offset: int, size: int) -> int:
    """The first place from offset on where so many bytes lie within one page."""
    behind = offset % PAGE_BYTES + size - PAGE_BYTES
    return offset if behind <= 0 else offset + size - behind
