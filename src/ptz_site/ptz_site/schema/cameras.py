# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The cameras, and their presets."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ptz_site import geometry
from ptz_site.distortion import Distortion
from ptz_site.geometry import CameraPose, Projection
from ptz_site.motion import PtzPosition, SlewLimits
from ptz_site.schema.section import Name, Section


class Pose(Section):
    """Where a camera is mounted."""

    x: float = Field(..., description='m, map frame')
    y: float = Field(..., description='m, map frame')
    z: float = Field(..., gt=0, description='m above the ground')
    yaw: float = Field(0.0, ge=-360, le=360, description='degrees, direction of pan zero, counter-clockwise from +x')


class Position(Section):
    """A preset given by where the camera looks."""

    pan: float = Field(..., ge=-360, le=360, description='degrees, counter-clockwise positive')
    tilt: float = Field(..., ge=-90, le=90, description='degrees, up positive')
    zoom: float = Field(1.0, ge=1, description='magnification')

    def to_ptz(self) -> PtzPosition:
        """In radians."""
        return PtzPosition(math.radians(self.pan), math.radians(self.tilt), self.zoom)


class Token(Section):
    """A preset that the camera keeps itself."""

    token: str = Field(..., min_length=1, description='name or token of the preset in the camera')


def _preset_form(value: Any) -> str:
    # Tags in angle brackets, because pydantic puts them into an error's location among the keys of the file.
    if isinstance(value, str):
        return '<auto>'
    if isinstance(value, Token) or (isinstance(value, dict) and 'token' in value):
        return '<token>'
    return '<position>'


#: auto: computed from the camera's pose and the scene's polygon.
PresetSpec = Annotated[
    Annotated[Position, Tag('<position>')] | Annotated[Token, Tag('<token>')] | Annotated[Literal['auto'], Tag('<auto>')],
    Discriminator(_preset_form),
]


class ExposureRule(Section):
    """Fixed short exposures, so that people who walk are sharp: the brightness is taken from automatic exposure, now and then."""

    time: float = Field(0.004, gt=0, le=1, description='s that the shutter is open')
    mode_switch_period: float = Field(
        300.0, ge=10, description='s after which the light is measured again, by automatic exposure'
    )
    settle: float = Field(3.0, gt=0, le=60, description='s that automatic exposure may take until it is stable')


class BaseCamera(Section):
    """What every camera has."""

    pose: Pose | None = None
    hfov: float = Field(60.0, gt=1, lt=170, description='degrees, horizontal field of view at zoom 1')
    distortion: tuple[float, ...] | None = Field(
        None, description='[k1, k2, p1, p2, k3] of the lens at zoom 1, as plumb_bob in ROS and as in OpenCV; none: a pinhole'
    )
    zoom: tuple[float, float] = Field((1.0, 1.0), description='least and greatest magnification')
    slew_rate: float = Field(60.0, gt=0, le=1000, description='degrees/s, top speed of pan and tilt')
    slew_acceleration: float = Field(180.0, gt=0, le=10000, description='degrees/s^2')
    zoom_rate: float = Field(1.0, gt=0, description='doublings of the magnification per second')
    resolution: tuple[int, int] = Field((1280, 720), description='px, width and height')
    rate: float = Field(10.0, gt=0, le=120, description='frames/s')
    jpeg_quality: int = Field(85, ge=10, le=100)
    exposure: ExposureRule | None = Field(None, description='fixed short exposures; none: as the camera is set')
    presets: dict[Name, PresetSpec] = Field(..., min_length=1, description='one for each scene that the camera can watch')
    barred: list[Name] = Field([], description='scenes that it must not watch although it has presets for them')

    @model_validator(mode='after')
    def _ranges(self) -> Self:
        if not 1.0 <= self.zoom[0] <= self.zoom[1]:
            raise ValueError(
                f'zoom: [{self.zoom[0]:g}, {self.zoom[1]:g}] found; allowed: [least, greatest] with 1 <= least <= greatest'
            )
        if not all(16 <= side <= 8192 and side % 2 == 0 for side in self.resolution):
            raise ValueError(f'resolution: {list(self.resolution)} found; allowed: even numbers from 16 to 8192')
        for scene, preset in self.presets.items():
            if isinstance(preset, Position) and not self.zoom[0] <= preset.zoom <= self.zoom[1]:
                raise ValueError(
                    f"presets.{scene}.zoom: {preset.zoom:g} found; allowed: {self.zoom[0]:g} to {self.zoom[1]:g}, the camera's zoom"
                )
            if preset == 'auto' and self.pose is None:
                raise ValueError(f"presets.{scene}: auto needs the camera's pose; give pose, or pan/tilt/zoom")
        return self

    @model_validator(mode='after')
    def _lens_is_usable(self) -> Self:
        if self.distortion is None:
            return self
        found = f'distortion: {list(self.distortion)} found'
        if len(self.distortion) != 5 or not all(math.isfinite(value) for value in self.distortion):
            raise ValueError(f'{found}; allowed: five finite numbers, [k1, k2, p1, p2, k3]')
        focal = geometry.focal_length(self.resolution[0], self.hfov_rad, 1.0)
        if not Distortion(*self.distortion).covers(self.resolution, focal):
            raise ValueError(
                f'{found}; the picture folds back before its corners; measure hfov and distortion again, up to the corners'
            )
        return self

    @property
    def slew(self) -> SlewLimits:
        """The drive's limits in rad and s."""
        return SlewLimits(math.radians(self.slew_rate), math.radians(self.slew_acceleration), self.zoom_rate)

    @property
    def mounting(self) -> CameraPose | None:
        """The pose in metres and radians."""
        return None if self.pose is None else CameraPose(self.pose.x, self.pose.y, self.pose.z, math.radians(self.pose.yaw))

    @property
    def hfov_rad(self) -> float:
        """Horizontal field of view at zoom 1, radians."""
        return math.radians(self.hfov)

    @property
    def lens(self) -> Distortion | None:
        """The lens's distortion; None for a pinhole."""
        return None if self.distortion is None else Distortion(*self.distortion)

    def projection(self, position: PtzPosition) -> Projection | None:
        """The projection in a position; None for a camera without a pose."""
        pose = self.mounting
        return None if pose is None else geometry.projection(pose, position, self.resolution, self.hfov_rad, self.lens)


