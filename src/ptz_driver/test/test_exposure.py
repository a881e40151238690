# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The exposure rule on simulated cameras, good and bad, under light that changes."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptz_driver.backends.base import Exposure, ExposureLimits, ExposureMode
from ptz_driver.exposure.machine import ExposureMachine, State, Step
from ptz_site import ExposureRule

S = 1_000_000_000
RULE = ExposureRule(time=0.004, mode_switch_period=60.0, settle=3.0)


class RefusedError(Exception):
    """The camera does not take a setting."""


@dataclass
class Camera:
    """Its light, its automatic exposure that needs a second to settle, and what it tells of that. gamma: of the picture."""

    light: float = 1.0
    tells: str = 'right'
    takes: str = 'all'
    gamma: float = 1.0
    limits: ExposureLimits = field(default_factory=lambda: ExposureLimits((1e-4, 0.04), (0.0, 48.0)))
    automatic: bool = True
    time: float = 0.01
    gain: float = 0.0
    settings: int = 0
    _auto: float = 0.05

    def exposure(self) -> float:
        """Time by amplification."""
        return self._auto if self.automatic else self.time * 10 ** (self.gain / 20)

    def pass_time(self, seconds: float) -> None:
        """Automatic exposure makes the picture 100 grey levels bright."""
        wanted = 0.1 / self.light
        self._auto += (wanted - self._auto) * min(1.0, 3 * seconds)

    def brightness(self) -> float:
        return float(min(255.0, 1000 * self.light * self.exposure()) ** self.gamma * 255 ** (1 - self.gamma))

    def read(self) -> Exposure:
        if not self.automatic:
            return Exposure(ExposureMode.MANUAL, self.time, self.gain)
        if self.tells == 'right':
            time = min(self._auto, 1 / 60)
            return Exposure(ExposureMode.AUTO, time, 20 * math.log10(self._auto / time))
        if self.tells == 'stale':
            return Exposure(ExposureMode.AUTO, 0.02, 3.0)
        return Exposure(ExposureMode.AUTO)

    def set_automatic(self) -> None:
        self.automatic = True
        self._auto = self.time * 10 ** (self.gain / 20)

    def set_manual(self, time: float, gain: float) -> None:
        self.settings += 1
        if self.takes == 'none':
            raise RefusedError
        if self.takes != 'silently none':
            self.automatic, self.time = False, time
            self.gain = self.gain if self.takes == 'time only' else round(gain)


@dataclass
class Bench:
    """Runs a machine on a camera."""

    camera: Camera
    rule: ExposureRule = RULE
    now: int = 0
    arrivals: int = 0

    def __post_init__(self) -> None:
        self.machine = ExposureMachine(self.rule, self.camera.limits)

    def run(self, seconds: float) -> list[State]:
        states = []
        for _ in range(round(seconds * 10)):
            self.now += S // 10
            self.camera.pass_time(0.1)
            step = self.machine.due(self.now, self.arrivals)
            try:
                if step is Step.LOOK:
                    self.machine.looked(self.now, self.camera.read(), self.camera.brightness())
                elif step is Step.SET_AUTOMATIC:
                    self.camera.set_automatic()
                    self.machine.done(self.now)
                elif step is Step.SET_MANUAL:
                    self.camera.set_manual(self.machine.time, self.machine.gain)
                    self.machine.done(self.now)
            except RefusedError:
                self.machine.refused(self.now)
            states.append(self.machine.state)
        return states


def test_a_camera_that_tells_its_exposure_is_fixed_by_the_product() -> None:
    bench = Bench(Camera(light=0.8))
    bench.run(8)
    assert bench.machine.state is State.MANUAL and bench.camera.time == 0.004
    # 0.1 / 0.8 of exposure at 4 ms.
    assert bench.camera.gain == pytest.approx(20 * math.log10(0.125 / 0.004), abs=0.6)
    assert bench.camera.settings == 1, 'computed, not searched'


def test_the_light_is_measured_again_after_the_period() -> None:
    bench = Bench(Camera(light=0.8))
    bench.run(10)
    before = bench.camera.gain
    bench.camera.light = 0.3
    states = bench.run(70)
    assert State.MEASURING in states and bench.machine.state is State.MANUAL
    assert bench.camera.gain == pytest.approx(before + 20 * math.log10(0.8 / 0.3), abs=1.2)
    assert states.count(State.MANUAL) > 0.85 * len(states), 'automatic only for as long as it needs'


