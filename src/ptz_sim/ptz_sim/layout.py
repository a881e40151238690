# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What stands still in the simulated region: road, paths, buildings, trees, hedges. All from the seed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ptz_sim.shapes import Array, Block, Blocks, Point, centroid, in_polygon, polygon_distance, turn
from ptz_site.schema import SimulationSettings

#: Direction to the sun: azimuth and elevation in radians. It stays; what changes is how bright it shines.
SUN = (math.radians(-125.0), math.radians(40.0))
ROAD_WIDTH = 6.0
PATH_WIDTH = 2.6
HEDGE_HEIGHT = 1.5
#: Metres of ground beyond the square world that are painted as finely as the inside.
SURROUND = 14.0


class Look(Enum):
    """How a block is dressed."""

    OFFICE = 'office'
    BRICK = 'brick'
    HALL = 'hall'
    HUT = 'hut'
    HOUSE = 'house'
    HEDGE = 'hedge'
    CABINET = 'cabinet'
    PLANTER = 'planter'
    BENCH = 'bench'


@dataclass(frozen=True)
class Structure:
    """A block with its dress. A gable roof rises above the block's height by `gable` metres."""

    block: Block
    look: Look
    tint: int
    gable: float = 0.0


@dataclass(frozen=True)
class Tree:
    """A tree: foot, height in metres, and which of the drawn trees it is."""

    x: float
    y: float
    height: float
    kind: int

    def crown(self) -> Block:
        """A box about as large as the crown."""
        side = self.height * 0.42
        return Block(self.x, self.y, 0.0, side, side, self.height * 0.5, base=self.height * 0.4)


@dataclass(frozen=True)
class Road:
    """A straight road through the world, along x (angle 0) or y (pi/2), at a distance to the left of the origin's axis."""

    along_x: bool
    offset: float
    width: float = ROAD_WIDTH

    def point(self, along: float, across: float) -> Point:
        """Map point from metres along the road and to the left of its middle."""
        return (along, self.offset + across) if self.along_x else (self.offset - across, along)

    def distance(self, points: Array) -> Array:
        """Distance of points (n, 2) from the middle line."""
        return np.abs(points[:, 1 if self.along_x else 0] - self.offset)

    @property
    def heading(self) -> float:
        """Direction of growing `along`, radians."""
        return 0.0 if self.along_x else math.pi / 2


@dataclass(frozen=True)
class Viewpoint:
    """A camera's place, and the scenes that it looks at: buildings are placed so that it can."""

    x: float
    y: float
    z: float
    scenes: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """Where people come in: a point outside and one just inside the hedge."""

    outside: Point
    inside: Point


@dataclass(frozen=True)
class Layout:
    """Everything that stands still."""

    half: float
    road: Road
    paths: tuple[tuple[Point, Point], ...]
    entries: tuple[Entry, ...]
    buildings: tuple[Structure, ...]
    furniture: tuple[Structure, ...]
    hedges: tuple[Structure, ...]
    backdrop: tuple[Structure, ...]
    trees: tuple[Tree, ...]
    far_trees: tuple[Tree, ...]

    @property
    def structures(self) -> tuple[Structure, ...]:
        """All that is built or planted as a block."""
        return self.buildings + self.furniture + self.hedges + self.backdrop

    def solid(self) -> Blocks:
        """What nobody walks through."""
        trunks = [Block(t.x, t.y, 0.0, 0.5, 0.5, t.height) for t in self.trees]
        return Blocks([s.block for s in self.buildings + self.furniture] + trunks)

    def opaque(self) -> Blocks:
        """What hides people from cameras."""
        blocks = [s.block for s in self.buildings + self.furniture + self.hedges]
        return Blocks(blocks + [t.crown() for t in self.trees])


