# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ONVIF client over onvif-zeep.

Only its services are used: its camera class changes the environment's proxies, opens an event subscription on the camera, keeps
services in a dictionary of the class, and asks for the time with a digest of the wrong time. Importing it sets up the root logger;
that is undone here.
"""

from __future__ import annotations

import calendar
import logging
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import zeep.exceptions
from lxml import etree
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from ptz_driver.onvif.client import (
    AnswerError,
    CertificateError,
    DeviceInformation,
    ImagingExposure,
    ImagingLimits,
    MediaProfile,
    MoveStatus,
    NotAuthorizedError,
    OnvifError,
    PtzNode,
    PtzPreset,
    RefusedError,
    Services,
    UnreachableError,
    Vector,
)
from ptz_driver.onvif.deadline import Deadline, session
from ptz_site import Credentials, UserError, network_reason


class _LoggingKept:
    """Keeps the root logger as it is while something is imported that changes it."""

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._before = (list(root.handlers), root.level)
        # basicConfig does nothing if there is a handler.
        root.addHandler(logging.NullHandler())

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        root = logging.getLogger()
        root.handlers, root.level = self._before


with _LoggingKept():
    import onvif.client
    from onvif.client import ONVIFService
    from onvif.exceptions import ONVIFError

# What zeep logs of a failed call contains the message with its token.
logging.getLogger('zeep').setLevel(logging.CRITICAL)

_BINDINGS = {
    'devicemgmt': '{http://www.onvif.org/ver10/device/wsdl}DeviceBinding',
    'media': '{http://www.onvif.org/ver10/media/wsdl}MediaBinding',
    'ptz': '{http://www.onvif.org/ver20/ptz/wsdl}PTZBinding',
    'imaging': '{http://www.onvif.org/ver20/imaging/wsdl}ImagingBinding',
}
_TOO_LATE = 'no answer in time'
_REFUSED_WORDS = ('notauthorized', 'not authorized', 'unauthorized', 'failedauthentication', 'authority failure')


@dataclass(frozen=True)
class Endpoint:
    """Where the camera is, and how it is spoken to. timeout: s for a call."""

    host: str
    port: int = 80
    https: bool = False
    ca_file: str = ''
    timeout: float = 3.0

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return f'{"https" if self.https else "http"}://{self.host}:{self.port}'


class ZeepClient:
    """Implements OnvifClient. To be used by one thread."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        self._endpoint, self._credentials = endpoint, credentials
        self._wsdl = wsdl_folder()
        self._deadline = Deadline(endpoint.timeout)
        self._session = session(self._deadline, endpoint.ca_file)
        if credentials.user:
            # For cameras that want the password in HTTP; used only if one asks for it.
            self._session.auth = requests.auth.HTTPDigestAuth(credentials.user, credentials.password)
        self._offset = timedelta()
        self._addresses = {'devicemgmt': f'{endpoint.base}/onvif/device_service'}
        self._made: dict[str, ONVIFService] = {}

    # Device

    def clock_seconds(self) -> int:
        """The camera's clock."""
        try:
            answer = self._ask('devicemgmt', 'GetSystemDateAndTime', anonymous=True)
        except (NotAuthorizedError, RefusedError):
            answer = self._ask('devicemgmt', 'GetSystemDateAndTime')
        now = _needed(answer, 'GetSystemDateAndTime', 'UTCDateTime')
        date, time = _needed(now, 'UTCDateTime', 'Date'), _needed(now, 'UTCDateTime', 'Time')
        return calendar.timegm((date.Year, date.Month, date.Day, time.Hour, time.Minute, time.Second))

    def set_clock_offset(self, seconds: float) -> None:
        """For digests only."""
        self._offset = timedelta(seconds=seconds)

    def connect(self) -> Services:
        """Learns the addresses of the services."""
        found = self._ask('devicemgmt', 'GetCapabilities', {'Category': ['All']})
        for service, name in (('media', 'Media'), ('ptz', 'PTZ'), ('imaging', 'Imaging')):
            address = getattr(getattr(found, name, None), 'XAddr', None)
            self._addresses[service] = self._reachable(str(address)) if address else ''
        return Services(self._addresses['media'], self._addresses['ptz'], self._addresses['imaging'])

    def information(self) -> DeviceInformation:
        """Who made it."""
        found = self._ask('devicemgmt', 'GetDeviceInformation')
        return DeviceInformation(
            *(str(getattr(found, name, None) or '') for name in ('Manufacturer', 'Model', 'FirmwareVersion'))
        )

    # Media

    def profiles(self) -> tuple[MediaProfile, ...]:
        """Profiles with video."""
        found = self._ask('media', 'GetProfiles') or []
        return tuple(_profile(entry) for entry in found if getattr(entry, 'VideoSourceConfiguration', None) is not None)

    def stream_uri(self, profile: str) -> str:
        """RTSP over TCP."""
        setup = {'Stream': 'RTP-Unicast', 'Transport': {'Protocol': 'RTSP'}}
        found = self._ask('media', 'GetStreamUri', {'StreamSetup': setup, 'ProfileToken': profile})
        return str(_needed(found, 'GetStreamUri', 'Uri'))

    def snapshot_uri(self, profile: str) -> str:
        """JPEG over HTTP."""
        return str(_needed(self._ask('media', 'GetSnapshotUri', {'ProfileToken': profile}), 'GetSnapshotUri', 'Uri'))

    def synchronize(self, profile: str) -> None:
        """Asks for a keyframe."""
        self._ask('media', 'SetSynchronizationPoint', {'ProfileToken': profile})

    # PTZ

    def node(self, node: str) -> PtzNode:
        """The PTZ unit of that token, or the only one."""
        nodes = self._ask('ptz', 'GetNodes') or []
        found = next((entry for entry in nodes if getattr(entry, 'token', None) == node), nodes[0] if nodes else None)
        spaces = getattr(found, 'SupportedPTZSpaces', None)
        absolute = bool(getattr(spaces, 'AbsolutePanTiltPositionSpace', None))
        return PtzNode(absolute, int(getattr(found, 'MaximumNumberOfPresets', None) or 0))

    def presets(self, profile: str) -> tuple[PtzPreset, ...]:
        """Those that have a name or a position; others are slots that nobody filled."""
        found = self._ask('ptz', 'GetPresets', {'ProfileToken': profile}) or []
        presets = (_preset(entry) for entry in found)
        return tuple(one for one in presets if one.token and (one.name or one.position is not None))

    def set_preset(self, profile: str, name: str, token: str) -> str:
        """Keeps the present position."""
        request = {'ProfileToken': profile, 'PresetName': name, **({'PresetToken': token} if token else {})}
        return str(self._ask('ptz', 'SetPreset', request) or token)

    def go_to_preset(self, profile: str, token: str, speed: float) -> None:
        """Begins a turn."""
        self._ask('ptz', 'GotoPreset', {'ProfileToken': profile, 'PresetToken': token, **_speed(speed)})

    def go_to(self, profile: str, position: Vector, speed: float) -> None:
        """Begins a turn."""
        self._ask('ptz', 'AbsoluteMove', {'ProfileToken': profile, 'Position': _written(position), **_speed(speed)})

    def stop_tours(self, profile: str) -> int:
        """Stops preset tours."""
        try:
            tours = self._ask('ptz', 'GetPresetTours', {'ProfileToken': profile}) or []
        except (RefusedError, AnswerError):
            return 0
        running = [tour for tour in tours if str(getattr(getattr(tour, 'Status', None), 'State', '')) == 'Touring']
        for tour in running:
            request = {'ProfileToken': profile, 'PresetTourToken': str(tour.token), 'Operation': 'Stop'}
            self._ask('ptz', 'OperatePresetTour', request)
        return len(running)

    def status(self, profile: str) -> MoveStatus:
        """Where it is."""
        found = self._ask('ptz', 'GetStatus', {'ProfileToken': profile})
        words = [getattr(getattr(found, 'MoveStatus', None), axis, None) for axis in ('PanTilt', 'Zoom')]
        known = [str(word).upper() for word in words if word is not None and str(word).upper() in ('MOVING', 'IDLE')]
        return MoveStatus(_vector(getattr(found, 'Position', None)), 'MOVING' in known if known else None)

    # Imaging

    def exposure(self, source: str) -> ImagingExposure:
        """The settings in force."""
        found = getattr(self._ask('imaging', 'GetImagingSettings', {'VideoSourceToken': source}), 'Exposure', None)
        mode, time, gain = (getattr(found, name, None) for name in ('Mode', 'ExposureTime', 'Gain'))
        automatic = None if mode is None else str(mode) == 'AUTO'
        return ImagingExposure(automatic, None if time is None else float(time) / 1e6, None if gain is None else float(gain))

    def exposure_limits(self, source: str) -> ImagingLimits:
        """What can be set."""
        found = getattr(self._ask('imaging', 'GetOptions', {'VideoSourceToken': source}), 'Exposure', None)
        modes = [str(mode) for mode in getattr(found, 'Mode', None) or []]
        time, gain = _range(getattr(found, 'ExposureTime', None)), _range(getattr(found, 'Gain', None))
        return ImagingLimits('MANUAL' in modes, None if time is None else (time[0] / 1e6, time[1] / 1e6), gain)

    def set_automatic_exposure(self, source: str) -> None:
        """The camera chooses."""
        self._set_exposure(source, {'Mode': 'AUTO'})

    def set_manual_exposure(self, source: str, time: float, gain: float) -> None:
        """ONVIF has the time in microseconds."""
        self._set_exposure(source, {'Mode': 'MANUAL', 'ExposureTime': time * 1e6, 'Gain': gain})

    def _set_exposure(self, source: str, exposure: dict[str, Any]) -> None:
        request = {'VideoSourceToken': source, 'ImagingSettings': {'Exposure': exposure}, 'ForcePersistence': False}
        self._ask('imaging', 'SetImagingSettings', request)

    # Calls

    def _ask(self, service: str, operation: str, request: dict[str, Any] | None = None, anonymous: bool = False) -> Any:
        if not self._addresses.get(service):
            raise RefusedError(f'the camera has no {service} service')
        try:
            with self._deadline.limit():
                found = self._service(service)
                found.zeep_client.wsse = None if anonymous else self._token()
                return getattr(found, operation)(request)
        except TimeoutError as error:
            raise UnreachableError(str(error)) from None
        except ONVIFError as error:
            # The library keeps of what happened only the text; the exception itself is this one's context.
            raise _explained(operation, error.__context__ or error) from None

    def _service(self, name: str) -> ONVIFService:
        if name not in self._made:
            timeout = self._endpoint.timeout
            transport = Transport(session=self._session, timeout=timeout, operation_timeout=timeout)  # type: ignore[no-untyped-call]
            # No cache of WSDL files: it would be one file for all processes of the user.
            transport.cache = None
            self._made[name] = ONVIFService(
                self._addresses[name],
                self._credentials.user,
                self._credentials.password,
                str(self._wsdl / f'{name}.wsdl'),
                no_cache=True,
                binding_name=_BINDINGS[name],
                transport=transport,
            )
        return self._made[name]

    def _token(self) -> UsernameToken | None:
        """A token for one call: its time is that of the camera's clock, now."""
        if not self._credentials.user:
            return None
        created = datetime.now(UTC) + self._offset
        # With a Z: some cameras refuse +00:00.
        user, password = self._credentials.user, self._credentials.password
        return UsernameToken(  # type: ignore[no-untyped-call]
            user, password, use_digest=True, created=created, zulu_timestamp=True
        )

    def _reachable(self, address: str) -> str:
        """The address with the host and port that the camera was reached by: behind NAT, cameras name others."""
        parts = urlsplit(address)
        return urlunsplit(urlsplit(self._endpoint.base)._replace(path=parts.path, query=parts.query))


