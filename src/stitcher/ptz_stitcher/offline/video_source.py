# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A plain video with marks inside its pictures as events. Nothing is decoded."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

from ptz_node.names import optical_frame
from ptz_site import NANOSECONDS, UserError
from ptz_site.stream_marks import StreamMark, jpeg, nal
from ptz_stitcher.offline import messages
from ptz_stitcher.offline.events import Event, FrameEvent, Notebook
from ptz_stitcher.offline.labelling import Labelled, Labeller
from ptz_stitcher.offline.picture_size import PictureSizes
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.segments import FrameHeader
from ptz_stitcher.sequence_writer import Frame

#: FFmpeg's codecs: our names of them, and the filter that brings their pictures into the form of PresetFrame (Annex B).
_ENCODINGS = {'mjpeg': ('jpeg', ''), 'h264': ('h264', 'h264_mp4toannexb'), 'hevc': ('h265', 'hevc_mp4toannexb')}
_PROGRESS_BYTES = 1_000_000
#: Marks lie behind the application segments that a picture had; those are a few, each of at most 64 KB.
_LONGEST_JPEG_HEAD = 1_000_000


@dataclass(frozen=True, slots=True)
class _Picture:
    data: bytes
    keyframe: bool


class VideoSource:
    """Reads a video of one camera, in any container that FFmpeg reads. Raises UserError if it is none, or of a codec that carries no marks.

    with_images: whether messages of the pictures are wanted too, for bags.
    """

    def __init__(self, path: Path, with_images: bool = True) -> None:
        self.name = str(path)
        self._path = path
        self._with_images = with_images
        self.size = path.stat().st_size
        with _opened(path) as container:
            stream = _stream(path, container)
            rate = stream.average_rate
            self._picture_size = stream.codec_context.width, stream.codec_context.height
            self._encoding = _ENCODINGS[stream.codec_context.name][0]
        self.slowest_period_ns = round(NANOSECONDS / rate) if rate else 0

    @property
    def regions(self) -> frozenset[str]:
        """Marks don't say."""
        return frozenset()

    @property
    def has_plans(self) -> bool:
        """No plan is in a video."""
        return False

    def events(self, region: str, notebook: Notebook) -> Generator[Event, None, None]:
        """The pictures from the first mark on."""
        labeller: Labeller[_Picture] = Labeller()
        frames = _Frames(region, self._encoding, self._with_images, self._picture_size)
        count, problem = 0, ''
        try:
            for time_ns, mark, picture in self._pictures(notebook):
                count += 1
                for labelled in labeller.take(time_ns, mark, picture):
                    yield frames.event(labelled)
        except UserError as error:
            problem = str(error)
        for labelled in labeller.finish():
            yield frames.event(labelled)
        if not problem and labeller.before_first == count:
            problem = f'{self.name}: no picture carries a mark; only videos of cameras of a region can be stitched'
        if problem:
            notebook.problem(problem)
        elif labeller.before_first:
            notebook.note(f'{self.name}: {labeller.before_first} pictures before the first mark are left out')
        if labeller.mended:
            notebook.note(f'{self.name}: {labeller.mended} switches without a mark; the marks of arrivals told when they were')

    def _pictures(self, notebook: Notebook) -> Iterator[tuple[int, StreamMark | None, _Picture]]:
        """Time in the video, mark, and picture. Raises UserError where it can't be read any more."""
        newest_ns: int | None = None
        unreported = 0
        with _opened(self._path) as container:
            stream = _stream(self._path, container)
            filter_name = _ENCODINGS[stream.codec_context.name][1]
            form = nal.NalFormat(nal.Codec(stream.codec_context.name), 0) if filter_name else None
            convert = BitStreamFilterContext(filter_name, stream) if filter_name else None
            base = stream.time_base or Fraction(1, 1000)
            scale, over = base.numerator * NANOSECONDS, base.denominator
            try:
                for packet in container.demux(stream):
                    unreported += packet.size
                    if unreported > _PROGRESS_BYTES:
                        notebook.read(unreported)
                        unreported = 0
                    for one in convert.filter(packet) if convert is not None and packet.size else [packet]:
                        if not one.size or one.pts is None:
                            continue
                        time_ns = one.pts * scale // over
                        if newest_ns is not None and time_ns <= newest_ns:
                            raise UserError(
                                f'{self.name}: pictures are not in the order in which they are shown (B-frames); what comes '
                                'before is taken; record with a profile without them'
                            )
                        newest_ns = time_ns
                        data = bytes(one)
                        yield time_ns, _mark(data, form), _Picture(data, form is None or one.is_keyframe)
            except (av.FFmpegError, OSError) as error:
                reason = getattr(error, 'strerror', '') or str(error)
                raise UserError(f'{self.name}: cut short or damaged ({reason}); what comes before that is taken') from None


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, 'strerror', '') or 'not a video'
        raise UserError(f"{path}: can't be read ({reason}); give a bag or a video file") from None


