# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where on the ground an object stands."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ptz_site import PtzPosition
from ptz_site.geometry import Projection
from ptz_site.schema import BaseCamera

#: px, one standard deviation of a box's foot point.
_FOOT_ERROR = 3.0


#: px; a box that ends nearer than this to the picture's lower edge is cut off there.
_CUT_OFF = 2.0


def view_of(camera: BaseCamera, pan: float, tilt: float, zoom: float) -> Projection | None:
    """A camera's projection in a position; None where the camera is not calibrated or its position is not known (NaN).

    pan, tilt: radians; zoom: magnification.
    """
    if not all(math.isfinite(value) for value in (pan, tilt, zoom)):
        return None
    return camera.projection(PtzPosition(pan, tilt, zoom))


def foot_on_ground(
    view: Projection, box: NDArray[np.float64], picture_height: float
) -> tuple[tuple[float, float], NDArray[np.float64]] | None:
    """Map x, y in metres of the middle of a box's lower edge, and its 2x2 covariance in m^2.

    None if that point is not on the ground, or not in the picture: where the lower edge of the picture cuts somebody off, the feet
    are nearer than they seem. box: centre x, centre y, width, height in pixels; picture_height: pixels. The covariance follows from
    an error of the foot point in the picture, so it grows with the distance.
    """
    edge = float(box[1] + box[3] / 2)
    if edge > picture_height - _CUT_OFF:
        return None
    # Boxes count pixels from the picture's edge, the projection from the centre of its first pixel.
    x, y = float(box[0]) - 0.5, edge - 0.5
    centre = view.to_ground((x, y))
    right, below = view.to_ground((x + 1, y)), view.to_ground((x, y + 1))
    if centre is None or right is None or below is None:
        return None
    jacobian = np.column_stack((np.subtract(right, centre), np.subtract(below, centre)))
    return centre, jacobian @ jacobian.T * _FOOT_ERROR**2
