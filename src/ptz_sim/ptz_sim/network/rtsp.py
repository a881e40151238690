# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An RTSP server (RFC 2326) that sends the pictures over the same TCP connection (interleaved)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import queue
import random
import re
import secrets
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ptz_sim.network.device import NetworkCamera
from ptz_sim.network.pictures import Pictures
from ptz_sim.network.rtp import PAYLOAD_TYPE, RtpStream
from ptz_site import NANOSECONDS, Credentials
from ptz_site.stream_marks.nal import Codec

#: s between sender reports.
_REPORT_PERIOD = 2.0
_REALM = 'ptz_collab'


@dataclass(frozen=True)
class _Request:
    method: str
    address: str
    headers: dict[str, str]


class RtspServer(socketserver.ThreadingTCPServer):
    """Serves the pictures of one camera to any number of clients."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], camera: NetworkCamera, pictures: Pictures, account: Credentials) -> None:
        super().__init__(address, _Connection)
        self.camera, self.pictures, self.account = camera, pictures, account
        self.nonce = secrets.token_hex(16)


class _Connection(socketserver.StreamRequestHandler):
    """One client."""

    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._server = cast(RtspServer, self.server)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._session = secrets.token_hex(4)
        self._stream = RtpStream(self._server.pictures.codec, random.getrandbits(32), random.getrandbits(32))

    def handle(self) -> None:
        if self._server.camera.faults.no_stream:
            return
        sender: threading.Thread | None = None
        with contextlib.suppress(OSError):
            while (request := self._read()) is not None:
                if not self._is_allowed(request):
                    self._refuse(request)
                    continue
                self._answer(request)
                if request.method == 'PLAY' and sender is None:
                    sender = threading.Thread(target=self._send_pictures, name='rtsp sender', daemon=True)
                    sender.start()
                if request.method == 'TEARDOWN':
                    break
        self._ended.set()
        if sender is not None:
            sender.join(timeout=3.0)

    def _read(self) -> _Request | None:
        """The next request; what the client sends interleaved (its receiver reports) is left out."""
        while (first := self.rfile.read(1)) == b'$':
            _channel, size = struct.unpack('>BH', self.rfile.read(3))
            self.rfile.read(size)
        line = (first + self.rfile.readline()).decode(errors='replace').strip()
        if not line:
            return None
        headers = {}
        while text := self.rfile.readline().decode(errors='replace').strip():
            name, _, value = text.partition(':')
            headers[name.lower()] = value.strip()
        self.rfile.read(int(headers.get('content-length', '0')))
        method, _, rest = line.partition(' ')
        return _Request(method, rest.rpartition(' ')[0], headers)

    def _answer(self, request: _Request) -> None:
        answers: dict[str, Callable[[_Request], None]] = {
            'OPTIONS': lambda r: self._reply(r, {'Public': 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN'}),
            'DESCRIBE': self._describe,
            'SETUP': self._set_up,
            'PLAY': lambda r: self._reply(r, {'Session': self._session, 'Range': 'npt=0.000-'}),
            'GET_PARAMETER': lambda r: self._reply(r, {'Session': self._session}),
            'TEARDOWN': lambda r: self._reply(r, {'Session': self._session}),
        }
        answer = answers.get(request.method)
        if answer is None:
            self._reply(request, {}, status='501 Not Implemented')
        else:
            answer(request)

    def _describe(self, request: _Request) -> None:
        pictures = self._server.pictures
        sets = [base64.b64encode(unit).decode() for unit in pictures.parameter_sets]
        if pictures.codec is Codec.H264:
            name, parameters = 'H264', f'packetization-mode=1;sprop-parameter-sets={",".join(sets)}'
        else:
            kinds = ('sprop-vps', 'sprop-sps', 'sprop-pps')
            name, parameters = 'H265', ';'.join(f'{kind}={value}' for kind, value in zip(kinds, sets, strict=True))
        description = '\r\n'.join(
            [
                'v=0',
                'o=- 0 0 IN IP4 127.0.0.1',
                's=ptz_collab simulated camera',
                'c=IN IP4 0.0.0.0',
                't=0 0',
                f'm=video 0 RTP/AVP {PAYLOAD_TYPE}',
                f'a=rtpmap:{PAYLOAD_TYPE} {name}/90000',
                f'a=fmtp:{PAYLOAD_TYPE} {parameters}',
                f'a=framerate:{self._server.camera.settings.rate:g}',
                'a=control:track1',
                '',
            ]
        )
        self._reply(request, {'Content-Type': 'application/sdp', 'Content-Base': request.address.rstrip('/') + '/'}, description)

    def _set_up(self, request: _Request) -> None:
        if 'TCP' not in request.headers.get('transport', ''):
            self._reply(request, {}, status='461 Unsupported Transport')
            return
        transport = f'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc={self._stream.source:08X}'
        self._reply(request, {'Transport': transport, 'Session': f'{self._session};timeout=60'})

    def _reply(self, request: _Request, headers: dict[str, str], body: str = '', status: str = '200 OK') -> None:
        lines = [f'RTSP/1.0 {status}', f'CSeq: {request.headers.get("cseq", "0")}']
        lines += [f'{name}: {value}' for name, value in headers.items()]
        lines += [f'Content-Length: {len(body.encode())}'] if body else []
        self._send('\r\n'.join([*lines, '', body]).encode())

    def _send(self, data: bytes) -> None:
        with self._lock:
            self.connection.sendall(data)

    # Who may watch (RFC 2617, Digest)

    def _is_allowed(self, request: _Request) -> bool:
        account = self._server.account
        if not account.user or request.method == 'OPTIONS':
            return True
        if self._server.camera.faults.reject_password:
            return False
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', request.headers.get('authorization', '')))
        secret = _md5(f'{account.user}:{_REALM}:{account.password}')
        asked = _md5(f'{request.method}:{given.get("uri", "")}')
        return given.get('username') == account.user and given.get('response') == _md5(f'{secret}:{self._server.nonce}:{asked}')

    def _refuse(self, request: _Request) -> None:
        challenge = f'Digest realm="{_REALM}", nonce="{self._server.nonce}"'
        self._reply(request, {'WWW-Authenticate': challenge}, status='401 Unauthorized')

    # Pictures

    def _send_pictures(self) -> None:
        camera = self._server.camera
        next_report = 0.0
        with self._server.pictures.watch() as units, contextlib.suppress(OSError):
            while not self._ended.is_set():
                if camera.faults.drop_stream or camera.faults.no_stream:
                    camera.change_faults({'drop_stream': False}, time.time_ns())
                    break
                if time.monotonic() >= next_report and not camera.faults.no_sender_reports:
                    next_report = time.monotonic() + _REPORT_PERIOD
                    self._report()
                with contextlib.suppress(queue.Empty):
                    unit = units.get(timeout=0.2)
                    if camera.faults.freeze_stream:
                        continue
                    self._ended.wait(unit.stamp_ns / NANOSECONDS + camera.faults.late - time.time())
                    packets = self._stream.packetize(unit.units, unit.stamp_ns)
                    self._send(b''.join(struct.pack('>cBH', b'$', 0, len(packet)) + packet for packet in packets))
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _report(self) -> None:
        now = time.time_ns()
        faults = self._server.camera.faults
        clock = self._server.camera.clock_ns(now) + round(faults.wrong_sender_reports * NANOSECONDS)
        report = self._stream.sender_report(now, clock)
        self._send(struct.pack('>cBH', b'$', 1, len(report)) + report)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
