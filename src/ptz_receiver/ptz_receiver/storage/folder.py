# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as files: DIR/pictures/YYYY/MM/DD/ID.jpg."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from ptz_receiver.errors import storage_error
from ptz_receiver.storage.base import checked_key
from ptz_site import UserError


class FolderStorage:
    """Writes a picture beside its place, makes it durable, and only then gives it its name: whatever has a name is whole."""

    def __init__(self, folder: Path) -> None:
        self._pictures = folder / 'pictures'
        self._incoming = folder / 'incoming'

    def check(self) -> None:
        """Makes the folders, and removes what a crash left half written. Raises UserError."""
        try:
            for folder in (self._pictures, self._incoming):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in self._incoming.glob('*.part'):
                part.unlink()
            probe = self._incoming / f'{secrets.token_hex(8)}.part'
            probe.touch()
            probe.unlink()
            _sync(self._pictures.parent)
        except OSError as error:
            raise UserError(
                f"--dir: {self._pictures.parent} can't be written to ({error.strerror}); give a folder that this user may write to"
            ) from None

    def put(self, key: str, picture: bytes) -> None:
        """Keeps a picture; see PictureStorage."""
        path = self._path(key)
        part = self._incoming / f'{path.stem}.{secrets.token_hex(8)}.part'
        try:
            self._make_day(path.parent)
            with open(part, 'xb', opener=_open_own) as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise storage_error(error) from error

    def get(self, key: str) -> bytes | None:
        """The picture; see PictureStorage."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error) from error

    def remove(self, key: str) -> None:
        """Removes a picture; see PictureStorage."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error) from error

    def _path(self, key: str) -> Path:
        return self._pictures / checked_key(key)

    def _make_day(self, day: Path) -> None:
        # The names of new folders must be durable too, each in the one above it.
        if day.is_dir():
            return
        for folder in (day.parent.parent, day.parent, day):
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync(folder.parent)


def _open_own(path: str, flags: int) -> int:
    """Opens a file that nobody else may read, whatever folder it is in."""
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
