# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver needs of an ONVIF client, so that another one can be put beside the present one.

Angles and zoom are those of ONVIF's generic spaces (pan, tilt -1 to 1, zoom 0 to 1); times are seconds. Every call ends within the
client's time limit, and raises an OnvifError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class OnvifError(Exception):
    """A call did not do what it should. The message is half a sentence, without addresses or passwords."""


class UnreachableError(OnvifError):
    """No answer in time, or no connection: try again later."""


class CertificateError(OnvifError):
    """The camera's certificate is not trusted."""


class NotAuthorizedError(OnvifError):
    """User or password are refused: do not try again."""


class RefusedError(OnvifError):
    """The camera understood, and won't or can't."""


class AnswerError(OnvifError):
    """The answer lacks what is needed."""


@dataclass(frozen=True)
class Services:
    """Where the camera's services are; empty: it has none of the kind."""

    media: str
    ptz: str
    imaging: str


@dataclass(frozen=True)
class DeviceInformation:
    """Who made it."""

    manufacturer: str = ''
    model: str = ''
    firmware: str = ''


@dataclass(frozen=True)
class MediaProfile:
    """A way in which the camera gives pictures. node: of the PTZ unit, empty if it can't turn."""

    token: str
    name: str
    source: str
    node: str
    encoding: str
    size: tuple[int, int]
    rate: float


@dataclass(frozen=True)
class Vector:
    """A position, translation or speed in generic spaces. zoom None: left out."""

    pan: float
    tilt: float
    zoom: float | None


@dataclass(frozen=True)
class PtzPreset:
    """A position that the camera keeps. name may be empty; position None: it does not tell."""

    token: str
    name: str
    position: Vector | None


@dataclass(frozen=True)
class MoveStatus:
    """What GetStatus says. None: it does not say."""

    position: Vector | None
    moving: bool | None


@dataclass(frozen=True)
class PtzNode:
    """What the PTZ unit claims to do."""

    absolute: bool
    presets: int


@dataclass(frozen=True)
class ImagingExposure:
    """Exposure settings: time in s, gain in dB. None: not told."""

    automatic: bool | None
    time: float | None
    gain: float | None


@dataclass(frozen=True)
class ImagingLimits:
    """What exposure can be set to. None: not told, or it can't."""

    manual: bool
    time: tuple[float, float] | None
    gain: tuple[float, float] | None


class OnvifClient(Protocol):
    """One camera, asked by one thread."""

    def clock_seconds(self) -> int:
        """The camera's clock, UTC, whole seconds since 1970. Asked without a password first, then with one."""

    def set_clock_offset(self, seconds: float) -> None:
        """How far the camera's clock is ahead, for the digests of passwords."""

    def connect(self) -> Services:
        """Learns where the services are; to be called before any of the following."""

    def information(self) -> DeviceInformation:
        """Who made the camera."""

    def profiles(self) -> tuple[MediaProfile, ...]:
        """Its media profiles."""

    def stream_uri(self, profile: str) -> str:
        """Where a profile's RTSP stream is."""

    def snapshot_uri(self, profile: str) -> str:
        """Where a profile's snapshots are."""

    def synchronize(self, profile: str) -> None:
        """Asks for a keyframe."""

    def node(self, node: str) -> PtzNode:
        """What a PTZ unit can do."""

    def presets(self, profile: str) -> tuple[PtzPreset, ...]:
        """The presets that are not empty."""

    def set_preset(self, profile: str, name: str, token: str) -> str:
        """Keeps the present position; an empty token makes a new preset. Returns the token."""

    def go_to_preset(self, profile: str, token: str, speed: float) -> None:
        """Begins a turn; speed: share of the top speed, 0: as the camera likes."""

    def go_to(self, profile: str, position: Vector, speed: float) -> None:
        """Begins a turn to a position."""

    def stop_tours(self, profile: str) -> int:
        """Stops the camera's own patrols; how many there were. A camera without such a thing has none."""

    def status(self, profile: str) -> MoveStatus:
        """Where it is, and whether it moves."""

    def exposure(self, source: str) -> ImagingExposure:
        """The exposure settings of a video source."""

    def exposure_limits(self, source: str) -> ImagingLimits:
        """What they can be set to."""

    def set_automatic_exposure(self, source: str) -> None:
        """The camera chooses."""

    def set_manual_exposure(self, source: str, time: float, gain: float) -> None:
        """Fixes time in s and gain in dB."""
