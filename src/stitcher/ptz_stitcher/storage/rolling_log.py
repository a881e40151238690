# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The region's log over many files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ptz_stitcher.recording import RecordingError
from ptz_stitcher.region_log import RegionLog
from ptz_stitcher.storage.disk_guard import is_for_want_of_room
from ptz_stitcher.storage.names import LOG
from ptz_stitcher.storage.rotation import Rotation
from ptz_stitcher.storage.shelf import Shelf


class RollingLog:
    """Implements what RegionLog does. Every part begins with the plan in force, so that it can be understood alone. durable: as for
    RegionLog.

    Raises RecordingError if a log that is not rotated is there already.
    """

    def __init__(self, region: str, site: str, shelf: Shelf, durable: bool = True) -> None:
        self._region, self._site, self._shelf = region, site, shelf
        self._durable = durable
        self._rotation = Rotation(shelf.file_limits)
        self._part: RegionLog | None = None
        self._name = ''
        self._plan: tuple[bytes, int] | None = None
        self._failure = ''
        shelf.register(self)
        if not shelf.in_parts:
            self._begin(0)

    @property
    def failure(self) -> str:
        """The last one there was; empty: none."""
        return (self._part.failure if self._part is not None else '') or self._failure

    def header(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """The header of any frame, also of those that the cut drops."""
        self._write(stamp_ns, len(data), lambda log: log.header(camera, data, stamp_ns))

    def state(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """A camera's state."""
        self._write(stamp_ns, len(data), lambda log: log.state(camera, data, stamp_ns))

    def tracks(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """What was tracked in a frame."""
        self._write(stamp_ns, len(data), lambda log: log.tracks(camera, data, stamp_ns))

    def plan(self, data: bytes, stamp_ns: int) -> None:
        """A plan revision. It may be for later, so that its stamp says nothing of the file."""
        self._plan = data, stamp_ns
        if self._part is not None:
            self._do(self._part, partial(_write_plan, data, stamp_ns))

    def close(self) -> None:
        """Writes what is left."""
        self.suspend()

    def suspend(self) -> None:
        """Closes the present file; the next message begins a new one, if there is room."""
        part, self._part = self._part, None
        if part is not None:
            part.close()
            self._failure = part.failure or self._failure
            self._shelf.end(self._name)

    def _write(self, stamp_ns: int, size: int, write: Callable[[RegionLog], None]) -> None:
        if self._rotation.cuts_before(stamp_ns, size, opens=True, keyframe=True):
            self.suspend()
        if self._part is None and self._shelf.recording:
            self._try_to_begin(stamp_ns)
        if self._part is not None:
            self._do(self._part, write)

    def _do(self, part: RegionLog, write: Callable[[RegionLog], None]) -> None:
        failed_before = bool(part.failure)
        write(part)
        if part.failure and not failed_before and is_for_want_of_room(part.failure):
            self._shelf.found_full()

    def _try_to_begin(self, stamp_ns: int) -> None:
        try:
            self._begin(stamp_ns)
        except RecordingError as error:
            self._failure = str(error)
            if is_for_want_of_room(self._failure):
                self._shelf.found_full()

    def _begin(self, stamp_ns: int) -> None:
        name = self._shelf.begin(LOG, stamp_ns)
        self._part, self._name = RegionLog(self._shelf.out, self._region, self._site, self._durable, name), name
        if self._plan is not None:
            _write_plan(*self._plan, self._part)


def _write_plan(data: bytes, stamp_ns: int, log: RegionLog) -> None:
    log.plan(data, stamp_ns)
