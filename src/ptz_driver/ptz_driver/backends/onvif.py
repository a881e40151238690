# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A real camera: ONVIF for control, RTSP (or HTTP) for pictures."""

from __future__ import annotations

import math
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
from ptz_driver.health import Fault
from ptz_driver.onvif.client import OnvifClient, OnvifError, RefusedError
from ptz_driver.onvif.link import CameraLink, LinkOptions, LinkState
from ptz_driver.onvif.session import Goal
from ptz_driver.onvif.spaces import ranges_of
from ptz_driver.onvif.zeep_client import Endpoint, ZeepClient
from ptz_driver.stream.picture import StillnessWatch
from ptz_driver.stream.reader import LATE, StreamReader
from ptz_site import NANOSECONDS, Credentials, OnvifCamera, PtzPosition, Site, UserError, camera_credentials
from ptz_site.schema import Token

T = TypeVar('T')
#: Tenths of a second that the first connection may take until it counts as a fault.
_PATIENCE = 30
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
        self._stream = StreamReader(camera, settings, self._ca_file, self._address, self._known_credentials, clock)
        self._stillness: StillnessWatch | None = None
        self._turns = 0
        self._scene = ''
        self._is_silent = not settings.status
        self.exposure = OnvifExposure(self._link, clock, lambda: self._stream.brightness)

    @property
    def stamp_source(self) -> StampSource:
        """As the stream allows."""
        return self._stream.stamp_source

    @property
    def frames_late(self) -> int:
        """Pictures that came late."""
        return self._stream.late

    def open(self) -> None:
        """Begins to connect. Raises UserError if the password can't be read."""
        self._credentials()
        self._link.start()

    def close(self) -> None:
        """Lets go of the camera, which stays where it is."""
        self._link.end()
        self._stream.close()

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
        self._stillness = StillnessWatch(at_ns, self._stream.last_looked_at)
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
        if self._stream.delay > LATE:
            notes.append(f'pictures come {self._stream.delay:.1f} s late; check the network, or give the camera a lower bit rate')
        notes += [state.text] if state.fault is Fault.UNREACHABLE else []
        notes += [self._stream.note] if self._stream.note else []
        values = [('moves in the last hour', str(state.moves_last_hour)), ('connections', str(state.connections))]
        if state.learnt is not None:
            about = state.learnt.information
            values += [
                ('camera', f'{about.manufacturer} {about.model}, firmware {about.firmware}'),
                ('profile', state.learnt.profile.name),
            ]
            values += [('patrols stopped', str(state.learnt.tours_stopped))] if state.learnt.tours_stopped else []
        return Health(
            stamp_uncertainty=self._stream.stamp_uncertainty,
            clock_offset=state.offset.seconds if state.offset is not None else math.nan,
            delay=self._stream.delay,
            manual=state.manual_seconds > 0,
            values=tuple(values),
            notes=tuple(notes),
        )

    def read(self) -> CapturedFrame | None:
        """The next picture, as the camera encoded it."""
        watched = self._stillness if self._needs_pictures() else None
        read = self._stream.read(watched)
        if watched is not None and self._stream.blind:
            self._link.want_keyframe()
        picture = read.picture
        width, height = picture.size
        return CapturedFrame(
            read.stamp_ns,
            picture.data,
            picture.encoding,
            picture.keyframe,
            width,
            height,
            self._position(),
            self.exposure.at(read.stamp_ns),
            read.look,
        )

    def _position(self) -> PtzPosition | None:
        state = self._link.state()
        if state.resting is not None:
            return state.resting
        said = state.status.position if state.status is not None else None
        return said or (self.goal(self._scene) if self._scene else None)

    def _needs_pictures(self) -> bool:
        """Whether nothing but the pictures can tell that the camera has arrived."""
        said = self._link.state().status
        # After a command nothing is said for a moment; what the camera can tell is the same as before.
        if self._settings.status and said is not None:
            self._is_silent = said.position is None and said.moving is None
        return self._is_silent

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

    def _address(self) -> str:
        """Where the stream is. Raises BackendError while the camera is not connected."""
        if self._settings.stream_url:
            return self._settings.stream_url
        state = self._connected_state()
        if state.learnt is None:
            raise BackendError(f'{self._name}: {state.text or "not connected yet"}', state.fault or Fault.NO_FRAMES)
        # With the host that the camera was reached by: behind NAT, cameras name others.
        parts = urlsplit(state.learnt.stream_uri)
        port = self._settings.rtsp_port or parts.port
        return urlunsplit(parts._replace(netloc=self._settings.host + (f':{port}' if port else '')))

    def _known_credentials(self) -> Credentials:
        try:
            return self._credentials()
        except UserError as error:
            raise BackendError(str(error), Fault.REFUSED) from None

    def _connected_state(self) -> LinkState:
        """The link's state; at the start it is waited for a moment."""
        state = self._link.state()
        for _ in range(_PATIENCE):
            if state.learnt is not None or state.text:
                break
            self._clock.sleep_until(self._clock.now_ns() + NANOSECONDS // 10)
            state = self._link.state()
        return state

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
        self._set: tuple[tuple[int, Exposure], ...] = ((0, Exposure()),)

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
            self._remember(exposure)
        return exposure

    def set_automatic(self) -> None:
        """The camera chooses."""
        self._ask(lambda client, source: client.set_automatic_exposure(source))
        self._remember(Exposure(ExposureMode.AUTO))

    def set_manual(self, time: float, gain: float) -> None:
        """Fixes time and gain."""
        self._ask(lambda client, source: client.set_manual_exposure(source, time, gain))
        self._remember(Exposure(ExposureMode.MANUAL, time, gain))

    def brightness(self) -> float | None:
        """Of a recent picture."""
        return self._brightness()

    def _remember(self, exposure: Exposure) -> None:
        # A new tuple: another thread looks at the old one.
        self._set = (*self._set[-7:], (self._clock.now_ns(), exposure))

    def _ask(self, ask: Callable[[OnvifClient, str], T]) -> T:
        try:
            return self._link.call(lambda client, learnt: ask(client, learnt.profile.source))
        except RefusedError as error:
            raise BackendError(str(error), Fault.REFUSED) from None
        except OnvifError as error:
            raise BackendError(str(error)) from None
