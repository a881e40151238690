# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Writes one scene sequence: the bag of one scene, its videos, its pictures."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from ptz_site import NANOSECONDS
from ptz_stitcher.background import Background
from ptz_stitcher.outputs import EncodedVideo, JoinedVideo, MosaicVideo, Output, VideoPerCamera, video_output
from ptz_stitcher.pictures import PictureFolder
from ptz_stitcher.policies import Encode, Together
from ptz_stitcher.recording import BagWriter, EncodedPicture, RecordingError
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.retouch import Look, LookMemory, RetouchSettings, WaitingRoom, retouching
from ptz_stitcher.retouch.plan import REACH_NS
from ptz_stitcher.retouch.waiting import WaitingFrame
from ptz_stitcher.scene_video import SceneVideo, failure_text
from ptz_stitcher.segments import Cut, FrameHeader, Placed, SceneCutter
from ptz_stitcher.target_memory import TargetMemory

#: How long frames that are to be retouched wait for looks behind them: for somebody's first look, and for perception to be done with it.
_WAIT_NS = 2 * NANOSECONDS
#: In recordings, where looks lie behind the frames by whatever perception was late, nobody waits for the files.
_PATIENT_WAIT_NS = 10 * NANOSECONDS
#: Bytes of pictures that wait, for each scene; beyond that the oldest go, with the looks that there are.
_WAITING_BYTES = 64_000_000