def wsdl_folder() -> Path:
    """Where onvif-zeep's WSDL files were installed; its own guess is wrong under some installations. Raises UserError."""
    package = Path(onvif.client.__file__).parent
    candidates = [package.parent / 'wsdl', package / 'wsdl', *(parent / 'wsdl' for parent in package.parents[2:5])]
    for parent in package.parents:
        candidates += sorted(parent.glob('python3*/site-packages/wsdl'))
        if parent.name == 'lib':
            break
    for folder in candidates:
        if (folder / 'devicemgmt.wsdl').is_file():
            return folder
    raise UserError('onvif-zeep is installed without its WSDL files; install it with pip: pip install onvif-zeep==0.2.12')


def _explained(operation: str, error: BaseException) -> OnvifError:
    """What happened, as one of our errors."""
    if isinstance(error, ssl.SSLError | requests.exceptions.SSLError):
        reason = network_reason(error, _TOO_LATE)
        if 'certificate' not in reason.lower():
            return CertificateError(f'no HTTPS at this port ({reason})')
        return CertificateError(f'its certificate is not trusted ({reason.removeprefix("certificate: ")})')
    if isinstance(error, zeep.exceptions.TransportError):
        if error.status_code in (401, 403):
            return NotAuthorizedError(f'{operation}: user or password refused')
        return UnreachableError(f'{operation}: HTTP status {error.status_code}')
    if isinstance(error, zeep.exceptions.Fault):
        text = ' '.join([str(error.message), *(str(code) for code in error.subcodes or [])])
        if any(word in text.lower() for word in _REFUSED_WORDS):
            return NotAuthorizedError(f'{operation}: user or password refused')
        return RefusedError(f'{operation}: {error.message}')
    if isinstance(error, requests.exceptions.RequestException | OSError):
        return UnreachableError(f'{operation}: {network_reason(error, _TOO_LATE)}')
    if isinstance(error, zeep.exceptions.Error | etree.LxmlError | LookupError | TypeError | ValueError | AttributeError):
        return AnswerError(f"{operation}: the answer can't be understood ({type(error).__name__})")
    return UnreachableError(f'{operation}: {network_reason(error, _TOO_LATE)}')


