# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The perception node of a camera over DDS: the same frames twice, frames that can't be looked at, a camera without calibration."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from ament_index_python.packages import get_package_share_directory
from conftest import PATIENCE, wait_for
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from collab_bringup.graph import GraphOptions, Part, region_graph
from collab_bringup.processes import node_command
from ptz_collab_msgs.msg import PresetFrame, PresetHeader, TrackArray
from ptz_node import names
from ptz_node.convert import time_from_ns, time_to_ns
from ptz_node.images import encode_jpeg
from ptz_node.qos import EVENTS, FRAMES_OUT
from ptz_sim.renderer import Renderer
from ptz_sim.world import World
from ptz_site import load_site

S = 1_000_000_000
BEGIN = 1_700_000_000 * S
#: Of the driver: another life, before the one of the frames.
EARLIER = 1
CAMERA, SCENE, FRAMES = 'north', 'gate', 12


def write_site(folder: Path, calibrated: bool = True) -> Path:
    """The demo's site with frames that are looked at as often as they come; not calibrated: its cameras have no pose."""
    content = yaml.safe_load(Path(get_package_share_directory('collab_bringup'), 'config', 'demo.yaml').read_text())
    content['perception']['rate'] = 10.0
    if not calibrated:
        for camera in content['cameras'].values():
            camera.pop('pose')
            camera.update(backend='onvif', host='192.0.2.1', presets={scene: {'token': scene} for scene in content['scenes']})
    path = folder / 'site.yaml'
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@pytest.fixture(scope='module')
def frames() -> list[PresetFrame]:
    """People before a camera of the demo's yard, 5 frames/s."""
    site = load_site(Path(get_package_share_directory('collab_bringup'), 'config', 'demo.yaml'))
    position = site.preset(CAMERA, SCENE)
    assert position is not None
    view = site.cameras[CAMERA].projection(position)
    assert view is not None
    renderer = Renderer(World.of_site(site), site.cameras[CAMERA].resolution)
    found = []
    for number in range(FRAMES):
        preset = PresetHeader(camera=CAMERA, scene=SCENE, preset=SCENE, phase=PresetHeader.PHASE_IN_POSITION)
        preset.header.stamp = time_from_ns(BEGIN + number * S // 5)
        preset.switch_start, preset.session, preset.sequence = time_from_ns(BEGIN - S), BEGIN, number + 1
        preset.pan, preset.tilt, preset.zoom = position.pan, position.tilt, position.zoom
        data = encode_jpeg(renderer.render(20.0 + number / 5, view))
        width, height = site.cameras[CAMERA].resolution
        found.append(
            PresetFrame(
                header=preset.header, preset=preset, encoding='jpeg', keyframe=True, width=width, height=height, data=data
            )
        )
    return found


class Looker:
    """A running perception node, somebody who gives it frames, and what it says."""

    def __init__(self, node: Node, process: subprocess.Popen[str]) -> None:
        self.node, self.process = node, process
        self.arrays: list[TrackArray] = []
        self._answered_ns = 0
        self.frames = node.create_publisher(PresetFrame, names.camera_frames(CAMERA), FRAMES_OUT)
        self.failures: set[str] = set()
        node.create_subscription(TrackArray, names.camera_tracks(CAMERA), self._on_tracks, EVENTS)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, EVENTS)
        self._wait_until_it_answers()

    def _on_tracks(self, array: TrackArray) -> None:
        # What was asked in the beginning may be answered late.
        if array.preset.session == EARLIER:
            self._answered_ns = time_to_ns(array.header.stamp)
        else:
            self.arrays.append(array)

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        self.failures |= {status.message for status in array.status if status.level == DiagnosticStatus.WARN}

    def _wait_until_it_answers(self) -> None:
        """Shows it empty pictures of an earlier life of the driver, until both sides have found each other and none is left."""
        size = (1280, 720)
        data = encode_jpeg(np.full((size[1], size[0], 3), 128, np.uint8))
        preset = PresetHeader(camera=CAMERA, scene=SCENE, phase=PresetHeader.PHASE_IN_POSITION, session=EARLIER)
        stamp_ns, published = BEGIN - 1000 * S, 0.0
        frame = PresetFrame(encoding='jpeg', width=size[0], height=size[1], data=data)

        def answered() -> bool:
            nonlocal stamp_ns, published
            if time.monotonic() - published > 0.5:
                published, stamp_ns = time.monotonic(), stamp_ns + S
                preset.header.stamp = time_from_ns(stamp_ns)
                frame.header, frame.preset = preset.header, preset
                self.frames.publish(frame)
            return bool(self._answered_ns)

        self.until(answered, 'perception answers')
        # One that still waits when the first frame comes would count as skipped for it.
        self.give(frame, lambda: self._answered_ns == stamp_ns, 'it has looked at the last empty picture')

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Spins until a condition holds."""

        def check() -> bool:
            rclpy.spin_once(self.node, timeout_sec=0.02)
            return condition()

        wait_for(check, PATIENCE, what)

    def give(self, frame: PresetFrame, condition: Callable[[], bool], what: str) -> None:
        """Gives it a frame, again if it was lost on the way (it takes a stamp once only), until a condition holds."""
        published = 0.0

        def given() -> bool:
            nonlocal published
            if time.monotonic() - published > 2.0:
                self.frames.publish(frame)
                published = time.monotonic()
            return condition()

        self.until(given, what)

    def show(self, frame: PresetFrame) -> TrackArray:
        """Gives it a frame, and waits for what it says."""
        before = len(self.arrays)
        self.give(frame, lambda: len(self.arrays) > before, 'a frame is looked at')
        return self.arrays[-1]


@contextmanager
def looking(domain: int, site_path: Path) -> Iterator[Looker]:
    site = load_site(site_path)
    nodes = region_graph(site, GraphOptions(str(site_path), parts=frozenset({Part.PERCEPTION})))
    spec = next(node for node in nodes if node.name == f'perception_{CAMERA}')
    process = subprocess.Popen(node_command(spec), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    rclpy.init(domain_id=domain)
    node = Node('looker', namespace='/demo')
    try:
        yield Looker(node, process)
    finally:
        node.destroy_node()
        rclpy.shutdown()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_the_same_frames_give_the_same_tracks(ros_domain: int, tmp_path: Path, frames: list[PresetFrame]) -> None:
    runs = []
    for _ in range(2):
        with looking(ros_domain, write_site(tmp_path)) as looker:
            runs.append([looker.show(frame) for frame in frames])
            tracks = [track for array in looker.arrays for track in array.tracks]
    assert runs[0] == runs[1]
    assert any(track.observations >= 5 for track in tracks)
    assert all(track.has_ground and abs(track.ground.x) < 40 and abs(track.ground.y) < 40 for track in tracks)
    assert any(len(track.feature) for track in tracks)
    # Unique in the driver's session, also if this node starts again in the middle of it.
    assert all(track.track_id > 100 for track in tracks)


def test_frames_that_can_not_be_looked_at_stop_nothing(ros_domain: int, tmp_path: Path, frames: list[PresetFrame]) -> None:
    with looking(ros_domain, write_site(tmp_path)) as looker:
        looker.show(frames[0])
        broken = PresetFrame(
            header=frames[1].header, preset=frames[1].preset, encoding='jpeg', keyframe=True, width=1280, height=720
        )
        broken.data = bytes(frames[1].data)[:5000]
        said = 'frame 2 could not be looked at'
        looker.give(broken, lambda: any(said in one for one in looker.failures), 'the diagnostics say so')
        turning = PresetFrame(
            header=frames[2].header, encoding='jpeg', keyframe=True, width=1280, height=720, data=frames[2].data
        )
        turning.preset.camera, turning.preset.session, turning.preset.sequence = CAMERA, BEGIN, 3
        turning.preset.phase = PresetHeader.PHASE_TURNING
        looker.frames.publish(turning)
        after = looker.show(frames[3])
    assert after.preset.sequence == 4
    assert [array.preset.sequence for array in looker.arrays] == [1, 4]
    assert looker.process.stdout is not None
    said = looker.process.stdout.read()
    assert len(re.findall(r'frame 2 could not be looked at: the picture is not complete', said)) == 1
    assert 'Traceback' not in said


def test_a_camera_without_calibration_has_tracks_and_no_places_and_says_so_once(
    ros_domain: int, tmp_path: Path, frames: list[PresetFrame]
) -> None:
    with looking(ros_domain, write_site(tmp_path, calibrated=False)) as looker:
        arrays = [looker.show(frame) for frame in frames[:6]]
    tracks = [track for array in arrays for track in array.tracks]
    assert tracks and not any(track.has_ground or track.has_heading for track in tracks)
    assert looker.process.stdout is not None
    assert looker.process.stdout.read().count('has no pose: its tracks have no place on the ground') == 1
