# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps packages: the picture in the storage, then the row in the index. Stored once, however often it is sent."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from ptz_receiver.errors import RefusedError, StorageError
from ptz_receiver.index import PackageIndex, Stored
from ptz_receiver.retention import Retention, surplus
from ptz_receiver.storage import PictureStorage
from ptz_site.frame_package import FramePackage

_LOG = logging.getLogger(__name__)
#: Ids share this many locks, so that one waits for another's storage seldom.
_LOCKS = 64
#: Pictures that are looked at together when old ones go.
_BATCH = 200


class Keeper:
    """What becomes of a package, without HTTP. Its methods wait for disks and networks; usable from several threads."""

    def __init__(self, index: PackageIndex, storage: PictureStorage, clock: Callable[[], int] = time.time_ns) -> None:
        self.index = index
        self._storage = storage
        self._clock = clock
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def recover(self) -> int:
        """Removes pictures that a crash, or a storage that was away, left without a row; returns how many. Raises StorageError."""
        removed = 0
        for key, package_id in self.index.unsettled():
            with self._lock(package_id):
                # Those that were on their way in may have come meanwhile.
                there = self.index.find(package_id)
                if there is None or there.key != key:
                    self._remove(key)
                    removed += 1
        return removed

    def keep(self, package: FramePackage, picture: bytes) -> bool:
        """True: it is new, and durable now; False: it was there. Raises RefusedError if another picture has its id, StorageError."""
        with self._lock(package.id):
            there = self.index.find(package.id)
            if there is None:
                self._store(package, picture)
                return True
        if there.picture_sha256 != package.picture_sha256:
            raise RefusedError(HTTPStatus.CONFLICT, f'id: {package.id} is there with another picture; a picture never changes')
        return False

    def _store(self, package: FramePackage, picture: bytes) -> None:
        # Noted before, so that whatever is cut short here is known at the next start, and leaves nothing.
        key = self.index.begin(package)
        try:
            self._storage.put(key, picture)
            self.index.add(package, key, self._clock())
        except StorageError:
            with contextlib.suppress(StorageError):
                self._remove(key)
            raise

    def _remove(self, key: str) -> None:
        self._storage.remove(key)
        self.index.settle(key)

    def picture(self, stored: Stored) -> bytes | None:
        """The picture as it was sent; None: it is no longer in the storage. Raises StorageError."""
        picture = self._storage.get(stored.key)
        if picture is not None and hashlib.sha256(picture).hexdigest() != stored.picture_sha256:
            raise StorageError(f'the picture of {stored.id} is damaged in the storage', HTTPStatus.INTERNAL_SERVER_ERROR)
        return picture

    def tidy(self, rule: Retention, ended: Callable[[], bool] = lambda: False) -> int:
        """Removes what shall not be kept any longer, until ended says so; returns how many. Raises StorageError."""
        self.recover()
        if rule.everything:
            return 0
        removed = 0
        while going := surplus(self.index.oldest(_BATCH), self.index.total_bytes(), self._clock(), rule):
            for stored in going:
                if ended():
                    return removed
                with self._lock(stored.id):
                    self.index.withdraw(stored)
                    self._remove(stored.key)
                removed += 1
        return removed

    def _lock(self, package_id: str) -> threading.Lock:
        return self._locks[hash(package_id) % _LOCKS]
