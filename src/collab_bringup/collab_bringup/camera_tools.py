# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands that look for cameras on the network, and at one of them."""

from __future__ import annotations

import getpass
import re
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ptz_driver.onvif.client import MediaProfile, NotAuthorizedError, OnvifError, UnreachableError
from ptz_driver.onvif.discovery import find_cameras
from ptz_driver.onvif.probing import CameraProbe, probe_camera
from ptz_driver.onvif.zeep_client import Endpoint
from ptz_site import Credentials, UserError, read_credentials


@dataclass(frozen=True)
class ProbeRequest:
    """What the user asked for. The password is never among it."""

    host: str
    user: str
    password_file: str
    password_env: str
    https: bool
    ca_file: str


def discover(seconds: float, out: Console) -> int:
    """Lists the cameras that answer; 1 if there is none."""
    try:
        with out.status('listening'):
            found = find_cameras(seconds)
    except OSError as error:
        raise UserError(f"the network can't be searched ({error.strerror}); name the camera: ptz-collab probe HOST") from None
    if not found:
        out.print(
            'no camera answered; a camera on another network must be named: ptz-collab probe HOST',
            soft_wrap=True,
            highlight=False,
        )
        return 1
    table = Table()
    for heading in ('camera', 'hardware', 'turns', 'ONVIF'):
        table.add_column(heading)
    for camera in found:
        table.add_row(escape(camera.name), escape(camera.hardware), 'yes' if camera.can_turn else '?', escape(camera.address))
    out.print(table)
    out.print('ptz-collab probe HOST:PORT shows what one of them can do', highlight=False)
    return 0


def probe(request: ProbeRequest, out: Console) -> int:
    """Shows what a camera can do, and its entry for a site file. Raises UserError."""
    endpoint = _endpoint(request)
    try:
        with out.status(f'asking {endpoint.host}'):
            found = probe_camera(endpoint, _credentials(request))
    except NotAuthorizedError:
        hint = 'it does not know them' if request.user else 'it wants some: give --user'
        raise UserError(
            f'{request.host}: user or password refused; {hint}. Not tried again, so that no account is locked'
        ) from None
    except UnreachableError as error:
        raise UserError(f'{request.host}: {error}; check the address, the port of ONVIF, and the network') from None
    except OnvifError as error:
        raise UserError(f'{request.host}: {error}') from None
    out.print(_table(found))
    for text in found.refused:
        out.print(f'[yellow]not possible:[/] {escape(text)}', soft_wrap=True, highlight=False)
    out.print()
    out.print(site_entry(request, endpoint, found), soft_wrap=True, highlight=False, markup=False)
    return 0


def _endpoint(request: ProbeRequest) -> Endpoint:
    parts = urlsplit(f'//{request.host}')
    try:
        port = parts.port or (443 if request.https else 80)
    except ValueError:
        port = 0
    if not parts.hostname or not port or parts.path or parts.username:
        raise UserError(f'{request.host!r} is not HOST or HOST:PORT; the user is given with --user')
    return Endpoint(parts.hostname, port, request.https, request.ca_file)


def _credentials(request: ProbeRequest) -> Credentials:
    if request.user and not (request.password_file or request.password_env):
        if not sys.stdin.isatty():
            raise UserError('no password: give --password-file or --password-env where nobody can be asked')
        return Credentials(request.user, getpass.getpass(f'password of {request.user}: '))
    return read_credentials(request.user, request.password_file, request.password_env)


def _table(found: CameraProbe) -> Table:
    table = Table(show_header=False)
    about = found.information
    rows = {
        'camera': f'{about.manufacturer} {about.model}, firmware {about.firmware}',
        'clock': f'{found.offset.seconds:+.1f} s off, within {found.offset.uncertainty:.1f} s',
        'profiles': ', '.join(_profile(profile) for profile in found.profiles),
        'presets': ', '.join(preset.name or preset.token for preset in found.presets) or 'none',
        'absolute moves': _word(None if found.node is None else found.node.absolute),
        'tells where it is': _word(None if found.status is None else found.status.position is not None),
        'tells whether it moves': _word(None if found.status is None else found.status.moving is not None),
        'arrival is seen by': _arrival(found),
        'fixed exposure': _exposure(found),
        'keyframes on demand': _word(found.keyframe_on_demand),
        'stream': _stream(found),
    }
    for name, text in rows.items():
        table.add_row(name, escape(text))
    return table


def _profile(profile: MediaProfile) -> str:
    turns = '' if profile.node else ", can't turn"
    return f'{profile.name} ({profile.encoding} {profile.size[0]}x{profile.size[1]}{turns})'


def _word(claim: bool | None) -> str:
    return {True: 'yes', False: 'no', None: 'not told'}[claim]


def _arrival(found: CameraProbe) -> str:
    status = found.status
    if status is not None and status.moving is not None:
        return 'its move status'
    return 'its position' if status is not None and status.position is not None else 'its picture, which is slower'


def _exposure(found: CameraProbe) -> str:
    limits = found.exposure_limits
    if limits is None or not limits.manual:
        return 'no'
    time = f', 1/{1 / limits.time[1]:.0f} to 1/{1 / limits.time[0]:.0f} s' if limits.time and min(limits.time) > 0 else ''
    gain = f', {limits.gain[0]:g} to {limits.gain[1]:g} dB' if limits.gain else ''
    return f'yes{time}{gain}'


def _stream(found: CameraProbe) -> str:
    stream = found.stream
    if stream is None:
        return 'none'
    told = 'by sender reports' if stream.delay == stream.delay else 'by arrival (the camera sends no sender reports)'
    return f'{stream.encoding} {stream.size[0]}x{stream.size[1]}, {stream.rate:.1f} frames/s; capture times {told}'


def site_entry(request: ProbeRequest, endpoint: Endpoint, found: CameraProbe) -> str:
    """The camera's entry for a site file, with scenes named after its presets."""
    width, height = found.stream.size if found.stream is not None else found.profile.size
    rate = found.stream.rate if found.stream is not None and found.stream.rate == found.stream.rate else found.profile.rate
    lines = [
        'cameras:',
        '  camera_1:                  # a name of your choice',
        '    backend: onvif',
        f'    host: {endpoint.host}',
    ]
    lines += [f'    port: {endpoint.port}']
    lines += ['    https: true'] if endpoint.https else []
    if request.user:
        secret = f'password_env: {request.password_env}' if request.password_env else 'password_file: camera_1.password'
        lines += [f'    user: {request.user}', f'    {secret}']
    lines += [f'    profile: {_quoted(found.profile.name or found.profile.token)}']
    lines += [f'    resolution: [{width}, {height}]', f'    rate: {max(1.0, round(rate, 1)):g}']
    lines += ['    # pose: {x: 0, y: 0, z: 5, yaw: 0}   # metres and degrees; for ground positions']
    if not found.presets:
        lines += ['    presets: {gate: {pan: 0, tilt: -10}}   # the camera keeps none; scene: where to look, degrees']
        return '\n'.join(lines)
    lines += ['    presets:                 # scene: preset of the camera']
    lines += [f'      {_scene(p.name or p.token)}: {{token: {_quoted(p.name or p.token)}}}' for p in found.presets]
    return '\n'.join(lines)


def _scene(name: str) -> str:
    text = re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')[:38]
    return text if text[:1].isalpha() else f's_{text}'.rstrip('_')


def _quoted(text: str) -> str:
    return text if re.fullmatch(r'[A-Za-z][\w .-]*', text) else "'" + text.replace("'", "''") + "'"
