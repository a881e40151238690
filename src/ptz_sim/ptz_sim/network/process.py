# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One simulated network camera as a process."""

from __future__ import annotations

import contextlib
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from ptz_sim.network.announce import Announcement
from ptz_sim.network.device import NetworkCamera
from ptz_sim.network.faults import CameraFaults
from ptz_sim.network.http import CameraHttpServer
from ptz_sim.network.pictures import Pictures
from ptz_sim.network.rtsp import RtspServer
from ptz_site import NANOSECONDS, Credentials, Site, UserError
from ptz_site.stream_marks.nal import Codec

_DAY = 86_400 * NANOSECONDS
#: s between two looks whether it shall end.
_LOOK = 0.25


@dataclass(frozen=True)
class CameraOptions:
    """What the user chose. rtsp_port 0: port + 1. epoch_ns: when the world's clock is 0; none: at the last midnight (UTC)."""

    camera: str
    port: int
    rtsp_port: int = 0
    host: str = '127.0.0.1'
    account: Credentials = field(default_factory=Credentials)
    codec: Codec = Codec.H264
    faults: CameraFaults = field(default_factory=CameraFaults)
    epoch_ns: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    announce: bool = False


@dataclass(frozen=True)
class Served:
    """A camera that can be reached."""

    camera: NetworkCamera
    onvif: str
    rtsp: str
    port: int
    rtsp_port: int


def serve(site: Site, options: CameraOptions, say: Callable[[str], None]) -> int:
    """Serves a camera until SIGINT or SIGTERM; says where, when it is ready. Raises UserError."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    cv2.setNumThreads(1)
    with serving(site, options) as served:
        say(f'{options.camera}: ONVIF at {served.onvif}, {options.codec.name} at {served.rtsp}; Ctrl-C ends it')
        # A signal that reaches another thread does not end a wait of this one.
        while not ended.wait(_LOOK):
            pass
    return 0


@contextlib.contextmanager
def serving(site: Site, options: CameraOptions) -> Iterator[Served]:
    """Serves a camera for a while. Raises UserError."""
    if site.cameras[options.camera].pose is None:
        raise UserError(f'cameras.{options.camera}: has no pose; a simulated camera needs one')
    if site.cameras[options.camera].distortion is not None:
        raise UserError(f'cameras.{options.camera}.distortion: a simulated camera is a pinhole; leave it out')
    epoch = options.epoch_ns if options.epoch_ns is not None else time.time_ns() // _DAY * _DAY
    camera = NetworkCamera(site, options.camera, epoch, options.faults)
    names = list(site.cameras)
    pictures = Pictures(camera, options.codec, names.index(options.camera) / len(names))
    http, rtsp = _bind(camera, pictures, options)
    for server in (http, rtsp):
        threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.2}, daemon=True).start()
    pictures.start()
    port, rtsp_port = http.server_address[1], rtsp.server_address[1]
    address = f'{http.scheme}://{options.host}:{port}/onvif/device_service'
    announcement = Announcement(options.camera, address) if options.announce else None
    try:
        yield Served(camera, address, f'rtsp://{options.host}:{rtsp_port}/stream', port, rtsp_port)
    finally:
        http.ended.set()
        if announcement is not None:
            announcement.end()
        for server in (http, rtsp):
            server.shutdown()
            server.server_close()
        pictures.end()


def _bind(camera: NetworkCamera, pictures: Pictures, options: CameraOptions) -> tuple[CameraHttpServer, RtspServer]:
    tls = None
    if options.certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            tls.load_cert_chain(options.certificate, options.key)
        except (OSError, ssl.SSLError) as error:
            raise UserError(
                f"{options.certificate}: can't be used as a certificate ({error}); give --certificate and --key"
            ) from None
    # Port 0: any that is free.
    port = rtsp_port = options.rtsp_port or (options.port + 1 if options.port else 0)
    try:
        rtsp = RtspServer((options.host, rtsp_port), camera, pictures, options.account)
        port = options.port
        http = CameraHttpServer((options.host, port), camera, pictures, options.account, rtsp.server_address[1], tls)
    except OSError as error:
        raise UserError(f"{options.host}:{port}: can't be listened on ({error.strerror}); give another --port") from None
    return http, rtsp
