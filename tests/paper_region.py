# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A rotation on paper: what cameras would send and a coordinator would say, without nodes; and the ways in which it may be recorded."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import yaml
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import CameraState, PresetFrame, PresetHeader, RotationPlan
from ptz_node.convert import plan_to_msg, time_from_ns, time_to_ns
from ptz_site import CameraOrder, Mark, Phase, Plan, PlanMode
from ptz_site.stream_marks import StreamMark, jpeg, nal
from ptz_stitcher.frames import frame_header
from ptz_stitcher.offline import messages
from ptz_stitcher.offline.messages import image_head
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.region_log import RegionLog
from ptz_stitcher.segments import Cut
from ptz_stitcher.sequence_writer import Frame, SequenceSettings, SequenceWriter
from ptz_stitcher.window import RotationWindow

S = 1_000_000_000
BEGIN = 1_700_000_000 * S
REGION, SCENES, CAMERAS = 'yard', ('gate', 'road', 'substation'), ('north', 'southeast', 'southwest')
PERIOD, DWELL, TURN = S // 10, 2 * S, S // 2
SIZE = (96, 64)
FORM = nal.NalFormat(nal.Codec.H264, 0)


@dataclass(frozen=True)
class Sent:
    """A message as it came over a topic: when, and serialized as the middleware does it."""

    at_ns: int
    topic: str
    message: Any
    data: bytes


@dataclass
class PaperCamera:
    """One camera that does as it is told."""

    name: str
    encoding: str
    session: int = 1
    sequence: int = 0
    scene: str = ''
    switch_ns: int = 0
    arrived_ns: int = 0
    sent: list[PresetFrame] = field(default_factory=list)

    def frame(self, stamp_ns: int, scene: str, slot: int, revision: int) -> PresetFrame:
        """What it sends of an instant at which it should be on a scene."""
        marks = Mark.NONE
        if scene != self.scene:
            self.scene, self.switch_ns, self.arrived_ns, marks = scene, stamp_ns - 7_000_000, 0, Mark.SWITCH_START
        if not self.arrived_ns and stamp_ns - self.switch_ns >= TURN:
            self.arrived_ns, marks = stamp_ns - 3_000_000, marks | Mark.ARRIVED
        self.sequence += 1
        preset = PresetHeader(camera=self.name, scene=scene, preset=scene, slot=slot, plan_revision=revision, marks=int(marks))
        preset.header.stamp, preset.header.frame_id = time_from_ns(stamp_ns), f'{REGION}/{self.name}_optical_frame'
        preset.phase = int(Phase.IN_POSITION if self.arrived_ns else Phase.TURNING)
        preset.switch_start, preset.arrived = time_from_ns(self.switch_ns), time_from_ns(self.arrived_ns)
        preset.sequence, preset.session = self.sequence, self.session
        preset.pan = preset.tilt = preset.zoom = preset.gain = float('nan')
        data, keyframe = self._picture(bool(marks))
        if marks:
            data = _marked(data, self.encoding, preset)
        frame = PresetFrame(header=preset.header, preset=preset, encoding=self.encoding, keyframe=keyframe, data=data)
        frame.width, frame.height = SIZE
        self.sent.append(frame)
        return frame

    def restart(self) -> None:
        """Its driver dies and comes back."""
        self.session, self.sequence = self.session + 1, 0

    def _picture(self, begin: bool) -> tuple[bytes, bool]:
        if self.encoding == 'jpeg':
            return _jpegs()[(self.sequence + len(self.name)) % 20], True
        # A keyframe at every mark, as drivers ask for.
        self._number = 0 if begin or self.sequence == 1 else self._number + 1
        return _units(len(self.name))[self._number], self._number == 0


@dataclass
class Story:
    """Everything that was sent, in the order in which it came."""

    sent: list[Sent]
    cameras: dict[str, PaperCamera]

    def frames(self) -> list[PresetFrame]:
        """All frames, in the order in which they came."""
        return [one.message for one in self.sent if isinstance(one.message, PresetFrame)]


