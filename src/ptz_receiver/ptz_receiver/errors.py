# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a request, and what the client is told then."""

from __future__ import annotations

import errno
from http import HTTPStatus

#: What the system says when there is no room: the disk, the quota, or the largest file that this process may write.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class RefusedError(Exception):
    """A request that is not served. The message is one sentence for the client, and names what it should mend."""

    def __init__(self, status: HTTPStatus, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        #: Seconds after which it may be tried again; None: trying again does not help.
        self.retry_after = retry_after


class StorageError(RefusedError):
    """Pictures can't be kept or read just now, through no fault of the client."""

    def __init__(self, sentence: str, status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE) -> None:
        super().__init__(status, sentence, retry_after=5)


class StorageFullError(StorageError):
    """There is no room for a picture. Nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__('there is no room left to store it; send it again later', HTTPStatus.INSUFFICIENT_STORAGE)


def storage_error(error: OSError) -> StorageError:
    """The error of the file system as what the client is told."""
    if error.errno in _NO_ROOM:
        return StorageFullError()
    return StorageError(f"it can't be stored ({error.strerror}); send it again later")
