# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ONVIF operations of a simulated camera: Device, Media, PTZ and Imaging. A request in, the answer's XML out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from ptz_sim.network.device import LONGEST_MOVE, NetworkCamera, Normalized, RefusedError
from ptz_sim.network.soap import Request
from ptz_site import NANOSECONDS

PROFILE, NODE, CONFIGURATION, SOURCE = 'Profile_1', 'PTZNODE_1', 'PTZ_1', 'VideoSource_1'
#: A profile that can't turn, as many cameras have one.
FIXED_PROFILE = 'Profile_2'
_SPACES = 'http://www.onvif.org/ver10/tptz/'
_RANGE_2D = (
    '<tt:XRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:XRange><tt:YRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:YRange>'
)


@dataclass(frozen=True)
class Addresses:
    """Where the camera is reached, as the client named it."""

    onvif: str
    rtsp: str
    snapshot: str


class Operations:
    """Answers requests for one camera. keyframe is called when a client wants one."""

    def __init__(self, camera: NetworkCamera, codec: str, keyframe: Callable[[], None]) -> None:
        self._camera, self._codec, self._keyframe = camera, codec, keyframe

    def answer(self, request: Request, where: Addresses, at_ns: int) -> str:
        """The content of the answer's body. Raises RefusedError, also for what the camera does not know."""
        handlers: dict[str, Callable[[Request, Addresses, int], str]] = {
            'GetSystemDateAndTime': self._clock,
            'GetDeviceInformation': self._information,
            'GetCapabilities': self._capabilities,
            'GetProfiles': self._profiles,
            'GetStreamUri': self._stream,
            'GetSnapshotUri': self._snapshot,
            'SetSynchronizationPoint': self._synchronize,
            'GetNodes': self._nodes,
            'GetConfigurationOptions': self._options,
            'GetPresets': self._presets,
            'SetPreset': self._keep,
            'GotoPreset': self._go_to_preset,
            'AbsoluteMove': self._absolute,
            'RelativeMove': self._relative,
            'ContinuousMove': self._continuous,
            'Stop': self._stop,
            'GetStatus': self._status,
            'GetImagingSettings': self._imaging,
            'SetImagingSettings': self._set_imaging,
            'GetOptions': self._imaging_options,
            'GetPresetTours': lambda *_: '<tptz:GetPresetToursResponse/>',
        }
        handler = handlers.get(request.operation)
        if handler is None:
            raise RefusedError('ter:ActionNotSupported', f'{request.operation} is not supported')
        return handler(request, where, at_ns)

    # Device

    def _clock(self, _request: Request, _where: Addresses, at_ns: int) -> str:
        now = datetime.fromtimestamp(self._camera.clock_ns(at_ns) / NANOSECONDS, UTC)
        time = f'<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>'
        date = f'<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>'
        return (
            '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>'
            f'<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>{time}{date}</tt:UTCDateTime>'
            '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
        )

    def _information(self, _request: Request, _where: Addresses, _at_ns: int) -> str:
        return (
            '<tds:GetDeviceInformationResponse><tds:Manufacturer>ptz_collab</tds:Manufacturer>'
            '<tds:Model>simulated PTZ camera</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>'
            f'<tds:SerialNumber>{escape(self._camera.name)}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>'
            '</tds:GetDeviceInformationResponse>'
        )

    def _capabilities(self, _request: Request, where: Addresses, _at_ns: int) -> str:
        def service(name: str, path: str, more: str = '') -> str:
            return f'<tt:{name}><tt:XAddr>{where.onvif}/onvif/{path}</tt:XAddr>{more}</tt:{name}>'

        streaming = '<tt:StreamingCapabilities><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>'
        return (
            '<tds:GetCapabilitiesResponse><tds:Capabilities>'
            + service('Device', 'device_service')
            + service('Imaging', 'imaging')
            + service('Media', 'media', streaming)
            + service('PTZ', 'ptz')
            + '</tds:Capabilities></tds:GetCapabilitiesResponse>'
        )

    # Media

    def _profiles(self, _request: Request, _where: Addresses, _at_ns: int) -> str:
        ptz = f'<tt:PTZConfiguration token="{CONFIGURATION}">{self._configuration()}</tt:PTZConfiguration>'
        return (
            '<trt:GetProfilesResponse>'
            f'<trt:Profiles token="{FIXED_PROFILE}"><tt:Name>still</tt:Name>{self._video()}</trt:Profiles>'
            f'<trt:Profiles token="{PROFILE}"><tt:Name>main</tt:Name>{self._video()}{ptz}</trt:Profiles>'
            '</trt:GetProfilesResponse>'
        )

    def _video(self) -> str:
        width, height = self._camera.settings.resolution
        encoding = 'H264' if self._codec == 'h264' else 'JPEG'
        return (
            f'<tt:VideoSourceConfiguration token="VSC_1"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount>'
            f'<tt:SourceToken>{SOURCE}</tt:SourceToken><tt:Bounds x="0" y="0" width="{width}" height="{height}"/>'
            '</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="VEC_1"><tt:Name>encoder</tt:Name>'
            f'<tt:UseCount>2</tt:UseCount><tt:Encoding>{encoding}</tt:Encoding>'
            f'<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>'
            f'<tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>{self._camera.settings.rate:.0f}</tt:FrameRateLimit>'
            '<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>'
            '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>'
            '<tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>'
            '</tt:VideoEncoderConfiguration>'
        )

    def _configuration(self) -> str:
        spaces = (
            ''
            if self._camera.faults.vendor
            else f'<tt:DefaultAbsolutePantTiltPositionSpace>{_SPACES}PanTiltSpaces/PositionGenericSpace'
            '</tt:DefaultAbsolutePantTiltPositionSpace>'
            f'<tt:DefaultAbsoluteZoomPositionSpace>{_SPACES}ZoomSpaces/PositionGenericSpace</tt:DefaultAbsoluteZoomPositionSpace>'
        )
        return f'<tt:Name>ptz</tt:Name><tt:UseCount>1</tt:UseCount><tt:NodeToken>{NODE}</tt:NodeToken>{spaces}'

    def _stream(self, request: Request, where: Addresses, _at_ns: int) -> str:
        self._known_profile(request)
        return f'<trt:GetStreamUriResponse><trt:MediaUri>{_uri(where.rtsp)}</trt:MediaUri></trt:GetStreamUriResponse>'

    def _snapshot(self, request: Request, where: Addresses, _at_ns: int) -> str:
        self._known_profile(request)
        return f'<trt:GetSnapshotUriResponse><trt:MediaUri>{_uri(where.snapshot)}</trt:MediaUri></trt:GetSnapshotUriResponse>'

    def _synchronize(self, request: Request, _where: Addresses, _at_ns: int) -> str:
        self._known_profile(request)
        if self._camera.faults.no_synchronization_point:
            raise RefusedError('ter:ActionNotSupported', 'SetSynchronizationPoint is not supported')
        self._keyframe()
        return '<trt:SetSynchronizationPointResponse/>'

    # PTZ

    def _nodes(self, _request: Request, _where: Addresses, _at_ns: int) -> str:
        def space(kind: str, name: str) -> str:
            return f'<tt:{kind}><tt:URI>{_SPACES}PanTiltSpaces/{name}</tt:URI>{_RANGE_2D}</tt:{kind}>'

        zoom = f'{_SPACES}ZoomSpaces/PositionGenericSpace'
        spaces = (
            space('AbsolutePanTiltPositionSpace', 'PositionGenericSpace')
            + f'<tt:AbsoluteZoomPositionSpace><tt:URI>{zoom}</tt:URI><tt:XRange><tt:Min>0</tt:Min><tt:Max>1</tt:Max></tt:XRange>'
            + '</tt:AbsoluteZoomPositionSpace>'
            + space('RelativePanTiltTranslationSpace', 'TranslationGenericSpace')
            + space('ContinuousPanTiltVelocitySpace', 'VelocityGenericSpace')
        )
        return (
            f'<tptz:GetNodesResponse><tptz:PTZNode token="{NODE}"><tt:Name>node</tt:Name>'
            f'<tt:SupportedPTZSpaces>{spaces}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>100</tt:MaximumNumberOfPresets>'
            '<tt:HomeSupported>false</tt:HomeSupported></tptz:PTZNode></tptz:GetNodesResponse>'
        )

    def _options(self, _request: Request, _where: Addresses, _at_ns: int) -> str:
        return (
            '<tptz:GetConfigurationOptionsResponse><tptz:PTZConfigurationOptions><tt:Spaces/>'
            '<tt:PTZTimeout><tt:Min>PT1S</tt:Min><tt:Max>PT60S</tt:Max></tt:PTZTimeout>'
            '</tptz:PTZConfigurationOptions></tptz:GetConfigurationOptionsResponse>'
        )

    def _presets(self, request: Request, _where: Addresses, _at_ns: int) -> str:
        self._known_profile(request)
        faults = self._camera.faults
        entries = []
        for preset in self._camera.presets():
            at = self._camera.normalized(preset.position)
            position = '' if faults.no_position or faults.vendor else f'<tt:PTZPosition>{_vector(at)}</tt:PTZPosition>'
            entries.append(
                f'<tptz:Preset token="{escape(preset.token)}"><tt:Name>{escape(preset.name)}</tt:Name>{position}</tptz:Preset>'
            )
        if faults.vendor:
            entries += [f'<tptz:Preset token="P{number}"/>' for number in range(200, 300)]
        return f'<tptz:GetPresetsResponse>{"".join(entries)}</tptz:GetPresetsResponse>'

    def _keep(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        token = self._camera.keep_preset(request.text('PresetName', 'preset'), request.text('PresetToken'), at_ns)
        return f'<tptz:SetPresetResponse><tptz:PresetToken>{escape(token)}</tptz:PresetToken></tptz:SetPresetResponse>'

    def _go_to_preset(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        self._camera.go_to_preset(request.text('PresetToken'), _speed(request), at_ns)
        return '<tptz:GotoPresetResponse/>'

    def _absolute(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        here = self._camera.position(at_ns)
        pan, tilt = request.number('Position/PanTilt', 'x'), request.number('Position/PanTilt', 'y')
        zoom = request.number('Position/Zoom', 'x')
        goal = Normalized(
            here.pan if pan is None else pan, here.tilt if tilt is None else tilt, here.zoom if zoom is None else zoom
        )
        self._camera.go_to(goal, _speed(request), at_ns)
        return '<tptz:AbsoluteMoveResponse/>'

    def _relative(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        pan, tilt, zoom = (request.number(f'Translation/{part}', axis) or 0.0 for part, axis in _AXES)
        self._camera.go_by(pan, tilt, zoom, _speed(request), at_ns)
        return '<tptz:RelativeMoveResponse/>'

    def _continuous(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        pan, tilt, zoom = (request.number(f'Velocity/{part}', axis) or 0.0 for part, axis in _AXES)
        # The time limit of the request is ignored, as some cameras do.
        self._camera.move(pan, tilt, zoom, LONGEST_MOVE, at_ns) if any((pan, tilt, zoom)) else self._camera.stop(at_ns)
        return '<tptz:ContinuousMoveResponse/>'

    def _stop(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        if self._camera.faults.vendor:
            raise RefusedError('ter:ActionNotSupported', 'Stop is not supported')
        self._camera.stop(at_ns)
        return '<tptz:StopResponse/>'

    def _status(self, request: Request, _where: Addresses, at_ns: int) -> str:
        self._known_profile(request)
        faults = self._camera.faults
        position = '' if faults.no_position else f'<tt:Position>{_vector(self._camera.position(at_ns))}</tt:Position>'
        word = 'MOVING' if self._camera.is_moving(at_ns) else 'IDLE'
        moving = (
            ''
            if faults.no_move_status
            else f'<tt:MoveStatus><tt:PanTilt>{word}</tt:PanTilt><tt:Zoom>{word}</tt:Zoom></tt:MoveStatus>'
        )
        now = datetime.fromtimestamp(self._camera.clock_ns(at_ns) / NANOSECONDS, UTC)
        clock = '' if faults.vendor else f'<tt:UtcTime>{now:%Y-%m-%dT%H:%M:%SZ}</tt:UtcTime>'
        return f'<tptz:GetStatusResponse><tptz:PTZStatus>{position}{moving}{clock}</tptz:PTZStatus></tptz:GetStatusResponse>'

    # Imaging

    def _imaging(self, _request: Request, _where: Addresses, at_ns: int) -> str:
        now = self._camera.ptz.exposure(at_ns)
        told = not (now.automatic and self._camera.faults.stale_exposure)
        values = f'<tt:ExposureTime>{now.time * 1e6:.1f}</tt:ExposureTime><tt:Gain>{now.gain:.3f}</tt:Gain>' if told else ''
        mode = 'AUTO' if now.automatic else 'MANUAL'
        exposure = f'<tt:Exposure><tt:Mode>{mode}</tt:Mode>{values}</tt:Exposure>'
        return (
            f'<timg:GetImagingSettingsResponse><timg:ImagingSettings>{exposure}'
            '</timg:ImagingSettings></timg:GetImagingSettingsResponse>'
        )

    def _set_imaging(self, request: Request, _where: Addresses, at_ns: int) -> str:
        mode = request.text('ImagingSettings/Exposure/Mode')
        if mode == 'AUTO':
            self._camera.ptz.expose_automatically()
        elif mode == 'MANUAL':
            if self._camera.faults.no_manual_exposure:
                raise RefusedError('ter:SettingsInvalid', 'The requested settings are incorrect.')
            now = self._camera.ptz.exposure(at_ns)
            time = request.text('ImagingSettings/Exposure/ExposureTime')
            gain = request.text('ImagingSettings/Exposure/Gain')
            self._camera.ptz.expose(float(time) / 1e6 if time else now.time, float(gain) if gain else now.gain)
        return '<timg:SetImagingSettingsResponse/>'

    def _imaging_options(self, _request: Request, _where: Addresses, _at_ns: int) -> str:
        limits = self._camera.ptz.exposure_limits
        modes = '<tt:Mode>AUTO</tt:Mode><tt:Mode>MANUAL</tt:Mode>'
        ranges = (
            f'<tt:ExposureTime><tt:Min>{limits.shortest * 1e6:.1f}</tt:Min><tt:Max>{limits.longest * 1e6:.1f}</tt:Max></tt:ExposureTime>'
            f'<tt:Gain><tt:Min>{limits.least_gain}</tt:Min><tt:Max>{limits.greatest_gain}</tt:Max></tt:Gain>'
        )
        return (
            f'<timg:GetOptionsResponse><timg:ImagingOptions><tt:Exposure>{modes}{ranges}</tt:Exposure>'
            '</timg:ImagingOptions></timg:GetOptionsResponse>'
        )

    def _known_profile(self, request: Request) -> None:
        token = request.text('ProfileToken')
        if token not in (PROFILE, FIXED_PROFILE):
            raise RefusedError('ter:NoProfile', f'The requested profile token {token} does not exist.')


_AXES = (('PanTilt', 'x'), ('PanTilt', 'y'), ('Zoom', 'x'))


def _speed(request: Request) -> float:
    pan, tilt = request.number('Speed/PanTilt', 'x'), request.number('Speed/PanTilt', 'y')
    found = [abs(value) for value in (pan, tilt) if value]
    return max(found) if found else 1.0


def _vector(at: Normalized) -> str:
    return f'<tt:PanTilt x="{at.pan:.6f}" y="{at.tilt:.6f}"/><tt:Zoom x="{at.zoom:.6f}"/>'


def _uri(address: str) -> str:
    return (
        f'<tt:Uri>{escape(address)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>'
        '<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout>'
    )