def make_layout(
    settings: SimulationSettings, scenes: Mapping[str, Sequence[Point]], viewpoints: Sequence[Viewpoint] = ()
) -> Layout:
    """Lays the region out. Buildings keep off scenes and road, and leave each viewpoint most of its view of its scenes."""
    rng = np.random.default_rng([settings.seed, 1])
    reach = max((abs(v) for polygon in scenes.values() for point in polygon for v in point), default=0.0)
    half = max(settings.extent / 2, reach + 5.0)
    road = _road(scenes)
    paths = _paths(scenes, road)
    placer = _Placer(half, road, paths, scenes, viewpoints, rng)
    buildings = placer.buildings(settings.buildings)
    furniture = placer.furniture()
    trees = placer.trees(round(half / 2))
    entries = _entries(half, road)
    hedges = _hedges(half, entries, rng)
    backdrop, far_trees = _outside(half, road, rng)
    return Layout(half, road, paths, entries, buildings, furniture, hedges, backdrop, trees, far_trees)


def _road(scenes: Mapping[str, Sequence[Point]]) -> Road:
    """The axis through the middle of the most scenes."""
    best = (0, 0.0, Road(True, 0.0))
    for along_x in (True, False):
        axis = 1 if along_x else 0
        for polygon in scenes.values():
            line = centroid(polygon)[axis]
            spans = [[p[axis] for p in other] for other in scenes.values()]
            crossed = [(min(s) + max(s)) / 2 for s in spans if min(s) + 1.5 <= line <= max(s) - 1.5]
            offset = sum(crossed) / len(crossed) if crossed else line
            score = (len(crossed), -sum(abs(c - offset) for c in crossed))
            if score > best[:2]:
                best = (*score, Road(along_x, offset))
    return best[2]


def _paths(scenes: Mapping[str, Sequence[Point]], road: Road) -> tuple[tuple[Point, Point], ...]:
    """Footpaths: between the scenes, and from each scene to the road."""
    middles = [centroid(polygon) for polygon in scenes.values()]
    paths = [(a, b) for i, a in enumerate(middles) for b in middles[i + 1 :]]
    for x, y in middles:
        foot = (x, road.offset) if road.along_x else (road.offset, y)
        if math.dist(foot, (x, y)) > 4:
            paths.append(((x, y), foot))
    return tuple(paths)


def _entries(half: float, road: Road) -> tuple[Entry, ...]:
    """Beside both ends of the road, and one in the middle of the side that is farthest from the road."""
    entries = []
    for end in (-1, 1):
        for side in (-1, 1):
            across = side * (ROAD_WIDTH / 2 + 0.9)
            entries.append(Entry(road.point(end * (half + 6), across), road.point(end * (half - 1.5), across)))
    # Left of an along-x road is +y, left of an along-y road is -x.
    to_origin = -road.offset if road.along_x else road.offset
    side = 1 if to_origin >= 0 else -1
    edge = to_origin + side * half
    entries.append(Entry(road.point(half * 0.3, edge + side * 6), road.point(half * 0.3, edge - side * 1.5)))
    return tuple(entries)


def _hedges(half: float, entries: Sequence[Entry], rng: np.random.Generator) -> tuple[Structure, ...]:
    """A hedge around the world, open where people come in."""
    hedges = []
    for side in range(4):
        spin = turn(side * math.pi / 2)
        gaps = []
        for entry in entries:
            along, across = (np.array(entry.inside) + entry.outside) / 2 @ spin
            if across > half * 0.8:
                gaps.append(float(along))
        gaps.sort()
        edges = [-half, *(v for gap in gaps for v in (gap - 2.2, gap + 2.2)), half]
        if len(gaps) == 2:  # the road's end: one opening
            edges = [-half, gaps[0] - 1.6, gaps[1] + 1.6, half]
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if end - begin > 1:
                x, y = spin @ np.array([(begin + end) / 2, half])
                block = Block(float(x), float(y), side * math.pi / 2, end - begin, 0.9, HEDGE_HEIGHT)
                hedges.append(Structure(block, Look.HEDGE, int(rng.integers(4))))
    return tuple(hedges)


