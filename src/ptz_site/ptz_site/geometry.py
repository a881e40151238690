# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""PTZ camera geometry: pan, tilt, zoom to K, R, t; ground to pixel and back.

Frames follow REP-103 and REP-105. *map*: metres, x east, y north, z up. *base*: at the camera's optical centre, x where pan
and tilt are zero, z up; the mounting yaw turns it about map's z. Pan is positive counter-clockwise seen from above, tilt is positive up.
*optical*: z forward, x right, y down. Pictures: x right, y down, origin at the centre of the upper left pixel.
The camera is a pinhole whose optical centre stays in place while it turns. Its lens may distort what the pinhole shows (distortion.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_site.distortion import Distortion
from ptz_site.motion import PtzPosition

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CameraPose:
    """Where a camera is mounted: x, y, z in metres of the map frame, yaw in radians (direction of pan zero)."""

    x: float
    y: float
    z: float
    yaw: float


@dataclass(frozen=True)
class Projection:
    """A camera in one position: x_pixel ~ K d(R x_map + t). K and R are 3x3, t has 3 entries (metres); d is the lens, None: a pinhole."""

    k: Array
    r: Array
    t: Array
    distortion: Distortion | None = None

    @property
    def centre(self) -> Array:
        """Optical centre in the map frame, metres."""
        return np.asarray(-self.r.T @ self.t)

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) and depths (n,) in metres of points (n, 3) of the map frame; depth <= 0 is behind the camera.

        With distortion, points so far aside that its model does not reach them have the pixel NaN.
        """
        camera = points @ self.r.T + self.t
        depth = camera[:, 2]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        if self.distortion is None:
            return (camera @ self.k.T)[:, :2] / safe[:, None], depth
        shown = self.distortion.distorted(camera[:, :2] / safe[:, None])
        return shown @ self.k[:2, :2].T + self.k[:2, 2], depth

    def ground_homography(self) -> Array:
        """3x3 matrix from ground points (x, y, 1) of the map frame to pixels; ValueError with distortion, which bends straight lines."""
        if self.distortion is not None:
            raise ValueError('a picture with distortion has no homography to the ground; use project and to_ground')
        return self.k @ np.column_stack((self.r[:, 0], self.r[:, 1], self.t))

    def ray(self, pixel: tuple[float, float]) -> Array | None:
        """Direction in the map frame, of any length, of what is seen at a pixel; None where the distortion's model does not reach."""
        seen = np.linalg.solve(self.k, np.array([pixel[0], pixel[1], 1.0]))
        if self.distortion is not None:
            straight = self.distortion.undistorted(float(seen[0]), float(seen[1]))
            if straight is None:
                return None
            seen = np.array([*straight, 1.0])
        return np.asarray(self.r.T @ seen)

    def to_ground(self, pixel: tuple[float, float], height: float = 0.0) -> tuple[float, float] | None:
        """Map x, y in metres of the point at the given height that is seen at a pixel.

        None at or above the horizon, and where the distortion's model does not reach.
        """
        ray = self.ray(pixel)
        centre = self.centre
        if ray is None or abs(ray[2]) < 1e-12:
            return None
        scale = (height - centre[2]) / ray[2]
        if scale <= 0:
            return None
        return float(centre[0] + scale * ray[0]), float(centre[1] + scale * ray[1])


def focal_length(width: int, hfov: float, zoom: float) -> float:
    """Focal length in pixels of a picture of the given width; hfov is the horizontal field of view in radians at zoom 1."""
    return width / 2 / math.tan(hfov / 2) * zoom


def intrinsics(resolution: tuple[int, int], hfov: float, zoom: float) -> Array:
    """3x3 camera matrix with square pixels and the principal point in the picture's middle."""
    width, height = resolution
    f = focal_length(width, hfov, zoom)
    return np.array([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])


