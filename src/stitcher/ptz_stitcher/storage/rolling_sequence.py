# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The sequence of one scene over many files: every part is written by a SequenceWriter of its own."""

from __future__ import annotations

from dataclasses import replace

from ptz_stitcher.recording import RecordingError
from ptz_stitcher.retouch import Look
from ptz_stitcher.segments import FrameHeader, Placed
from ptz_stitcher.sequence_writer import Frame, SequenceSettings, SequenceWriter
from ptz_stitcher.storage.disk_guard import is_for_want_of_room
from ptz_stitcher.storage.rotation import Rotation
from ptz_stitcher.storage.shelf import Shelf


class RollingSequence:
    """Takes the frames of one scene in any order. cutter: of the whole sequence, whatever part its segments are in.

    Raises RecordingError if a recording that is not rotated is there already.
    """

    def __init__(self, settings: SequenceSettings, shelf: Shelf) -> None:
        self.settings = settings
        self.cutter = settings.cutter()
        #: Frames that were not recorded, because there was no room, or no file could be made.
        self.missed = 0
        self._shelf = shelf
        self._rotation = Rotation(shelf.file_limits)
        self._frames: dict[FrameHeader, Frame] = {}
        self._part: SequenceWriter | None = None
        self._name = ''
        self._past_failures: list[str] = []
        #: Why no file could be made.
        self._trouble = ''
        self._closed = False
        self._past_written = self._past_before_keyframe = self._past_wholly_hidden = 0
        self._looks: dict[str, Look] = {}
        shelf.register(self)
        if not shelf.in_parts:
            self._begin(0)

    @property
    def written(self) -> int:
        """Frames that are recorded."""
        return self._past_written + (self._part.written if self._part is not None else 0)

    @property
    def before_keyframe(self) -> int:
        """As of SequenceWriter."""
        return self._past_before_keyframe + (self._part.before_keyframe if self._part is not None else 0)

    @property
    def wholly_hidden(self) -> int:
        """As of SequenceWriter."""
        return self._past_wholly_hidden + (self._part.wholly_hidden if self._part is not None else 0)

    @property
    def failures(self) -> list[str]:
        """All there were."""
        # While it grows, the diagnostics tell.
        missed = f'{self.settings.scene}: {self.missed} frames are not recorded' if self.missed and self._closed else ''
        now = self._part.failures if self._part is not None else ()
        return [*self._past_failures, *now, *([missed] if missed else [])]

    @property
    def failing(self) -> list[str]:
        """What is wrong with the files that are being written, or should be."""
        return list(self._part.failures) if self._part is not None else [self._trouble] if self._trouble else []

    def take(self, frame: Frame) -> None:
        """Takes a frame, and writes those that are due."""
        if self.cutter.take(frame.header):
            self._frames[frame.header] = frame
        for placed in self.cutter.ready():
            self._write(placed)

    def look(self, look: Look) -> None:
        """As of SequenceWriter."""
        self._looks[look.camera] = look
        if self._part is not None:
            self._part.look(look)

    def close(self) -> None:
        """Writes what is left, and closes the files."""
        for placed in self.cutter.finish():
            self._write(placed)
        self.suspend()
        self._closed = True

    def suspend(self) -> None:
        """Closes the present files; the next frame begins new ones, if there is room."""
        part, self._part = self._part, None
        if part is None:
            return
        part.close()
        self._past_written += part.written
        self._past_before_keyframe += part.before_keyframe
        self._past_wholly_hidden += part.wholly_hidden
        self._past_failures += part.failures
        self._shelf.end(self._name)

    def _write(self, placed: Placed) -> None:
        frame = self._frames.pop(placed.header)
        if placed.keep:
            # Frames that the cut drops are in no file.
            self._roll(placed, frame)
        if self._shelf.recording and self._part is None and placed.keep:
            self._try_to_begin(placed.header.stamp_ns)
        if self._part is None:
            self.missed += placed.keep
            return
        known = len(self._part.failures)
        self._part.write(placed, frame)
        if any(map(is_for_want_of_room, self._part.failures[known:])):
            self._shelf.found_full()

    def _roll(self, placed: Placed, frame: Frame) -> None:
        opens = placed.segment.kept == 1 and not placed.late
        if self._rotation.cuts_before(placed.header.stamp_ns, len(frame.picture.data), opens, frame.picture.keyframe):
            self.suspend()

    def _try_to_begin(self, stamp_ns: int) -> None:
        try:
            self._begin(stamp_ns)
        except RecordingError as error:
            failure = self._trouble = str(error)
            if failure not in self._past_failures:
                self._past_failures.append(failure)
            if is_for_want_of_room(failure):
                self._shelf.found_full()

    def _begin(self, stamp_ns: int) -> None:
        name = self._shelf.begin(self.settings.scene, stamp_ns)
        self._part = SequenceWriter(replace(self.settings, name=name))
        self._name, self._trouble = name, ''
        for look in self._looks.values():
            self._part.look(look)
