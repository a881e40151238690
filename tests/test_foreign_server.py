# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The driver with an RTSP server that is not ours: GStreamer's, where the system has it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import rclpy
from conftest import PATIENCE, Command
from network_camera import NORTH_ALONE, PASSWORD, USER, free_port_pair, over_network, sim_cameras
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from recordings import headers, read_bag, video_frames

from ptz_collab_msgs.msg import PresetFrame, PresetHeader
from ptz_driver.backends.base import StampSource
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import Picture, StreamError, StreamRefusedError
from ptz_driver.stream.stamps import StampEstimator
from ptz_node import names
from ptz_node.qos import FRAMES_RECORD
from ptz_node.stream_decoder import StreamDecoder, as_bgr
from ptz_site import Credentials
from ptz_site.stream_marks import nal

S = 1_000_000_000
PYTHON, SERVER = '/usr/bin/python3', Path(__file__).with_name('gstreamer_server.py')
ACCOUNT = Credentials('viewer', 'p@ss/word')
NEEDED = "import gi; gi.require_version('GstRtspServer', '1.0')"


def has_gstreamer() -> bool:
    """Whether the system's python can serve."""
    if not Path(PYTHON).exists():
        return False
    return subprocess.run([PYTHON, '-c', NEEDED], capture_output=True, env=clean(), check=False).returncode == 0


def clean() -> dict[str, str]:
    """The environment without what is meant for our own python."""
    return {key: value for key, value in os.environ.items() if not key.startswith(('PYTHON', 'LD_LIBRARY', 'VIRTUAL', '_ROS'))}


pytestmark = pytest.mark.skipif(
    not has_gstreamer(), reason='needs gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-ugly'
)