def _outside(half: float, road: Road, rng: np.random.Generator) -> tuple[tuple[Structure, ...], tuple[Tree, ...]]:
    """Houses and trees around the region: only to be looked at."""
    houses, trees = [], []
    count = 12
    for i in range(count):
        angle = 2 * math.pi * (i + float(rng.uniform(0.15, 0.85))) / count
        radius = half * 1.42 + float(rng.uniform(7, 34))
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        length, width = float(rng.uniform(9, 20)), float(rng.uniform(7, 10))
        if float(road.distance(np.array([[x, y]]))[0]) < length / 2 + 8:
            continue
        look = (Look.HOUSE, Look.HOUSE, Look.OFFICE, Look.BRICK)[int(rng.integers(4))]
        height = float(rng.uniform(4.5, 6.0)) if look is Look.HOUSE else float(rng.uniform(7, 13))
        block = Block(x, y, float(rng.integers(4)) * math.pi / 2 + float(rng.uniform(-0.15, 0.15)), length, width, height)
        houses.append(Structure(block, look, int(rng.integers(6)), gable=width * 0.35 if look is Look.HOUSE else 0.0))
    blocks = Blocks([h.block for h in houses])
    for _ in range(54):
        angle, radius = float(rng.uniform(0, 2 * math.pi)), half * float(rng.uniform(1.12, 2.3))
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        spot = np.array([[x, y]])
        near_edge = max(abs(x), abs(y)) < half + 3
        if near_edge or float(road.distance(spot)[0]) < 8 or (houses and bool(blocks.contain(spot, 3.0)[0])):
            continue
        trees.append(Tree(x, y, float(rng.uniform(5.5, 11)), int(rng.integers(6))))
    return tuple(houses), tuple(trees)


