# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated network camera: RTP as the standards say, digests, faults by name, and turns as its motors allow."""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from network_camera import ONE_CAMERA

from ptz_sim.network.device import NetworkCamera, Normalized, RefusedError
from ptz_sim.network.faults import CameraFaults
from ptz_sim.network.pictures import Pictures
from ptz_sim.network.process import CameraOptions, serving
from ptz_sim.network.rtp import RtpStream
from ptz_sim.network.soap import is_authentic, parse
from ptz_site import OnvifCamera, UserError
from ptz_site.stream_marks.nal import Codec, NalFormat

S = 1_000_000_000
BEGIN = 1_700_000_000 * S


def unpacked(packets: list[bytes], codec: Codec) -> list[bytes]:
    """Units from RTP packets, as a receiver puts them together."""
    units: list[bytes] = []
    for packet in packets:
        payload, size = packet[12:], 1 if codec is Codec.H264 else 2
        kind = payload[0] & 31 if codec is Codec.H264 else payload[0] >> 1 & 63
        if kind != (28 if codec is Codec.H264 else 49):
            units.append(payload)
            continue
        head = payload[size]
        if head & 0x80:
            if codec is Codec.H264:
                units.append(bytes([payload[0] & 0xE0 | head & 31]))
            else:
                units.append(bytes([payload[0] & 0x81 | (head & 63) << 1, payload[1]]))
        units[-1] += payload[size + 1 :]
    return units


