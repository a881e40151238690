# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The files of a scene sequence that are not the bag: each takes every placed frame, and picks what it wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from ptz_site import NANOSECONDS, Mark
from ptz_stitcher.background import Background
from ptz_stitcher.cues import Shown
from ptz_stitcher.mosaic import compose, fitted, tiles
from ptz_stitcher.recording import EncodedPicture, RecordingError
from ptz_stitcher.recording.parameter_sets import StreamJoiner
from ptz_stitcher.recording.transcoding import H264Encoder, PictureDecoder, video_range
from ptz_stitcher.retouch import Retouching, painted
from ptz_stitcher.scene_video import SceneVideo, ShownPicture, failure_text
from ptz_stitcher.segments import FrameHeader, Placed


class Output(Protocol):
    """A file, or several, of a scene sequence."""

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Takes a frame in its place; targets: watchlist ids of those in it; retouch: what is done to it first, None: nothing."""

    def close(self) -> None:
        """Writes what is left."""

    def left_out(self) -> int:
        """Pictures that are in the bag only, because nothing could be decoded without what was before."""


class JoinedVideo:
    """One video of the pictures as they came, from all cameras or from one. What is to be retouched can't be in it."""

    def __init__(self, video: SceneVideo, wanted: Callable[[Placed], bool]) -> None:
        self._video, self._wanted = video, wanted
        self._joiner = StreamJoiner()

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Writes the picture if it is wanted and can be decoded behind the one before."""
        assert retouch is None
        h = placed.header
        if self._wanted(placed) and (joined := self._joiner.take(h.camera, h.session, h.sequence, picture)) is not None:
            self._video.take(_shown(placed, joined, targets))

    def close(self) -> None:
        """Closes the video."""
        self._video.close()

    def left_out(self) -> int:
        """Pictures before a keyframe."""
        return self._joiner.left_out


class EncodedVideo:
    """The same, with JPEG, and whatever is to be retouched, encoded to H.264 in the background."""

    def __init__(self, video: SceneVideo, wanted: Callable[[Placed], bool], background: Background) -> None:
        self._video, self._wanted, self._background = video, wanted, background
        self._joiner, self._decoder = StreamJoiner(), PictureDecoder()
        self._encoder: H264Encoder | None = None
        self._chapter: object = None

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Has the picture encoded if it is wanted."""
        if self._wanted(placed):
            self._background.submit(len(picture.data), partial(self._write, placed, picture, targets, retouch))

    def close(self) -> None:
        """Waits for what is being encoded, and closes the video."""
        self._background.close()
        self._video.close()

    def left_out(self) -> int:
        """Pictures before a keyframe, and those that there was no time to encode."""
        return self._joiner.left_out + self._background.refused

    def _write(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        h = placed.header
        joined = self._joiner.take(h.camera, h.session, h.sequence, picture)
        if joined is not None and (joined.encoding == 'jpeg' or retouch is not None):
            joined = self._encoded(joined, self._chapter is not placed.segment, retouch)
        if joined is not None:
            self._chapter = placed.segment
            self._video.take(_shown(placed, joined, targets))

    def _encoded(self, picture: EncodedPicture, keyframe: bool, retouch: Retouching | None) -> EncodedPicture | None:
        frame = self._decoder.decode(picture)
        if frame is None:
            self._joiner.left_out += 1
            return None
        if retouch is not None:
            frame = painted(frame, retouch)
        if self._encoder is None:
            self._encoder = H264Encoder(picture.size, 1e9 / self._video.period_ns)
        if picture.size != self._encoder.size:
            frame = _composed([frame], self._encoder.size)
        return self._encoder.encode(frame, keyframe)


@dataclass
class _Tile:
    frame: av.VideoFrame
    stamp_ns: int
    shown: Shown


@dataclass
class MosaicVideo:
    """All cameras on the scene side by side, decoded and encoded in the background. A camera leaves when no picture comes any more."""

    video: SceneVideo
    background: Background
    size: tuple[int, int] | None = None
    _joiners: dict[str, StreamJoiner] = field(default_factory=dict)
    _decoders: dict[str, PictureDecoder] = field(default_factory=dict)
    _tiles: dict[str, _Tile] = field(default_factory=dict)
    _encoder: H264Encoder | None = None
    _chapter: object = None
    _written_ns: int = 0

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Has the picture put in if the cut keeps it."""
        if placed.keep and not placed.late:
            self.background.submit(len(picture.data), partial(self._put, placed.header, picture, targets, retouch))

    def close(self) -> None:
        """Waits for what is being encoded, and closes the video."""
        self.background.close()
        self.video.close()

    def left_out(self) -> int:
        """Pictures before a keyframe, and those that there was no time to encode."""
        return sum(joiner.left_out for joiner in self._joiners.values()) + self.background.refused

    def _put(self, header: FrameHeader, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        camera = header.camera
        joiner = self._joiners.setdefault(camera, StreamJoiner())
        joined = joiner.take(camera, header.session, header.sequence, picture)
        frame = self._decoders.setdefault(camera, PictureDecoder()).decode(joined) if joined is not None else None
        if frame is None:
            joiner.left_out += joined is not None
            return
        if retouch is not None:
            frame = painted(frame, retouch)
        before = self._tiles.get(camera)
        # The marks of a picture that another camera's came too soon after are told with the next one.
        marks = header.marks | (before.shown.marks if before is not None else Mark.NONE)
        self._tiles[camera] = _Tile(frame, header.stamp_ns, Shown(camera, header.slot, header.phase, marks, targets))
        if header.stamp_ns - self._written_ns >= 0.9 * self.video.period_ns:
            self._write(header)

    def _write(self, header: FrameHeader) -> None:
        self._tiles = {camera: tile for camera, tile in sorted(self._tiles.items()) if not self._has_left(tile, header)}
        live = list(self._tiles.values())
        if self._encoder is None:
            self._encoder = H264Encoder((live[0].frame.width, live[0].frame.height), 1e9 / self.video.period_ns)
        chapter = (header.slot, tuple(self._tiles))
        picture = self._encoder.encode(
            _composed([tile.frame for tile in live], self._encoder.size), keyframe=chapter != self._chapter
        )
        self._chapter, self._written_ns = chapter, header.stamp_ns
        title = f'{" + ".join(self._tiles)} - slot {header.slot}'
        self.video.take(ShownPicture(picture, header.stamp_ns, chapter, title, tuple(tile.shown for tile in live)))
        for tile in live:
            tile.shown = Shown(tile.shown.camera, tile.shown.slot, tile.shown.phase, Mark.NONE, tile.shown.targets)

    def _has_left(self, tile: _Tile, now: FrameHeader) -> bool:
        """Whether a camera is on another scene by now, or silent. When a slot ends most leave; inside of it a late picture is no reason."""
        patience_ns = 5 * self.video.period_ns // 2
        if tile.shown.slot == now.slot:
            patience_ns = max(NANOSECONDS, patience_ns)
        return now.stamp_ns - tile.stamp_ns > patience_ns


@dataclass
class VideoPerCamera:
    """A video for each camera, made when its first picture comes. make: opens one; raises RecordingError."""

    make: Callable[[str], Output]
    failures: list[str]
    _outputs: dict[str, Output | None] = field(default_factory=dict)

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Gives the picture to the video of its camera."""
        camera = placed.header.camera
        if camera not in self._outputs:
            self._outputs[camera] = self._made(camera)
        output = self._outputs[camera]
        if output is not None:
            output.take(placed, picture, targets, retouch)

    def close(self) -> None:
        """Closes all of them."""
        for output in self._open():
            output.close()

    def left_out(self) -> int:
        """Of all of them."""
        return sum(output.left_out() for output in self._open())

    def _made(self, camera: str) -> Output | None:
        try:
            return self.make(camera)
        except RecordingError as error:
            self.failures.append(failure_text(error))
            return None

    def _open(self) -> list[Output]:
        return [output for output in self._outputs.values() if output is not None]


def video_output(
    path: Path,
    scene: str,
    tags: Mapping[str, str],
    period_ns: int,
    failures: list[str],
    encode: Background | None,
    per_camera: bool,
) -> JoinedVideo | EncodedVideo:
    """A video in turn, or of one camera. encode: what encodes pictures, None to leave them. Raises RecordingError if it exists."""
    video = SceneVideo(path, scene, tags, period_ns, failures)
    wanted = _of_camera if per_camera else _in_turn
    return EncodedVideo(video, wanted, encode) if encode is not None else JoinedVideo(video, wanted)


def _in_turn(placed: Placed) -> bool:
    return placed.shown


def _of_camera(placed: Placed) -> bool:
    return placed.keep and not placed.late


def _shown(placed: Placed, picture: EncodedPicture, targets: tuple[str, ...]) -> ShownPicture:
    header, segment = placed.header, placed.segment
    shown = Shown(header.camera, header.slot, header.phase, header.marks, targets)
    return ShownPicture(picture, header.stamp_ns, id(segment), f'{segment.camera} - slot {segment.first_slot}', (shown,))


def _composed(frames: list[av.VideoFrame], size: tuple[int, int]) -> av.VideoFrame:
    parts = []
    for frame, tile in zip(frames, tiles(len(frames), size), strict=True):
        part = fitted((frame.width, frame.height), tile)
        scaled = video_range(frame, (part.width, part.height))
        parts.append((part, scaled.to_ndarray().astype(np.uint8, copy=False)))
    whole = av.VideoFrame.from_ndarray(compose(parts, size), format='yuv420p')
    whole.colorspace, whole.color_range = scaled.colorspace, scaled.color_range
    return whole
