# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ONVIF client on a camera over HTTP: what it understands, that every call ends, and that nothing of its library leaks out."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from network_camera import ONE_CAMERA, PATIENCE

from ptz_driver.onvif.client import CertificateError, NotAuthorizedError, OnvifError, RefusedError, UnreachableError, Vector
from ptz_driver.onvif.zeep_client import Endpoint, ZeepClient
from ptz_driver.stream.http import MotionJpegSource, SnapshotSource
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import StreamRefusedError
from ptz_node.images import decode
from ptz_node.stream_decoder import StreamDecoder
from ptz_sim.network.faults import CameraFaults
from ptz_sim.network.process import CameraOptions, Served, serving
from ptz_site import Credentials, Mark, Phase
from ptz_site.stream_marks import StreamMark, nal
from ptz_site.stream_marks.nal import Codec

BOB = Credentials('bob', 'correct horse')
OPTIONS = CameraOptions('north', 0, account=BOB)
T = TypeVar('T')


@pytest.fixture(scope='module')
def served() -> Iterator[Served]:
    with serving(ONE_CAMERA, OPTIONS) as camera:
        yield camera


@contextmanager
def faulty(served: Served, **faults: object) -> Iterator[None]:
    served.camera.change_faults(dict(faults), time.time_ns())
    try:
        yield
    finally:
        normal = CameraFaults()
        served.camera.change_faults({name: getattr(normal, name) for name in faults}, time.time_ns())


def connected(served: Served, timeout: float = PATIENCE) -> tuple[ZeepClient, str]:
    client = ZeepClient(Endpoint('127.0.0.1', served.port, timeout=timeout), BOB)
    client.set_clock_offset(client.clock_seconds() - time.time())
    client.connect()
    return client, client.profiles()[1].token


def test_what_a_camera_says_is_understood(served: Served) -> None:
    client, token = connected(served)
    assert [profile.name for profile in client.profiles()] == ['still', 'main']
    assert [bool(profile.node) for profile in client.profiles()] == [False, True]
    assert client.profiles()[1].size == (160, 90)
    assert [preset.name for preset in client.presets(token)] == ['gate', 'road']
    assert client.stream_uri(token) == served.rtsp
    assert client.information().model == 'simulated PTZ camera'
    limits = client.exposure_limits('VideoSource_1')
    assert limits.manual and limits.time == pytest.approx((1e-4, 0.04)) and limits.gain == (0.0, 42.0)


def test_a_turn_is_commanded_and_seen(served: Served) -> None:
    client, token = connected(served)
    gate, road = client.presets(token)
    client.go_to_preset(token, gate.token, 0.0)
    wait_until_still(client, token)
    # So slowly that it moves whenever it is asked.
    client.go_to_preset(token, road.token, 0.02)
    assert client.status(token).moving
    client.go_to_preset(token, road.token, 0.0)
    wait_until_still(client, token)
    assert client.status(token).position == road.position
    client.go_to(token, Vector(0.1, -0.2, None), 0.0)
    wait_until_still(client, token)
    at = client.status(token).position
    assert at is not None and (at.pan, at.tilt) == pytest.approx((0.1, -0.2), abs=1e-5)
    assert road.position is not None and at.zoom == pytest.approx(road.position.zoom, abs=1e-5)
    kept = client.set_preset(token, 'corner', '')
    assert [preset.name for preset in client.presets(token) if preset.token == kept] == ['corner']


