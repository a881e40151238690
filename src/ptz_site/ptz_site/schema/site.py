# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The whole site file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ptz_site import geometry
from ptz_site.motion import PtzPosition
from ptz_site.schema.cameras import Camera, Position, Token
from ptz_site.schema.perception import PerceptionSettings
from ptz_site.schema.region import Region
from ptz_site.schema.section import Name, Point, Section


class Scene(Section):
    """An area to watch."""

    label: str = ''
    polygon: list[Point] | None = Field(None, min_length=3, description='ground corners, m in the map frame')
    weight: int = Field(1, ge=1, le=10, description='2: twice the time of others, or two cameras when there are enough')
    keywords: list[str] = Field([])


class StitcherSettings(Section):
    """How scene sequences are made."""

    cut: Literal['arrived', 'switch_start'] = Field('arrived', description='switch_start keeps the turning, arrived drops it')
    video: bool = Field(True, description='write <scene>.mp4')
    bag: bool = Field(True, description='write the bag <scene>/')
    reorder: float = Field(0.5, ge=0, le=10, description='s to wait for late frames before writing')
    file_minutes: float = Field(0.0, ge=0, le=100_000, description='begin new files after so long; 0: never')
    file_megabytes: float = Field(0.0, ge=0, description='begin new files when one is so large; 0: never')
    keep_days: float = Field(0.0, ge=0, description='delete recordings that were over so long ago; 0: never')
    keep_gigabytes: float = Field(0.0, ge=0, description='delete the oldest when all are larger; 0: never')
    least_free_megabytes: float = Field(100.0, ge=0, description='stop recording while less of the disk is free')
    together: Literal['in_turn', 'mosaic', 'all'] = Field(
        'in_turn',
        description='several cameras on a scene at once, in the video: one after the other, side by side, or a video each',
    )
    encode: Literal['none', 'h264'] = Field('none', description='h264: JPEG becomes H.264 in the video, a fraction of the size')
    pictures: bool = Field(False, description='write the pictures of each scene into a folder too')
    redact: Literal['none', 'everybody', 'others'] = Field(
        'none', description='who is hidden in the video and the pictures; others: everybody but targets'
    )
    redact_by: Literal['pixelate', 'blur'] = Field('pixelate', description='how people are hidden')
    draw_targets: bool = Field(False, description='burn the marks of targets into the video and the pictures')


class SimulationSettings(Section):
    """The simulated world."""

    seed: int = Field(1, ge=0)
    walkers: int = Field(6, ge=0, le=200)
    vehicles: int = Field(2, ge=0, le=50)
    extent: float = Field(60.0, ge=10, le=500, description='m, side of the square world, centred on the origin')
    buildings: int = Field(4, ge=0, le=50)
    season: Literal['summer', 'autumn', 'winter'] = 'summer'
    time_of_day: Literal['day', 'dusk', 'night'] = 'day'
    weather: Literal['clear', 'overcast', 'fog', 'rain', 'snow'] = 'clear'
    ground: Literal['garden', 'paving', 'asphalt', 'concrete', 'gravel', 'meadow'] = Field(
        'garden', description='what most of it is covered with; garden: grass with paved yards'
    )
    people: Literal['distinct', 'varied'] = Field(
        'distinct', description='distinct: twelve shirts; varied: any clothes, children too'
    )


class Site(Section):
    """A whole site file, consistent in itself."""

    region: Region
    scenes: dict[Name, Scene] = Field(..., min_length=1)
    cameras: dict[Name, Camera] = Field(..., min_length=1)
    stitcher: StitcherSettings = StitcherSettings()
    perception: PerceptionSettings = PerceptionSettings()
    simulation: SimulationSettings = SimulationSettings()

    @property
    def recording_notes(self) -> tuple[str, ...]:
        """What somebody should know who lets the stitcher change pictures; a line each."""
        wish = self.stitcher
        if wish.redact == 'none' and not wish.draw_targets:
            return ()
        keys = [f'redact: {wish.redact}'] * (wish.redact != 'none') + ['draw_targets'] * wish.draw_targets
        notes = [
            f'stitcher.{", ".join(keys)}: each picture is decoded and encoded for it, which costs about 20 ms of a processor at 1280x720'
        ]
        if wish.redact != 'none' and wish.bag:
            notes.append('stitcher.redact: bags keep the clear pictures; with stitcher.bag: false nothing does')
        if not self.perception.enabled:
            notes.append(
                'stitcher.redact, draw_targets: nobody looks at the pictures; what is to be redacted is hidden as a whole'
            )
        return tuple(notes)

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
