# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated data set is made of: scenes, each with its world, cameras and keywords."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ptz_sim.shapes import Point
from ptz_site import PtzPosition
from ptz_site.geometry import CameraPose, Projection, projection
from ptz_site.schema import SimulationSettings


class Split(Enum):
    """What a scene is for. All of a scene's pictures are for the same, so that no test knows its ground from the training."""

    TRAIN = 'train'
    VAL = 'val'
    TEST = 'test'


class Distance(Enum):
    """How far people are from the cameras of a scene: how small they are."""

    FAR = 'far'
    MIDDLE = 'middle'
    NEAR = 'near'


class Density(Enum):
    """How many people there are."""

    EMPTY = 'empty'
    SPARSE = 'sparse'
    BUSY = 'busy'
    CROWDED = 'crowded'


@dataclass(frozen=True)
class Sensor:
    """What a camera makes of the light.

    bias: factor of automatic exposure's brightness; tint: factors of blue, green, red; noise: standard deviation in levels of 255;
    softness: standard deviation of the blur in pixels; edge: how much edges are overdrawn, 0 is not at all; grey: no colours, as under
    infrared light; quality: of JPEG.
    """

    bias: float
    tint: tuple[float, float, float]
    noise: float
    softness: float
    edge: float
    grey: bool
    quality: int


@dataclass(frozen=True)
class CameraSpec:
    """A camera: where it is mounted, its horizontal field of view at zoom 1 in radians, and the positions that it takes by turns."""

    name: str
    pose: CameraPose
    hfov: float
    resolution: tuple[int, int]
    positions: tuple[PtzPosition, ...]
    sensor: Sensor

    def view(self, position: int) -> Projection:
        """The projection in one of its positions, counted on from the last to the first."""
        return projection(self.pose, self.positions[position % len(self.positions)], self.resolution, self.hfov)


@dataclass(frozen=True)
class SceneSpec:
    """A scene: a world with its cameras. polygons: places where people stop, metres of the map frame."""

    name: str
    split: Split
    keywords: tuple[str, ...]
    settings: SimulationSettings
    polygons: dict[str, tuple[Point, ...]]
    cameras: tuple[CameraSpec, ...]
