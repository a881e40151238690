# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The site file's contents, validated. Angles are degrees here, as people write them; the rest of the code asks the properties."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from ptz_site import geometry
from ptz_site.distortion import Distortion
from ptz_site.geometry import CameraPose, Projection
from ptz_site.motion import PtzPosition, SlewLimits

#: Ids become ROS topic names, so they keep to what those allow.
Name = Annotated[str, StringConstraints(pattern=r'^[a-z][a-z0-9_]*$', max_length=40)]
Point = tuple[float, float]


class Section(BaseModel):
    """A part of the site file: immutable, and strict about unknown keys, so that a typing error is not ignored."""

    model_config = ConfigDict(extra='forbid', frozen=True)


class ClockLimits(Section):
    """How far a camera's clock may be off."""

    warn_offset: float = Field(0.05, gt=0, description='s; above it the diagnostics warn')
    max_offset: float = Field(0.5, gt=0, description='s; above it the rotation does not start')
    allow_beyond: bool = Field(False, description='start all the same')


class HoldLimits(Section):
    """Limits of a hold."""

    max_hold: float = Field(120.0, gt=0, description='s; a hold ends after this at the latest')
    holder_timeout: float = Field(5.0, gt=0, description='s; a hold ends when its holder is silent for longer')
    resume_delay: float = Field(1.0, gt=0, description='s from the decision to go on until all cameras go on')
    handoff_interval: float = Field(3.0, ge=0, description='s; least time between two handoffs')
    handoff_margin: float = Field(20.0, ge=0, le=180, description='degrees by which another camera must face the target better')


def _dwell_form(value: Any) -> str:
    return '<auto>' if value == 'auto' else '<seconds>'


DwellSpec = Annotated[
    Annotated[float, Field(gt=0, le=86400), Tag('<seconds>')] | Annotated[Literal['auto'], Tag('<auto>')],
    Discriminator(_dwell_form),
]
#: s; the dwell of a region with dwell: auto until somebody was seen.
FIRST_AUTO_DWELL = 10.0


class Region(Section):
    """What holds for all cameras."""

    name: Name
    dwell: DwellSpec = Field(..., description='s on a scene (above 0, at most 86400); auto: as long as fits how long people stay')
    start: AwareDatetime | None = Field(None, description='when slot 0 begins; none: as soon as the cameras are ready')
    start_timeout: float = Field(20.0, gt=0, description='s to wait for cameras before starting without them')
    silence_timeout: float = Field(3.0, gt=0, description='s without a camera state after which the camera counts as lost')
    arrival_timeout: float = Field(10.0, gt=0, description='s for a turn, after which the camera has not arrived')
    clock: ClockLimits = ClockLimits()
    hold: HoldLimits = HoldLimits()

    @property
    def first_dwell(self) -> float:
        """The dwell with which a rotation begins, s; with dwell: auto it may change later."""
        return FIRST_AUTO_DWELL if self.dwell == 'auto' else self.dwell


class Scene(Section):
    """An area to watch."""

    label: str = ''
    polygon: list[Point] | None = Field(None, min_length=3, description='ground corners, m in the map frame')
    weight: int = Field(1, ge=1, le=10, description='2: twice the time of others, or two cameras when there are enough')
    keywords: list[str] = []


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


class StitcherSettings(Section):
    """How scene sequences are made."""

    cut: Literal['arrived', 'switch_start'] = Field('arrived', description='switch_start keeps the turning, arrived drops it')
    video: bool = Field(True, description='write <scene>.mp4')
    bag: bool = Field(True, description='write the bag <scene>/')
    reorder: float = Field(0.5, ge=0, le=10, description='s to wait for late frames before writing')


class TrackingSettings(Section):
    """How detections of one camera become tracks."""

    high: float = Field(0.5, ge=0, le=1, description='score from which a detection may go on with any track')
    begin: float = Field(0.6, ge=0, le=1, description='score from which a detection may begin a track')
    track_buffer: float = Field(2.0, gt=0, le=60, description='s that a track goes on unseen')


