# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorders of a region share: what their files are called, whether there is room, and what must go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ptz_stitcher.recording import RecordingError
from ptz_stitcher.storage.disk_guard import DiskGuard
from ptz_stitcher.storage.ledger import Ledger
from ptz_stitcher.storage.limits import StorageLimits
from ptz_stitcher.storage.names import free_name, part_name
from ptz_stitcher.storage.retention import surplus
from ptz_stitcher.storage.shelf import Recorder


@dataclass(frozen=True)
class Surroundings:
    """What is outside: free bytes of the disk, ROS time (ns), a clock that nobody sets (ns), and people. grave: something is lost."""

    free: Callable[[], int]
    now_ns: Callable[[], int]
    steady_ns: Callable[[], int]
    say: Callable[[str, bool], None]


class Keeper:
    """Of one folder that is recorded to; implements Shelf.

    All methods are called in the thread that writes; the properties may be read in any. Raises RecordingError if somebody else records
    there.
    """

    def __init__(self, out: Path, region: str, limits: StorageLimits, outside: Surroundings) -> None:
        self.out, self.limits = out, limits
        self.file_limits = limits.file
        self._region, self._outside = region, outside
        self._ledger = Ledger(out)
        self._guard = DiskGuard(limits.least_free, free=outside.free())
        self._recorders: list[Recorder] = []
        self._named: set[str] = set()

    @property
    def resumed(self) -> bool:
        """Another one was killed here: what it left is never written over."""
        return self._ledger.was_killed

    @property
    def in_parts(self) -> bool:
        """Recordings are in parts that are named by time, and made when there is something to write."""
        return self.file_limits.rotates or self.resumed

    @property
    def recording(self) -> bool:
        """There is room."""
        return self._guard.recording

    @property
    def free(self) -> int:
        """Bytes, when it was last looked."""
        return self._guard.free

    @property
    def wanted(self) -> int:
        """Bytes that must be free for recording to start again."""
        return self._guard.wanted

    def close(self) -> None:
        """Nothing more is recorded."""
        self._ledger.close()

    def register(self, recorder: Recorder) -> None:
        """A recorder is to be told when there is no room any more."""
        self._recorders.append(recorder)

    def begin(self, what: str, stamp_ns: int) -> str:
        """The name of a new part of a recording: of a scene, or of the log. Raises RecordingError if it can't be noted."""
        name = what if not self.in_parts and what not in self._named else self._part_name(what, stamp_ns)
        self._named.add(what)
        try:
            self._ledger.began(name)
        except OSError as error:
            raise RecordingError(self.out, error.strerror or str(error)) from None
        return name

    def end(self, name: str) -> None:
        """A part is over."""
        try:
            self._ledger.ended(name, self._outside.now_ns())
        except OSError:
            # It is noted with the next one; until then, and if we are killed, it counts as being written.
            return

    def found_full(self) -> None:
        """A file could not be written for want of room."""
        was = self._guard.recording
        self._guard.found_full(self._outside.steady_ns())
        self._after(was)

    def look(self) -> None:
        """Looks after the disk; to be called about every second."""
        was = self._guard.recording
        self._guard.look(self._outside.free(), self._outside.steady_ns())
        self._after(was)
        self._tidy()

    def _after(self, was_recording: bool) -> None:
        free, wanted = f'{self.free / 1e6:.0f} MB free in {self.out}', f'{self.wanted / 1e6:.0f} MB'
        if was_recording and not self.recording:
            for recorder in self._recorders:
                recorder.suspend()
            self._outside.say(f'the disk is full: recording has stopped ({free}); it starts again when {wanted} are free', True)
        elif self.recording and not was_recording:
            self._outside.say(f'there is room again: recording goes on in new files ({free})', False)

    def _tidy(self) -> None:
        keep = self.limits.keep
        if not keep.age_ns and not keep.size:
            return
        for part in surplus(self._ledger.parts(), self._outside.now_ns(), keep):
            try:
                self._ledger.delete(part.name)
            except OSError as error:
                self._outside.say(
                    f"{self.out / part.name}: is to be deleted, but can't be ({error.strerror}); delete it by hand", True
                )
                return
            self._outside.say(f'{self.out / part.name} is deleted ({part.size / 1e6:.0f} MB): no longer to be kept', False)

    def _part_name(self, what: str, stamp_ns: int) -> str:
        return free_name(part_name(self._region, what, stamp_ns), lambda name: any(self._ledger.entries(name)))