def _stream(path: Path, container: InputContainer) -> VideoStream:
    """The first stream of pictures."""
    if not container.streams.video:
        raise UserError(f'{path}: has no pictures; give a video file')
    stream = container.streams.video[0]
    if stream.codec_context.name not in _ENCODINGS:
        raise UserError(f'{path}: pictures in {stream.codec_context.name} carry no marks; H.264, H.265 and JPEG do')
    return stream


def _mark(data: bytes, form: nal.NalFormat | None) -> StreamMark | None:
    # Most pictures have none: a search for what begins one is faster than taking the picture apart.
    try:
        if form is None:
            return jpeg.read(data) if data.find(jpeg.IDENTIFIER, 0, _LONGEST_JPEG_HEAD) >= 0 else None
        return nal.read(data, form) if nal.UUID in data else None
    except ValueError:
        return None  # damaged


class _Frames:
    """Makes frames of pictures that are labelled."""

    def __init__(self, region: str, encoding: str, with_images: bool, size: tuple[int, int]) -> None:
        self._region = region
        self._encoding = encoding
        self._with_images = with_images
        self._size = size
        self._sizes = PictureSizes()
        self._shown: tuple[object, ...] = ()
        self._message_of: Any = None

    def event(self, labelled: Labelled[_Picture]) -> FrameEvent:
        label, data, keyframe = labelled.label, labelled.payload.data, labelled.payload.keyframe
        message = self._message(label)
        head = messages.image_head(message.header, self._encoding, len(data)) if self._with_images else b''
        frame = Frame(
            _header(label),
            EncodedPicture(data, self._encoding, keyframe, self._size_of(data, keyframe)),
            head,
            messages.encode(message, messages.HEADER),
        )
        return FrameEvent(label.stamp_ns, frame)

    def _message(self, label: StreamMark) -> Any:
        """The preset header. Of pictures that follow a mark little changes, so its message is used again."""
        shown = (label.camera, label.scene, label.session, label.switch_start_ns, label.phase)
        if self._message_of is None or label.marks or shown != self._shown:
            self._shown = shown
            self._message_of = messages.header_of_mark(label, optical_frame(self._region, label.camera))
        message = self._message_of
        message.marks, message.sequence = int(label.marks), label.sequence
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(label.stamp_ns, NANOSECONDS)
        return message

    def _size_of(self, data: bytes, keyframe: bool) -> tuple[int, int]:
        try:
            found = self._sizes.size(data, self._encoding, keyframe)
        except ValueError:
            return self._size
        return found if all(found) else self._size


def _header(label: StreamMark) -> FrameHeader:
    return FrameHeader(
        camera=label.camera,
        scene=label.scene,
        session=label.session,
        sequence=label.sequence,
        stamp_ns=label.stamp_ns,
        phase=label.phase,
        marks=label.marks,
        switch_start_ns=label.switch_start_ns,
        arrived_ns=label.arrived_ns,
        slot=label.slot,
    )
