# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Markers of a region: scenes, cameras with what they see, who watches what, and what moves on the ground. Map frame, metres."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from ptz_collab_msgs.msg import Track
from ptz_site.geometry import Projection

Place = tuple[float, float, float]

MAP = 'map'
WATCHED = ColorRGBA(r=0.2, g=0.8, b=0.3, a=0.9)
UNWATCHED = ColorRGBA(r=0.9, g=0.3, b=0.2, a=0.9)
CAMERA = ColorRGBA(r=0.3, g=0.6, b=1.0, a=0.9)
TURNING = ColorRGBA(r=0.6, g=0.6, b=0.6, a=0.6)
_OBJECT = ColorRGBA(r=1.0, g=0.8, b=0.1, a=0.9)
_TEXT = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
#: m; a frustum's rays that don't meet the ground before end there.
_FAR = 60.0
#: s that a track's markers stay without a new one.
_LIFE = 2


def scene_markers(index: int, name: str, polygon: Sequence[tuple[float, float]], watched: bool) -> list[Marker]:
    """A scene's outline and name."""
    outline = _marker('scenes', index, Marker.LINE_STRIP, WATCHED if watched else UNWATCHED)
    outline.scale.x = 0.15
    outline.points = [_point(x, y, 0.02) for x, y in (*polygon, polygon[0])]
    x, y = np.mean(np.asarray(polygon), axis=0)
    return [outline, _text('scene names', index, name, (float(x), float(y), 0.3), 0.8)]


def camera_markers(index: int, name: str, view: Projection, size: tuple[int, int], colour: ColorRGBA) -> list[Marker]:
    """A camera's frustum down to the ground, and its name."""
    centre = tuple(float(value) for value in view.centre)
    corners = [ground_corner(view, pixel) for pixel in ((0, 0), (size[0], 0), (size[0], size[1]), (0, size[1]))]
    lines = _marker('cameras', index, Marker.LINE_LIST, colour)
    lines.scale.x = 0.05
    for corner, following in zip(corners, (*corners[1:], corners[0]), strict=True):
        lines.points += [_point(*centre), _point(*corner), _point(*corner), _point(*following)]
    return [lines, _text('camera names', index, name, (centre[0], centre[1], centre[2] + 0.6), 0.8)]


def watching_marker(index: int, camera: Place, polygon: Sequence[tuple[float, float]], colour: ColorRGBA) -> Marker:
    """An arrow from a camera to the scene that it watches."""
    arrow = _marker('who watches what', index, Marker.ARROW, colour)
    arrow.scale.x, arrow.scale.y, arrow.scale.z = 0.12, 0.4, 0.6
    x, y = np.mean(np.asarray(polygon), axis=0)
    arrow.points = [_point(*camera), _point(float(x), float(y), 0.1)]
    return arrow


def track_markers(camera: str, track: Track) -> list[Marker]:
    """Where an object is, who it is, and where it goes."""
    colour = _OBJECT if not track.mark_colour else colour_of(track.mark_colour)
    index = track.track_id % 2**31
    x, y = track.ground.x, track.ground.y
    body = _marker(f'tracks of {camera}', index, Marker.CYLINDER, colour)
    body.pose.position = _point(x, y, 0.9)
    body.scale.x, body.scale.y, body.scale.z = 0.5, 0.5, 1.8
    text = _text(f'names of {camera}', index, track.target or track.object_id or str(track.track_id), (x, y, 2.2), 0.5)
    found = [body, text]
    if track.has_heading:
        ahead = _marker(f'headings of {camera}', index, Marker.ARROW, colour)
        ahead.scale.x, ahead.scale.y, ahead.scale.z = 0.1, 0.25, 0.3
        ahead.points = [_point(x, y, 0.1), _point(x + track.velocity.x, y + track.velocity.y, 0.1)]
        found.append(ahead)
    for marker in found:
        marker.lifetime.sec = _LIFE
    return found


def ground_corner(view: Projection, pixel: tuple[float, float]) -> Place:
    """Where the ray of a pixel meets the ground, or its end if it does not before long; a pixel without a ray has the camera's place."""
    centre, ray = view.centre, view.ray(pixel)
    if ray is None:
        return float(centre[0]), float(centre[1]), float(centre[2])
    ray = ray / np.linalg.norm(ray)
    down = -float(ray[2])
    reach = float(centre[2]) / down if down > 1e-6 else math.inf
    x, y, z = centre + ray * min(reach, _FAR)
    return float(x), float(y), float(z)


def colour_of(text: str) -> ColorRGBA:
    """The colour of #rrggbb."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return ColorRGBA(r=red, g=green, b=blue, a=0.9)


def _marker(namespace: str, index: int, kind: int, colour: ColorRGBA) -> Marker:
    marker = Marker(ns=namespace, id=index, type=kind, action=Marker.ADD, color=colour)
    marker.header.frame_id = MAP
    marker.pose.orientation.w = 1.0
    return marker


def _text(namespace: str, index: int, text: str, at: Place, size: float) -> Marker:
    marker = _marker(namespace, index, Marker.TEXT_VIEW_FACING, _TEXT)
    marker.pose.position, marker.text, marker.scale.z = _point(*at), text, size
    return marker


def _point(x: float, y: float, z: float) -> Point:
    return Point(x=float(x), y=float(y), z=float(z))
