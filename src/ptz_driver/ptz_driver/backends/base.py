# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver asks of a camera, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from ptz_driver.arrival import PtzStatus
from ptz_site import PtzPosition


class BackendError(Exception):
    """The camera can't do what was asked now; one sentence that names it and the remedy. The driver tries again later."""


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
class CapturedFrame:
    """One encoded picture; stamp: the instant of capture. position: None if the camera does not say."""

    stamp_ns: int
    data: bytes
    encoding: str
    keyframe: bool
    width: int
    height: int
    position: PtzPosition | None
    exposure: Exposure


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
    def manual_exposure_possible(self) -> bool:
        """Whether the camera can be set to a fixed exposure."""

    def open(self) -> None:
        """Connects. Raises BackendError."""

    def close(self) -> None:
        """Lets go of the camera; may be opened again."""

    def goal(self, scene: str) -> PtzPosition | None:
        """Where the camera will look on a scene; None if only the camera knows."""

    def go_to(self, scene: str, at_ns: int) -> None:
        """Begins the turn to a scene's preset. Raises BackendError."""

    def status(self, at_ns: int) -> PtzStatus:
        """Where the camera looks at an instant, and whether it moves. Raises BackendError."""

    def read(self) -> CapturedFrame | None:
        """Waits for the next frame; None when the driver ends. Raises BackendError."""