class RecognitionSettings(Section):
    """When a track is a target of the watchlist, and what follows."""

    similarity: float = Field(0.8, ge=-1, le=1, description='least similarity (cosine) of a track and a target')
    good_frames: int = Field(3, ge=1, le=100, description='frames in which it must be seen well before it is told')
    least_height: int = Field(48, ge=8, description='px; smaller boxes are not looked at')
    lost_after: float = Field(3.0, gt=0, description='s out of view after which a hold ends')
    least_speed: float = Field(0.4, gt=0, description='m/s; slower targets have no heading')
    turned_away: float = Field(100.0, ge=0, le=180, description='degrees between heading and camera above which it is handed off')
    steady: float = Field(0.6, ge=0, description='s that it must be turned away for')


#: Of a detection model's outputs.
Layout = Literal[
    'auto', 'yolox', 'yolov5', 'yolov8', 'yolov8_obb', 'yolo_end2end', 'rtdetr', 'rtdetr_sized', 'rtdetr_joined', 'detr', 'rfdetr'
]


class UploadSettings(Section):
    """Where pictures of people are sent, and how they wait for it."""

    url: str = Field(..., description='of the receiver, http or https, without user and password')
    token_file: str = Field('', description='file whose first line is the token; relative to the site file')
    token_env: str = Field('', description='or the environment variable that holds it')
    ca_file: str = Field(
        '', description="certificate of who signed the receiver's; relative to the site file; empty: the system's"
    )
    send_period: float = Field(1.0, ge=0, le=3600, description='s from one picture to the next; those to be sent at once are')
    max_bytes: int = Field(500_000_000, ge=1_000_000, description='that wait, for each camera; beyond it the oldest ones go')
    max_count: int = Field(10_000, ge=1, le=1_000_000, description='pictures that wait, for each camera')
    folder: str = Field('', description="where they wait, relative to the site file; empty: in the user's ROS folder")
    timeout: float = Field(30.0, ge=1, le=600, description='s for sending one picture, with its answer')

    @model_validator(mode='after')
    def _receiver(self) -> Self:
        # The url is not repeated in what is said: it may hold a password.
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ('http', 'https') and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError('url: not an address; give one like https://receiver.example:8443') from None
        if '@' in parts.netloc:
            raise ValueError('url: there is a user or a password in it; give the token in token_file or token_env')
        if not usable or not self.url.isprintable() or ' ' in self.url:
            raise ValueError('url: not an address; give one like https://receiver.example:8443')
        if parts.query or parts.fragment:
            raise ValueError('url: no ? and # allowed; give the address below which /v1/packages is')
        if bool(self.token_file) == bool(self.token_env):
            found = 'both found' if self.token_file else 'neither found'
            raise ValueError(f'token_file and token_env: {found}; give one of them')
        return self


class SelectionSettings(Section):
    """Which frames are the best of whom, and when they are sent."""

    selection: Literal['rules', 'quality'] = Field(
        'rules', description='rules: in no respect worse than the best before; quality: the highest expected value'
    )
    min_width: int = Field(24, ge=1, le=8192, description='px; narrower boxes are not chosen, but for the first one of a track')
    min_height: int = Field(64, ge=1, le=8192, description='px; lower boxes are not chosen, but for the first one of a track')
    score_1: float = Field(0.5, ge=0, le=1, description='least score of a frame that is chosen, but for the first one of a track')
    score_2: float = Field(0.8, ge=0, le=1, description='least score of a frame that is sent at once')
    edge_1: float = Field(
        10.0, ge=0, le=4096, description="px from the picture's edge; least for a frame that is better by rules"
    )
    edge_2: float = Field(40.0, ge=0, le=4096, description="px from the picture's edge above which a frame is sent at once")
    area_share: float = Field(0.02, ge=0, le=1, description="of the picture's area, above which a frame is sent at once")
    longest_delay: float = Field(10.0, gt=0, le=600, description='s that a frame waits for a better one, at most')
    margin: float = Field(
        0.15, ge=0, le=10, description='by which the quality of a frame must be better than what was sent; 0.15: by 15 %'
    )

    @model_validator(mode='after')
    def _in_order(self) -> Self:
        for low, high in (('score_1', 'score_2'), ('edge_1', 'edge_2')):
            least, at_once = getattr(self, low), getattr(self, high)
            if at_once < least:
                raise ValueError(f'{high}: {at_once:g} found; allowed: at least {low}, which is {least:g}')
        return self


