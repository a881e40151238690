# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground can be covered with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ptz_sim.conditions import Colour, Season, Theme

_GRASS: dict[Season, Colour] = {
    Season.SUMMER: (52.0, 98.0, 84.0),
    Season.AUTUMN: (56.0, 98.0, 108.0),
    Season.WINTER: (74.0, 100.0, 108.0),
}


class Pattern(Enum):
    """How a surface is laid."""

    PLAIN = 'plain'
    PAVERS = 'pavers'
    SLABS = 'slabs'


@dataclass(frozen=True)
class Cover:
    """A surface: colour (blue, green, red), strength of its grain and of its large patches, and how it is laid.

    size: length and width of a stone in metres; spread: how much the stones differ.
    """

    colour: Colour
    grain: float
    patches: float
    pattern: Pattern = Pattern.PLAIN
    size: tuple[float, float] = (0.0, 0.0)
    spread: float = 0.0


#: What covers the ground between the yards. A garden's and a meadow's is grass.
COVERS: dict[Theme, Cover] = {
    Theme.PAVING: Cover((128.0, 138.0, 146.0), 0.9, 1.2, Pattern.PAVERS, (0.5, 0.25), 8.0),
    Theme.ASPHALT: Cover((86.0, 86.0, 85.0), 1.7, 1.3),
    Theme.CONCRETE: Cover((146.0, 152.0, 156.0), 1.0, 1.6, Pattern.SLABS, (3.5, 3.5), 4.5),
    Theme.GRAVEL: Cover((118.0, 132.0, 142.0), 3.2, 1.4),
}
#: What yards have instead of stones where everything else is grass.
TRODDEN = Cover((84.0, 112.0, 128.0), 2.2, 1.6)


def grass_colour(season: Season) -> Colour:
    """Grass of a season."""
    return _GRASS[season]