@given(st.sampled_from(list(Codec)), st.lists(st.integers(3, 9000), min_size=1, max_size=4), st.integers(0, 2**40))
def test_units_survive_being_cut_into_packets(codec: Codec, sizes: list[int], stamp: int) -> None:
    head = b'\x65' if codec is Codec.H264 else b'\x26\x01'
    units = [head + bytes((i * 7 + size) % 251 for i in range(size)) for size in sizes]
    stream = RtpStream(codec, 0x12345678, 77, sequence=65530)
    packets = list(stream.packetize(units, stamp))
    assert unpacked(packets, codec) == units
    assert all(len(packet) < 1460 for packet in packets)
    fields = [struct.unpack('>BBHII', packet[:12]) for packet in packets]
    assert [bool(f[1] & 0x80) for f in fields] == [False] * (len(packets) - 1) + [True], 'the marker bit ends the picture'
    assert [f[2] for f in fields] == [(65530 + k) % 65536 for k in range(len(packets))]
    assert {f[3] for f in fields} == {(77 + stamp * 90_000 // S) % 2**32} and {f[4] for f in fields} == {0x12345678}


def test_a_sender_report_ties_the_cameras_clock_to_rtp_time() -> None:
    stream = RtpStream(Codec.H264, 1, 1000)
    list(stream.packetize([b'\x65abc'], BEGIN))
    fields = struct.unpack('>BBHIIIIII', stream.sender_report(BEGIN, BEGIN + S // 2))
    assert fields[:4] == (0x80, 200, 6, 1)
    assert (fields[4] - 2_208_988_800, fields[5]) == (BEGIN // S, 2**31), 'half a second, in 2^-32 s'
    assert fields[6] == stream.timestamp(BEGIN) and fields[7:] == (1, 4)


def token(password: str, at_ns: int) -> etree._Element:
    created = datetime.fromtimestamp(at_ns / S, UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
    digest = base64.b64encode(hashlib.sha1(b'nonce' + created.encode() + password.encode()).digest()).decode()
    wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
    wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
    text = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope">'
        f'<e:Header><w:Security xmlns:w="{wsse}" xmlns:u="{wsu}"><w:UsernameToken><w:Username>bob</w:Username>'
        f'<w:Password>{digest}</w:Password><w:Nonce>{base64.b64encode(b"nonce").decode()}</w:Nonce><u:Created>{created}</u:Created>'
        '</w:UsernameToken></w:Security></e:Header><e:Body><GetStatus/></e:Body></e:Envelope>'
    )
    request = parse(text.encode())
    assert request.operation == 'GetStatus' and request.token is not None
    return request.token


def test_a_digest_must_be_right_and_fresh() -> None:
    assert is_authentic(token('secret', BEGIN), 'bob', 'secret', BEGIN + 14 * S)
    assert not is_authentic(token('wrong', BEGIN), 'bob', 'secret', BEGIN)
    assert not is_authentic(token('secret', BEGIN), 'eve', 'secret', BEGIN)
    assert not is_authentic(token('secret', BEGIN), 'bob', 'secret', BEGIN + 16 * S)


@pytest.mark.parametrize('data', [b'', b'<a/>', b'not xml', b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"/>'])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r'XML|envelope'):
        parse(data)


def test_faults_are_given_by_name() -> None:
    assert CameraFaults.parse(['slow=2.5', 'stuck', 'no-position=false', 'preset_gone=Gate']) == CameraFaults(
        slow=2.5, stuck=True, preset_gone='Gate'
    )
    for text, words in (
        ('slo=2', "no fault 'slo'; there are always_moving"),
        ('slow', 'a number'),
        ('stuck=maybe', 'true or false'),
    ):
        with pytest.raises(ValueError, match=words):
            CameraFaults.parse([text])


def test_presets_turn_the_camera_within_its_limits() -> None:
    camera = NetworkCamera(ONE_CAMERA, 'north', BEGIN)
    gate, road = camera.presets()
    camera.go_to_preset(gate.token, 1.0, BEGIN)
    (command,) = camera.commands()
    assert camera.is_moving(BEGIN + S // 10) and not camera.is_moving(command.standstill_ns)
    assert camera.ptz.position(command.standstill_ns) == gate.position
    camera.go_to_preset(road.token, 0.1, command.standstill_ns)
    slow = camera.commands()[-1]
    assert slow.standstill_ns - slow.at_ns > 3 * (command.standstill_ns - command.at_ns), 'speed is a share of the top speed'
    with pytest.raises(RefusedError):
        camera.go_to_preset('99', 1.0, BEGIN)
    with pytest.raises(RefusedError):
        camera.go_to(Normalized(1.5, 0.0, 0.0), 1.0, BEGIN)


def test_a_velocity_goes_on_until_it_is_stopped() -> None:
    camera = NetworkCamera(ONE_CAMERA, 'north', BEGIN)
    camera.move(0.5, 0.0, 0.0, 60.0, BEGIN)
    assert camera.is_moving(BEGIN + 5 * S)
    camera.stop(BEGIN + 5 * S)
    at = camera.position(BEGIN + 5 * S)
    assert not camera.is_moving(BEGIN + 6 * S) and camera.position(BEGIN + 9 * S) == at
    assert at.pan > 0, 'positive is to the right, and pan_range says how much that is'


def test_a_stuck_camera_stops_half_way_and_says_that_it_moves() -> None:
    camera = NetworkCamera(ONE_CAMERA, 'north', BEGIN, CameraFaults(stuck=True))
    gate = camera.presets()[0]
    camera.go_to_preset(gate.token, 1.0, BEGIN)
    later = BEGIN + 60 * S
    assert camera.is_moving(later)
    assert camera.ptz.position(later).pan == pytest.approx(gate.position.pan / 2)
    camera.change_faults({'stuck': False}, later)
    camera.go_to_preset(gate.token, 1.0, later)
    assert camera.ptz.position(later + 60 * S) == gate.position and not camera.is_moving(later + 60 * S)


def test_whoever_watches_begins_with_a_keyframe() -> None:
    form, pictures = NalFormat(Codec.H264, 0), Pictures(NetworkCamera(ONE_CAMERA, 'north', BEGIN), Codec.H264, 0.0)
    pictures.start()
    with pictures.watch() as first:
        for _ in range(3):
            first.get()
            # While another picture is waited for.
            with pictures.watch() as other:
                assert any(form.is_random_access(unit[0]) for unit in other.get().units)
    pictures.end()


def test_a_lens_that_bends_can_not_be_simulated() -> None:
    settings = ONE_CAMERA.cameras['north'].model_dump(exclude={'backend'})
    camera = OnvifCamera(backend='onvif', host='camera', **{**settings, 'distortion': (-0.3, 0.1, 0, 0, 0)})
    site = ONE_CAMERA.model_copy(update={'cameras': {'north': camera}})
    told = r'^cameras\.north\.distortion: a simulated camera is a pinhole; leave it out$'
    with pytest.raises(UserError, match=told), serving(site, CameraOptions('north', 1)):
        pass