def story(encoding: str = 'jpeg', seed: int = 1) -> Story:
    """Six slots with a hold in the second, a handoff (north and southeast swap), a camera that is lost, and one that starts again."""
    chance = random.Random(seed)
    cameras = {name: PaperCamera(name, encoding) for name in CAMERAS}
    orders = tuple(CameraOrder(name, tuple(SCENES[(k + i) % 3] for k in range(3))) for i, name in enumerate(CAMERAS))
    swapped = (CameraOrder('north', orders[1].scenes), CameraOrder('southeast', orders[0].scenes), orders[2])
    hold = DWELL + S
    plans = [
        Plan(REGION, 1, BEGIN - 2 * S, PlanMode.RUNNING, DWELL, orders, slot_start_ns=BEGIN, end_slot=6),
        Plan(REGION, 2, BEGIN + hold, PlanMode.HELD, DWELL, orders, first_slot=1, slot_elapsed_ns=S),
        Plan(REGION, 3, BEGIN + hold + S, PlanMode.HELD, DWELL, swapped, first_slot=1, slot_elapsed_ns=S),
        Plan(
            REGION,
            4,
            BEGIN + hold + 3 * S,
            PlanMode.RUNNING,
            DWELL,
            swapped,
            first_slot=1,
            slot_start_ns=BEGIN + 5 * S,
            end_slot=6,
        ),
        Plan(REGION, 5, BEGIN + 15 * S, PlanMode.STOPPED, DWELL, swapped),
    ]
    sent = [_plan(plan) for plan in plans]
    lost = range(BEGIN + 9 * S, BEGIN + 12 * S)
    for number, stamp in enumerate(range(BEGIN - S, BEGIN + 16 * S, PERIOD)):
        plan = max((plan for plan in plans if plan.effective_at_ns <= stamp), key=lambda plan: plan.revision)
        for camera in cameras.values():
            order = plan.order(camera.name)
            assert order is not None
            if camera.name == 'southwest' and stamp in lost:
                continue
            if camera.name == 'north' and stamp == BEGIN + 13 * S:
                camera.restart()
            slot = plan.slot(stamp)
            exact = stamp + 1_234_567 * (number % 3)
            frame = camera.frame(exact, order.scene(slot), slot, plan.revision)
            if chance.random() < 0.02:
                continue  # lost on its way
            # Up to 400 ms late, so that frames of different cameras overtake each other.
            late = chance.choice((10, 20, 30, 400)) * 1_000_000
            sent.append(_frame(frame, exact + late))
    state = CameraState(camera='north')
    state.header.stamp = time_from_ns(BEGIN)
    sent.append(Sent(BEGIN, f'/{REGION}/cameras/north/state', state, serialize_message(state)))
    return Story(sorted(sent, key=lambda one: one.at_ns), cameras)


def write_live(told: Story, out: Path, cut: Cut) -> dict[str, SequenceWriter]:
    """What the live stitcher makes of it: the body of its callbacks."""
    window = RotationWindow()
    log = RegionLog(out, REGION, '')
    sequences = {
        scene: SequenceWriter(SequenceSettings(REGION, scene, '', out, cut, S // 2, PERIOD, True, True)) for scene in SCENES
    }
    for one in told.sent:
        match one.message:
            case RotationPlan():
                window.take(messages.plan_of(one.message))
                log.plan(one.data, time_to_ns(one.message.effective_at))
            case CameraState():
                log.state(one.message.camera, one.data, time_to_ns(one.message.header.stamp))
            case PresetFrame() as message:
                header, header_message = frame_header(message.preset), serialize_message(message.preset)
                log.header(header.camera, header_message, header.stamp_ns)
                if window.holds(header.stamp_ns):
                    image = CompressedImage(header=message.header, format=message.encoding)
                    picture = EncodedPicture(
                        bytes(message.data), message.encoding, message.keyframe, (message.width, message.height)
                    )
                    head = image_head(image.header, image.format, len(picture.data))
                    sequences[header.scene].take(Frame(header, picture, head, header_message))
    for sequence in sequences.values():
        sequence.close()
    log.close()
    return sequences


def record(told: Story, folder: Path, storage: str, topics: Callable[[Sent], str | None] = lambda one: one.topic) -> Path:
    """What ros2 bag record makes of it. topics: the topic under which something is recorded; None: it is not."""
    types = {'PresetFrame': messages.FRAME, 'RotationPlan': messages.PLAN, 'CameraState': messages.STATE}
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3) as writer:
        connections: dict[str, Any] = {}
        for one in told.sent:
            topic = topics(one)
            if topic is None:
                continue
            if topic not in connections:
                name = types[type(one.message).__name__]
                connections[topic] = writer.add_connection(topic, name, typestore=messages.typestore())
            writer.write(connections[topic], one.at_ns, one.data)
    return folder


def forget_definitions(bag: Path) -> None:
    """As sqlite3 bags were before ROS 2 Iron: without definitions of types."""
    (file,) = bag.glob('*.db3')
    with sqlite3.connect(file) as database:
        database.execute('DELETE FROM message_definitions')
        database.execute('UPDATE schema SET schema_version = 3')
        database.execute("UPDATE topics SET type_description_hash = ''")
    metadata = yaml.safe_load((bag / 'metadata.yaml').read_text())
    for topic in metadata['rosbag2_bagfile_information']['topics_with_message_count']:
        del topic['topic_metadata']['type_description_hash']
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata))