class PerceptionSettings(Section):
    """How frames are looked at."""

    enabled: bool = True
    detector: str = Field('hog', description='hog, or the path of an ONNX model')
    layout: Layout = Field('auto', description="the model's output layout; auto: recognised by its shapes")
    names: str = Field(
        '', description='file of class names, one in each line, or a YAML file with names; empty: as the model says'
    )
    provider: Literal['auto', 'cpu', 'cuda', 'tensorrt', 'openvino'] = Field('auto', description='what runs models')
    tile: int = Field(0, ge=0, le=8192, description='px; side of the tiles that large pictures are looked at in as well; 0: none')
    classes: list[str] = Field(['person'], description='what to keep of what the detector finds; empty: everything')
    rate: float = Field(1.0, gt=0, le=120, description='frames/s looked at, at most')
    attention: bool = Field(
        True, description='with hog: look where something moves and where somebody is, and at the whole picture every 2 s only'
    )
    score: float = Field(0.2, ge=0, le=1, description='detections below are dropped')
    width: int = Field(640, ge=64, le=8192, description='px; wider pictures are reduced to it for detection')
    heights: dict[str, float] = Field(
        {'person': 1.7}, description='m, by class; tells where somebody stands whose feet are not seen'
    )
    tracking: TrackingSettings = TrackingSettings()
    embedders: dict[Name, str] = Field({'body': 'colour'}, description='by kind of feature: colour, or the path of an ONNX model')
    recognition: RecognitionSettings = RecognitionSettings()
    watchlist: str = Field('', description="file, relative to the site file; empty: in the user's ROS folder")
    best_frames: SelectionSettings = SelectionSettings()
    upload: UploadSettings | None = Field(None, description='where pictures are sent; none: nowhere')


class SimulationSettings(Section):
    """The simulated world."""

    seed: int = Field(1, ge=0)
    walkers: int = Field(6, ge=0, le=200)
    vehicles: int = Field(2, ge=0, le=50)
    extent: float = Field(60.0, ge=10, le=500, description='m, side of the square world, centred on the origin')
    buildings: int = Field(4, ge=0, le=50)


class Site(Section):
    """A whole site file, consistent in itself."""

    region: Region
    scenes: dict[Name, Scene] = Field(..., min_length=1)
    cameras: dict[Name, Camera] = Field(..., min_length=1)
    stitcher: StitcherSettings = StitcherSettings()
    perception: PerceptionSettings = PerceptionSettings()
    simulation: SimulationSettings = SimulationSettings()

    def preset(self, camera: str, scene: str) -> PtzPosition | None:
        """Where a camera looks to watch a scene; None if only the camera itself knows (a token), or it can't watch it."""
        spec = self.cameras[camera].presets.get(scene)
        if isinstance(spec, Position):
            return spec.to_ptz()
        if spec == 'auto':
            return self.aim(camera, scene)
        return None

    def preset_name(self, camera: str, scene: str) -> str:
        """What the preset is called: the camera's token, or the scene where the site gives the position."""
        spec = self.cameras[camera].presets.get(scene)
        return spec.token if isinstance(spec, Token) else scene

    def reach(self, camera: str) -> tuple[str, ...]:
        """The scenes that a camera can and may watch, in the site's order of scenes."""
        entry = self.cameras[camera]
        return tuple(scene for scene in self.scenes if scene in entry.presets and scene not in entry.barred)

    def aim(self, camera: str, scene: str) -> PtzPosition:
        """Where a camera with a pose sees a scene with a polygon best."""
        entry = self.cameras[camera]
        polygon, pose = self.scenes[scene].polygon, entry.mounting
        assert polygon is not None and pose is not None  # checked when the file was read
        return geometry.aim(pose, polygon, entry.resolution, entry.hfov_rad, entry.zoom)
