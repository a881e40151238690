# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a storage of pictures must do, and the names that it keeps them by."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Protocol

_ID = re.compile(r'[a-z][a-z0-9_-]{0,199}')
_KEY = re.compile(r'[0-9]{4}/[0-9]{2}/[0-9]{2}/[a-z][a-z0-9_-]{0,199}\.jpg')


class PictureStorage(Protocol):
    """Keeps pictures by key. Called from several threads, but never for one key at the same time."""

    def check(self) -> None:
        """Whether it can be used. Raises UserError."""

    def put(self, key: str, picture: bytes) -> None:
        """Keeps a picture, in place of one with this key. It is durable when this returns. Raises StorageError, StorageFullError."""

    def get(self, key: str) -> bytes | None:
        """The picture; None: there is none with this key. Raises StorageError."""

    def remove(self, key: str) -> None:
        """Removes a picture; nothing happens if there is none. Raises StorageError."""


def is_package_id(text: str) -> bool:
    """Whether it can be the id of a package, and with that a name of a file."""
    return _ID.fullmatch(text) is not None


def picture_key(package_id: str, stamp_ns: int) -> str:
    """YYYY/MM/DD/ID.jpg, by the UTC day of the capture."""
    day = datetime.fromtimestamp(stamp_ns // 1_000_000_000, UTC)
    return checked_key(f'{day:%Y/%m/%d}/{package_id}.jpg')


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError for one that could lead anywhere else; ids are checked long before."""
    if not _KEY.fullmatch(key):
        raise ValueError(f'{key!r} is no key of a picture')
    return key
