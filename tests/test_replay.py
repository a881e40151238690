# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The replay command: what was recorded is on the graph again, as it was, and nobody misses any of it."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from conftest import PATIENCE, Command
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetFrame, PresetHeader, RegionState
from ptz_node import names
from ptz_node.convert import time_from_ns, time_to_ns
from ptz_node.images import encode_jpeg
from ptz_node.qos import FRAMES_RECORD, LATCHED
from ptz_stitcher.recording import BagWriter
from ptz_stitcher.recording.msgdefs import topic_type

Start = Callable[..., Command]
S = 1_000_000_000
BEGIN = 1_700_000_000 * S
FRAMES = 60


def stamps() -> list[int]:
    return [BEGIN + number * S // 10 for number in range(FRAMES)]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A scene as the stitcher records it: two cameras in turn, ten frames a second."""
    run = tmp_path / 'run'
    picture = encode_jpeg(np.full((90, 160, 3), 128, np.uint8))
    with BagWriter(run / 'gate') as bag:
        for topic, kind in (
            ('image/compressed', 'sensor_msgs/msg/CompressedImage'),
            ('preset_header', 'ptz_collab_msgs/msg/PresetHeader'),
        ):
            bag.add_topic(f'/yard/scenes/gate/{topic}', topic_type(kind))
        for number, stamp_ns in enumerate(stamps()):
            header = PresetHeader(camera='north' if number % 20 < 10 else 'south', scene='gate', sequence=number + 1, session=1)
            header.header.stamp, header.phase = time_from_ns(stamp_ns), PresetHeader.PHASE_IN_POSITION
            image = CompressedImage(header=header.header, format='jpeg', data=picture)
            bag.write('/yard/scenes/gate/image/compressed', serialize_message(image), stamp_ns)
            bag.write('/yard/scenes/gate/preset_header', serialize_message(header), stamp_ns)
    return run


class Reader:
    """Another process that reads frames, slowly. setup: s between its subscriptions, which are waited for if there are none."""

    def __init__(self, *topics: str, setup: float) -> None:
        command = [sys.executable, str(Path(__file__).with_name('slow_reader.py')), '0.02', str(setup), *topics]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert setup or self.process.stdout.readline() == 'reads\n'

    def end(self) -> list[list[str]]:
        """Topic, stamp and camera of all that it got."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return [line.split() for line in output.splitlines() if line != 'reads']


@pytest.fixture
def reading(ros_domain: int) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def start(*topics: str, setup: float = 0.0) -> Reader:
        readers.append(Reader(*topics, setup=setup))
        return readers[-1]

    yield start
    for reader in readers:
        if reader.process.poll() is None:
            reader.process.kill()
            reader.process.wait()


def test_as_fast_as_its_readers_a_replay_loses_nothing(
    ptz_collab: Start, reading: Callable[..., Reader], recording: Path
) -> None:
    scene, north, south = '/yard/scenes/gate/frames', '/yard/cameras/north/frames', '/yard/cameras/south/frames'
    reader = reading(scene, north, south)
    code, output = ptz_collab('replay', recording, '--rate', 'max', '--wait-for', '/slow_reader').finish()
    assert code == 0, output
    assert f'{FRAMES} frames' in output
    got = reader.end()
    assert [int(stamp) for topic, stamp, _ in got if topic == scene] == stamps()
    assert sorted(int(stamp) for topic, stamp, _ in got if topic != scene) == stamps()
    assert all(topic.split('/')[3] == camera for topic, _, camera in got if topic != scene)


def test_a_reader_that_is_waited_for_may_take_long_to_subscribe(
    ptz_collab: Start, reading: Callable[..., Reader], recording: Path
) -> None:
    topics = ('/yard/scenes/gate/frames', '/yard/cameras/north/frames')
    reader = reading(*topics, setup=5.0)
    code, output = ptz_collab('replay', recording, '--rate', 'max', '--wait-for', '/slow_reader').finish()
    assert code == 0, output
    got = reader.end()
    assert [sum(topic == one for topic, _, _ in got) for one in topics] == [FRAMES, FRAMES // 2]


def test_at_a_speed_the_clock_runs_with_the_recording(ptz_collab: Start, ros_domain: int, recording: Path) -> None:
    rclpy.init(domain_id=ros_domain)
    node = Node('watcher')
    clock: list[int] = []
    stamps_seen: list[int] = []
    node.create_subscription(Clock, '/clock', lambda message: clock.append(time_to_ns(message.clock)), FRAMES_RECORD)
    node.create_subscription(
        PresetFrame, '/yard/scenes/gate/frames', lambda frame: stamps_seen.append(time_to_ns(frame.header.stamp)), FRAMES_RECORD
    )
    begin = time.monotonic()
    try:
        command = ptz_collab('replay', recording, '--rate', '5', '--loop')

        def seen() -> bool:
            for _ in range(20):
                rclpy.spin_once(node, timeout_sec=0.01)
            # A reader of the clock may miss some of it, as of a real one: it looks until it has seen what there is to see.
            at_frames, between = set(clock) & set(stamps()), set(clock) - set(stamps())
            again = (stamps()[-1], BEGIN) in itertools.pairwise(clock)
            return stamps_seen.count(stamps()[-1]) >= 2 and again and len(at_frames) > 10 and len(between) > 10

        command.until(seen, 'it was replayed twice, and the clock ran at frames, between them, and from the end to the beginning')
        command.interrupt()
        code, output = command.finish()
    finally:
        node.destroy_node()
        rclpy.shutdown()
    assert code == 130 and 'Traceback' not in output, output
    assert min(clock) >= BEGIN and max(clock) <= stamps()[-1]
    # When it begins again, and never else.
    times = (time.monotonic() - begin) * 5 * S / (stamps()[-1] - BEGIN)
    assert sum(after < before for before, after in itertools.pairwise(clock)) <= times


def test_what_can_not_be_replayed_is_one_line(ptz_collab: Start, recording: Path) -> None:
    for arguments, says in (
        ((recording, '--scenes', 'roof'), 'scene roof is not in the recording; it has gate'),
        ((recording, '--rate', '0'), 'allowed: above 0'),
        ((recording / 'nowhere',), 'is not there'),
        ((recording, '--wait-for', '/nobody', '--patience', '1'), '/nobody does not read within 1 s'),
    ):
        code, output = ptz_collab('replay', *arguments).finish()
        assert code == 2 and says in output and 'Traceback' not in output, output


def test_a_region_that_runs_is_not_told_an_old_plan(ptz_collab: Start, ros_domain: int, recording: Path) -> None:
    rclpy.init(domain_id=ros_domain)
    node = Node('coordinator', namespace='/yard')
    try:
        node.create_publisher(RegionState, names.REGION_STATE, LATCHED)
        # So slowly that there is a minute to discover that.
        code, output = ptz_collab('replay', recording, '--rate', '0.1').finish()
    finally:
        node.destroy_node()
        rclpy.shutdown()
    assert code == 2 and 'region yard runs here' in output, output
