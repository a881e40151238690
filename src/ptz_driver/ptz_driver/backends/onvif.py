# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A real camera: ONVIF for control, RTSP (or HTTP) for pictures."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from ptz_driver.arrival import PtzStatus
from ptz_driver.backends.base import (
    BackendError,
    CapturedFrame,
    Clock,
    Exposure,
    ExposureLimits,
    ExposureMode,
    Health,
    StampSource,
)
from ptz_driver.frame_grid import FrameGrid
from ptz_driver.health import Fault
from ptz_driver.onvif.client import OnvifClient, OnvifError, RefusedError
from ptz_driver.onvif.link import CameraLink, LinkOptions, LinkState
from ptz_driver.onvif.retry import RetryPolicy
from ptz_driver.onvif.session import Goal
from ptz_driver.onvif.spaces import ranges_of
from ptz_driver.onvif.zeep_client import Endpoint, ZeepClient
from ptz_driver.stream.decoding import LookDecoder
from ptz_driver.stream.http import MotionJpegSource, SnapshotSource
from ptz_driver.stream.picture import StillnessWatch
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import Picture, PictureSource, StreamError, StreamRefusedError
from ptz_driver.stream.stamps import StampEstimator
from ptz_site import NANOSECONDS, Credentials, OnvifCamera, PtzPosition, Site, camera_credentials
from ptz_site.schema import Token

T = TypeVar('T')
#: s without a picture after which the stream is opened anew.
_SILENCE = 3.0
#: Tenths of a second that the first connection may take until it counts as a fault.
_PATIENCE = 30
#: s; pictures older than that when they come are late.
_LATE = 2.0
#: s after which a camera that was just connected, and does not begin to turn, is taken to be there already.
_ALREADY_THERE = 3.0