class _Placer:
    """Finds room: keeps what has been placed, and which lines of sight are already cut."""

    #: Share of a camera's view of one scene that may be hidden.
    HIDDEN = 0.22

    def __init__(
        self,
        half: float,
        road: Road,
        paths: Sequence[tuple[Point, Point]],
        scenes: Mapping[str, Sequence[Point]],
        viewpoints: Sequence[Viewpoint],
        rng: np.random.Generator,
    ) -> None:
        self._half, self._road, self._paths, self._scenes, self._rng = half, road, paths, scenes, rng
        self._mounts = np.array([[v.x, v.y] for v in viewpoints]).reshape(-1, 2)
        self._sights = [_sight(v, scenes[s]) for v in viewpoints for s in v.scenes if s in scenes]
        self._cut = [np.zeros(len(origins), bool) for origins, _ in self._sights]
        self._taken: list[Block] = []

    def buildings(self, count: int) -> tuple[Structure, ...]:
        """Large ones towards the edge and small ones beside the scenes, by turns."""
        found = []
        for index in range(count):
            large = index % 2 == 0
            structure = self._try(300, self._large if large else self._small)
            if structure is not None:
                found.append(structure)
        return tuple(found)

    def furniture(self) -> tuple[Structure, ...]:
        """Low things beside the scenes: cabinets, planters, benches."""
        found = []
        for name in self._scenes:
            for _ in range(3):
                structure = self._try(40, functools.partial(self._beside, name))
                if structure is not None:
                    found.append(structure)
        return tuple(found)

    def trees(self, count: int) -> tuple[Tree, ...]:
        """Trees on the grass."""
        found = []
        for _ in range(count * 6):
            x, y = (float(v) for v in self._rng.uniform(-self._half + 2.5, self._half - 2.5, 2))
            tree = Tree(x, y, float(self._rng.uniform(4.5, 7.0)), int(self._rng.integers(6)))
            if self._fits(Block(x, y, 0.0, 1.6, 1.6, tree.height), 1.8, tree.crown()):
                self._taken.append(Block(x, y, 0.0, 2.4, 2.4, tree.height))
                found.append(tree)
            if len(found) == count:
                break
        return tuple(found)

    def _try(self, times: int, draw: Callable[[], tuple[Structure, float]]) -> Structure | None:
        for _ in range(times):
            structure, margin = draw()
            if self._fits(structure.block, margin, structure.block):
                self._taken.append(structure.block)
                return structure
        return None

    def _large(self) -> tuple[Structure, float]:
        rng = self._rng
        side, along = int(rng.integers(4)), float(rng.uniform(-0.8, 0.8)) * self._half
        length, width, height = float(rng.uniform(8, 13)), float(rng.uniform(5, 7.5)), float(rng.uniform(4.5, 7.5))
        x, y = turn(side * math.pi / 2) @ np.array([along, self._half - width / 2 - 2.0])
        look = (Look.OFFICE, Look.BRICK, Look.HALL)[int(rng.integers(3))]
        block = Block(float(x), float(y), side * math.pi / 2, length, width, height)
        return Structure(block, look, int(rng.integers(6))), 1.5

    def _small(self) -> tuple[Structure, float]:
        rng = self._rng
        names = list(self._scenes)
        x, y = (float(v) for v in rng.uniform(-0.8, 0.8, 2) * self._half)
        if names and rng.uniform() < 0.8:
            polygon = np.asarray(self._scenes[names[int(rng.integers(len(names)))]], float)
            low, high = polygon.min(axis=0) - 4.0, polygon.max(axis=0) + 4.0
            x, y = (float(v) for v in rng.uniform(low, high))
        length, width = float(rng.uniform(3.0, 4.2)), float(rng.uniform(2.4, 3.0))
        block = Block(x, y, float(rng.integers(2)) * math.pi / 2, length, width, float(rng.uniform(2.6, 3.2)))
        return Structure(block, Look.HUT, int(rng.integers(6))), 0.5

    def _beside(self, scene: str) -> tuple[Structure, float]:
        rng = self._rng
        polygon = np.asarray(self._scenes[scene], float)
        x, y = (float(v) for v in rng.uniform(polygon.min(axis=0) - 2.0, polygon.max(axis=0) + 2.0))
        look = (Look.CABINET, Look.PLANTER, Look.BENCH)[int(rng.integers(3))]
        length, width, height = {
            Look.CABINET: (1.6, 0.7, 1.5),
            Look.PLANTER: (1.8, 0.8, 0.6),
            Look.BENCH: (1.8, 0.5, 0.45),
        }[look]
        yaw = float(rng.integers(2)) * math.pi / 2
        return Structure(Block(x, y, yaw, length, width, height), look, int(rng.integers(6))), 0.15

    def _fits(self, foot: Block, margin: float, screen: Block) -> bool:
        """Room on the ground, and every camera keeps enough of its view past the screen."""
        outline = np.vstack((foot.corners(margin), foot.corners(margin / 2), [[foot.x, foot.y]]))
        if np.abs(foot.corners()).max() > self._half - 1.0:
            return False
        if (self._road.distance(outline) < self._road.width / 2 + 2.0).any():
            return False
        for polygon in self._scenes.values():
            corners = np.asarray(polygon, float)
            if in_polygon(outline, polygon).any() or foot.contains(corners, margin).any():
                return False
            if screen.height > 2 and polygon_distance(outline, polygon).min() < 0.3:
                return False
        if len(self._mounts) and foot.contains(self._mounts, 2.5).any():
            return False
        if screen.height > 2 and self._on_path(foot):
            return False
        if any(other.contains(outline, 1.2).any() or foot.contains(other.corners(), 1.2).any() for other in self._taken):
            return False
        return self._leaves_view(screen)

    def _on_path(self, foot: Block) -> bool:
        if not self._paths:
            return False
        ends = np.array(self._paths)
        return bool(Blocks([foot]).hits(ends[:, 0], ends[:, 1], PATH_WIDTH / 2).any())

    def _leaves_view(self, screen: Block) -> bool:
        blocks = Blocks([screen])
        cut = [hidden | blocks.hits(origins, ends)[:, 0] for hidden, (origins, ends) in zip(self._cut, self._sights, strict=True)]
        if any(hidden.mean() > self.HIDDEN for hidden in cut):
            return False
        self._cut = cut
        return True


def _sight(viewpoint: Viewpoint, polygon: Sequence[Point]) -> tuple[Array, Array]:
    """Lines from a camera to people all over a scene."""
    corners = np.asarray(polygon, float)
    low, high = corners.min(axis=0), corners.max(axis=0)
    grid = np.array([(x, y) for x in np.linspace(low[0], high[0], 9) for y in np.linspace(low[1], high[1], 9)])
    grid = grid[in_polygon(grid, polygon)]
    ends = np.array([(x, y, z) for x, y in grid for z in (0.3, 1.5)]).reshape(-1, 3)
    return np.tile([viewpoint.x, viewpoint.y, viewpoint.z], (len(ends), 1)), ends
