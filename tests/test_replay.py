# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The replay command: what was recorded is on the graph again, as it was, and nobody misses any of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE, Command
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetHeader
from ptz_node.convert import time_from_ns
from ptz_node.images import encode_jpeg
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
    """Another process that reads frames, slowly."""

    def __init__(self, *topics: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name('slow_reader.py')), '0.02', *topics]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == 'reads\n'

    def end(self) -> list[list[str]]:
        """Topic, stamp and camera of all that it got."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return [line.split() for line in output.splitlines()]


@pytest.fixture
def reading(ros_domain: int) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def start(*topics: str) -> Reader:
        readers.append(Reader(*topics))
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