def _needed(answer: Any, operation: str, field: str) -> Any:
    """A part of an answer without which there is nothing to do; zeep leaves out silently what it does not understand."""
    value = getattr(answer, field, None)
    if value is None:
        raise AnswerError(f'{operation}: the answer has no {field}')
    return value


def _profile(entry: Any) -> MediaProfile:
    encoder = getattr(entry, 'VideoEncoderConfiguration', None)
    resolution, rate = getattr(encoder, 'Resolution', None), getattr(encoder, 'RateControl', None)
    return MediaProfile(
        token=str(_needed(entry, 'GetProfiles', 'token')),
        name=str(getattr(entry, 'Name', None) or ''),
        source=str(getattr(entry.VideoSourceConfiguration, 'SourceToken', None) or ''),
        node=str(getattr(getattr(entry, 'PTZConfiguration', None), 'NodeToken', None) or ''),
        encoding=str(getattr(encoder, 'Encoding', None) or ''),
        size=(int(getattr(resolution, 'Width', None) or 0), int(getattr(resolution, 'Height', None) or 0)),
        rate=float(getattr(rate, 'FrameRateLimit', None) or 0),
    )


def _preset(entry: Any) -> PtzPreset:
    token, name, position = (getattr(entry, field, None) for field in ('token', 'Name', 'PTZPosition'))
    return PtzPreset(str(token or ''), _mended(name), _vector(position))


