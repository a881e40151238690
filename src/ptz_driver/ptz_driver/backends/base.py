# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver asks of a camera, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from ptz_driver.arrival import PtzStatus
from ptz_driver.health import Fault
from ptz_site import PtzPosition


class BackendError(Exception):
    """The camera can't do what was asked now; one sentence that names it and the remedy. The driver tries again later."""

    def __init__(self, text: str, fault: Fault = Fault.UNREACHABLE) -> None:
        super().__init__(text)
        self.fault = fault


class ExposureMode(IntEnum):
    """Values as in PresetHeader.msg."""

    UNKNOWN = 0
    AUTO = 1
    MANUAL = 2


class StampSource(IntEnum):
    """Where stamps come from. Values as in CameraState.msg."""

    UNKNOWN = 0
    SIMULATED = 1
    RECORDED = 2
    SENDER_REPORT = 3
    ARRIVAL = 4


@dataclass(frozen=True)
class Exposure:
    """The exposure in force when a frame was captured: seconds, and gain in dB. 0 and NaN: unknown."""

    mode: ExposureMode = ExposureMode.UNKNOWN
    time: float = 0.0
    gain: float = float('nan')


@dataclass(frozen=True)
class PictureLook:
    """What was seen in a picture that had to be decoded anyway. brightness: mean grey level, 0 to 255."""

    brightness: float
    black: bool
    same: bool


@dataclass(frozen=True)
class CapturedFrame:
    """One encoded picture; stamp: the instant of capture. position: None if the camera does not say; look: None if it was not decoded."""

    stamp_ns: int
    data: bytes
    encoding: str
    keyframe: bool
    width: int
    height: int
    position: PtzPosition | None
    exposure: Exposure
    look: PictureLook | None = None


@dataclass(frozen=True)
class ExposureLimits:
    """What a camera can be set to: s and dB. None: not known."""

    time: tuple[float, float] | None
    gain: tuple[float, float] | None


class ExposureControl(Protocol):
    """A camera's exposure. Every method may take seconds, and raises BackendError."""

    def limits(self) -> ExposureLimits | None:
        """What can be set; None: nothing."""

    def read(self) -> Exposure:
        """What is in force; time 0 and gain NaN where the camera does not tell."""

    def set_automatic(self) -> None:
        """The camera chooses."""

    def set_manual(self, time: float, gain: float) -> None:
        """Fixes s and dB."""

    def brightness(self) -> float | None:
        """Of a recent picture, 0 to 255; None without one."""


@dataclass(frozen=True)
class Health:
    """What a camera's connection is like, for the state and the diagnostics. Seconds; NaN: not known. notes: sentences worth a warning."""

    stamp_uncertainty: float = 0.0
    clock_offset: float = float('nan')
    delay: float = float('nan')
    manual: bool = False
    values: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Clock(Protocol):
    """ROS time for the driver's threads."""

    def now_ns(self) -> int:
        """The present."""

    def sleep_until(self, at_ns: int) -> bool:
        """Returns at an instant, or with False when the driver ends."""


class CameraBackend(Protocol):
    """One camera. go_to and status come from one thread, read from another."""

    @property
    def stamp_source(self) -> StampSource:
        """Where the stamps of frames come from."""

    @property
    def frames_late(self) -> int:
        """Frames that had to be skipped."""

    @property
    def exposure(self) -> ExposureControl | None:
        """The exposure, if it can be controlled at all."""

    def open(self) -> None:
        """Connects, or begins to. Raises BackendError if that can never work."""

    def close(self) -> None:
        """Lets go of the camera; may be opened again."""

    def goal(self, scene: str) -> PtzPosition | None:
        """Where the camera will look on a scene; None if only the camera knows."""

    def go_to(self, scene: str, at_ns: int, speed: float = 0.0) -> None:
        """Begins the turn to a scene's preset; speed: share of the top speed, 0: the top speed. Raises BackendError."""

    def status(self, at_ns: int) -> PtzStatus:
        """Where the camera looks at an instant, and whether it moves; asked again and again during a turn. Raises BackendError."""

    def check(self) -> None:
        """Asked a few times a second while the camera rests. Raises BackendError if it does not rest where it was sent."""

    def want_keyframe(self) -> None:
        """Asks for a picture that can be decoded without an earlier one; nothing where every one can."""

    def health(self) -> Health:
        """What the connection is like."""

    def read(self) -> CapturedFrame | None:
        """Waits for the next frame; None when the driver ends. Raises BackendError; the next call connects again."""
