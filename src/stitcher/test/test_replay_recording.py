# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as the messages that were on the graph, and when each is due."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetFrame, PresetHeader, RotationPlan, TrackArray
from ptz_node.convert import time_from_ns
from ptz_node.images import encode_jpeg
from ptz_site import UserError
from ptz_stitcher.offline import messages
from ptz_stitcher.recording import BagWriter
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.replay import Pace, Recording, ReplayRequest, open_recording
from ptz_stitcher.replay.topics import Choice

S = 1_000_000_000
BEGIN = 1_700_000_000 * S
PICTURE = encode_jpeg(np.full((90, 160, 3), 128, np.uint8))
TRACKS = '/yard/cameras/north/tracks'


def header(number: int, camera: str, scene: str) -> PresetHeader:
    preset = PresetHeader(camera=camera, scene=scene, session=1, sequence=number + 1, phase=PresetHeader.PHASE_IN_POSITION)
    preset.header.stamp, preset.gain = time_from_ns(BEGIN + number * S // 10), 1.5
    return preset


def write(folder: Path, recorded: list[tuple[str, str, int, bytes]]) -> Path:
    """A bag of topics, types, numbers of frames, and data."""
    with BagWriter(folder) as bag:
        for topic, kind, number, data in recorded:
            bag.add_topic(topic, topic_type(kind))
            bag.write(topic, data, BEGIN + number * S // 10)
    return folder


def scene_bag(out: Path, scene: str, camera: str, frames: int = 20) -> Path:
    """As the stitcher writes it."""
    recorded = []
    for number in range(frames):
        preset = header(number, camera, scene)
        image = CompressedImage(header=preset.header, format='jpeg', data=PICTURE)
        recorded.append((f'/yard/scenes/{scene}/image/compressed', messages.IMAGE, number, serialize_message(image)))
        recorded.append((f'/yard/scenes/{scene}/preset_header', messages.HEADER, number, serialize_message(preset)))
    return write(out / scene, recorded)


def run_folder(out: Path) -> Path:
    """As ptz-collab up leaves it."""
    scene_bag(out, 'gate', 'north')
    scene_bag(out, 'road', 'south')
    log = [('/yard/plan', messages.PLAN, 0, serialize_message(RotationPlan(region='yard', revision=1)))]
    for camera, scene in (('north', 'gate'), ('south', 'road')):
        log += [
            (f'/yard/cameras/{camera}/preset_header', messages.HEADER, n, serialize_message(header(n, camera, scene)))
            for n in range(20)
        ]
    log.append((TRACKS, messages.TRACKS, 5, serialize_message(TrackArray())))
    write(out / 'region', log)
    return out


def counts(recording: Recording) -> dict[str, int]:
    return dict(Counter(one.topic for one in recording.messages()))


def test_a_run_comes_back_as_it_was_on_the_graph(tmp_path: Path) -> None:
    recording = open_recording(ReplayRequest((run_folder(tmp_path),)))
    got = list(recording.messages())
    assert [one.at_ns for one in got] == sorted(one.at_ns for one in got)
    assert got[0].topic == '/yard/plan'  # frames are taken by it
    assert {one.topic for one in got} <= set(recording.topics) and recording.regions == {'yard'}
    # Cameras by the log, each of which may have been on each scene.
    frames = {f'/yard/{of}/frames' for of in ('scenes/gate', 'scenes/road', 'cameras/north', 'cameras/south')}
    assert frames <= set(recording.topics)
    assert counts(recording) == counts(recording)
    assert all(counts(recording)[topic] == 20 for topic in frames)
    assert sum(one.is_frame for one in got) == 40 and not recording.problems


def test_a_picture_and_its_header_are_a_frame_again(tmp_path: Path) -> None:
    recording = open_recording(ReplayRequest((scene_bag(tmp_path, 'gate', 'north'),)))
    frames = [one for one in recording.messages() if one.topic == '/yard/cameras/north/frames']
    for number, one in enumerate(frames):
        frame = deserialize_message(one.data, PresetFrame)
        assert frame.preset == header(number, 'north', 'gate') and frame.header == frame.preset.header
        assert bytes(frame.data) == PICTURE and frame.encoding == 'jpeg' and frame.keyframe
        assert (frame.width, frame.height) == (160, 90)
    assert len(frames) == 20


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    got = counts(open_recording(ReplayRequest((run,), Choice(scenes=frozenset({'gate'}), without_perception=True))))
    assert '/yard/cameras/south/frames' not in got and '/yard/scenes/road/frames' not in got and TRACKS not in got
    assert got['/yard/cameras/north/frames'] == 20 and got['/yard/plan'] == 1
    for choice, says in (
        (Choice(scenes=frozenset({'roof'})), 'scene roof is not'),
        (Choice(region='farm'), 'region farm is not'),
    ):
        with pytest.raises(UserError, match=says):
            open_recording(ReplayRequest((run,), choice))


@pytest.mark.parametrize('recorded', ['scenes', 'cameras', 'both'])
def test_frames_of_ros2_bag_record_come_back_on_both_topics(tmp_path: Path, recorded: str) -> None:
    topics = {'scenes': ['/yard/scenes/gate/frames'], 'cameras': ['/yard/cameras/north/frames']}
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.SQLITE3) as bag:
        for topic in topics.get(recorded, [one for both in topics.values() for one in both]):
            store = messages.typestore()
            connection = bag.add_connection(topic, messages.FRAME, typestore=store)
            for number in range(10):
                preset = header(number, 'north', 'gate')
                frame = PresetFrame(header=preset.header, preset=preset, encoding='jpeg', keyframe=True, data=PICTURE)
                bag.write(connection, BEGIN + number * S, serialize_message(frame))
    recording = open_recording(ReplayRequest((tmp_path / 'bag',)))
    assert counts(recording) == {'/yard/scenes/gate/frames': 10, '/yard/cameras/north/frames': 10}
    assert sum(one.is_frame for one in recording.messages()) == 10


def test_what_can_not_be_replayed_is_said_and_the_rest_is(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    storage = run / 'road' / 'road_0.mcap'
    storage.write_bytes(storage.read_bytes()[:20_000])
    recording = open_recording(ReplayRequest((run,)))
    assert counts(recording)['/yard/cameras/north/frames'] == 20
    assert any('road' in problem for problem in recording.problems)
    with pytest.raises(UserError, match='is not there'):
        open_recording(ReplayRequest((tmp_path / 'nowhere',)))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no bag is there'):
        open_recording(ReplayRequest((tmp_path / 'empty',)))


def test_messages_are_due_as_they_were_at_any_speed_and_a_long_gap_is_not_waited_for() -> None:
    pace = Pace(2.0)
    assert pace.due(BEGIN, now=100.0) == 100.0
    assert pace.due(BEGIN + 4 * S, now=100.1) == 102.0
    assert pace.recording_ns(101.0) == BEGIN + 2 * S
    assert pace.recording_ns(103.0) == BEGIN + 4 * S
    assert pace.due(BEGIN + 3600 * S, now=103.0) == 103.0
    assert pace.due(BEGIN + 3602 * S, now=103.0) == 104.0
