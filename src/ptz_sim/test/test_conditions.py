# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of seasons, times of day, weather and ground: each changes pictures the way it should, and the same at every call."""

from __future__ import annotations

import numpy as np
import pytest

from ptz_sim import clothes
from ptz_sim.conditions import Conditions, DayTime, Season, Theme, Weather, air
from ptz_sim.exposure import ExposureLimits, automatic
from ptz_sim.renderer import Renderer
from ptz_sim.world import World
from ptz_site import PtzPosition
from ptz_site.geometry import CameraPose, projection
from ptz_site.schema import SimulationSettings

SIZE = (320, 180)
SCENES = {'yard': [(-8.0, -8.0), (8.0, -8.0), (8.0, 8.0), (-8.0, 8.0)]}
#: Looks over the yard, with some sky.
VIEW = projection(CameraPose(0, -24, 5, 1.57), PtzPosition(0, -0.12, 1), SIZE, 1.1)


def make_world(walkers: int = 0, **conditions: str) -> World:
    return World(SimulationSettings(seed=5, walkers=walkers, vehicles=0, extent=50, **conditions), SCENES)


def render(world: World, seconds: float = 100.0) -> np.ndarray:
    exposure = automatic(world.light(seconds).brightness, ExposureLimits()).factor
    return Renderer(world, SIZE, 512).render(seconds, VIEW, exposure).astype(int)


@pytest.fixture(scope='module')
def day() -> np.ndarray:
    return render(make_world())


def test_conditions_that_are_not_named_are_a_clear_summer_day() -> None:
    assert make_world().conditions == Conditions(Season.SUMMER, DayTime.DAY, Weather.CLEAR, Theme.GARDEN)
    clear = air(Conditions(), 3)
    assert (clear.haze, clear.noise, clear.brightness, clear.colour) == (0, 0, 1, (1, 1, 1))


def test_it_gets_darker_and_noisier_from_day_to_night(day: np.ndarray) -> None:
    dusk, night = render(make_world(time_of_day='dusk')), render(make_world(time_of_day='night'))
    assert day.mean() > dusk.mean() + 15 > night.mean() + 30
    assert night.mean() > 8

    def noise(picture: np.ndarray) -> float:
        sky = picture[2:20]
        return float((sky - sky.mean(axis=1, keepdims=True)).std())

    assert noise(day) < 2 < noise(dusk) < noise(night)


def test_shadows_are_cast_in_the_sun_alone(day: np.ndarray) -> None:
    ground = {weather: Renderer(make_world(weather=weather), SIZE, 512).ground for weather in ('clear', 'overcast', 'fog')}
    assert ground['clear'].shadow.picture.max() > 200
    assert ground['overcast'].shadow.picture.max() == ground['fog'].shadow.picture.max() == 0
    dusk = Renderer(make_world(time_of_day='dusk'), SIZE, 512).ground
    assert 50 < dusk.shadow.picture.max() < 200


def test_fog_takes_the_more_contrast_the_farther_things_are(day: np.ndarray) -> None:
    fog = render(make_world(weather='fog'))
    # Rows from the horizon down to the camera's feet.
    far, near = slice(75, 95), slice(150, 175)
    kept = [fog[rows].std() / day[rows].std() for rows in (far, near)]
    assert kept[0] < 0.6 * kept[1] and kept[1] < 1


def test_winter_is_white_and_autumn_is_not_green(day: np.ndarray) -> None:
    ground = slice(100, None)
    winter, autumn = render(make_world(season='winter')), render(make_world(season='autumn'))
    assert winter[ground].mean() > day[ground].mean() + 40
    greens = [float((picture[ground][..., 1] - picture[ground][..., 2]).mean()) for picture in (day, autumn)]
    assert greens[1] < greens[0] - 4


def test_rain_makes_the_ground_darker(day: np.ndarray) -> None:
    overcast, rain = render(make_world(weather='overcast')), render(make_world(weather='rain'))
    assert rain[100:].mean() < overcast[100:].mean() - 10


@pytest.mark.parametrize('weather', ['rain', 'snow'])
def test_drops_and_flakes_are_elsewhere_in_the_next_picture_and_the_same_in_the_same(weather: str) -> None:
    renderer = Renderer(make_world(weather=weather), SIZE, 512)
    first, again, later = (renderer.render(seconds, VIEW).astype(int) for seconds in (50.0, 50.0, 50.1))
    assert (first == again).all()
    # The noise alone would differ by 1.
    assert 0.001 < (np.abs(first - later).max(axis=2) > 8).mean() < 0.2


@pytest.mark.parametrize('theme', Theme)
def test_every_ground_looks_different(theme: Theme, day: np.ndarray) -> None:
    picture = render(make_world(ground=theme.value))
    assert picture[100:].std() > 5
    assert theme is Theme.GARDEN or np.abs(picture - day)[100:].mean() > 4


def test_varied_people_are_all_sorts_and_dress_for_the_season() -> None:
    looks = {season: [clothes.varied(np.random.default_rng([1, n]), season) for n in range(200)] for season in Season}
    summer, winter = looks[Season.SUMMER], looks[Season.WINTER]
    heights = [look.height for look in summer]
    assert min(heights) < 1.4 and max(heights) > 1.85
    assert len({look.upper for look in summer}) > 190
    assert sum(look.short_sleeves for look in summer) > 80 and not any(look.short_sleeves for look in winter)
    people = make_world(walkers=5, people='varied').state(100.0).walkers
    assert people == make_world(walkers=5, people='varied').state(100.0).walkers
