# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated PTZ camera: what it is told moves it, what it sees is rendered."""

from __future__ import annotations

from ptz_sim.exposure import ExposureLimits, ExposureSetting, automatic, manual
from ptz_sim.renderer import Image, Renderer
from ptz_sim.world import World
from ptz_site import PtzDrive, PtzPosition, Site, SlewLimits
from ptz_site.geometry import focal_length

_NANOSECONDS = 1_000_000_000


class SimulatedPtz:
    """One camera of a site. epoch_ns: ROS time at which the world's clock is 0, the same for all cameras of a region.

    One thread may command while another captures.
    """

    def __init__(self, site: Site, camera: str, epoch_ns: int) -> None:
        self._camera = site.cameras[camera]
        self._epoch_ns = epoch_ns
        self.world = World.of_site(site)
        self._renderer = Renderer(self.world, self._camera.resolution)
        self._drive = PtzDrive(PtzPosition(0.0, 0.0, self._camera.zoom[0]), self._camera.slew)
        self._manual: ExposureSetting | None = None
        self.exposure_limits = ExposureLimits()

    def go_to(self, position: PtzPosition, at_ns: int, limits: SlewLimits | None = None) -> None:
        """Begins a turn; limits: by default what the camera can do."""
        self._drive.go_to(position, at_ns, limits)

    def standstill_ns(self, at_ns: int) -> int:
        """When the turn ends, or has ended, that is the newest at an instant."""
        return self._drive.turn(at_ns).end_ns

    def expose_automatically(self) -> None:
        """From the next picture on."""
        self._manual = None

    def expose(self, time: float, gain: float) -> None:
        """Fixes time in s and gain in dB, within the limits, from the next picture on."""
        self._manual = manual(time, gain, self.exposure_limits)

    def exposure(self, at_ns: int) -> ExposureSetting:
        """The exposure in force at an instant."""
        brightness = self.world.light(self.seconds(at_ns)).brightness
        return self._manual or automatic(brightness, self.exposure_limits)

    def position(self, at_ns: int) -> PtzPosition:
        """Where the camera looks at an instant."""
        return self._drive.position(at_ns)

    def is_moving(self, at_ns: int) -> bool:
        """Whether it turns at an instant."""
        return self._drive.is_moving(at_ns)

    def seconds(self, at_ns: int) -> float:
        """The world's time at an instant of ROS time."""
        return max(0.0, (at_ns - self._epoch_ns) / _NANOSECONDS)

    def capture(self, at_ns: int) -> Image:
        """The picture (height, width, 3), BGR, that the camera takes at an instant."""
        position = self.position(at_ns)
        view = self._camera.projection(position)
        assert view is not None  # simulated cameras have a pose
        exposure = self.exposure(at_ns)
        blur = self._blur(at_ns, position, exposure.time)
        return self._renderer.render(self.seconds(at_ns), view, exposure.factor, blur)

    def _blur(self, at_ns: int, position: PtzPosition, shutter: float) -> tuple[float, float]:
        if not self.is_moving(at_ns):
            return 0.0, 0.0
        pan, tilt = self._drive.turn(at_ns).speed(at_ns)
        focal = focal_length(self._camera.resolution[0], self._camera.hfov_rad, position.zoom)
        return focal * pan * shutter, focal * tilt * shutter
