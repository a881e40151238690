# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An MP4 of pictures that are encoded already: they go in as they are, with their own times.

While it is written the file is fragmented, a fragment about each second: after kill -9, or on a full disk, everything up to the
last fragment plays. Closing makes it an ordinary, indexed file with chapters (FFmpeg's movflags hybrid_fragmented).
"""

from __future__ import annotations

import contextlib
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

from ptz_site import NANOSECONDS
from ptz_stitcher.recording.errors import PictureRefusedError, RecordingError
from ptz_stitcher.recording.mp4_file import HidingFile

#: Ticks of 11 us: stamps are kept to 6 us, and a picture may be shown for up to 13 hours (32 bits) until the next one comes.
TIME_BASE = Fraction(1, 90_000)
#: FFmpeg's names of the encodings of PresetFrame.
_CODECS = {'jpeg': 'mjpeg', 'h264': 'h264', 'h265': 'hevc'}
#: empty_moov: the file opens from its first picture on. delay_moov: with its first fragment, as the head must hold the parameter sets,
#: which only the first picture tells; without them a file that was never closed does not open at all.
_HEAD = {'jpeg': 'empty_moov', 'h264': 'delay_moov', 'h265': 'delay_moov'}
# flush_packets: a fragment is complete when the call that caused it returns.
_OPTIONS = {'frag_duration': '1000000', 'flush_packets': '1'}


@dataclass(frozen=True)
class Chapter:
    """A named part of a video; stamps in ns of ROS time."""

    title: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class EncodedPicture:
    """A picture as it came. encoding: as in PresetFrame; size in pixels."""

    data: bytes
    encoding: str
    keyframe: bool
    size: tuple[int, int]


@dataclass
class _Output:
    """A video that is being written."""

    file: HidingFile
    container: OutputContainer
    stream: VideoStream
    size: tuple[int, int]
    encoding: str
    start_ns: int
    last_pts: int = -1


class VideoWriter:
    """Writes H.264, H.265, or JPEG as Motion JPEG. The first picture's stamp is the video's time zero, told as start_ns in its comment.

    The file is made with the first picture, which must be a keyframe. Raises RecordingError if the file exists, or can't be written any
    more (what was written by then plays, and the writer takes nothing more), PictureRefusedError if a picture has another size or
    encoding than the first (others may follow).

    Cameras have parameter sets of their own (SPS, PPS): they must be in every keyframe that follows another camera's picture
    (parameter_sets.py). The track is avc1 or hev1 with those of the first camera in its head. FFmpeg and Chromium take those of the
    keyframes; avc3 would be the exact name of such a track, but fewer players know it.
    """

    def __init__(self, path: Path, tags: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._tags = dict(tags or {})
        self._output: _Output | None = None
        self._closed = False
        if path.exists():
            raise RecordingError(path, 'exists already; recordings are never written over')

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def start_ns(self) -> int:
        """The stamp that is the video's time zero; 0 before the first picture, and after the last one."""
        return self._output.start_ns if self._output is not None else 0

    def write(self, picture: EncodedPicture, stamp_ns: int, period_ns: int) -> None:
        """Writes one picture; period_ns: how long it is shown if it turns out to be the last one."""
        if self._closed:
            raise RecordingError(self.path, 'closed already')
        output = self._output or self._open(stamp_ns, picture)
        width, height = picture.size
        if picture.size != output.size:
            other = f'{output.size[0]}x{output.size[1]}'
            raise PictureRefusedError(
                self.path, f'a picture of {width}x{height} in a video of {other}; set all cameras to one size'
            )
        if picture.encoding != output.encoding:
            text = f'a picture in {picture.encoding} in a video in {output.encoding}; set all cameras to one encoding'
            raise PictureRefusedError(self.path, text)
        packet = av.Packet(picture.data)
        packet.stream = output.stream
        packet.time_base = TIME_BASE
        # Players need growing times; two pictures of one stamp can't both be shown anyway.
        packet.pts = packet.dts = output.last_pts = max(_ticks(stamp_ns - output.start_ns), output.last_pts + 1)
        packet.duration = max(1, _ticks(period_ns))
        packet.is_keyframe = picture.keyframe
        try:
            output.container.mux(packet)
            output.file.show()
        except (av.FFmpegError, OSError) as error:
            self._give_up(output, error)

    def close(self, chapters: Sequence[Chapter] = ()) -> None:
        """Makes the file an ordinary one. Raises RecordingError if that fails; a second call does nothing."""
        output = self._output
        if self._closed or output is None:
            self._closed = True
            return
        entries = [_chapter(number, chapter, output.start_ns) for number, chapter in enumerate(chapters)]
        try:
            output.container.set_chapters(cast(Any, entries))
            output.container.close()
            output.file.show()
            output.file.close()
        except (av.FFmpegError, OSError) as error:
            self._give_up(output, error)
        self._closed, self._output = True, None

    def _open(self, stamp_ns: int, picture: EncodedPicture) -> _Output:
        began = datetime.fromtimestamp(stamp_ns // NANOSECONDS, UTC)
        try:
            file = HidingFile(self.path)
        except OSError as error:
            self._closed = True
            reason = 'exists already; recordings are never written over' if isinstance(error, FileExistsError) else _reason(error)
            raise RecordingError(self.path, reason) from None
        options = {'movflags': f'hybrid_fragmented+{_HEAD[picture.encoding]}', **_OPTIONS}
        container = av.open(cast(Any, file), 'w', format='mp4', options=options)
        width, height = picture.size
        codec = _CODECS[picture.encoding]
        stream = cast(VideoStream, container.add_mux_stream(codec, width=width, height=height, time_base=TIME_BASE))
        container.metadata.update({**self._tags, 'creation_time': began.isoformat(), 'comment': f'start_ns={stamp_ns}'})
        self._output = _Output(file, container, stream, picture.size, picture.encoding, stamp_ns)
        return self._output

    def _give_up(self, output: _Output, error: Exception) -> None:
        """Leaves the file as it was after the last complete fragment."""
        self._closed, self._output = True, None
        # The muxer writes its end when it is let go, whenever that is: it must not reach the file any more.
        with contextlib.suppress(OSError):
            output.file.close()
        with contextlib.suppress(av.FFmpegError, OSError):
            output.container.close()
        raise RecordingError(self.path, _reason(error)) from None


def _ticks(duration_ns: int) -> int:
    return round(duration_ns * TIME_BASE.denominator / NANOSECONDS)


def _chapter(number: int, chapter: Chapter, start_ns: int) -> dict[str, Any]:
    return {
        'id': number,
        'start': max(0, _ticks(chapter.start_ns - start_ns)),
        'end': max(1, _ticks(chapter.end_ns - start_ns)),
        'time_base': TIME_BASE,
        'metadata': {'title': chapter.title},
    }


def _reason(error: Exception) -> str:
    return str(getattr(error, 'strerror', None) or error)
