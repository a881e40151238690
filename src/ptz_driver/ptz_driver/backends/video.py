# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded video that can be asked for the picture of any instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from ptz_driver.backends.base import BackendError

#: s ahead beyond which seeking is quicker than decoding what lies between.
_SEEK = 4.0


@dataclass(frozen=True)
class VideoPicture:
    """A decoded picture: BGR (height, width, 3), and its time in seconds from the video's begin."""

    time: float
    picture: NDArray[np.uint8]


class Video:
    """Decodes forward as time goes on, and seeks when it jumps. Raises BackendError for a file that can't be decoded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._container: InputContainer = av.open(str(path))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, OSError, IndexError) as error:
            raise BackendError(f'{path}: not a video that can be decoded ({_reason(error)}); give another file') from None
        self._stream.thread_type = 'NONE'
        self._begin = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        self.duration = self._length()
        self._frames: Iterator[av.VideoFrame] = self._container.decode(self._stream)
        self._present: av.VideoFrame | None = None
        self._following: av.VideoFrame | None = None
        if self._step() is None:
            raise BackendError(f'{path}: no picture in it can be decoded; give another file')

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def picture(self, seconds: float) -> VideoPicture:
        """The picture that is shown at an instant of the video: the last one that is not later. Raises BackendError."""
        if self._present is None or seconds < self._time(self._present) or seconds > self._time(self._present) + _SEEK:
            self._seek(seconds)
        while self._following is not None and self._time(self._following) <= seconds:
            self._step()
        if self._present is None:
            raise BackendError(f'{self._path}: nothing can be decoded at {seconds:.1f} s; the file may be damaged')
        return VideoPicture(self._time(self._present), np.asarray(self._present.to_ndarray(format='bgr24'), np.uint8))

    def _step(self) -> av.VideoFrame | None:
        """Goes on by one picture; the present one stays when there is no other."""
        try:
            if self._present is None:
                self._present = next(self._frames, None)
            elif self._following is not None:
                self._present = self._following
            self._following = next(self._frames, None)
        except av.FFmpegError as error:
            raise BackendError(f'{self._path}: damaged ({_reason(error)}); repair it or give another file') from None
        return self._present

    def _seek(self, seconds: float) -> None:
        assert self._stream.time_base is not None
        try:
            self._container.seek(max(0, int((seconds + self._begin) / self._stream.time_base)), stream=self._stream)
        except av.FFmpegError as error:
            raise BackendError(f"{self._path}: can't go to {seconds:.1f} s ({_reason(error)}); give another file") from None
        self._frames = self._container.decode(self._stream)
        self._present = self._following = None
        self._step()

    def _time(self, frame: av.VideoFrame) -> float:
        return float(frame.time or 0.0) - self._begin

    def _length(self) -> float:
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration:
            return self._container.duration / av.time_base
        raise BackendError(f'{self._path}: does not say how long it is; copy it into an MP4 or MKV file')


def _reason(error: Exception) -> str:
    return str(getattr(error, 'strerror', None) or error)
