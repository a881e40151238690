# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A camera in the simulated world."""

from __future__ import annotations

from collections.abc import Callable

import cv2

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
from ptz_node.images import encode_jpeg
from ptz_sim.camera import SimulatedPtz
from ptz_site import PtzPosition, Site

_NANOSECONDS = 1_000_000_000


class SimulatedBackend:
    """Renders the world of the site's seed, which every camera's process computes for itself."""

    stamp_source = StampSource.SIMULATED

    def __init__(self, site: Site, camera: str, epoch_ns: int, clock: Clock) -> None:
        self._site, self._name, self._epoch_ns, self._clock = site, camera, epoch_ns, clock
        self._settings = site.cameras[camera]
        period = round(_NANOSECONDS / self._settings.rate)
        # Cameras take turns within a period, so that their processes don't all render at once.
        names = list(site.cameras)
        self._grid = FrameGrid(period, period * names.index(camera) // len(names))
        self._camera: SimulatedPtz | None = None
        self.exposure = SimulatedExposure(self._opened, clock)

    @property
    def frames_late(self) -> int:
        """Frames that rendering was too slow for."""
        return self._grid.late

    def open(self) -> None:
        """Builds the world, once."""
        # One process for each camera already: more threads would only fight for the processor.
        cv2.setNumThreads(1)
        if self._camera is None:
            self._camera = SimulatedPtz(self._site, self._name, self._epoch_ns)

    def close(self) -> None:
        """Nothing to let go of."""

    def goal(self, scene: str) -> PtzPosition | None:
        """Where the camera looks on a scene."""
        return self._site.preset(self._name, scene)

    def go_to(self, scene: str, at_ns: int, speed: float = 0.0) -> None:
        """Begins a turn."""
        goal = self.goal(scene)
        if goal is None:
            raise BackendError(f'{self._name} has no preset for scene {scene}; add it to the site file')
        self._opened().go_to(goal, at_ns, self._settings.slew.slowed(speed))

    def status(self, at_ns: int) -> PtzStatus:
        """Where the camera looks."""
        camera = self._opened()
        return PtzStatus(at_ns, camera.position(at_ns), camera.is_moving(at_ns))

    def check(self) -> None:
        """It rests where it was sent."""

    def want_keyframe(self) -> None:
        """Every picture can be decoded by itself."""

    def health(self) -> Health:
        """All is well."""
        return Health()

    def read(self) -> CapturedFrame | None:
        """Renders the next frame."""
        stamp = self._grid.next_ns(self._clock.now_ns())
        if not self._clock.sleep_until(stamp):
            return None
        camera = self._opened()
        data = encode_jpeg(camera.capture(stamp), self._settings.jpeg_quality)
        width, height = self._settings.resolution
        return CapturedFrame(stamp, data, 'jpeg', True, width, height, camera.position(stamp), self.exposure.at(stamp))

    def _opened(self) -> SimulatedPtz:
        if self._camera is None:
            raise BackendError(f'{self._name} is not open yet')
        return self._camera


class SimulatedExposure:
    """Implements ExposureControl."""

    def __init__(self, camera: Callable[[], SimulatedPtz], clock: Clock) -> None:
        self._camera, self._clock = camera, clock

    def limits(self) -> ExposureLimits:
        """What can be set."""
        limits = self._camera().exposure_limits
        return ExposureLimits((limits.shortest, limits.longest), (limits.least_gain, limits.greatest_gain))

    def read(self) -> Exposure:
        """What is in force."""
        return self.at(self._clock.now_ns())

    def at(self, at_ns: int) -> Exposure:
        """What is in force at an instant."""
        now = self._camera().exposure(at_ns)
        return Exposure(ExposureMode.AUTO if now.automatic else ExposureMode.MANUAL, now.time, now.gain)

    def set_automatic(self) -> None:
        """The camera chooses."""
        self._camera().expose_automatically()

    def set_manual(self, time: float, gain: float) -> None:
        """Fixes time and gain."""
        self._camera().expose(time, gain)

    def brightness(self) -> float | None:
        """Not needed: it tells time and gain."""
        return None