def _vector(position: Any) -> Vector | None:
    pan_tilt, zoom = getattr(position, 'PanTilt', None), getattr(position, 'Zoom', None)
    if pan_tilt is None or getattr(pan_tilt, 'x', None) is None or getattr(pan_tilt, 'y', None) is None:
        return None
    factor = getattr(zoom, 'x', None)
    return Vector(float(pan_tilt.x), float(pan_tilt.y), None if factor is None else float(factor))


def _written(vector: Vector) -> dict[str, Any]:
    written: dict[str, Any] = {'PanTilt': {'x': vector.pan, 'y': vector.tilt}}
    return written if vector.zoom is None else {**written, 'Zoom': {'x': vector.zoom}}


def _speed(share: float) -> dict[str, Any]:
    return {'Speed': {'PanTilt': {'x': share, 'y': share}, 'Zoom': {'x': share}}} if 0 < share < 1 else {}


def _range(found: Any) -> tuple[float, float] | None:
    low, high = getattr(found, 'Min', None), getattr(found, 'Max', None)
    return None if low is None or high is None else (float(low), float(high))


def _mended(name: object) -> str:
    """A preset's name; UTF-8 that was read as Latin-1 on the way is put right."""
    text = str(name or '').strip()
    try:
        return text.encode('latin-1').decode('utf-8')
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
