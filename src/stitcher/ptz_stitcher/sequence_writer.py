# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Writes one scene sequence: the bag and the video of one scene."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from ptz_stitcher.recording import BagWriter, Chapter, EncodedPicture, RecordingError, VideoWriter
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.segments import Cut, FrameHeader, Placed, SceneCutter, Segment


@dataclass(frozen=True)
class SequenceSettings:
    """Where and how a scene is recorded. period_ns: between two frames of a camera.

    durable False: nobody reads the files before the writer is closed, so it may be faster.
    """

    region: str
    scene: str
    site: str
    out: Path
    cut: Cut
    reorder_ns: int
    period_ns: int
    bag: bool
    video: bool
    durable: bool = True


@dataclass(frozen=True)
class Frame:
    """A frame as it came: its header, the picture, and both messages of the bag, serialized."""

    header: FrameHeader
    picture: EncodedPicture
    image_message: bytes
    header_message: bytes


@dataclass
class SequenceWriter:
    """Takes the frames of one scene in any order, and writes them in theirs. A failure of one file doesn't stop the other."""

    settings: SequenceSettings
    cutter: SceneCutter = field(init=False)
    failures: list[str] = field(default_factory=list)
    written: int = 0
    #: Frames that are in the bag only, because they can't be decoded without what another camera showed before.
    before_keyframe: int = 0
    _frames: dict[FrameHeader, Frame] = field(default_factory=dict)
    _bag: BagWriter | None = None
    _video: VideoWriter | None = None
    _chapters: list[tuple[Segment, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        s = self.settings
        self.cutter = SceneCutter(s.scene, s.cut, s.reorder_ns)
        prefix = f'/{s.region}/scenes/{s.scene}'
        self._image_topic, self._header_topic = f'{prefix}/image/compressed', f'{prefix}/preset_header'
        if s.bag:
            told = {'site': s.site, 'region': s.region, 'scene': s.scene, 'cut': s.cut.value}
            self._bag = BagWriter(s.out / s.scene, told, durable=s.durable)
            self._bag.add_topic(self._image_topic, topic_type('sensor_msgs/msg/CompressedImage'))
            self._bag.add_topic(self._header_topic, topic_type('ptz_collab_msgs/msg/PresetHeader'))
        if s.video:
            tags = {'title': f'{s.region}: {s.scene}', 'description': f'cut: {s.cut.value}'}
            self._video = VideoWriter(s.out / f'{s.scene}.mp4', tags)

    def take(self, frame: Frame) -> None:
        """Takes a frame, and writes those that are due."""
        if self.cutter.take(frame.header):
            self._frames[frame.header] = frame
        for placed in self.cutter.ready():
            self._write(placed)

    def close(self) -> None:
        """Writes what is left, and closes both files."""
        for placed in self.cutter.finish():
            self._write(placed)
        try:
            if self._bag is not None:
                self._bag.close()
        except RecordingError as error:
            self._fail(error)
        try:
            if self._video is not None:
                self._video.close(self._chapter_list())
        except RecordingError as error:
            self._fail(error)

    def _write(self, placed: Placed) -> None:
        frame = self._frames.pop(placed.header)
        if placed.keep and self._bag is not None:
            self._write_bag(frame)
        if placed.shown and self._video is not None:
            self._write_video(frame, placed.segment)
        self.written += placed.keep

    def _write_bag(self, frame: Frame) -> None:
        assert self._bag is not None
        stamp, sequence = frame.header.stamp_ns, frame.header.sequence & 0xFFFFFFFF
        try:
            self._bag.write(self._image_topic, frame.image_message, stamp, sequence)
            self._bag.write(self._header_topic, frame.header_message, stamp, sequence)
        except RecordingError as error:
            self._fail(error)
            bag, self._bag = self._bag, None
            self._close_quietly(bag)

    def _write_video(self, frame: Frame, segment: Segment) -> None:
        assert self._video is not None
        begins = not self._chapters or self._chapters[-1][0] is not segment
        if begins and not frame.picture.keyframe:
            self.before_keyframe += 1
            return
        try:
            self._video.write(frame.picture, frame.header.stamp_ns, self.settings.period_ns)
        except RecordingError as error:
            self._fail(error)
            self._video = None
            return
        if begins:
            self._chapters.append((segment, frame.header.stamp_ns))

    def _fail(self, error: RecordingError) -> None:
        self.failures.append(f'{error.path}: {error.reason}; make room or choose another folder, then start again')

    @staticmethod
    def _close_quietly(bag: BagWriter) -> None:
        # What could be kept was kept when the writing failed.
        with contextlib.suppress(RecordingError):
            bag.close()

    def _chapter_list(self) -> list[Chapter]:
        ends = [start for _, start in self._chapters[1:]]
        ends.append(self._chapters[-1][0].last_kept_ns + self.settings.period_ns if self._chapters else 0)
        return [
            Chapter(f'{segment.camera} - slot {segment.first_slot}', start, end)
            for (segment, start), end in zip(self._chapters, ends, strict=False)
        ]