class OnvifBackend:
    """Control and pictures go their own ways: a camera that does not answer commands still shows what it sees."""

    def __init__(self, site: Site, camera: str, site_path: str, clock: Clock) -> None:
        settings = site.cameras[camera]
        assert isinstance(settings, OnvifCamera)
        self._site, self._name, self._settings, self._clock = site, camera, settings, clock
        self._site_path = site_path
        self._ca_file = str(Path(site_path).parent / settings.ca_file) if settings.ca_file else ''
        options = LinkOptions(
            settings.profile, ranges_of(settings), settings.status, math.radians(settings.tolerance), settings.manual_pause
        )
        self._link = CameraLink(options, self._make_client, self._credentials, self._fetch, clock.now_ns)
        self._stamps = StampEstimator()
        self._grid = FrameGrid(round(NANOSECONDS / settings.rate))
        self._source: PictureSource | None = None
        self._retry = RetryPolicy(longest=10.0)
        self._stream_error = BackendError(f'{camera}: no stream yet', Fault.NO_FRAMES)
        self._look = LookDecoder()
        self._stillness: StillnessWatch | None = None
        self._silence = max(_SILENCE, 5 / settings.rate)
        self._turns = 0
        self._scene = ''
        self._delay = math.nan
        self._size_note = ''
        self.frames_late = 0
        self.exposure = OnvifExposure(self._link, clock, lambda: self._look.brightness)

    @property
    def stamp_source(self) -> StampSource:
        """As the stream allows."""
        return self._stamps.source

    def open(self) -> None:
        """Begins to connect. Raises UserError if the password can't be read."""
        self._credentials()
        self._link.start()

    def close(self) -> None:
        """Lets go of the camera, which stays where it is."""
        self._link.end()
        self._drop_source()

    def goal(self, scene: str) -> PtzPosition | None:
        """As the site says, or as the camera tells of its preset."""
        position = self._site.preset(self._name, scene)
        if position is not None:
            return position
        learnt = self._link.state().learnt
        wanted = self._site.preset_name(self._name, scene)
        for preset in learnt.presets if learnt is not None else ():
            if wanted in (preset.name, preset.token) and preset.position is not None:
                return ranges_of(self._settings).position(preset.position)
        return None

    def go_to(self, scene: str, at_ns: int, speed: float = 0.0) -> None:
        """Has the turn begun; what becomes of it is in the status."""
        state = self._link.state()
        self._raise_manual(state)
        if state.learnt is None:
            raise BackendError(f'{self._name}: {state.text or "not connected yet"}', state.fault or Fault.UNREACHABLE)
        spec = self._settings.presets[scene]
        preset = spec.token if isinstance(spec, Token) else ''
        self._scene, self._turns = scene, self._turns + 1
        self._stillness = StillnessWatch(at_ns, self._look.last)
        self._link.turn(Goal(preset, self.goal(scene)), speed, at_ns)

    def status(self, at_ns: int) -> PtzStatus:
        """The newest that the camera said. Raises BackendError."""
        self._link.watch()
        state = self._link.state()
        if state.fault is not Fault.NONE:
            raise BackendError(f'{self._name}: {state.text}', state.fault)
        said = state.status or PtzStatus(at_ns, None, None)
        return replace(said, still=self._is_still(at_ns))

    def check(self) -> None:
        """Whether somebody else moves the camera."""
        self._raise_manual(self._link.state())

    def want_keyframe(self) -> None:
        """Asks the camera for one."""
        self._link.want_keyframe()

    def health(self) -> Health:
        """What there is to know."""
        state, settings = self._link.state(), self._settings
        notes = []
        if 0 < settings.moves_per_hour < state.moves_last_hour:
            notes.append(
                f'{state.moves_last_hour} moves in an hour, more than {settings.moves_per_hour}: raise dwell to spare the motors'
            )
        if self._delay > _LATE:
            notes.append(f'pictures come {self._delay:.1f} s late; check the network, or give the camera a lower bit rate')
        notes += [state.text] if state.fault is Fault.UNREACHABLE else []
        notes += [self._size_note] if self._size_note else []
        values = [('moves in the last hour', str(state.moves_last_hour)), ('connections', str(state.connections))]
        if state.learnt is not None:
            about = state.learnt.information
            values += [
                ('camera', f'{about.manufacturer} {about.model}, firmware {about.firmware}'),
                ('profile', state.learnt.profile.name),
            ]
            values += [('patrols stopped', str(state.learnt.tours_stopped))] if state.learnt.tours_stopped else []
        return Health(
            stamp_uncertainty=self._stamps.uncertainty,
            clock_offset=state.offset.seconds if state.offset is not None else math.nan,
            delay=self._delay,
            manual=state.manual_seconds > 0,
            values=tuple(values),
            notes=tuple(notes),
        )

    def read(self) -> CapturedFrame | None:
        """The next picture, as the camera encoded it."""
        try:
            picture = self._opened().read()
        except StreamError as error:
            self._drop_source()
            fault = Fault.NO_FRAMES
            if isinstance(error, StreamRefusedError):
                fault = Fault.REFUSED
                self._retry.refused(self._credentials())
            else:
                self._retry.failed(self._clock.now_ns())
            self._stream_error = BackendError(f'{self._name}: {self._settings.stream}: {error}', fault)
            raise self._stream_error from None
        self._retry.succeeded()
        return self._frame(picture)

    def _frame(self, picture: Picture) -> CapturedFrame:
        pts = picture.arrival_ns if picture.pts_ns is None else picture.pts_ns
        stamp = self._stamps.take(pts, picture.arrival_ns, picture.reported_ns)
        self._delay = (picture.arrival_ns - stamp) / NANOSECONDS
        self.frames_late += self._delay > _LATE
        if picture.size != self._settings.resolution:
            found, wanted = ('x'.join(map(str, size)) for size in (picture.size, self._settings.resolution))
            self._size_note = f'pictures are {found}, the site says {wanted}; set the camera or resolution'
        stillness = self._stillness
        look = self._look.take(picture, stamp, stillness if self._needs_pictures() else None)
        return CapturedFrame(
            stamp,
            picture.data,
            picture.encoding,
            picture.keyframe,
            picture.size[0],
            picture.size[1],
            self._position(),
            self.exposure.at(stamp),
            look,
        )

    def _position(self) -> PtzPosition | None:
        state = self._link.state()
        if state.resting is not None:
            return state.resting
        said = state.status.position if state.status is not None else None
        return said or (self.goal(self._scene) if self._scene else None)

    def _needs_pictures(self) -> bool:
        """Whether nothing but the pictures can tell that the camera has arrived."""
        state = self._link.state()
        said = state.status
        if not self._settings.status:
            return True
        return state.learnt is not None and said is not None and said.position is None and said.moving is None

    def _is_still(self, at_ns: int) -> bool | None:
        stillness = self._stillness
        if stillness is None or not self._needs_pictures():
            return None
        if stillness.still_since_ns() is not None:
            return True
        # Where the first turn begins is not known: the camera may be there already.
        first = self._turns == 1 and not stillness.moved
        return first and at_ns - stillness.begun_ns > _ALREADY_THERE * NANOSECONDS

    def _raise_manual(self, state: LinkState) -> None:
        if state.manual_seconds > 0:
            raise BackendError(f'{self._name}: somebody else moves it; left alone for {state.manual_seconds:.0f} s', Fault.MANUAL)

    # The stream

    def _opened(self) -> PictureSource:
        if self._source is None:
            if not self._retry.may_try(self._clock.now_ns(), self._credentials()):
                raise self._stream_error
            state = self._connected_state()
            if state.learnt is None and not self._settings.stream_url:
                raise BackendError(f'{self._name}: {state.text or "not connected yet"}', state.fault or Fault.NO_FRAMES)
            address = self._settings.stream_url or self._with_port(state.learnt.stream_uri if state.learnt else '')
            self._stamps.restart()
            self._look.restart()
            self._source = self._open_stream(address)
        return self._source

    def _connected_state(self) -> LinkState:
        """The link's state; at the start it is waited for a moment."""
        state = self._link.state()
        for _ in range(_PATIENCE):
            if state.learnt is not None or state.text:
                break
            self._clock.sleep_until(self._clock.now_ns() + NANOSECONDS // 10)
            state = self._link.state()
        return state

    def _open_stream(self, address: str) -> PictureSource:
        credentials, now = self._credentials(), self._clock.now_ns
        if self._settings.stream == 'rtsp':
            return RtspSource(address, credentials, self._silence, now)
        if self._settings.stream == 'mjpeg':
            return MotionJpegSource(address, credentials, self._silence, self._ca_file, now)
        return SnapshotSource(address, credentials, self._silence, self._ca_file, now, self._wait_for_snapshot)

    def _wait_for_snapshot(self) -> None:
        self._clock.sleep_until(self._grid.next_ns(self._clock.now_ns()))

    def _drop_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _with_port(self, address: str) -> str:
        """The camera's address with the host that it was reached by: behind NAT, cameras name others."""
        parts = urlsplit(address)
        port = self._settings.rtsp_port or parts.port
        return urlunsplit(parts._replace(netloc=self._settings.host + (f':{port}' if port else '')))

    def _fetch(self, client: OnvifClient, profile: str) -> str:
        if self._settings.stream_url:
            return self._settings.stream_url
        return client.stream_uri(profile) if self._settings.stream == 'rtsp' else client.snapshot_uri(profile)

    def _credentials(self) -> Credentials:
        return camera_credentials(self._site_path, self._name, self._settings)

    def _make_client(self, credentials: Credentials) -> OnvifClient:
        settings = self._settings
        return ZeepClient(Endpoint(settings.host, settings.port, settings.https, self._ca_file), credentials)


class OnvifExposure:
    """Implements ExposureControl over the camera's imaging service."""

    def __init__(self, link: CameraLink, clock: Clock, brightness: Callable[[], float | None]) -> None:
        self._link, self._clock, self._brightness = link, clock, brightness
        #: What was set, and when; the newest last.
        self._set: deque[tuple[int, Exposure]] = deque([(0, Exposure())], maxlen=8)

    def at(self, at_ns: int) -> Exposure:
        """What was in force at an instant."""
        return next((exposure for since, exposure in reversed(self._set) if since <= at_ns), Exposure())

    def limits(self) -> ExposureLimits | None:
        """As the camera claims."""
        found = self._ask(lambda client, source: client.exposure_limits(source))
        return ExposureLimits(found.time, found.gain) if found.manual else None

    def read(self) -> Exposure:
        """As the camera tells."""
        found = self._ask(lambda client, source: client.exposure(source))
        mode = {None: ExposureMode.UNKNOWN, True: ExposureMode.AUTO, False: ExposureMode.MANUAL}[found.automatic]
        exposure = Exposure(mode, found.time or 0.0, math.nan if found.gain is None else found.gain)
        if exposure != self._set[-1][1]:
            self._set.append((self._clock.now_ns(), exposure))
        return exposure

    def set_automatic(self) -> None:
        """The camera chooses."""
        self._ask(lambda client, source: client.set_automatic_exposure(source))
        self._set.append((self._clock.now_ns(), Exposure(ExposureMode.AUTO)))

    def set_manual(self, time: float, gain: float) -> None:
        """Fixes time and gain."""
        self._ask(lambda client, source: client.set_manual_exposure(source, time, gain))
        self._set.append((self._clock.now_ns(), Exposure(ExposureMode.MANUAL, time, gain)))

    def brightness(self) -> float | None:
        """Of a recent picture."""
        return self._brightness()

    def _ask(self, ask: Callable[[OnvifClient, str], T]) -> T:
        try:
            return self._link.call(lambda client, learnt: ask(client, learnt.profile.source))
        except RefusedError as error:
            raise BackendError(str(error), Fault.REFUSED) from None
        except OnvifError as error:
            raise BackendError(str(error)) from None