@contextmanager
def serving(encoding: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a stream, and who serves it."""
    command = [PYTHON, str(SERVER), encoding, ACCOUNT.user, ACCOUNT.password]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean())
    try:
        assert process.stdout is not None
        yield f'rtsp://127.0.0.1:{int(process.stdout.readline())}/stream', process
    finally:
        process.kill()
        process.wait()


def read(address: str, count: int) -> list[Picture]:
    source = RtspSource(address, ACCOUNT, PATIENCE, time.time_ns)
    try:
        return [source.read() for _ in range(count)]
    finally:
        source.close()


def read_until_it_ends(source: RtspSource) -> None:
    while True:
        source.read()


def that_gives_pictures(address: str, silence: float) -> RtspSource:
    """A source with a short time limit: opened again, as the driver does, where a busy machine is slower than that."""
    deadline = time.monotonic() + PATIENCE
    while True:
        source = RtspSource(address, ACCOUNT, silence, time.time_ns)
        try:
            for _ in range(10):
                source.read()
            return source
        except StreamError:
            source.close()
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize(('served', 'encoding'), [('h264', 'h264'), ('h264-bare', 'h264')])
def test_its_pictures_come_as_they_are_with_capture_times(served: str, encoding: str) -> None:
    with serving(served) as (address, _):
        pictures = read(address, 80)
    assert {(picture.encoding, picture.size) for picture in pictures} == {(encoding, (320, 180))}
    estimator, stamps, late = StampEstimator(), [], []
    for picture in pictures:
        stamps.append(estimator.take(picture.pts_ns or 0, picture.arrival_ns, picture.reported_ns))
        if estimator.source is StampSource.SENDER_REPORT:
            late.append((picture.arrival_ns - stamps[-1]) / S)
    assert all(after > before for before, after in itertools.pairwise(stamps))
    # Any of them may have waited for the machine, in the server or here; what is wrong with the clocks is wrong with all.
    assert late and 0 <= min(late) < 1.0, late
    # Every keyframe can be decoded by itself, also where the parameter sets came only with the description.
    keyframes = [p for p in pictures if p.keyframe]
    assert len(keyframes) >= 5
    for keyframe in keyframes:
        frame = StreamDecoder(encoding).decode(keyframe.data, True)
        assert frame is not None and as_bgr(frame).shape == (180, 320, 3)
        assert as_bgr(frame).max() > 200, 'the white ball'


def test_a_wrong_password_is_told_apart_and_never_shown() -> None:
    with serving('h264') as (address, _):
        source = RtspSource(address, Credentials('viewer', 'wrong'), PATIENCE, time.time_ns)
        with pytest.raises(StreamRefusedError) as caught:
            source.read()
    assert 'wrong' not in str(caught.value) and '@' not in str(caught.value)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_dies_or_stops_is_noticed(number: signal.Signals) -> None:
    with serving('h264') as (address, process):
        source = that_gives_pictures(address, silence=3.0)
        process.send_signal(number)
        with pytest.raises(StreamError) as caught:
            read_until_it_ends(source)
        source.close()
    assert ACCOUNT.password not in str(caught.value)


def test_nobody_there_is_an_error_without_the_password() -> None:
    with pytest.raises(StreamError) as caught:
        read('rtsp://127.0.0.1:9/stream', 1)
    assert 'word' not in str(caught.value) and 'refused' in str(caught.value)


class Stays:
    """Listens to the scenes of a region: how many pictures came of each camera at rest, from its first keyframe there on."""

    def __init__(self, node: Node, scenes: tuple[str, ...]) -> None:
        self.pictures = dict.fromkeys(scenes, 0)
        for scene in scenes:
            node.create_subscription(PresetFrame, names.scene_frames(scene), self._take, FRAMES_RECORD)

    def all_have(self, count: int) -> bool:
        """Whether so many came of every scene."""
        return min(self.pictures.values()) >= count

    def _take(self, frame: PresetFrame) -> None:
        # The cameras take up their first scenes before the rotation begins, and with it the recording.
        recorded = frame.preset.slot > 0 and frame.preset.phase == PresetHeader.PHASE_IN_POSITION
        if recorded and (frame.keyframe or self.pictures[frame.preset.scene]):
            self.pictures[frame.preset.scene] += 1


@contextmanager
def listening(domain: int, scenes: tuple[str, ...]) -> Iterator[Stays]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node, executor = Node('listener', namespace='/yard', context=context), SingleThreadedExecutor(context=context)
    executor.add_node(node)
    stays, spinning = Stays(node, scenes), threading.Thread(target=executor.spin, daemon=True)
    spinning.start()
    try:
        yield stays
    finally:
        executor.shutdown()
        spinning.join()
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_a_driver_marks_its_pictures(ros_domain: int, tmp_path: Path, ptz_collab: Callable[..., Command]) -> None:
    """ONVIF from our camera, pictures from the other server."""
    scenes, port, site, out = ('gate', 'road'), free_port_pair(), tmp_path / 'yard.yaml', tmp_path / 'run'
    (tmp_path / 'viewer').write_text(ACCOUNT.password)
    with serving('h264') as (address, _), listening(ros_domain, scenes) as stays:
        text = over_network(NORTH_ALONE, tmp_path, {'north': port}, stream_url=address)
        site.write_text(text.replace(f'user: {USER}', f'user: {ACCOUNT.user}').replace('camera.password', 'viewer'))
        with sim_cameras(site, {'north': port}):
            command = ptz_collab('up', site, '--out', out)
            command.until(lambda: stays.all_have(20), 'pictures of both scenes')
            command.interrupt()
            code, output = command.finish()
    assert code == 0 and PASSWORD not in output and ACCOUNT.password not in output, output
    form = nal.NalFormat(nal.Codec.H264, 0)
    for scene in scenes:
        pictures = [bytes(message.data) for _, message in read_bag(out / scene, '/image/compressed')]
        recorded, marks = headers(out / scene), [nal.read(picture, form) for picture in pictures]
        assert {(mark.camera, mark.scene) for mark in marks if mark is not None} == {('north', scene)}
        assert [0 if mark is None else mark.marks for mark in marks] == [header.marks for header in recorded]
        # Its keyframes come when they come: what is before the first one of a stay, or behind a lost picture, can't be shown.
        shown, last = 0, 0
        for header, picture in zip(recorded, pictures, strict=True):
            if header.sequence == last + 1 or nal.is_keyframe(picture, form):
                shown, last = shown + 1, header.sequence
        assert len(video_frames(out / f'{scene}.mp4')) == shown > 0
