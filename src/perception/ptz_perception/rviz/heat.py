# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A scene's heat as a grid map that rviz shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ptz_perception.rviz.markers import MAP
from ptz_site.heat import SceneHeat

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from nav_msgs.msg import OccupancyGrid

#: What a cell outside of the scene has in a grid map, and the most that one can have.
_UNKNOWN, _MOST = -1, 100


def fill(grid: OccupancyGrid, heat: SceneHeat, stamp: Time) -> OccupancyGrid:
    """Fills a message: 100 where the heat is greatest, 0 where nobody was, -1 outside of the scene's polygon."""
    ground, found = heat.grid, heat.per_square_metre
    if found is None:
        found = np.zeros(ground.inside.shape, np.float32)
    hottest = float(found[ground.inside].max(initial=0.0))
    shares = found / hottest if hottest > 0 else found
    cells = np.where(ground.inside, np.clip(np.rint(_MOST * shares), 0, _MOST), _UNKNOWN).astype(np.int8)
    grid.header.frame_id, grid.header.stamp = MAP, stamp
    grid.info.map_load_time, grid.info.resolution = stamp, ground.cell
    grid.info.height, grid.info.width = cells.shape
    grid.info.origin.position.x, grid.info.origin.position.y = ground.left, ground.bottom
    grid.info.origin.orientation.w = 1.0
    grid.data = cells.ravel().tolist()
    return grid
