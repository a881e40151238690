# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder are recordings of this program, and which of them are over: recordings.json beside them.

Nothing else is ever deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ptz_stitcher.recording import RecordingError
from ptz_stitcher.storage.retention import Part

FILE = 'recordings.json'
_VERSION = 1
#: A name, not a path: whatever the file says, nothing outside of the folder is touched.
_NAME = re.compile(r'^[A-Za-z0-9][A-Za-z0-9_-]*$')


@dataclass
class Ledger:
    """The recordings below a folder, for one process at a time. What an earlier one left unfinished counts as over: it was killed.

    was_killed: the last one that recorded there did not close the ledger. Raises RecordingError if another one records there.
    """

    folder: Path
    was_killed: bool = False
    _ends: dict[str, int | None] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _lock: int = -1

    def __post_init__(self) -> None:
        self._lock = _locked(self.folder)
        ends, self.was_killed = _read(self.folder / FILE)
        for name, end_ns in ends.items():
            if any(self.entries(name)):
                self._ends[name] = end_ns if end_ns is not None else self._newest_ns(name)

    def close(self) -> None:
        """Nobody was killed, and the folder may be another's."""
        if self._ends:
            with contextlib.suppress(OSError):
                self._write(closed=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def began(self, name: str) -> None:
        """A part is being written from now on. Raises OSError if that can't be noted."""
        self._ends[name] = None
        self._write()

    def ended(self, name: str, end_ns: int) -> None:
        """A part is over. Raises OSError, as above."""
        self._ends[name] = end_ns
        self._sizes.pop(name, None)
        self._write()

    def parts(self) -> list[Part]:
        """All that are there."""
        return [Part(name, end_ns, self._size(name)) for name, end_ns in self._ends.items()]

    def delete(self, name: str) -> None:
        """Removes a part that is over. Raises OSError if something of it can't be removed; it stays in the ledger then."""
        if self._ends.get(name, None) is None:
            raise ValueError(f'{name} is being written, or is no recording')
        for entry in list(self.entries(name)):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        del self._ends[name]
        self._sizes.pop(name, None)
        self._write()

    def entries(self, name: str) -> Iterator[Path]:
        """The files and folders of a part: its name alone, or with more behind a dot."""
        if not _NAME.match(name):
            return
        for entry in sorted(self.folder.glob(f'{name}*')):
            if entry.name == name or entry.name.startswith(f'{name}.'):
                yield entry

    def _size(self, name: str) -> int:
        # Of a part that is over nothing changes any more.
        if self._ends[name] is None:
            return self._measured(name)
        if name not in self._sizes:
            self._sizes[name] = self._measured(name)
        return self._sizes[name]

    def _measured(self, name: str) -> int:
        return sum(file.stat().st_size for file in self._files(name))

    def _newest_ns(self, name: str) -> int:
        return max((file.stat().st_mtime_ns for file in self._files(name)), default=0)

    def _files(self, name: str) -> Iterator[Path]:
        for entry in self.entries(name):
            yield from (file for file in entry.rglob('*') if file.is_file()) if entry.is_dir() else [entry]

    def _write(self, closed: bool = False) -> None:
        parts = [{'name': name, 'end_ns': end_ns} for name, end_ns in self._ends.items()]
        text = json.dumps({'version': _VERSION, 'closed': closed, 'recordings': parts}, indent=1) + '\n'
        fresh = self.folder / f'{FILE}.tmp'
        try:
            fresh.write_text(text, encoding='utf-8')
            fresh.replace(self.folder / FILE)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise


def _locked(folder: Path) -> int:
    lock = -1
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RecordingError(folder, 'somebody else records there') from None
    except OSError:
        pass  # a file system without locks
    return lock


def _read(path: Path) -> tuple[dict[str, int | None], bool]:
    """Names and ends, and whether it was left open; nothing if there is no ledger, or it can't be understood: nothing is deleted then."""
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
        ends = {str(one['name']): None if one['end_ns'] is None else int(one['end_ns']) for one in found['recordings']}
        return ends, not found.get('closed', True)
    except (OSError, ValueError, KeyError, TypeError):
        return {}, False
