# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the scenes of a data set at random. The same seed gives the same ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeVar

import numpy as np

from ptz_sim.conditions import DayTime, Season, Theme, Weather
from ptz_sim.dataset.spec import CameraSpec, Density, Distance, SceneSpec, Sensor, Split
from ptz_sim.shapes import Array, Point
from ptz_site import PtzPosition
from ptz_site.errors import UserError
from ptz_site.geometry import CameraPose, focal_length, wrap_angle
from ptz_site.schema import SimulationSettings

Word = Season | DayTime | Weather | Theme | Density | Distance
Chosen = TypeVar('Chosen', bound=Enum)

#: How often each is drawn. Far, small people are what detectors find hardest.
_SEASONS = {Season.SUMMER: 0.36, Season.AUTUMN: 0.28, Season.WINTER: 0.36}
_TIMES = {DayTime.DAY: 0.6, DayTime.DUSK: 0.25, DayTime.NIGHT: 0.15}
_WEATHER = {Weather.CLEAR: 0.42, Weather.OVERCAST: 0.24, Weather.FOG: 0.10, Weather.RAIN: 0.14, Weather.SNOW: 0.10}
_THEMES = {
    Theme.GARDEN: 0.3, Theme.PAVING: 0.18, Theme.ASPHALT: 0.14, Theme.CONCRETE: 0.14, Theme.GRAVEL: 0.12, Theme.MEADOW: 0.12,
}  # fmt: skip
_DENSITIES = {Density.EMPTY: 0.04, Density.SPARSE: 0.28, Density.BUSY: 0.42, Density.CROWDED: 0.26}
_DISTANCES = {Distance.FAR: 0.46, Distance.MIDDLE: 0.34, Distance.NEAR: 0.20}
#: Metres of the world's side, metres above ground of the cameras, and pixels of a person's height in a picture of 720 rows.
_EXTENT = {Distance.FAR: (80.0, 140.0), Distance.MIDDLE: (48.0, 80.0), Distance.NEAR: (30.0, 46.0)}
_MOUNTING = {Distance.FAR: (4.0, 16.0), Distance.MIDDLE: (3.0, 10.0), Distance.NEAR: (2.3, 6.0)}
_HEIGHT = {Distance.FAR: (11.0, 46.0), Distance.MIDDLE: (34.0, 130.0), Distance.NEAR: (90.0, 400.0)}
#: People for each 1000 square metres, between two limits.
_PEOPLE = {Density.SPARSE: (1.0, 3.0), Density.BUSY: (4.0, 10.0), Density.CROWDED: (14.0, 30.0)}
_MOST_PEOPLE = {Density.SPARSE: 12, Density.BUSY: 36, Density.CROWDED: 80}
_CAMERAS, _POSITIONS = 3, 4
_PERSON = 1.75


def draw_scenes(
    count: int, seed: int, size: tuple[int, int], shares: Sequence[float], conditions: Sequence[str] = ()
) -> tuple[SceneSpec, ...]:
    """So many scenes.

    size: of the pictures; shares: of the scenes for training, validation and test; conditions: keywords joined by commas, each a choice
    that scenes take by turns; what a choice leaves open is drawn.
    Raises UserError for words that are no keywords, and for shares that don't add up.
    """
    if seed < 0:
        raise UserError(f'--seed: {seed} found; allowed: 0 or more')
    choices = [_parse(choice) for choice in conditions] or [{}]
    splits = _splits(count, seed, shares)
    return tuple(_scene(index, splits[index], seed, size, choices[index % len(choices)]) for index in range(count))


def keywords() -> tuple[str, ...]:
    """All keywords that a choice of conditions may have."""
    return tuple(str(word.value) for kind in _KINDS for word in kind)


_KINDS: tuple[type[Enum], ...] = (Season, DayTime, Weather, Theme, Density, Distance)


def _parse(choice: str) -> dict[type[Enum], Enum]:
    found: dict[type[Enum], Enum] = {}
    for word in choice.split(','):
        kind = next((kind for kind in _KINDS if word in [str(w.value) for w in kind]), None)
        if kind is None:
            raise UserError(f'--conditions: {word!r} is no keyword; there are {", ".join(keywords())}')
        if kind in found:
            raise UserError(f'--conditions: {choice!r} names two of a kind; write them as two choices, with a space between')
        found[kind] = kind(word)
    return found


def _splits(count: int, seed: int, shares: Sequence[float]) -> list[Split]:
    if len(shares) != 3 or not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-6):
        raise UserError(f'--shares: {" ".join(map(str, shares))} found; three numbers from 0 on that add up to 1 are needed')
    edges = np.rint(np.cumsum(shares) * count).astype(int)
    ordered = [Split.TRAIN] * int(edges[0]) + [Split.VAL] * int(edges[1] - edges[0])
    ordered += [Split.TEST] * (count - len(ordered))
    order = np.random.default_rng([seed, 0, 1]).permutation(count)
    return [ordered[int(place)] for place in order]


