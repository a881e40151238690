# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Presets, pauses, positions, and somebody else at the camera: what is decided without a camera."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from ptz_driver.onvif.client import MediaProfile, PtzPreset, RefusedError, Vector
from ptz_driver.onvif.presets import PresetMissingError, find_preset
from ptz_driver.onvif.retry import RetryPolicy
from ptz_driver.onvif.session import choose_profile
from ptz_driver.onvif.spaces import Ranges
from ptz_driver.onvif.vigil import Vigil
from ptz_site import Credentials, PtzPosition, UserError, read_credentials

S = 1_000_000_000
BOB, OTHER = Credentials('bob', 'secret'), Credentials('bob', 'changed')


def preset(token: str, name: str = '') -> PtzPreset:
    return PtzPreset(token, name, None)


def test_a_preset_is_found_by_its_name_before_its_token() -> None:
    presets = [preset('1', 'Gate'), preset('2', 'road'), preset('gate', '3')]
    assert find_preset(presets, 'gate').token == '1'
    assert find_preset(presets, '2').token == '2'
    assert find_preset(presets, '3').token == 'gate'


def test_a_missing_preset_is_named_with_those_that_are_there() -> None:
    with pytest.raises(PresetMissingError, match=r"no preset 'gat'; it has gate, road"):
        find_preset([preset('1', 'gate'), preset('2', 'road')], 'gat')


def test_a_name_that_is_there_twice_is_not_guessed() -> None:
    with pytest.raises(PresetMissingError, match=r'tokens 1, 7'):
        find_preset([preset('1', 'gate'), preset('7', 'gate')], 'gate')


def profile(token: str, name: str, node: str) -> MediaProfile:
    return MediaProfile(token, name, 'source', node, 'H264', (640, 360), 10.0)


def test_the_first_profile_that_turns_is_taken() -> None:
    still, turning = profile('p1', 'still', ''), profile('p2', 'main', 'node')
    assert choose_profile((still, turning), '') is turning
    assert choose_profile((still, turning), 'main') is turning
    assert choose_profile((still, turning), 'p2') is turning
    with pytest.raises(RefusedError, match=r"'still' can't turn the camera"):
        choose_profile((still, turning), 'still')
    with pytest.raises(RefusedError, match=r"no profile 'sub'; it has still \(p1\), main \(p2\)"):
        choose_profile((still, turning), 'sub')
    with pytest.raises(RefusedError, match=r'can turn the camera; set PTZ up'):
        choose_profile((still,), '')


def test_pauses_grow_are_jittered_and_end() -> None:
    policy, now, pauses = RetryPolicy(first=0.5, longest=8.0, random=random.Random(1)), 0, []
    for _ in range(40):
        policy.failed(now)
        pauses.append(policy.seconds_left(now))
        assert not policy.may_try(now, BOB)
        now += round(pauses[-1] * S) + 1
        assert policy.may_try(now, BOB)
    assert 0.25 <= pauses[0] <= 0.5 and min(pauses[10:]) >= 4.0 and max(pauses) <= 8.0
    assert len({round(pause, 3) for pause in pauses[10:]}) > 20, 'cameras must not be asked all at once'
    policy.succeeded()
    policy.failed(now)
    assert policy.seconds_left(now) <= 0.5


def test_a_refused_password_is_never_sent_again_but_another_one_is() -> None:
    policy = RetryPolicy()
    policy.refused(BOB)
    assert not any(policy.may_try(hour * 3600 * S, BOB) for hour in range(1000))
    assert policy.may_try(0, OTHER)


def test_positions_go_to_generic_spaces_and_back() -> None:
    ranges = Ranges((math.pi, -math.pi), (-math.pi / 2, math.pi / 4), (1.0, 20.0))
    assert ranges.vector(PtzPosition(math.pi / 2, math.pi / 4, 20.0)) == Vector(
        pytest.approx(-0.5), pytest.approx(1.0), pytest.approx(1.0)
    )
    there = PtzPosition(0.3, -0.2, 3.5)
    back = ranges.position(ranges.vector(there))
    assert (back.pan, back.tilt, back.zoom) == pytest.approx((there.pan, there.tilt, there.zoom))
    assert ranges.vector(PtzPosition(9.0, 9.0, 99.0)) == Vector(-1.0, 1.0, 1.0)


def test_somebody_elses_move_is_noticed_and_our_own_is_not() -> None:
    vigil, at = Vigil(tolerance=0.01, pause=60.0), PtzPosition(0.0, 0.0, 2.0)
    assert not vigil.look(at, 0)
    assert not vigil.look(PtzPosition(0.005, 0.0, 2.01), 5 * S), 'noise of the encoder'
    assert vigil.look(PtzPosition(0.5, 0.0, 2.0), 10 * S)
    assert vigil.seconds_left(10 * S) == pytest.approx(60.0)
    assert vigil.look(PtzPosition(0.5, 0.2, 2.0), 40 * S), 'still at it: the pause begins anew'
    assert vigil.seconds_left(70 * S) == pytest.approx(30.0) and vigil.seconds_left(101 * S) == 0
    vigil.commanded()
    assert not vigil.look(PtzPosition(-1.0, 0.0, 1.0), 120 * S)
    assert not Vigil(0.01, 0.0).look(at, 0) and not Vigil(0.01, 0.0).look(PtzPosition(1.0, 0, 2.0), S)


def test_a_password_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'p').write_text('se cret \nsecond line\n')
    assert read_credentials('bob', 'p', '', tmp_path) == Credentials('bob', 'se cret')
    monkeypatch.setenv('CAMERA_PASSWORD', 'x')
    assert read_credentials('bob', '', 'CAMERA_PASSWORD') == Credentials('bob', 'x')
    assert read_credentials('', '', '') == Credentials()
    assert 'se cret' not in repr(Credentials('bob', 'se cret'))
    (tmp_path / 'empty').write_text('\n')
    for file, variable, words in (('none', '', "can't be read"), ('empty', '', 'is empty'), ('', 'NOT_SET', 'has no NOT_SET')):
        with pytest.raises(UserError, match=words):
            read_credentials('bob', file, variable, tmp_path)
