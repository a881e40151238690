# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Season, time of day, weather and ground of the simulated world, and what they do to light and air."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Self

import numpy as np

from ptz_site.schema import SimulationSettings

#: Blue, green, red.
Colour = tuple[float, float, float]


class Season(Enum):
    """What grows, and what lies on the ground."""

    SUMMER = 'summer'
    AUTUMN = 'autumn'
    WINTER = 'winter'


class DayTime(Enum):
    """How high the sun stands."""

    DAY = 'day'
    DUSK = 'dusk'
    NIGHT = 'night'


class Weather(Enum):
    """What the sky does."""

    CLEAR = 'clear'
    OVERCAST = 'overcast'
    FOG = 'fog'
    RAIN = 'rain'
    SNOW = 'snow'


class Theme(Enum):
    """What the ground is covered with: by default grass with paved yards."""

    GARDEN = 'garden'
    PAVING = 'paving'
    ASPHALT = 'asphalt'
    CONCRETE = 'concrete'
    GRAVEL = 'gravel'
    MEADOW = 'meadow'


@dataclass(frozen=True)
class Conditions:
    """The conditions of a world; they stay the same for as long as it lasts."""

    season: Season = Season.SUMMER
    time: DayTime = DayTime.DAY
    weather: Weather = Weather.CLEAR
    theme: Theme = Theme.GARDEN

    @classmethod
    def of(cls, settings: SimulationSettings) -> Self:
        """The conditions that a site file names."""
        return cls(Season(settings.season), DayTime(settings.time_of_day), Weather(settings.weather), Theme(settings.ground))

    @property
    def sun(self) -> float:
        """How much of the light comes from the sun's disc, as a share of a clear noon: 0 casts no shadows."""
        if self.weather is not Weather.CLEAR:
            return 0.0
        return {DayTime.DAY: 1.0, DayTime.DUSK: 0.55, DayTime.NIGHT: 0.0}[self.time]


@dataclass(frozen=True)
class Air:
    """What is between camera and world.

    brightness and colour: factors of the light (colour: blue, green, red); haze: share of the contrast that is lost in each metre
    (Koschmieder, 1924); veil: the haze's colour; sky_low, sky_high: the sky's at the horizon and above; noise: standard deviation of the
    sensor's noise at an exposure of 1, in levels of 255.
    """

    brightness: float
    colour: Colour
    haze: float
    veil: Colour
    sky_low: Colour
    sky_high: Colour
    noise: float


_CLEAR_DAY = Air(1.0, (1.0, 1.0, 1.0), 0.0, (225.0, 222.0, 216.0), (236.0, 226.0, 214.0), (214.0, 170.0, 128.0), 0.0)
#: Brightness of a weather's daylight, haze in each metre, and how grey the sky is.
_WEATHER: dict[Weather, tuple[float, float, float]] = {
    Weather.CLEAR: (1.0, 0.0, 0.0),
    Weather.OVERCAST: (0.86, 0.0015, 1.0),
    Weather.FOG: (0.84, 0.026, 1.0),
    Weather.RAIN: (0.66, 0.0055, 1.0),
    Weather.SNOW: (0.80, 0.010, 1.0),
}
_GREY_SKY: Colour = (208.0, 205.0, 202.0)
_DUSK_LOW, _DUSK_HIGH = np.array([150.0, 172.0, 238.0]), np.array([150.0, 104.0, 84.0])


def air(conditions: Conditions, seed: int) -> Air:
    """Light and air of a world. No two seeds have quite the same fog."""
    if conditions.time is DayTime.DAY and conditions.weather is Weather.CLEAR:
        return _CLEAR_DAY
    rng = np.random.default_rng([seed, 9])
    brightness, haze, grey = _WEATHER[conditions.weather]
    haze *= float(rng.uniform(0.6, 1.5))
    tint = float(rng.uniform(0.7, 1.3))
    low, high = np.array(_CLEAR_DAY.sky_low), np.array(_CLEAR_DAY.sky_high)
    colour, noise = np.ones(3), 0.0
    if conditions.time is DayTime.DUSK:
        low, high = _DUSK_LOW, _DUSK_HIGH
        colour = 1 + tint * (np.array([0.12, 0.0, -0.11]) if grey else np.array([-0.12, -0.03, 0.12]))
        brightness, noise = brightness * 0.26, 1.6
    elif conditions.time is DayTime.NIGHT:
        low, high = np.array([46.0, 40.0, 38.0]), np.array([22.0, 16.0, 14.0])
        colour = 1 + tint * (np.array([0.18, 0.02, -0.16]) if rng.uniform() < 0.5 else np.array([-0.30, -0.02, 0.18]))
        # By lamps, which the weather does not dim as much.
        brightness, noise = brightness**0.5 * 0.065, 0.95
    if grey:
        dim = {DayTime.DAY: 1.0, DayTime.DUSK: 0.72, DayTime.NIGHT: 0.2}[conditions.time]
        low = high = dim * np.array(_GREY_SKY)
        high = high * 0.93
    veil = low * (1.0 if conditions.weather is Weather.FOG else 0.97)
    return Air(brightness, _triple(colour), haze, _triple(veil), _triple(low), _triple(high), noise)


def _triple(values: np.ndarray) -> Colour:
    return float(values[0]), float(values[1]), float(values[2])
