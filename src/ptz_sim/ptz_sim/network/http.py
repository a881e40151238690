# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of a simulated network camera: ONVIF, snapshots, Motion JPEG; and, beside ONVIF, its faults and the truth."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
from collections import Counter, deque
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from ptz_sim.network import soap
from ptz_sim.network.device import NetworkCamera, RefusedError
from ptz_sim.network.operations import Addresses, Operations
from ptz_sim.network.pictures import Pictures
from ptz_site import Credentials

#: What ONVIF lets everybody ask.
_OPEN = ('GetSystemDateAndTime', 'GetCapabilities')
_BOUNDARY = 'picture'


class CameraHttpServer(ThreadingHTTPServer):
    """Serves one camera. tls: wraps the connections."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        camera: NetworkCamera,
        pictures: Pictures,
        account: Credentials,
        rtsp_port: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, _Handler)
        self.camera, self.pictures, self.account, self.rtsp_port = camera, pictures, account, rtsp_port
        self.operations = Operations(camera, pictures.codec.value, pictures.want_keyframe)
        self.ended = threading.Event()
        self.calls: Counter[str] = Counter()
        self.nonces: deque[str] = deque(maxlen=200)
        self.scheme = 'https' if tls else 'http'
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._server = cast(CameraHttpServer, self.server)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_args: object) -> None:
        """Nothing: a camera doesn't say who asks it."""

    def do_POST(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length)
        if self.path.startswith('/onvif/'):
            self._onvif(body)
        elif self.path == '/simulation/faults':
            self._change_faults(body)
        else:
            self._reply(HTTPStatus.NOT_FOUND, 'text/plain', b'nothing here\n')

    def do_GET(self) -> None:
        camera = self._server.camera
        if self.path == '/simulation/faults':
            self._reply(HTTPStatus.OK, 'application/json', json.dumps(asdict(camera.faults)).encode())
        elif self.path == '/simulation/commands':
            found = [asdict(command) for command in camera.commands()]
            self._reply(HTTPStatus.OK, 'application/json', json.dumps(found).encode())
        elif self.path == '/simulation/calls':
            self._reply(HTTPStatus.OK, 'application/json', json.dumps(self._server.calls).encode())
        elif not self._may_watch():
            self._reply(HTTPStatus.UNAUTHORIZED, 'text/plain', b'', {'WWW-Authenticate': 'Basic realm="ptz_collab"'})
        elif self.path.startswith('/snapshot'):
            self._reply(HTTPStatus.OK, 'image/jpeg', self._server.pictures.jpeg()[1])
        elif self.path.startswith('/mjpeg'):
            self._motion_jpeg()
        else:
            self._reply(HTTPStatus.NOT_FOUND, 'text/plain', b'nothing here\n')

    def _onvif(self, body: bytes) -> None:
        faults = self._server.camera.faults
        if faults.hang:
            self._server.ended.wait(600.0)
        self._server.ended.wait(faults.slow)
        try:
            request = soap.parse(body)
            # Preparing may have taken a while; what counts for a move is when it begins.
            now = time.time_ns()
            self._server.calls[request.operation] += 1
            if not self._is_allowed(request, now):
                self._server.calls['refused'] += request.token is not None
                text = 'The action requested requires authorization and the sender is not authorized.'
                self._soap(HTTPStatus.BAD_REQUEST, soap.fault('ter:NotAuthorized', text, vendor=faults.vendor))
                return
            content = self._server.operations.answer(request, self._addresses(), now)
            self._soap(HTTPStatus.OK, soap.answer(content, faults.vendor))
        except RefusedError as error:
            self._soap(HTTPStatus.BAD_REQUEST, soap.fault(error.code, str(error), vendor=faults.vendor))
        except ValueError as error:
            self._soap(HTTPStatus.BAD_REQUEST, soap.fault('ter:InvalidArgVal', str(error), vendor=faults.vendor))

    def _is_allowed(self, request: soap.Request, now: int) -> bool:
        account, camera = self._server.account, self._server.camera
        if not account.user:
            return True
        if request.operation in _OPEN and not camera.faults.clock_needs_password:
            # A token that is there must be right all the same.
            return request.token is None or self._is_authentic(request, now)
        return self._is_authentic(request, now)

    def _is_authentic(self, request: soap.Request, now: int) -> bool:
        account, camera = self._server.account, self._server.camera
        if camera.faults.reject_password or request.token is None:
            return False
        nonce = soap.nonce(request.token)
        if nonce in self._server.nonces:
            return False  # replayed
        self._server.nonces.append(nonce)
        return soap.is_authentic(request.token, account.user, account.password, camera.clock_ns(now))

    def _addresses(self) -> Addresses:
        host = (self.headers.get('Host') or '127.0.0.1').rpartition(':')[0] or '127.0.0.1'
        port = self._server.server_address[1]
        return Addresses(
            f'{self._server.scheme}://{host}:{port}',
            f'rtsp://{host}:{self._server.rtsp_port}/stream',
            f'{self._server.scheme}://{host}:{port}/snapshot.jpg',
        )

    def _soap(self, status: HTTPStatus, data: bytes) -> None:
        if self._server.camera.faults.trickle and status is HTTPStatus.OK:
            self._trickle(data)
            return
        self._reply(status, 'application/soap+xml; charset=utf-8', data)

    def _trickle(self, data: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header('Content-Type', 'application/soap+xml; charset=utf-8')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self._server.ended.wait(0.5):
                return

    def _change_faults(self, body: bytes) -> None:
        try:
            self._server.camera.change_faults(dict(json.loads(body)), time.time_ns())
            self._reply(HTTPStatus.OK, 'application/json', b'{}')
        except (ValueError, TypeError) as error:
            self._reply(HTTPStatus.BAD_REQUEST, 'text/plain', f'{error}\n'.encode())

    def _may_watch(self) -> bool:
        account = self._server.account
        if not account.user:
            return True
        wanted = base64.b64encode(f'{account.user}:{account.password}'.encode()).decode()
        return self.headers.get('Authorization') == f'Basic {wanted}' and not self._server.camera.faults.reject_password

    def _motion_jpeg(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header('Content-Type', f'multipart/x-mixed-replace; boundary={_BOUNDARY}')
        self.send_header('Connection', 'close')
        self.end_headers()
        period = 1 / self._server.camera.settings.rate
        while not self._server.camera.faults.drop_stream:
            begin = time.monotonic()
            _, data = self._server.pictures.jpeg()
            head = f'--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n'
            self.wfile.write(head.encode() + data + b'\r\n')
            if self._server.ended.wait(max(0.0, begin + period - time.monotonic())):
                break
        self.close_connection = True

    def _reply(self, status: HTTPStatus, kind: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
