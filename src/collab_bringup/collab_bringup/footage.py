# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Frames to look at from recordings: bags and videos, a few a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError
from rosbags.typesys import Stores, get_typestore

from ptz_node.images import decode
from ptz_node.stream_decoder import StreamDecoder, as_bgr
from ptz_perception.datasets.collecting import Shot
from ptz_perception.detections import Image
from ptz_perception.pace import Pace
from ptz_site import NANOSECONDS, UserError
from ptz_site.stream_marks import nal
from ptz_stitcher.frames import frame_header

_FRAME, _PICTURE, _HEADER = (
    'ptz_collab_msgs/msg/PresetFrame',
    'sensor_msgs/msg/CompressedImage',
    'ptz_collab_msgs/msg/PresetHeader',
)
#: Pictures that perception has drawn into are no pictures to learn from.
_DRAWN_INTO = '/image/annotated/compressed'
_CODECS = {'h264': nal.Codec.H264, 'h265': nal.Codec.H265, 'hevc': nal.Codec.H265}
_IN_POSITION = 2
_JPEG = b'\xff\xd8'


class Footage(Protocol):
    """Where frames come from."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def seconds(self) -> float | None:
        """How long it is; None: without an end that is known."""
        ...

    def shots(self) -> Iterator[tuple[float, Shot | None]]:
        """Seconds since the beginning, and a frame, or None where there is none to look at. Raises UserError if it can't be read."""
        ...


@dataclass(frozen=True)
class Encoded:
    """A frame as it was recorded. source: the camera, or the topic; sequence: the camera's count, None if it has none."""

    source: str
    scene: str
    stamp_ns: int
    encoding: str
    keyframe: bool
    data: bytes
    sequence: int | None = None
    at_rest: bool = True


@dataclass
class _Stream:
    """What is known of one source of frames."""

    pace: Pace
    decoder: StreamDecoder | None = None
    sequence: int | None = None


class Pictures:
    """Decodes of each source's frames at most one every so many seconds; frames that depend on each other must all be given."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._streams: dict[str, _Stream] = {}

    def take(self, frame: Encoded) -> Shot | None:
        """A frame to look at, or None. Raises ValueError if it is damaged."""
        if frame.source not in self._streams:
            self._streams[frame.source] = _Stream(Pace(1 / self._every))
        stream = self._streams[frame.source]
        wanted = frame.at_rest and stream.pace.takes(frame.stamp_ns)
        codec = _CODECS.get(frame.encoding)
        picture: Image | None = None
        if codec is not None:
            picture = self._from_stream(stream, frame, codec, wanted)
        elif wanted:
            picture = decode(frame.data)
        if picture is None:
            return None
        jpeg = frame.data if frame.data.startswith(_JPEG) else None
        return Shot(frame.source, frame.scene, frame.stamp_ns, picture, jpeg)

    @staticmethod
    def _from_stream(stream: _Stream, frame: Encoded, codec: nal.Codec, wanted: bool) -> Image | None:
        encoding = 'h265' if codec is nal.Codec.H265 else 'h264'
        if stream.decoder is None or stream.decoder.encoding != encoding:
            stream.decoder = StreamDecoder(encoding)
        if frame.sequence is not None and stream.sequence is not None and frame.sequence != stream.sequence + 1:
            stream.decoder.lost()
        stream.sequence = frame.sequence
        decoded = stream.decoder.decode(frame.data, frame.keyframe)
        return as_bgr(decoded) if wanted and decoded is not None else None


class BagFootage:
    """A rosbag2 bag: of a scene as the stitcher writes it, or with topics of PresetFrame or sensor_msgs/CompressedImage."""

    def __init__(self, folder: Path, every: float) -> None:
        self._folder, self._every = folder, every
        self.name = folder.name
        self.seconds: float | None = None
        with self._open() as reader:
            self.seconds = max(0.0, reader.duration / NANOSECONDS)
            self.holds_pictures = any(_is_picture(connection) for connection in reader.connections)

    def shots(self) -> Iterator[tuple[float, Shot | None]]:
        """See Footage. Frames that are damaged are left out."""
        pictures = Pictures(self._every)
        with self._open() as reader:
            for at_ns, frame in self._frames(reader):
                try:
                    shot = pictures.take(frame)
                except ValueError:
                    shot = None
                yield max(0.0, (at_ns - reader.start_time) / NANOSECONDS), shot

    @contextmanager
    def _open(self) -> Iterator[AnyReader]:
        try:
            with AnyReader([self._folder], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
                yield reader
        except (AnyReaderError, ReaderError, OSError) as error:
            raise UserError(f'{self._folder}: not a bag that can be read ({error}); give the folder of a rosbag2 bag') from None

    def _frames(self, reader: AnyReader) -> Iterator[tuple[int, Encoded]]:
        wanted = [one for one in reader.connections if _is_picture(one) or one.msgtype == _HEADER]
        paired = {_stem(one.topic) for one in wanted if one.msgtype == _HEADER}
        waiting: dict[tuple[str, int], Any] = {}
        if not wanted:
            return  # asked for none, the reader would give all
        for connection, at_ns, raw in reader.messages(wanted):
            message: Any = reader.deserialize(raw, connection.msgtype)
            if connection.msgtype == _FRAME:
                yield at_ns, _of_frame(message)
                continue
            stem = _stem(connection.topic)
            if stem not in paired:
                yield at_ns, _of_picture(message, connection.topic, at_ns)
                continue
            # A picture and its header have one stamp; either may come first. Headers of other topics wait in vain, so not for long.
            key = (stem, _ns(message.header.stamp))
            other = waiting.pop(key, None)
            if other is None:
                waiting[key] = message
                while len(waiting) > 100:
                    del waiting[next(iter(waiting))]
            else:
                header, picture = (message, other) if connection.msgtype == _HEADER else (other, message)
                yield at_ns, _of_pair(header, picture)


class VideoFootage:
    """A video file that FFmpeg reads."""

    def __init__(self, path: Path, every: float) -> None:
        self._path, self._every = path, every
        self.name = path.name
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise UserError(f'{path}: no pictures are in it; give a video')
                self.seconds = container.duration / av.time_base if container.duration else None
        except (av.FFmpegError, OSError) as error:
            raise UserError(f"{path}: can't be read as a video ({error.strerror}); give one that FFmpeg reads") from None

    def shots(self) -> Iterator[tuple[float, Shot | None]]:
        """See Footage. What comes after a damaged place is left out."""
        pace = Pace(1 / self._every)
        with av.open(str(self._path)) as container:
            try:
                for number, frame in enumerate(container.decode(video=0)):
                    at = frame.time if frame.time is not None else number / 25
                    stamp_ns = round(at * NANOSECONDS)
                    yield at, Shot(self._path.stem, '', stamp_ns, as_bgr(frame)) if pace.takes(stamp_ns) else None
            except av.FFmpegError:
                return


def bags_in(path: Path) -> list[Path]:
    """The bags at a path: itself, or those of a run's folder. Raises UserError if there is none."""
    if path.suffix == '.mcap' and path.is_file():
        path = path.parent
    if (path / 'metadata.yaml').is_file():
        return [path]
    found = sorted(file.parent for file in path.glob('*/metadata.yaml')) if path.is_dir() else []
    if not found:
        raise UserError(f'{path}: no bag is there; give the folder of a rosbag2 bag, or of a run')
    return found


