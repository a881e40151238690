# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where on the ground an object stands: a point of its box, through the camera's projection. Map frame, metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_site import PtzPosition
from ptz_site.geometry import Projection
from ptz_site.schema import BaseCamera

Box = tuple[float, float, float, float]

#: px, one standard deviation of a box's foot point; and as a share of the box's height.
_FOOT_ERROR, _FOOT_SHARE = 2.0, 0.03
#: m, one standard deviation of people's heights, by which the middle of a box is less sure than its foot.
_HEIGHT_ERROR = 0.1
#: px; a box that ends nearer than this to the picture's edge is cut off there.
_CUT_OFF = 2.0


@dataclass(frozen=True)
class GroundPoint:
    """x, y in m, and the 2x2 covariance in m^2 that follows from errors in the picture: it grows with the distance."""

    x: float
    y: float
    covariance: NDArray[np.float64]


def view_of(camera: BaseCamera, pan: float, tilt: float, zoom: float) -> Projection | None:
    """A camera's projection in a position; None where the camera is not calibrated or its position is not known (NaN).

    pan, tilt: radians; zoom: magnification.
    """
    if not all(math.isfinite(value) for value in (pan, tilt, zoom)):
        return None
    return camera.projection(PtzPosition(pan, tilt, zoom))


def locate(view: Projection, box: Box, size: tuple[int, int], height: float | None = None) -> GroundPoint | None:
    """Where an object stands, by its foot; or by the middle of its box where the picture cuts off the feet and its height (m) is known.

    box: centre x, centre y, width, height in px; size: of the picture, px. None if neither can be told.
    """
    low, high = box[1] + box[3] / 2, box[1] - box[3] / 2
    if low <= size[1] - _CUT_OFF:
        return foot_on_ground(view, box)
    if height is None or high < _CUT_OFF:
        return None
    return _by_head(view, box, height)


def foot_on_ground(view: Projection, box: Box) -> GroundPoint | None:
    """The ground under the middle of a box's lower edge; None if that is not on the ground."""
    return _on_plane(view, (box[0], box[1] + box[3] / 2), 0.0, foot_error(box[3]))


def foot_error(height: float) -> float:
    """How wrong the foot of a box so high is expected to be, one standard deviation in px."""
    return math.hypot(_FOOT_ERROR, _FOOT_SHARE * height)


def centre_on_ground(view: Projection, box: Box, height: float) -> GroundPoint | None:
    """The ground below the middle of the box of something upright that is so high (m); None if there is none.

    The middle of a box is not quite the middle in space; for cameras above people the difference is small.
    """
    found = _on_plane(view, (box[0], box[1]), height / 2, foot_error(box[3]))
    return None if found is None else _less_sure(view, found, (box[0], box[1]), height / 2, _HEIGHT_ERROR / 2)


def _by_head(view: Projection, box: Box, height: float) -> GroundPoint | None:
    at = (box[0], box[1] - box[3] / 2)
    found = _on_plane(view, at, height, foot_error(box[3]))
    return None if found is None else _less_sure(view, found, at, height, _HEIGHT_ERROR)


def _on_plane(view: Projection, at: tuple[float, float], height: float, error: float) -> GroundPoint | None:
    # Boxes count pixels from the picture's edge, the projection from the centre of its first pixel.
    x, y = at[0] - 0.5, at[1] - 0.5
    centre = view.to_ground((x, y), height)
    right, below = view.to_ground((x + 1, y), height), view.to_ground((x, y + 1), height)
    if centre is None or right is None or below is None:
        return None
    jacobian = np.column_stack((np.subtract(right, centre), np.subtract(below, centre)))
    return GroundPoint(*centre, jacobian @ jacobian.T * error**2)


def _less_sure(view: Projection, point: GroundPoint, at: tuple[float, float], height: float, error: float) -> GroundPoint:
    """The same with what an error of the height (m) adds."""
    other = view.to_ground((at[0] - 0.5, at[1] - 0.5), height + error)
    if other is None:
        return point
    shift = np.array([other[0] - point.x, other[1] - point.y])
    return GroundPoint(point.x, point.y, point.covariance + np.outer(shift, shift))
