# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Asks a camera what it can do, and tries it as far as that is possible without moving it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ptz_driver.onvif.client import (
    DeviceInformation,
    ImagingExposure,
    ImagingLimits,
    MediaProfile,
    MoveStatus,
    NotAuthorizedError,
    OnvifError,
    PtzNode,
    PtzPreset,
)
from ptz_driver.onvif.clock_offset import ClockOffset, bounds
from ptz_driver.onvif.session import choose_profile
from ptz_driver.onvif.zeep_client import Endpoint, ZeepClient
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import StreamError
from ptz_site import NANOSECONDS, Credentials

T = TypeVar('T')
_SILENCE = 4.0
_PICTURES = 25
_STREAM_SECONDS = 3.0


@dataclass(frozen=True)
class StreamProbe:
    """What came over RTSP. rate: pictures/s as they came; delay: s by sender reports, NaN without."""

    encoding: str
    size: tuple[int, int]
    rate: float
    keyframes: int
    delay: float


@dataclass
class CameraProbe:
    """What was found; None: the camera does not tell. refused: what it refuses, a sentence each."""

    offset: ClockOffset
    information: DeviceInformation
    profiles: tuple[MediaProfile, ...]
    profile: MediaProfile
    stream_uri: str
    snapshot_uri: str | None = None
    node: PtzNode | None = None
    presets: tuple[PtzPreset, ...] = ()
    status: MoveStatus | None = None
    exposure: ImagingExposure | None = None
    exposure_limits: ImagingLimits | None = None
    keyframe_on_demand: bool = False
    stream: StreamProbe | None = None
    refused: list[str] = field(default_factory=list)


def probe_camera(endpoint: Endpoint, credentials: Credentials) -> CameraProbe:
    """Asks. Raises OnvifError if the camera can't be used at all."""
    client = ZeepClient(endpoint, credentials)
    sent = time.time_ns()
    seconds = client.clock_seconds()
    offset = bounds(sent, time.time_ns(), seconds)
    client.set_clock_offset(offset.seconds)
    client.connect()
    profiles = client.profiles()
    profile = choose_profile(profiles, '')
    found = CameraProbe(offset, DeviceInformation(), profiles, profile, client.stream_uri(profile.token))
    ask = _Asker(found)
    found.information = ask('device information', client.information) or DeviceInformation()
    found.snapshot_uri = ask('snapshots', lambda: client.snapshot_uri(profile.token))
    found.node = ask('PTZ node', lambda: client.node(profile.node))
    found.presets = ask('presets', lambda: client.presets(profile.token)) or ()
    found.status = ask('status', lambda: client.status(profile.token))
    found.exposure = ask('exposure', lambda: client.exposure(profile.source))
    found.exposure_limits = ask('exposure limits', lambda: client.exposure_limits(profile.source))
    found.keyframe_on_demand = ask('keyframes on demand', lambda: _asked(client, profile.token)) is not None
    try:
        found.stream = _probe_stream(found.stream_uri, credentials)
    except StreamError as error:
        found.refused.append(f'RTSP stream: {error}')
    return found


def _asked(client: ZeepClient, profile: str) -> bool:
    client.synchronize(profile)
    return True


class _Asker:
    """Asks what a camera may refuse, and notes that it did."""

    def __init__(self, found: CameraProbe) -> None:
        self._found = found

    def __call__(self, what: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except NotAuthorizedError:
            raise
        except OnvifError as error:
            self._found.refused.append(f'{what}: {error}')
            return None


def _probe_stream(address: str, credentials: Credentials) -> StreamProbe:
    source = RtspSource(address, credentials, _SILENCE, time.time_ns)
    try:
        pictures = [source.read()]
        begin = time.monotonic()
        # Of one picture alone nothing can be said.
        while len(pictures) < 2 or (len(pictures) < _PICTURES and time.monotonic() - begin < _STREAM_SECONDS):
            pictures.append(source.read())
    finally:
        source.close()
    last = pictures[-1]
    times = [picture.pts_ns for picture in pictures if picture.pts_ns is not None]
    rate = (len(times) - 1) * NANOSECONDS / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else math.nan
    delay = math.nan if last.reported_ns is None else (last.arrival_ns - last.reported_ns) / NANOSECONDS
    return StreamProbe(last.encoding, last.size, rate, sum(picture.keyframe for picture in pictures), delay)