class SimulatedCamera(BaseCamera):
    """A camera in the simulated world."""

    backend: Literal['simulated']
    pose: Pose = Field(...)

    @model_validator(mode='after')
    def _pinhole(self) -> Self:
        if self.distortion is not None:
            raise ValueError('distortion: a simulated camera is a pinhole; leave it out')
        return self


class RecordedCamera(BaseCamera):
    """A virtual PTZ camera over a recorded wide video: presets are windows into the picture, turning moves the window."""

    backend: Literal['recorded']
    video: str = Field(..., min_length=1, description='path, relative to the media folder')
    offset: float = Field(0.0, description="s that this video is ahead of the region's common clock")
    loop: bool = Field(True, description='start again at the end; otherwise the camera ends there')

    def projection(self, position: PtzPosition) -> Projection | None:
        """The projection in a position; None for a camera without a pose.

        Without distortion a window counts as a camera that turned there; the distortion is that of the wide picture, about its middle.
        """
        pose = self.mounting
        if pose is None or self.lens is None:
            return super().projection(position)
        return geometry.window_projection(pose, position, self.resolution, self.hfov_rad, self.lens)


class OnvifCamera(BaseCamera):
    """A real PTZ camera on the network: ONVIF for control, RTSP for pictures."""

    backend: Literal['onvif']
    host: str = Field(..., min_length=1, pattern=r'^[^\s/@]+$', description='name or address')
    port: int = Field(80, ge=1, le=65535, description='of ONVIF')
    https: bool = Field(False, description='ONVIF over HTTPS')
    ca_file: str = Field('', description="certificate of who signed the camera's; relative to the site file; empty: the system's")
    user: str = Field('', description='empty: the camera asks for none')
    password_file: str = Field('', description='file whose first line is the password; relative to the site file')
    password_env: str = Field('', description='or the environment variable that holds it')
    profile: str = Field('', description='name or token of the media profile; empty: the first one with video and PTZ')
    stream: Literal['rtsp', 'mjpeg', 'snapshot'] = Field('rtsp', description='how pictures are fetched')
    stream_url: str = Field('', description='instead of the one that the camera names; without user and password')
    rtsp_port: int = Field(0, ge=0, le=65535, description='instead of the one that the camera names; 0: as named')
    pan_range: tuple[float, float] = Field(
        (180.0, -180.0), description="degrees where the camera's pan is -1, and where it is +1"
    )
    tilt_range: tuple[float, float] = Field(
        (-90.0, 90.0), description="degrees where the camera's tilt is -1, and where it is +1"
    )
    tolerance: float = Field(0.3, gt=0, le=10, description='degrees; nearer to a preset than this is there')
    status: bool = Field(True, description="false: don't ask the camera where it is, or whether it moves; see it by its pictures")
    manual_pause: float = Field(120.0, ge=0, description='s to stay away after somebody else moved the camera')
    moves_per_hour: int = Field(0, ge=0, description='above it the diagnostics warn of wear; 0: no limit')

    @model_validator(mode='after')
    def _network(self) -> Self:
        if self.stream == 'mjpeg' and not self.stream_url:
            raise ValueError('stream: mjpeg needs stream_url, because ONVIF does not tell it')
        if self.password_file and self.password_env:
            raise ValueError('password_file and password_env: both found; give one of them')
        if self.user and not (self.password_file or self.password_env):
            raise ValueError(f'user: {self.user} without a password; give password_file or password_env')
        for name, found in (('pan_range', self.pan_range), ('tilt_range', self.tilt_range)):
            if found[0] == found[1]:
                raise ValueError(f'{name}: {list(found)} found; the two ends must differ')
        return self


Camera = Annotated[SimulatedCamera | RecordedCamera | OnvifCamera, Field(discriminator='backend')]
