# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From ONVIF's generic position spaces to radians and magnification, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ptz_driver.onvif.client import Vector
from ptz_site import OnvifCamera, PtzPosition


@dataclass(frozen=True)
class Ranges:
    """Radians where pan and tilt are -1 and +1, and magnification where zoom is 0 and 1."""

    pan: tuple[float, float]
    tilt: tuple[float, float]
    zoom: tuple[float, float]

    def position(self, vector: Vector) -> PtzPosition:
        """Of the generic spaces, in radians. A camera that does not tell its zoom has the least."""
        zoom = 0.0 if vector.zoom is None else vector.zoom
        return PtzPosition(
            _between(self.pan, (vector.pan + 1) / 2), _between(self.tilt, (vector.tilt + 1) / 2), _between(self.zoom, zoom)
        )

    def vector(self, position: PtzPosition) -> Vector:
        """In the generic spaces; outside of them: their end."""
        pan, tilt = 2 * _share(self.pan, position.pan) - 1, 2 * _share(self.tilt, position.tilt) - 1
        zoom = _share(self.zoom, position.zoom) if self.zoom[0] < self.zoom[1] else 0.0
        return Vector(_limited(pan, -1.0), _limited(tilt, -1.0), _limited(zoom, 0.0))


def ranges_of(camera: OnvifCamera) -> Ranges:
    """As the site says."""
    pan, tilt = camera.pan_range, camera.tilt_range
    return Ranges(
        (math.radians(pan[0]), math.radians(pan[1])),
        (math.radians(tilt[0]), math.radians(tilt[1])),
        (camera.zoom[0], camera.zoom[1]),
    )


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + share * (ends[1] - ends[0])


def _share(ends: tuple[float, float], value: float) -> float:
    return (value - ends[0]) / (ends[1] - ends[0])


def _limited(value: float, least: float) -> float:
    return min(max(value, least), 1.0)
