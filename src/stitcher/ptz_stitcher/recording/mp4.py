# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An MP4 of pictures that are encoded already: they go in as they are, with their own times.

The file is fragmented while it is written, so that everything but the last picture plays after kill -9; closing makes it an
ordinary, indexed file with chapters (FFmpeg's movflags hybrid_fragmented).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from ptz_stitcher.recording.errors import RecordingError

#: Fine enough for stamps to a ten-thousandth of a second, coarse enough for days in 32 bits of a fragment's durations.
TIME_BASE = Fraction(1, 90_000)
_NANOSECONDS = 1_000_000_000
_OPTIONS = {'movflags': 'hybrid_fragmented', 'frag_duration': '1000000', 'flush_packets': '1'}


@dataclass(frozen=True)
class Chapter:
    """A named part of a video; stamps in ns of ROS time."""

    title: str
    start_ns: int
    end_ns: int


class VideoWriter:
    """Writes JPEG pictures as Motion JPEG. The first picture's stamp is the video's time zero.

    Raises RecordingError if the file exists, can't be written any more, or a picture has another size than the first.
    """

    def __init__(self, path: Path, tags: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._tags = dict(tags or {})
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._start_ns = 0
        self._last_pts = -1
        self._failed = False
        if path.exists():
            raise RecordingError(path, 'exists already; recordings are never written over')

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def write(self, jpeg: bytes, stamp_ns: int, size: tuple[int, int], period_ns: int) -> None:
        """Writes one picture; size in pixels; period_ns: how long it is shown if it turns out to be the last one."""
        if self._failed:
            raise RecordingError(self.path, 'could not be written earlier')
        if self._container is None:
            self._open(stamp_ns, size)
        if size != self._size:
            raise RecordingError(self.path, f'a picture of {size[0]}x{size[1]} in a video of {self._size[0]}x{self._size[1]}')
        assert self._container is not None
        packet = av.Packet(jpeg)
        assert self._stream is not None
        packet.stream = self._stream
        packet.time_base = TIME_BASE
        # Players need growing times; two pictures of one stamp can't both be shown anyway.
        packet.pts = packet.dts = max(self._ticks(stamp_ns), self._last_pts + 1)
        packet.duration = max(1, round(period_ns * TIME_BASE.denominator / _NANOSECONDS))
        packet.is_keyframe = True
        self._last_pts = packet.pts
        try:
            self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            self._give_up(error)

    def close(self, chapters: Sequence[Chapter] = ()) -> None:
        """Makes the file an ordinary one. A second call does nothing."""
        container, self._container = self._container, None
        if container is None or self._failed:
            return
        try:
            container.set_chapters(cast(Any, [self._chapter(number, chapter) for number, chapter in enumerate(chapters)]))
            container.close()
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise RecordingError(self.path, _reason(error)) from None

    def _open(self, stamp_ns: int, size: tuple[int, int]) -> None:
        self._start_ns, self._size = stamp_ns, size
        began = datetime.fromtimestamp(stamp_ns / _NANOSECONDS, UTC)
        try:
            container = av.open(str(self.path), 'w', format='mp4', options=_OPTIONS)
            stream = cast(VideoStream, container.add_stream('mjpeg', rate=10))
            stream.width, stream.height = size
            stream.pix_fmt = 'yuvj420p'
            stream.time_base = TIME_BASE
            container.metadata.update({**self._tags, 'creation_time': began.isoformat(), 'comment': f'start_ns={stamp_ns}'})
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise RecordingError(self.path, _reason(error)) from None
        self._container, self._stream = container, stream

    def _give_up(self, error: Exception) -> None:
        self._failed = True
        container, self._container = self._container, None
        try:
            if container is not None:
                container.close()
        except (av.FFmpegError, OSError):
            # The fragments that are there play without the end.
            pass
        raise RecordingError(self.path, _reason(error)) from None

    def _ticks(self, stamp_ns: int) -> int:
        return round((stamp_ns - self._start_ns) * TIME_BASE.denominator / _NANOSECONDS)

    def _chapter(self, number: int, chapter: Chapter) -> dict[str, Any]:
        return {
            'id': number,
            'start': max(0, self._ticks(chapter.start_ns)),
            'end': max(1, self._ticks(chapter.end_ns)),
            'time_base': TIME_BASE,
            'metadata': {'title': chapter.title},
        }


def _reason(error: Exception) -> str:
    return str(getattr(error, 'strerror', None) or error)
