# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Density heat maps: where objects are, and were, as sums of Gaussians; and which parts of a picture are worth a closer look by them."""

from ptz_perception.density.bandwidth import Bandwidth, FixedBandwidth, NeighbourBandwidth, SizeBandwidth
from ptz_perception.density.hot_regions import HotRegion, hot_regions
from ptz_perception.density.maps import density_map
from ptz_perception.density.picture_heats import PictureHeats
from ptz_site.heat import Heat

__all__ = [
    'Bandwidth',
    'FixedBandwidth',
    'Heat',
    'HotRegion',
    'NeighbourBandwidth',
    'PictureHeats',
    'SizeBandwidth',
    'density_map',
    'hot_regions',
]
