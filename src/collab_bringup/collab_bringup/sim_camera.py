# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command that serves a simulated camera on the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ptz_sim.network.faults import CameraFaults
from ptz_sim.network.process import CameraOptions, serve
from ptz_site import Credentials, OnvifCamera, UserError, camera_credentials, load_site, read_credentials
from ptz_site.stream_marks.nal import Codec


@dataclass(frozen=True)
class SimCameraRequest:
    """What the user asked for, as the command line names it."""

    site: Path
    camera: str
    port: int
    rtsp_port: int
    host: str
    user: str
    password_file: str
    codec: str
    fault: list[str]
    certificate: Path | None
    key: Path | None
    announce: bool
    epoch: int | None


def sim_camera(request: SimCameraRequest, say: Callable[[str], None]) -> int:
    """Serves until Ctrl-C. Raises UserError."""
    site = load_site(request.site)
    if request.camera not in site.cameras:
        raise UserError(f'--camera: the site has no camera {request.camera!r}; it has {", ".join(site.cameras)}')
    try:
        faults = CameraFaults.parse(request.fault)
    except ValueError as error:
        raise UserError(f'--fault: {error}') from None
    options = CameraOptions(
        camera=request.camera,
        port=request.port,
        rtsp_port=request.rtsp_port,
        host=request.host,
        account=_account(request, site.cameras[request.camera]),
        codec=Codec.H264 if request.codec == 'h264' else Codec.H265,
        faults=faults,
        epoch_ns=request.epoch,
        certificate=request.certificate,
        key=request.key,
        announce=request.announce,
    )
    return serve(site, options, say)


def _account(request: SimCameraRequest, settings: object) -> Credentials:
    if request.user:
        return read_credentials(request.user, request.password_file, '')
    if isinstance(settings, OnvifCamera):
        return camera_credentials(request.site, request.camera, settings)
    return Credentials()