def _scene(index: int, split: Split, seed: int, size: tuple[int, int], fixed: Mapping[type[Enum], Enum]) -> SceneSpec:
    rng = np.random.default_rng([seed, 1, index])
    season = _draw(rng, _SEASONS, fixed)
    time = _draw(rng, _TIMES, fixed)
    weather = _draw(rng, _weather_of(season), fixed)
    theme = _draw(rng, _THEMES, fixed)
    density = _draw(rng, _DENSITIES, fixed)
    distance = _draw(rng, _DISTANCES, fixed)
    extent = float(rng.uniform(*_EXTENT[distance]))
    settings = SimulationSettings(
        seed=int(rng.integers(1, 2**31)),
        walkers=_people(rng, density, extent),
        vehicles=int(rng.integers(0, 6)),
        extent=extent,
        buildings=int(rng.integers(1, 9)),
        season=season.value,
        time_of_day=time.value,
        weather=weather.value,
        ground=theme.value,
        people='varied',
    )
    polygons = _polygons(rng, extent)
    # Drawn apart where the time is chosen, so that data sets of several times have the same cameras.
    dice = np.random.default_rng([seed, 2, index]) if DayTime in fixed else rng
    grey = time is DayTime.NIGHT and dice.uniform() < 0.5
    cameras = tuple(_camera(f'c{number}', rng, size, extent, distance, polygons, grey) for number in range(_CAMERAS))
    words = (season.value, time.value, weather.value, theme.value, density.value, distance.value, *(['infrared'] if grey else []))
    return SceneSpec(f'scene{index:04d}', split, words, settings, polygons, cameras)


def _weather_of(season: Season) -> dict[Weather, float]:
    """Snow falls in winter, rain hardly."""
    weights = dict(_WEATHER)
    if season is Season.WINTER:
        weights[Weather.RAIN], weights[Weather.SNOW] = 0.03, 0.21
    else:
        weights[Weather.SNOW] = 0.0
    return weights


def _draw(rng: np.random.Generator, weights: Mapping[Chosen, float], fixed: Mapping[type[Enum], Enum]) -> Chosen:
    # Drawn in any case, so that a choice of conditions changes nothing else of the scene.
    options, chances = list(weights), np.array(list(weights.values()))
    drawn = options[int(rng.choice(len(options), p=chances / chances.sum()))]
    chosen = fixed.get(type(drawn), drawn)
    assert isinstance(chosen, type(drawn))
    return chosen


def _people(rng: np.random.Generator, density: Density, extent: float) -> int:
    share = float(rng.uniform())
    if density is Density.EMPTY:
        return 0
    low, high = _PEOPLE[density]
    return int(np.clip(round((low + share * (high - low)) * extent * extent / 1000), 2, _MOST_PEOPLE[density]))


def _polygons(rng: np.random.Generator, extent: float) -> dict[str, tuple[Point, ...]]:
    found: dict[str, tuple[Point, ...]] = {}
    for number in range(int(rng.integers(2, 5))):
        half = extent * rng.uniform(0.07, 0.16, 2)
        x, y = rng.uniform(-0.42, 0.42, 2) * extent * (1 - 2 * half / extent)
        left, right, low, high = (float(v) for v in (x - half[0], x + half[0], y - half[1], y + half[1]))
        found[f'p{number}'] = ((left, low), (right, low), (right, high), (left, high))
    return found


def _camera(
    name: str,
    rng: np.random.Generator,
    size: tuple[int, int],
    extent: float,
    distance: Distance,
    polygons: Mapping[str, Sequence[Point]],
    grey: bool,
) -> CameraSpec:
    """A camera near the edge of the world that looks at parts of it."""
    around, out = float(rng.uniform(-math.pi, math.pi)), float(rng.uniform(0.3, 0.47)) * extent
    # On a square, not on a circle: corners see farthest.
    reach = out / max(abs(math.cos(around)), abs(math.sin(around)))
    x, y = reach * math.cos(around), reach * math.sin(around)
    pose = CameraPose(x, y, float(rng.uniform(*_MOUNTING[distance])), wrap_angle(around + math.pi))
    hfov = float(rng.uniform(math.radians(50), math.radians(96)))
    goals = list(polygons.values())
    positions = []
    for _ in range(_POSITIONS):
        corners = np.asarray(goals[int(rng.integers(len(goals)))], float)
        goal = rng.uniform(corners.min(axis=0), corners.max(axis=0))
        positions.append(_position(rng, pose, hfov, size, goal, distance))
    return CameraSpec(name, pose, hfov, size, tuple(positions), _sensor(rng, grey))


def _position(
    rng: np.random.Generator, pose: CameraPose, hfov: float, size: tuple[int, int], goal: Array, distance: Distance
) -> PtzPosition:
    """Looks at a place, so that a person there has about the size that the distance stands for."""
    low, high = _HEIGHT[distance]
    wanted = math.exp(rng.uniform(math.log(low), math.log(high))) * size[1] / 720
    across = math.dist((pose.x, pose.y), (float(goal[0]), float(goal[1])))
    away = max(math.hypot(across, pose.z), 2.0)
    focal = wanted * away / _PERSON
    widest = focal_length(size[0], hfov, 1.0)
    zoom = float(np.clip(focal / widest, 1.0, 25.0))
    seen = math.atan(math.tan(hfov / 2) / zoom)
    pan = wrap_angle(
        math.atan2(float(goal[1]) - pose.y, float(goal[0]) - pose.x) - pose.yaw + seen * float(rng.uniform(-0.4, 0.4))
    )
    tilt = math.atan2(0.9 - pose.z, across) + seen * size[1] / size[0] * float(rng.uniform(-0.35, 0.45))
    return PtzPosition(pan, float(np.clip(tilt, -1.4, 0.12)), zoom)


def _sensor(rng: np.random.Generator, grey: bool) -> Sensor:
    soft = float(rng.uniform(0.3, 1.3)) if rng.uniform() < 0.45 else 0.0
    blue, red = float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.9, 1.1))
    return Sensor(
        bias=float(np.exp(rng.normal(0, 0.16))),
        tint=(blue, 1.0, red),
        noise=float(rng.exponential(2.2)),
        softness=soft,
        edge=float(rng.uniform(0.2, 1.0)) if rng.uniform() < 0.4 else 0.0,
        grey=grey,
        quality=int(rng.integers(62, 96)),
    )
