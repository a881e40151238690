# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where tracks are turned to, on the ground: what their pictures say over some frames, and where they walk. Map frame, radians."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ptz_perception.facing.model import Vector
from ptz_site import NANOSECONDS, CameraPose

#: s after which a picture counts for a third of a new one: people turn within a second.
_MEMORY = 0.35
#: Of a direction that is known (0: nothing, 1: all agree): below it, it is not.
_SURE = 0.5
#: Where somebody walks, beside what a perfect picture says: where people walk they look, mostly.
_WALKING = 0.7


@dataclass(frozen=True)
class Facing:
    """What pictures said of one track. vector: the direction in the map, as long as it is sure."""

    stamp_ns: int
    vector: Vector


def in_map(seen: Vector, ground: tuple[float, float], camera: CameraPose) -> Vector:
    """A vector that is relative to the direction from somebody (ground, m) to the camera, in the map."""
    towards = math.atan2(camera.y - ground[1], camera.x - ground[0])
    cos, sin = math.cos(towards), math.sin(towards)
    return np.array([cos * seen[0] - sin * seen[1], sin * seen[0] + cos * seen[1]])


def and_also(before: Facing | None, seen: Vector, stamp_ns: int) -> Facing:
    """With one more picture: older ones fade. The mean of unit vectors is as long as they agree (Mardia and Jupp 2000)."""
    if before is None:
        return Facing(stamp_ns, seen)
    kept = math.exp(-max(0, stamp_ns - before.stamp_ns) / (_MEMORY * NANOSECONDS))
    return Facing(stamp_ns, kept * before.vector + (1 - kept) * seen)


def turned_to(facing: Facing | None, walking: float | None, stamp_ns: int) -> float | None:
    """Where somebody is turned to; None if that is not sure, or if pictures and walking contradict each other.

    walking: their direction of movement; None if they stand.
    """
    if facing is None:
        return walking
    total = facing.vector * math.exp(-max(0, stamp_ns - facing.stamp_ns) / (3 * _MEMORY * NANOSECONDS))
    if walking is not None:
        total += _WALKING * np.array([math.cos(walking), math.sin(walking)])
    return math.atan2(total[1], total[0]) if float(np.linalg.norm(total)) >= _SURE else None


class Facings:
    """What pictures said of each track of one camera."""

    def __init__(self, camera: CameraPose) -> None:
        self._camera = camera
        self._known: dict[int, Facing] = {}

    def take(self, track_id: int, seen: Vector, ground: tuple[float, float], stamp_ns: int) -> None:
        """A track's picture says something. seen: as FacingModel.look() gives it; ground: m, where they stand."""
        self._known[track_id] = and_also(self._known.get(track_id), in_map(seen, ground, self._camera), stamp_ns)

    def of(self, track_id: int) -> Facing | None:
        """What is known of a track."""
        return self._known.get(track_id)

    def keep(self, track_ids: Collection[int]) -> None:
        """Forgets all others."""
        self._known = {track_id: facing for track_id, facing in self._known.items() if track_id in track_ids}
