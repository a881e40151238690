# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the marks inside the pictures of a video file, without decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from ptz_site import UserError
from ptz_site.stream_marks import StreamMark, jpeg, nal


@dataclass(frozen=True)
class MarkedPicture:
    """A mark, and when its picture is shown: seconds since the beginning of the video, NaN if it does not say."""

    time: float
    mark: StreamMark


def read_marks(file: Path) -> Iterator[MarkedPicture]:
    """The marks of a video's first stream of pictures, in the order of the file; one packet at a time is in memory.

    Raises UserError if it is no video, or of a codec that carries no marks. Damaged marks are left out.
    """
    try:
        container = av.open(str(file))
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, 'strerror', '') or 'not a video'
        raise UserError(f"{file}: can't be read ({reason}); give a video file") from None
    with container:
        if not container.streams.video:
            raise UserError(f'{file}: has no pictures; give a video file')
        stream = container.streams.video[0]
        codec = stream.codec_context.name
        form = _format(file, codec, stream.codec_context.extradata or b'')
        for packet in container.demux(stream):
            mark = _mark(bytes(packet), form)
            if mark is not None:
                time = float(packet.pts * stream.time_base) if packet.pts is not None and stream.time_base else float('nan')
                yield MarkedPicture(time, mark)


def _format(file: Path, codec: str, extradata: bytes) -> nal.NalFormat | None:
    """The format of H.264 and H.265; None for JPEG."""
    if codec == 'mjpeg':
        return None
    try:
        return nal.format_of(nal.Codec(codec), extradata)
    except ValueError:
        raise UserError(f'{file}: pictures in {codec} carry no marks; H.264, H.265 and JPEG do') from None


def _mark(data: bytes, form: nal.NalFormat | None) -> StreamMark | None:
    if not data:
        return None  # the packet that ends a stream
    try:
        return jpeg.read(data) if form is None else nal.read(data, form)
    except ValueError:
        return None
