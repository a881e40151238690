# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where on the ground an object stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptz_site.geometry import Projection

#: px, one standard deviation of a box's foot point.
_FOOT_ERROR = 3.0


def foot_on_ground(view: Projection, box: NDArray[np.float64]) -> tuple[tuple[float, float], NDArray[np.float64]] | None:
    """Map x, y in metres of the middle of a box's lower edge, and its 2x2 covariance in m^2; None if it is not on the ground.

    box: centre x, centre y, width, height in pixels. The covariance follows from an error of the foot point in the picture, so it
    grows with the distance.
    """
    x, y = float(box[0]), float(box[1] + box[3] / 2)
    centre = view.to_ground((x, y))
    right, below = view.to_ground((x + 1, y)), view.to_ground((x, y + 1))
    if centre is None or right is None or below is None:
        return None
    jacobian = np.column_stack((np.subtract(right, centre), np.subtract(below, centre)))
    return centre, jacobian @ jacobian.T * _FOOT_ERROR**2