@dataclass(frozen=True)
class SequenceSettings:
    """Where and how a scene is recorded. period_ns: between two frames of a camera.

    durable False: nobody reads the files before the writer is closed, and who gives the frames can wait; so it may be faster, and
    whatever has to be encoded is, however long that takes.
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
    together: Together = Together.IN_TURN
    encode: Encode = Encode.NONE
    pictures: bool = False
    #: What is done to pictures before they go into the video and the folder; never those in the bag.
    retouch: RetouchSettings = field(default_factory=RetouchSettings)
    #: Of the files; empty: as the scene.
    name: str = ''

    @property
    def stem(self) -> str:
        """What the names of all files begin with."""
        return self.name or self.scene

    @property
    def wait_ns(self) -> int:
        """How long frames wait before they are retouched."""
        return _WAIT_NS if self.durable else _PATIENT_WAIT_NS

    def cutter(self) -> SceneCutter:
        """What puts the frames into their places."""
        # A camera of less than a picture a second is not silent between two of them.
        return SceneCutter(self.scene, self.cut, self.reorder_ns, silence_ns=max(NANOSECONDS, 3 * self.period_ns))


@dataclass(frozen=True)
class Frame:
    """A frame as it came: its header, the picture, and both messages of the bag, serialized.

    image_head: a CompressedImage up to the bytes of the picture, which come last in it.
    """

    header: FrameHeader
    picture: EncodedPicture
    image_head: bytes
    header_message: bytes


@dataclass
class SequenceWriter:
    """Takes the frames of one scene in any order, and writes them in theirs. A failure of one file doesn't stop the others.

    Raises RecordingError if one of its files exists already.
    """

    settings: SequenceSettings
    cutter: SceneCutter = field(init=False)
    failures: list[str] = field(default_factory=list)
    written: int = 0
    #: Pictures that are hidden as a whole, because perception did not look in time.
    wholly_hidden: int = 0
    _frames: dict[FrameHeader, Frame] = field(default_factory=dict)
    _bag: BagWriter | None = None
    _outputs: list[Output] = field(default_factory=list)
    _targets: TargetMemory = field(default_factory=TargetMemory)
    _looks: LookMemory = field(init=False)
    _waiting: WaitingRoom | None = None

    def __post_init__(self) -> None:
        s = self.settings
        self.cutter = s.cutter()
        self._looks = LookMemory(s.wait_ns + s.reorder_ns + 2 * REACH_NS)
        if s.retouch.needed:
            self._waiting = WaitingRoom(s.wait_ns, _WAITING_BYTES)
        prefix = f'/{s.region}/scenes/{s.scene}'
        self._image_topic, self._header_topic = f'{prefix}/image/compressed', f'{prefix}/preset_header'
        if s.bag:
            told = {'site': s.site, 'region': s.region, 'scene': s.scene, 'cut': s.cut.value}
            if s.retouch.hides:
                # For whoever shows its pictures, as the report does: they are clear.
                told['redact'] = s.retouch.redact.value
            self._bag = BagWriter(s.out / s.stem, told, durable=s.durable)
            self._bag.add_topic(self._image_topic, topic_type('sensor_msgs/msg/CompressedImage'))
            self._bag.add_topic(self._header_topic, topic_type('ptz_collab_msgs/msg/PresetHeader'))
        if s.video:
            self._outputs.append(self._videos())
        if s.pictures:
            self._outputs.append(PictureFolder(s.out / f'{s.stem}.pictures', self.failures, self._background('pictures')))

    @property
    def before_keyframe(self) -> int:
        """Pictures that are in the bag only: they can't be decoded without what is not shown, or there was no time to encode them."""
        return sum(output.left_out() for output in self._outputs)

    def take(self, frame: Frame) -> None:
        """Takes a frame, and writes those that are due."""
        if self.cutter.take(frame.header):
            self._frames[frame.header] = frame
        for placed in self.cutter.ready():
            self.write(placed, self._frames.pop(placed.header))

    def look(self, look: Look) -> None:
        """Perception said who is in a picture of the scene."""
        self._targets.take(look.camera, look.stamp_ns, look.targets)
        if self._waiting is not None:
            self._looks.take(look)

    def close(self) -> None:
        """Writes what is left, and closes all files."""
        for placed in self.cutter.finish():
            self.write(placed, self._frames.pop(placed.header))
        for frame in self._waiting.finish() if self._waiting is not None else ():
            self._retouch(frame)
        try:
            if self._bag is not None:
                self._bag.close()
        except RecordingError as error:
            self.failures.append(failure_text(error))
        for output in self._outputs:
            output.close()

    def _videos(self) -> Output:
        s = self.settings
        if s.together is Together.ALL:
            return VideoPerCamera(self._camera_video, self.failures)
        path = s.out / f'{s.stem}.mp4'
        if s.together is Together.MOSAIC:
            return MosaicVideo(SceneVideo(path, s.scene, self._tags(), s.period_ns, self.failures), self._background(path.name))
        return self._video(path, '')

    def _camera_video(self, camera: str) -> Output:
        return self._video(self.settings.out / f'{self.settings.stem}.{camera}.mp4', camera)

    def _video(self, path: Path, camera: str) -> JoinedVideo | EncodedVideo:
        s = self.settings
        background = self._background(path.name) if s.encode is Encode.H264 or s.retouch.needed else None
        return video_output(path, s.scene, self._tags(camera), s.period_ns, self.failures, background, bool(camera))

    def _tags(self, camera: str = '') -> dict[str, str]:
        s = self.settings
        title = f'{s.region}: {s.scene}' + (f', {camera}' if camera else '')
        description = ', '.join(filter(None, (f'cut: {s.cut.value}', s.retouch.what)))
        return {'title': title, 'description': description}

    def _background(self, what: str) -> Background:
        def failed(error: BaseException) -> None:
            text = f'{self.settings.out / what}: a picture could not be encoded: {error!r}'
            if text not in self.failures:
                self.failures.append(text)

        return Background(not self.settings.durable, failed)

    def write(self, placed: Placed, frame: Frame) -> None:
        """Writes a frame that was put into its place, by take() or by another cutter, at once."""
        if placed.keep and self._bag is not None:
            self._write_bag(frame)
        if placed.keep and self._outputs:
            targets = self._targets.at(placed.header.camera, placed.header.stamp_ns)
            if self._waiting is None:
                for output in self._outputs:
                    output.take(placed, frame.picture, targets, None)
            else:
                for due in self._waiting.take(WaitingFrame(placed, frame.picture, targets)):
                    self._retouch(due)
        self.written += placed.keep

    def _retouch(self, frame: WaitingFrame) -> None:
        header = frame.placed.header
        looks = self._looks.near(header.camera, header.stamp_ns, REACH_NS)
        retouch = retouching(header, looks, self.settings.retouch)
        self.wholly_hidden += retouch.whole
        for output in self._outputs:
            output.take(frame.placed, frame.picture, frame.targets, retouch)

    def _write_bag(self, frame: Frame) -> None:
        assert self._bag is not None
        stamp, sequence = frame.header.stamp_ns, frame.header.sequence & 0xFFFFFFFF
        try:
            self._bag.write(self._image_topic, frame.image_head, stamp, sequence, more=True, tail=frame.picture.data)
            self._bag.write(self._header_topic, frame.header_message, stamp, sequence)
        except RecordingError as error:
            self.failures.append(failure_text(error))
            bag, self._bag = self._bag, None
            # What could be kept was kept when the writing failed.
            with contextlib.suppress(RecordingError):
                bag.close()