def rotation(yaw: float, tilt: float) -> Array:
    """3x3 rotation from the map frame to the optical frame; yaw is mounting yaw plus pan, both in radians."""
    forward = np.array([math.cos(tilt) * math.cos(yaw), math.cos(tilt) * math.sin(yaw), math.sin(tilt)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    return np.vstack((right, np.cross(forward, right), forward))


def projection(
    pose: CameraPose, position: PtzPosition, resolution: tuple[int, int], hfov: float, distortion: Distortion | None = None
) -> Projection:
    """The projection of a camera that looks at a position; hfov in radians at zoom 1, resolution in pixels.

    distortion: measured at zoom 1. It is applied to the normalised coordinates at every zoom: the lens keeps its coefficients, and as a
    zoomed picture shows a smaller part of them, the distortion shrinks by itself. This is an approximation, because a zoom lens changes
    as it zooms; it is right at zoom 1, where distortion matters most.
    """
    r = rotation(pose.yaw + position.pan, position.tilt)
    centre = np.array([pose.x, pose.y, pose.z])
    return Projection(intrinsics(resolution, hfov, position.zoom), r, -r @ centre, distortion)


def window_projection(
    pose: CameraPose, position: PtzPosition, resolution: tuple[int, int], hfov: float, distortion: Distortion | None = None
) -> Projection:
    """The same for a window into the picture of a wide camera that does not turn: its optical axis stays in the middle of that picture.

    The window is moved inside the wide picture, whose sides are taken to be in the proportion of the resolution's.
    """
    k = intrinsics(resolution, hfov, position.zoom)
    across = math.tan(hfov / 2) * (1 - 1 / position.zoom)
    along = across * resolution[1] / resolution[0]
    k[0, 2] += k[0, 0] * min(max(math.tan(position.pan), -across), across)
    k[1, 2] += k[1, 1] * min(max(math.tan(position.tilt), -along), along)
    r = rotation(pose.yaw, 0.0)
    return Projection(k, r, -r @ np.array([pose.x, pose.y, pose.z]), distortion)


def wrap_angle(angle: float) -> float:
    """The same angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def aim(
    pose: CameraPose,
    polygon: Sequence[tuple[float, float]],
    resolution: tuple[int, int],
    hfov: float,
    zoom_range: tuple[float, float],
    headroom: float = 2.0,
) -> PtzPosition:
    """The position from which a camera sees a ground polygon whole, with people's height above it, as large as possible.

    polygon: metres in the map frame; headroom: metres above the ground that shall be in the picture. A lens's distortion is left out of
    account: a pincushion's may push the corners a little out of the picture.
    """
    corners = np.array([(x, y, z) for x, y in polygon for z in (0.0, headroom)])
    rel = corners - np.array([pose.x, pose.y, pose.z])
    # Azimuths relative to the mean direction, so that the range doesn't break at +-pi.
    mean = math.atan2(float(rel[:, 1].mean()), float(rel[:, 0].mean()))
    azimuth = np.array([wrap_angle(math.atan2(y, x) - mean) for x, y, _ in rel])
    elevation = np.arctan2(rel[:, 2], np.hypot(rel[:, 0], rel[:, 1]))
    yaw = mean + float(azimuth.min() + azimuth.max()) / 2
    tilt = float(elevation.min() + elevation.max()) / 2
    camera = rel @ rotation(yaw, tilt).T
    depth = np.maximum(camera[:, 2], 0.1)
    width, height = resolution
    focal = focal_length(width, hfov, 1.0)
    spread_x = float(np.max(np.abs(camera[:, 0] / depth))) * focal / (width / 2)
    spread_y = float(np.max(np.abs(camera[:, 1] / depth))) * focal / (height / 2)
    zoom = min(max(1.0 / max(spread_x, spread_y, 1e-6), zoom_range[0]), zoom_range[1])
    return PtzPosition(wrap_angle(yaw - pose.yaw), tilt, zoom)