def write_video(frames: Sequence[PresetFrame], path: Path) -> Path:
    """What a network recorder makes of the stream of one camera."""
    with av.open(str(path), 'w') as container:
        codec = {'jpeg': 'mjpeg', 'h264': 'h264'}[frames[0].encoding]
        stream = container.add_mux_stream(codec, width=SIZE[0], height=SIZE[1], time_base=Fraction(1, 90_000))
        begin = time_to_ns(frames[0].header.stamp)
        for frame in frames:
            packet = av.Packet(bytes(frame.data))
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 90_000), frame.keyframe
            packet.pts = packet.dts = round((time_to_ns(frame.header.stamp) - begin) * 90_000 / S)
            packet.duration = 9000
            container.mux(packet)
    return path


def cut_short(path: Path, share: float = 0.6) -> Path:
    """The same file with its end missing."""
    file = next(iter([*path.glob('*.mcap'), *path.glob('*.db3')])) if path.is_dir() else path
    with file.open('r+b') as stream:
        stream.truncate(round(file.stat().st_size * share))
    return path


def by_camera(frames: Iterable[PresetFrame]) -> dict[str, list[PresetFrame]]:
    """Frames of each camera, in the order of their stamps."""
    found: dict[str, list[PresetFrame]] = defaultdict(list)
    for frame in frames:
        found[frame.preset.camera].append(frame)
    return {camera: sorted(sent, key=lambda frame: time_to_ns(frame.header.stamp)) for camera, sent in found.items()}


def copy_of(folder: Path, to: Path) -> Path:
    """Another bag of the same."""
    shutil.copytree(folder, to)
    return to


def _plan(plan: Plan) -> Sent:
    message = plan_to_msg(plan)
    # It is sent a little before it is in force; the first one long before the first slot.
    return Sent(plan.effective_at_ns - S // 4, f'/{REGION}/plan', message, serialize_message(message))


def _frame(frame: PresetFrame, at_ns: int) -> Sent:
    return Sent(at_ns, f'/{REGION}/scenes/{frame.preset.scene}/frames', frame, serialize_message(frame))


def _marked(data: bytes, encoding: str, preset: PresetHeader) -> bytes:
    header = frame_header(preset)
    mark = StreamMark(
        header.camera, header.scene, preset.preset, header.marks, header.phase, header.stamp_ns, header.switch_start_ns,
        header.arrived_ns, header.slot, preset.plan_revision, header.session, header.sequence,
    )  # fmt: skip
    return jpeg.insert(data, mark) if encoding == 'jpeg' else nal.insert(data, FORM, mark)


@cache
def _jpegs() -> list[bytes]:
    noise = np.random.default_rng(3)
    return [cv2.imencode('.jpg', noise.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))[1].tobytes() for _ in range(25)]


@cache
def _units(seed: int) -> list[bytes]:
    """Access units that can follow each other: a keyframe, and others that need it."""
    noise = np.random.default_rng(seed)
    context = av.CodecContext.create('libx264', 'w')
    context.width, context.height, context.pix_fmt = *SIZE, 'yuv420p'
    # In threads it would depend on the number of processors what comes out.
    context.time_base, context.framerate, context.thread_count = Fraction(1, 10), Fraction(10), 1
    context.options = {'preset': 'ultrafast', 'tune': 'zerolatency', 'x264-params': 'keyint=infinite:repeat-headers=1'}
    units = []
    for number in range(80):
        picture = np.full((SIZE[1], SIZE[0], 3), number * 3 % 200, np.uint8) + noise.integers(
            0, 40, (SIZE[1], SIZE[0], 3), np.uint8
        )
        frame = av.VideoFrame.from_ndarray(picture, format='bgr24').reformat(format='yuv420p')
        frame.pts, frame.time_base = number, Fraction(1, 10)
        units += [bytes(packet) for packet in context.encode(frame)]
    return units