def wait_until_still(client: ZeepClient, token: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while client.status(token).moving:
        assert time.monotonic() < deadline, 'it turns for ever'


def test_exposure_is_set_in_seconds_and_decibels(served: Served) -> None:
    client, _ = connected(served)
    client.set_manual_exposure('VideoSource_1', 0.002, 20.0)
    found = client.exposure('VideoSource_1')
    assert found.automatic is False and (found.time, found.gain) == pytest.approx((0.002, 20.0))
    client.set_automatic_exposure('VideoSource_1')
    assert client.exposure('VideoSource_1').automatic


def test_another_vendors_prefixes_and_missing_fields_are_understood(served: Served) -> None:
    with faulty(served, vendor=True):
        client, token = connected(served)
        presets = client.presets(token)
        assert [preset.name for preset in presets][:2] == ['gate', 'road'] and len(presets) < 10, 'empty slots are left out'
        client.go_to_preset(token, presets[0].token, 0.0)
        assert client.status(token).position is not None


def test_positions_and_status_that_are_missing_are_none(served: Served) -> None:
    client, token = connected(served)
    with faulty(served, no_position=True, no_move_status=True):
        status = client.status(token)
        assert status.position is None and status.moving is None


@pytest.mark.parametrize('clock', [-7200.0, 3.0, 86_400.0 * 365])
@pytest.mark.parametrize('needs_password', [False, True])
def test_a_camera_with_a_wrong_clock_is_reached(served: Served, clock: float, needs_password: bool) -> None:
    with faulty(served, clock=clock, clock_needs_password=needs_password and abs(clock) < 5):
        client, token = connected(served)
        assert client.presets(token)


def test_every_call_has_its_own_fresh_token(served: Served) -> None:
    """The camera refuses a nonce that it has seen, and a time that is too far off."""
    client, token = connected(served)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            own, profile = connected(served)
            for _ in range(20):
                own.status(profile)
        except OnvifError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        client.status(token)
    for thread in threads:
        thread.join(PATIENCE)
    assert not failures and not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize('fault', ['hang', 'trickle'])
def test_every_call_ends_in_time(served: Served, fault: str) -> None:
    client, token = in_the_end(lambda: connected(served, timeout=1.0))
    with faulty(served, **{fault: True}):
        begin = time.monotonic()
        with pytest.raises(UnreachableError, match='no answer'):
            client.status(token)
        assert time.monotonic() - begin < PATIENCE, 'the faults go on for ever'
    assert in_the_end(lambda: client.status(token)).moving is not None, 'and the next one works'


def in_the_end(ask: Callable[[], T]) -> T:
    """What a camera answers that may be slower than a short time limit, where the machine is busy."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except UnreachableError:
            if time.monotonic() > deadline:
                raise


def test_refusals_are_told_apart(served: Served) -> None:
    client, token = connected(served)
    with pytest.raises(RefusedError, match='preset token does not exist'):
        client.go_to_preset(token, '99', 0.0)
    with pytest.raises(RefusedError, match='out of bounds'):
        client.go_to(token, Vector(3.0, 0.0, None), 0.0)
    with faulty(served, reject_password=True), pytest.raises(NotAuthorizedError):
        client.status(token)
    with pytest.raises(NotAuthorizedError):
        ZeepClient(Endpoint('127.0.0.1', served.port, timeout=PATIENCE), Credentials('bob', 'wrong')).connect()
    with pytest.raises(UnreachableError, match='refused'):
        ZeepClient(Endpoint('127.0.0.1', 9), BOB).connect()
    with pytest.raises(CertificateError, match='no HTTPS'):
        ZeepClient(Endpoint('127.0.0.1', served.port, https=True, timeout=PATIENCE), BOB).connect()


@pytest.fixture(scope='module')
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody trusts, and its key."""
    folder = tmp_path_factory.mktemp('tls')
    command = 'openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key -out certificate -subj /CN=camera'
    subprocess.run([*command.split(), '-addext', 'subjectAltName=IP:127.0.0.1'], cwd=folder, check=True, capture_output=True)
    return folder / 'certificate', folder / 'key'


def test_a_certificate_must_be_trusted(certificate: tuple[Path, Path]) -> None:
    with serving(ONE_CAMERA, replace(OPTIONS, certificate=certificate[0], key=certificate[1])) as camera:
        endpoint = Endpoint('127.0.0.1', camera.port, https=True, timeout=PATIENCE)
        with pytest.raises(CertificateError, match='not trusted'):
            ZeepClient(endpoint, BOB).clock_seconds()
        client = ZeepClient(replace(endpoint, ca_file=str(certificate[0])), BOB)
        client.connect()
        assert client.profiles()


def test_pictures_over_http(served: Served) -> None:
    base = f'http://127.0.0.1:{served.port}'
    video = MotionJpegSource(f'{base}/mjpeg', BOB, PATIENCE, '', time.time_ns)
    single = SnapshotSource(f'{base}/snapshot.jpg', BOB, PATIENCE, '', time.time_ns, lambda: None)
    for source in (video, single):
        for _ in range(3):
            picture = source.read()
            assert picture.size == (160, 90) and decode(picture.data).shape == (90, 160, 3)
        source.close()
    with pytest.raises(StreamRefusedError):
        MotionJpegSource(f'{base}/mjpeg', Credentials('bob', 'wrong'), PATIENCE, '', time.time_ns)


def test_nothing_of_the_library_leaks_out(served: Served, tmp_path: Path) -> None:
    """Root logger, proxies, caches in the home folder, the class's dictionary, subscriptions, and what is logged of passwords."""
    program = f"""
    import logging, os, pathlib
    os.environ['http_proxy'] = os.environ['https_proxy'] = 'http://proxy.invalid:1'
    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    from ptz_driver.onvif.zeep_client import Endpoint, ZeepClient
    from ptz_driver.onvif.client import OnvifError
    from ptz_site import Credentials
    assert (logging.getLogger().handlers, logging.getLogger().level) == before, 'root logger'
    logging.basicConfig(level=logging.DEBUG, filename='log')
    client = ZeepClient(Endpoint('127.0.0.1', {served.port}, timeout={PATIENCE}), Credentials('bob', 'correct horse'))
    client.set_clock_offset(0.0)
    client.connect()
    token = client.profiles()[1].token
    client.presets(token)
    try:
        client.go_to_preset(token, 'none', 0.0)
    except OnvifError as error:
        assert 'correct' not in repr(error)
    assert os.environ['http_proxy'] == os.environ['https_proxy'] == 'http://proxy.invalid:1', 'proxies'
    from onvif import ONVIFCamera
    assert not any(ONVIFCamera.services_template.values()), 'class dictionary'
    assert not list(pathlib.Path.home().rglob('*.db')), 'cache'
    log = pathlib.Path('log').read_text()
    assert 'correct horse' not in log and 'correct%20horse' not in log, 'password'
    assert 'Digest' not in log and 'Nonce' not in log, 'token'
    """
    (tmp_path / 'home').mkdir()
    environment = {'HOME': str(tmp_path / 'home'), 'PATH': '/usr/bin:/bin', **inherited()}
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(program)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def inherited() -> dict[str, str]:
    return {
        key: value for key, value in os.environ.items() if key.startswith(('PYTHON', 'LD_LIBRARY', 'AMENT', '_ROS', 'VIRTUAL'))
    }


@pytest.mark.parametrize('codec', [Codec.H264, Codec.H265])
def test_pictures_over_rtsp_carry_marks_and_are_decoded(codec: Codec) -> None:
    mark = StreamMark('north', 'gate', 'Gate', Mark.ARRIVED, Phase.IN_POSITION, 5, 3, 4)
    form = nal.NalFormat(codec, 0)
    with serving(ONE_CAMERA, replace(OPTIONS, codec=codec)) as camera:
        source = RtspSource(camera.rtsp, BOB, PATIENCE, time.time_ns)
        pictures = [source.read() for _ in range(25)]
        source.close()
    encoding = {Codec.H264: 'h264', Codec.H265: 'h265'}[codec]
    assert {(picture.encoding, picture.size) for picture in pictures} == {(encoding, (160, 90))}
    assert [picture.keyframe for picture in pictures] == [nal.is_keyframe(picture.data, form) for picture in pictures]
    assert pictures[0].keyframe and sum(picture.keyframe for picture in pictures) >= 2
    decoder, decoded = StreamDecoder(encoding), 0
    for picture in pictures:
        marked = nal.insert(picture.data, form, mark)
        assert nal.read(marked, form) == mark and nal.read(picture.data, form) is None
        decoded += decoder.decode(marked, picture.keyframe) is not None
    assert decoded == 25, 'one picture for each, without delay'
    times = [picture.pts_ns for picture in pictures]
    # Ten a second, of which a busy machine may leave some out.
    steps = [(after - before) / 1e8 for before, after in itertools.pairwise(times)]
    assert all(step > 0.99 and abs(step - round(step)) < 0.01 for step in steps), steps
