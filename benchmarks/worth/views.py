# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who could be seen by which camera on which scene, and from which side, at every step of a region's time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_sim.shapes import Blocks, in_polygon
from ptz_sim.walkers import Paths
from ptz_sim.world import World
from ptz_site import Site
from ptz_site.geometry import Projection

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A view is clear if it shows somebody whole, at least so high (px), and hardly hidden: as in the tests of the whole graph.
CLEAR_HEIGHT, CLEAR_SHARE, CLEAR_HIDDEN = 80.0, 0.95, 0.2
#: rad between where somebody looks and the camera, up to which a view is frontal; and the width of a view angle.
FRONTAL = np.pi / 4
SECTORS = 8
#: m: half the width of a body, and where on it (shares of the height) it is tested whether something stands before it.
_HALF_WIDTH = 0.28
_TESTED = (0.12, 0.5, 0.9)


@dataclass(frozen=True)
class Views:
    """T steps, W walkers, C cameras, S scenes, in the order of the site.

    step: s; clear (T, W, C, S): whether a camera at rest on a scene would see somebody clearly; side (T, W, C): rad from where they look
    to the camera, counter-clockwise; scene (T, W): whose polygon they stand in, -1: none.
    """

    step: float
    paths: Paths
    clear: Flags
    side: Array
    scene: NDArray[np.int8]

    @property
    def frontal(self) -> Flags:
        """(T, W, C): whether somebody looks towards a camera."""
        return np.asarray(np.abs(self.side) <= FRONTAL)

    @property
    def sector(self) -> NDArray[np.int64]:
        """(T, W, C): from which of SECTORS sides a camera would see them; 0 is the front."""
        return np.nan_to_num(np.rint(self.side / (2 * np.pi / SECTORS))).astype(int) % SECTORS


def views_of(site: Site, world: World, times: Array) -> Views:
    """What all cameras could see of all people at some times (the world's s, evenly spaced). Every camera has a pose."""
    paths = world.paths(times)
    steps, people = paths.x.shape
    poses = [camera.mounting for camera in site.cameras.values()]
    clear = np.zeros((steps, people, len(site.cameras), len(site.scenes)), bool)
    side = np.full((steps, people, len(site.cameras)), np.nan)
    opaque = world.layout.opaque()
    for c, (name, pose) in enumerate(zip(site.cameras, poses, strict=True)):
        assert pose is not None
        towards = np.arctan2(pose.y - paths.y, pose.x - paths.x)
        side[:, :, c] = (towards - paths.facing + np.pi) % (2 * np.pi) - np.pi
        for s, scene in enumerate(site.scenes):
            position = site.preset(name, scene)
            projection = site.cameras[name].projection(position) if position is not None else None
            if projection is not None:
                clear[:, :, c, s] = _whole_and_large(paths, projection, site.cameras[name].resolution)
        seen = clear[:, :, c].any(axis=2)
        eye = np.array([pose.x, pose.y, pose.z])
        seen[seen] &= ~_behind_blocks(paths, seen, eye, opaque)
        seen &= ~_behind_people(paths, seen, eye)
        clear[:, :, c] &= seen[:, :, None]
    return Views(float(times[1] - times[0]), paths, clear, side, _scenes(site, paths))


def _whole_and_large(paths: Paths, view: Projection, resolution: tuple[int, int]) -> Flags:
    """(T, W): who is in the picture with at least CLEAR_SHARE of their box, and high enough."""
    present = paths.present
    rows, columns = np.nonzero(present)
    x, y, height = paths.x[present], paths.y[present], paths.heights[columns]
    foot, depth = view.project(np.column_stack((x, y, np.zeros_like(x))))
    head, _ = view.project(np.column_stack((x, y, height)))
    half = _HALF_WIDTH * view.k[0, 0] / np.maximum(depth, 0.1)
    low = np.column_stack(((foot[:, 0] + head[:, 0]) / 2 - half, head[:, 1]))
    high = np.column_stack((low[:, 0] + 2 * half, foot[:, 1]))
    inside = np.clip(high, 0, resolution) - np.clip(low, 0, resolution)
    share = inside.prod(axis=1) / np.maximum((high - low).prod(axis=1), 1e-9)
    found = np.zeros_like(present)
    found[rows, columns] = (depth > 0.8) & (share > CLEAR_SHARE) & (high[:, 1] - low[:, 1] >= CLEAR_HEIGHT)
    return found


def _behind_blocks(paths: Paths, seen: Flags, eye: Array, opaque: Blocks) -> Flags:
    """(n,), for those of `seen`: whether a building, a tree or a hedge hides a tested part of them."""
    hidden = np.zeros(int(seen.sum()), bool)
    if not opaque.blocks or not len(hidden):
        return hidden
    x, y = paths.x[seen], paths.y[seen]
    heights = paths.heights[np.nonzero(seen)[1]]
    # Most blocks stand where no line of sight passes: flat tests are cheaper than those in space.
    flat = np.column_stack((x, y))
    crossed = opaque.hits(np.broadcast_to(eye[:2], flat.shape), flat)
    for k in np.flatnonzero(crossed.any(axis=0)):
        rows = np.flatnonzero(crossed[:, k] & ~hidden)
        block = Blocks([opaque.blocks[k]])
        for share in _TESTED:
            ends = np.column_stack((flat[rows], share * heights[rows]))
            hidden[rows] |= block.hits(np.broadcast_to(eye, ends.shape), ends)[:, 0]
    return hidden


def _behind_people(paths: Paths, seen: Flags, eye: Array) -> Flags:
    """(T, W): whether somebody nearer covers more than CLEAR_HIDDEN of one's box, in angles as seen from the camera."""
    across, along = paths.x - eye[0], paths.y - eye[1]
    distance = np.hypot(across, along)
    azimuth = np.arctan2(along, across)
    half = np.arctan(_HALF_WIDTH / distance)
    top, foot = (np.arctan2(height - eye[2], distance) for height in (paths.heights, 0.0))
    hidden = np.zeros_like(seen)
    for other in range(paths.x.shape[1]):
        apart = np.abs((azimuth - azimuth[:, other, None] + np.pi) % (2 * np.pi) - np.pi)
        near = seen & (apart < half + half[:, other, None]) & (distance[:, other, None] < distance)
        rows, columns = np.nonzero(near)
        if not len(rows):
            continue
        width = (half[rows, columns] + half[rows, other] - apart[rows, columns]) / (2 * half[rows, columns])
        upper = np.minimum(top[rows, columns], top[rows, other])
        lower = np.maximum(foot[rows, columns], foot[rows, other])
        height = np.clip(upper - lower, 0, None) / (top[rows, columns] - foot[rows, columns])
        hidden[rows, columns] |= np.minimum(width, 1) * height > CLEAR_HIDDEN
    return hidden


def _scenes(site: Site, paths: Paths) -> NDArray[np.int8]:
    points = np.column_stack((paths.x.ravel(), paths.y.ravel()))
    found = np.full(len(points), -1, np.int8)
    for s, scene in enumerate(site.scenes.values()):
        if scene.polygon is not None:
            found[in_polygon(points, scene.polygon)] = s
    return found.reshape(paths.x.shape)
