# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The driver with an RTSP server that is not ours: GStreamer's, where the system has it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SMALL_SITE, Command
from network_camera import PASSWORD, USER, free_port_pair, over_network, sim_cameras
from recordings import read_bag, video_frames

from ptz_driver.backends.base import StampSource
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import Picture, StreamError, StreamRefusedError
from ptz_driver.stream.stamps import StampEstimator
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


def read(address: str, count: int, *, silence: float = 5.0) -> list[Picture]:
    source = RtspSource(address, ACCOUNT, silence, time.time_ns)
    try:
        return [source.read() for _ in range(count)]
    finally:
        source.close()


def read_until_it_ends(source: RtspSource) -> None:
    while True:
        source.read()


@pytest.mark.parametrize(('served', 'encoding'), [('h264', 'h264'), ('h264-bare', 'h264')])
def test_its_pictures_come_as_they_are_with_capture_times(served: str, encoding: str) -> None:
    with serving(served) as (address, _):
        pictures = read(address, 80)
    assert {(picture.encoding, picture.size) for picture in pictures} == {(encoding, (320, 180))}
    estimator = StampEstimator()
    stamps = [estimator.take(p.pts_ns or 0, p.arrival_ns, p.reported_ns) for p in pictures]
    assert all(after > before for before, after in itertools.pairwise(stamps))
    assert estimator.source is StampSource.SENDER_REPORT
    late = [(p.arrival_ns - stamp) / S for p, stamp in zip(pictures, stamps, strict=True)]
    assert all(0 <= delay < 1.0 for delay in late[-20:]), late[-20:]
    # Every keyframe can be decoded by itself, also where the parameter sets came only with the description.
    keyframes = [p for p in pictures if p.keyframe]
    assert len(keyframes) >= 5
    for keyframe in keyframes:
        frame = StreamDecoder(encoding).decode(keyframe.data, True)
        assert frame is not None and as_bgr(frame).shape == (180, 320, 3)
        assert as_bgr(frame).max() > 200, 'the white ball'


def test_a_wrong_password_is_told_apart_and_never_shown() -> None:
    with serving('h264') as (address, _):
        source = RtspSource(address, Credentials('viewer', 'wrong'), 5.0, time.time_ns)
        with pytest.raises(StreamRefusedError) as caught:
            source.read()
    assert 'wrong' not in str(caught.value) and '@' not in str(caught.value)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_dies_or_stops_is_noticed_in_time(number: signal.Signals) -> None:
    with serving('h264') as (address, process):
        source = RtspSource(address, ACCOUNT, 2.0, time.time_ns)
        for _ in range(10):
            source.read()
        process.send_signal(number)
        begin = time.monotonic()
        with pytest.raises(StreamError) as caught:
            read_until_it_ends(source)
        assert time.monotonic() - begin < 30.0, 'it would never come'
        source.close()
    assert ACCOUNT.password not in str(caught.value)


def test_nobody_there_is_an_error_without_the_password() -> None:
    with pytest.raises(StreamError) as caught:
        read('rtsp://127.0.0.1:9/stream', 1, silence=3.0)
    assert 'word' not in str(caught.value) and 'refused' in str(caught.value)


def test_a_driver_marks_its_pictures(ros_domain: int, tmp_path: Path, ptz_collab: Callable[..., Command]) -> None:
    """ONVIF from our camera, pictures from the other server."""
    with serving('h264') as (address, _):
        ports = {camera: free_port_pair() for camera in ('north', 'southwest', 'southeast')}
        site = tmp_path / 'yard.yaml'
        (tmp_path / 'viewer').write_text(ACCOUNT.password)
        text = over_network(SMALL_SITE, tmp_path, ports, stream_url=address)
        site.write_text(text.replace(f'user: {USER}', f'user: {ACCOUNT.user}').replace('camera.password', 'viewer'))
        with sim_cameras(site, ports):
            command = ptz_collab('up', site, '--duration', 6, '--out', tmp_path / 'run')
            code, output = command.finish()
    assert code == 0 and PASSWORD not in output, output
    form, found = nal.NalFormat(nal.Codec.H264, 0), []
    for scene in ('gate', 'road', 'substation'):
        pictures = [bytes(message.data) for _, message in read_bag(tmp_path / 'run' / scene, '/image/compressed')]
        found += [mark for picture in pictures if (mark := nal.read(picture, form)) is not None]
        assert len(video_frames(tmp_path / 'run' / f'{scene}.mp4')) > 20
    assert {mark.camera for mark in found} == {'north', 'southwest', 'southeast'}
