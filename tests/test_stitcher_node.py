# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The stitcher node alone: on a disk that fills up and is emptied again, and with messages that can not be read."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from conftest import PATIENCE, wait_for
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from recordings import headers, video_frames

from collab_bringup.graph import GraphOptions, Part, region_graph
from collab_bringup.processes import node_command
from ptz_collab_msgs.msg import CameraOrder, CameraState, PresetFrame, PresetHeader, RotationPlan, TrackArray
from ptz_node import names
from ptz_node.convert import time_from_ns
from ptz_node.images import encode_jpeg
from ptz_node.qos import EVENTS, FRAMES_OUT, LATCHED
from ptz_site import load_site

PICTURE = encode_jpeg(np.full((90, 160, 3), 128, np.uint8))
ROOM, NO_ROOM = 10_000_000_000, 50_000_000


class Filming:
    """A driver that is always on the gate, and somebody who reads the stitcher's diagnostics."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._frames = node.create_publisher(PresetFrame, names.scene_frames('gate'), FRAMES_OUT)
        self._plan = node.create_publisher(RotationPlan, names.PLAN, LATCHED)
        self.status: dict[str, DiagnosticStatus] = {}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, EVENTS)
        plan = RotationPlan(region='yard', revision=1, mode=RotationPlan.MODE_RUNNING)
        plan.dwell.sec, plan.orders = 10, [CameraOrder(camera='north', scenes=['gate'])]
        self._plan.publish(plan)
        self._sequence = 0

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        self.status |= {status.name.rpartition(': ')[2]: status for status in array.status}

    def until(self, condition: object, what: str) -> None:
        """Films, ten frames a second or so, until a condition holds."""

        def check() -> bool:
            self._film()
            rclpy.spin_once(self.node, timeout_sec=0.05)
            return bool(condition())  # type: ignore[operator]

        wait_for(check, PATIENCE, what)

    def level(self, part: str) -> bytes | None:
        """What the stitcher says of one of its parts."""
        return self.status[part].level if part in self.status else None

    def recorded(self) -> int:
        """Frames of the gate, as the diagnostics tell."""
        if 'scene gate' not in self.status:
            return 0
        return int(next(value.value for value in self.status['scene gate'].values if value.key == 'frames'))

    def _film(self) -> None:
        self._sequence += 1
        preset = PresetHeader(
            camera='north', scene='gate', phase=PresetHeader.PHASE_IN_POSITION, session=1, sequence=self._sequence
        )
        stamp = time_from_ns(time.time_ns())
        preset.header.stamp, preset.switch_start = stamp, time_from_ns(1)
        frame = PresetFrame(
            header=preset.header, preset=preset, encoding='jpeg', keyframe=True, width=160, height=90, data=PICTURE
        )
        self._frames.publish(frame)


@pytest.fixture
def filming(ros_domain: int) -> Iterator[Filming]:
    rclpy.init(domain_id=ros_domain)
    node = Node('filming', namespace='/yard')
    yield Filming(node)
    node.destroy_node()
    rclpy.shutdown()


def test_recording_stops_on_a_full_disk_and_goes_on_when_there_is_room(
    filming: Filming, small_site: Path, tmp_path: Path
) -> None:
    out, free = tmp_path / 'run', tmp_path / 'free'
    free.write_text(str(ROOM))
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), out=str(out), parts=frozenset({Part.STITCHER})))
    script = str(Path(__file__).with_name('stitcher_on_a_small_disk.py'))
    command = [sys.executable, script, str(free), *node_command(nodes[0])[1:]]
    log = tmp_path / 'log'
    with log.open('wb') as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    try:
        filming.until(lambda: filming.recorded() > 10, 'recording')
        assert filming.level('Disk') == DiagnosticStatus.OK
        free.write_text(str(NO_ROOM))
        filming.until(lambda: filming.level('Disk') == filming.level('scene gate') == DiagnosticStatus.ERROR, 'it says so')
        assert 'make room' in filming.status['Disk'].message
        # Files are closed before it is said.
        filming.until(lambda: 'recording has stopped' in log.read_text(), 'files are closed')
        before = filming.recorded()
        assert len(headers(out / 'gate')) == len(video_frames(out / 'gate.mp4')) >= before > 10
        free.write_text(str(ROOM))
        filming.until(lambda: filming.level('Disk') == DiagnosticStatus.OK, 'it says so')
        filming.until(lambda: filming.recorded() > before + 10, 'recording again')
        assert filming.level('scene gate') != DiagnosticStatus.ERROR
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    output = log.read_text()
    assert process.returncode == 0 and 'Traceback' not in output, output
    assert 'the disk is full' in output and 'there is room again' in output
    (again,) = out.glob('yard_gate_*Z')
    assert len(headers(again)) == len(video_frames(out / f'{again.name}.mp4')) > 10
    assert len(list(out.glob('yard_region_*Z'))) == 1


def test_what_can_not_be_read_is_named_once_and_the_rest_is_recorded(filming: Filming, small_site: Path, tmp_path: Path) -> None:
    """Of another version, of a host with the other byte order, or damaged."""
    out, log = tmp_path / 'run', tmp_path / 'log'
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), out=str(out), parts=frozenset({Part.STITCHER})))
    strange = [
        filming.node.create_publisher(kind, topic, qos)
        for kind, topic, qos in (
            (PresetFrame, names.scene_frames('gate'), FRAMES_OUT),
            (TrackArray, names.camera_tracks('north'), EVENTS),
            (CameraState, names.camera_state('north'), LATCHED),
        )
    ]
    with log.open('wb') as said:
        process = subprocess.Popen(node_command(nodes[0]), stdout=said, stderr=subprocess.STDOUT)
    try:
        filming.until(lambda: filming.recorded() > 5, 'recording')
        filming.until(lambda: all(one.get_subscription_count() for one in strange), 'it listens')
        for publisher in strange:
            for data in (b'\x00\x00\x00\x00' + bytes(40), b'\x00\x01\x00\x00' + b'\xff' * 24, b'\x00\x01\x00\x00\x01'):
                publisher.publish(data)
        filming.until(lambda: 'can not be read' in log.read_text(), 'it says so')
        before = filming.recorded()
        filming.until(lambda: filming.recorded() > before + 10, 'it records on')
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    output = log.read_text()
    assert process.returncode == 0 and 'Traceback' not in output, output
    assert output.count('can not be read') == 1
    assert len(headers(out / 'gate')) == len(video_frames(out / 'gate.mp4')) > 10