def _is_picture(connection: Any) -> bool:
    if connection.msgtype == _FRAME:
        return True
    return bool(connection.msgtype == _PICTURE) and not connection.topic.endswith(_DRAWN_INTO)


def _stem(topic: str) -> str:
    return topic.removesuffix('/image/compressed').removesuffix('/preset_header')


def _of_frame(message: Any) -> Encoded:
    preset = message.preset
    return Encoded(
        preset.camera,
        preset.scene,
        _ns(message.header.stamp),
        message.encoding,
        bool(message.keyframe),
        message.data.tobytes(),
        preset.sequence,
        preset.phase == _IN_POSITION,
    )


def _of_pair(header: Any, picture: Any) -> Encoded:
    known, data, encoding = frame_header(header), picture.data.tobytes(), _encoding(picture.format)
    keyframe = _is_keyframe(encoding, data)
    return Encoded(
        known.camera, known.scene, known.stamp_ns, encoding, keyframe, data, known.sequence, int(known.phase) == _IN_POSITION
    )


def _of_picture(message: Any, topic: str, at_ns: int) -> Encoded:
    data, encoding = message.data.tobytes(), _encoding(message.format)
    stamp_ns = _ns(message.header.stamp) or at_ns
    return Encoded(topic.removesuffix('/compressed'), '', stamp_ns, encoding, _is_keyframe(encoding, data), data)


def _encoding(text: str) -> str:
    """Of a CompressedImage's format, which image_transport makes longer: bgr8; jpeg compressed bgr8."""
    words = text.replace(';', ' ').lower().split()
    return next((word for word in words if word in ('jpeg', 'jpg', 'png', *_CODECS)), 'jpeg')


def _is_keyframe(encoding: str, data: bytes) -> bool:
    codec = _CODECS.get(encoding)
    return codec is None or nal.is_keyframe(data, nal.NalFormat(codec, 0))


def _ns(time: Any) -> int:
    return int(time.sec) * NANOSECONDS + int(time.nanosec)