@pytest.mark.parametrize('tells', ['nothing', 'stale'])
@pytest.mark.parametrize('light', [0.2, 1.0, 3.0])
@pytest.mark.parametrize('gamma', [1.0, 0.45])
def test_a_camera_that_tells_nothing_or_old_numbers_is_matched_by_its_picture(tells: str, light: float, gamma: float) -> None:
    bench = Bench(Camera(light=light, tells=tells, gamma=gamma))
    bench.run(25)
    assert bench.machine.state is State.MANUAL, bench.machine.note
    target = 100.0**gamma * 255 ** (1 - gamma)
    assert bench.camera.brightness() == pytest.approx(target, rel=0.17)


def test_limits_are_kept_and_a_dark_picture_is_said() -> None:
    bench = Bench(Camera(light=0.1, limits=ExposureLimits((1e-4, 0.04), (0.0, 24.0))))
    bench.run(25)
    assert bench.machine.state is State.MANUAL and bench.camera.gain == 24
    assert bench.machine.note == 'gain at its limit; the picture is darker than on automatic'
    short = Bench(Camera(limits=ExposureLimits((0.01, 0.04), (0.0, 48.0))))
    short.run(8)
    assert short.camera.time == 0.01


@pytest.mark.parametrize(
    ('takes', 'why'),
    [('none', 'refuses a fixed exposure'), ('silently none', 'stays on automatic')],
)
def test_a_camera_that_can_not_be_fixed_is_left_on_automatic(takes: str, why: str) -> None:
    bench = Bench(Camera(takes=takes))
    bench.run(30)
    assert bench.machine.state is State.IMPOSSIBLE and bench.camera.automatic
    assert why in bench.machine.note
    settings_before = bench.camera.settings
    bench.run(120)
    assert bench.camera.settings == settings_before, 'it is not tried again and again'


def test_a_camera_whose_gain_does_nothing_is_left_on_automatic() -> None:
    bench = Bench(Camera(takes='time only', tells='nothing', light=0.3))
    bench.run(40)
    assert bench.machine.state is State.IMPOSSIBLE and 'does not react' in bench.machine.note
    assert bench.camera.automatic


def test_settings_that_a_preset_brings_along_are_put_right_after_the_arrival() -> None:
    bench = Bench(Camera(light=0.8))
    bench.run(8)
    gain = bench.camera.gain
    bench.camera.time, bench.camera.gain = 0.02, 6.0
    bench.arrivals += 1
    bench.run(4)
    assert (bench.camera.time, bench.camera.gain) == (0.004, gain)
    bench.camera.automatic = True
    bench.arrivals += 1
    bench.run(4)
    assert not bench.camera.automatic and bench.machine.state is State.MANUAL


def test_in_a_rotation_with_short_stays_the_rule_still_comes_to_an_end() -> None:
    for tells in ('right', 'nothing'):
        bench = Bench(Camera(light=0.8, tells=tells))
        for stay in range(12):
            bench.camera.light = (0.8, 0.5, 1.1)[stay % 3]
            bench.arrivals += 1
            bench.run(10)
        assert bench.machine.state is State.MANUAL


@given(
    lights=st.lists(st.floats(0.05, 5.0), min_size=1, max_size=6),
    tells=st.sampled_from(['right', 'nothing', 'stale']),
    gamma=st.floats(0.4, 1.2),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_end_is_always_fixed_or_automatic_and_within_the_limits(
    lights: list[float], tells: str, gamma: float, seed: int
) -> None:
    bench = Bench(Camera(tells=tells, gamma=gamma))
    rng = random.Random(seed)
    for light in lights:
        bench.camera.light = light
        bench.arrivals += rng.random() < 0.5
        bench.run(rng.uniform(1, 40))
        assert 0 <= bench.camera.gain <= 48 and 1e-4 <= bench.camera.time <= 0.04
    bench.run(80)
    bench.run(30)
    assert bench.machine.state in (State.MANUAL, State.IMPOSSIBLE, State.MEASURING, State.VERIFYING)
    states = bench.run(120)
    assert State.MANUAL in states or State.IMPOSSIBLE in states
