# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen in pictures: darkness, a frozen stream, and a camera that turns and stands still again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ptz_driver.health import Fault, PictureWatch
from ptz_driver.stream.picture import SMALL, Grey, StillnessWatch, is_black, is_same

S = 1_000_000_000


def scene(shift: float, seed: int = 3, noise: int = 0) -> Grey:
    """A view of a textured wall that is moved by so many pixels."""
    rng = np.random.default_rng(seed)
    wall = cv2.GaussianBlur(rng.integers(0, 255, (SMALL[1], SMALL[0] * 4)).astype(np.float32), (5, 5), 1.5)
    matrix = np.array([[1, 0, -shift - 100.0], [0, 1, 0]])
    view = cv2.warpAffine(wall, matrix, SMALL, flags=cv2.INTER_LINEAR)
    return np.asarray(view + np.random.default_rng(noise + 100).normal(0, 1, view.shape), np.float32)


def film(watch: StillnessWatch, speeds: list[float], begin: float = 0.0, period: float = 0.1) -> list[float]:
    """Takes pictures of a camera that turns by so many px/s in each interval; the times at which it is said to stand still."""
    shift, still = 0.0, []
    for k, speed in enumerate(speeds):
        shift += speed * period
        at = round((begin + (k + 1) * period) * S)
        watch.take(scene(shift, noise=k), at)
        since = watch.still_since_ns()
        if since is not None:
            still.append(at / S)
    return still


@pytest.mark.parametrize('speed', [8.0, 40.0, 200.0])
def test_standing_still_after_a_turn_is_noticed_soon_and_not_before(speed: float) -> None:
    watch = StillnessWatch(0)
    still = film(watch, [0.0] * 5 + [speed] * 12 + [0.0] * 12)
    assert still, 'never noticed'
    assert 1.7 < still[0] < 2.5


def test_a_turn_that_was_over_before_a_picture_could_be_decoded_is_noticed() -> None:
    watch = StillnessWatch(0, before=scene(0.0))
    for k in range(8):
        watch.take(scene(60.0, noise=k), (k + 10) * S // 10)
    assert watch.moved and watch.still_since_ns() is not None
    same = StillnessWatch(0, before=scene(0.0))
    for k in range(8):
        same.take(scene(0.0, noise=k), (k + 10) * S // 10)
    assert not same.moved


def test_a_camera_that_never_turns_has_not_arrived() -> None:
    watch = StillnessWatch(0)
    assert film(watch, [0.0] * 60) == [] and not watch.moved


def test_somebody_who_walks_by_does_not_make_the_camera_turn() -> None:
    watch = StillnessWatch(0)
    for k in range(40):
        picture = scene(0.0, noise=k)
        picture[30:70, 10 + 3 * k : 22 + 3 * k] = 200.0
        watch.take(picture, (k + 1) * S // 10)
    assert not watch.moved


def test_a_van_that_drives_by_does_not_make_the_camera_turn() -> None:
    watch = StillnessWatch(0)
    van = scene(0.0, seed=9) + 60
    for k in range(30):
        picture = np.asarray(100 + (scene(30.0, noise=k) - 127) / 8, np.float32)
        left = 10 + 2 * k
        picture[20:80, left : left + 60] = van[20:80, :60]
        watch.take(picture, (k + 1) * S // 10)
    assert not watch.moved


def test_pictures_are_left_as_they_are() -> None:
    watch = StillnessWatch(0)
    first, second = scene(0.0), scene(3.0)
    watch.take(first, S)
    watch.take(second, 2 * S)
    assert np.array_equal(first, scene(0.0)) and np.array_equal(second, scene(3.0))


def test_pictures_from_before_the_turn_do_not_count() -> None:
    watch = StillnessWatch(2 * S)
    film(watch, [100.0] * 15)
    assert not watch.moved


def test_black_and_same_pictures_are_told_from_others() -> None:
    assert is_black(np.full((90, 160), 4.0, np.float32)) and not is_black(scene(0.0))
    assert not is_black(np.where(scene(0.0) > 140, 60, 2).astype(np.float32)), 'lamps at night'
    assert is_same(scene(0.0), scene(0.0)) and not is_same(scene(0.0, noise=1), scene(0.0, noise=2))


def test_a_stream_that_is_black_or_frozen_for_long_is_a_fault_until_it_is_not() -> None:
    watch = PictureWatch(0, 2 * S)
    faults = []
    for second in range(40):
        watch.looked(second * S, same=5 <= second < 15, black=20 <= second < 30)
        faults.append(watch.fault(second * S))
    assert faults[8] is Fault.NONE and faults[12] is Fault.FROZEN and faults[16] is Fault.NONE
    assert faults[24] is Fault.NONE and faults[27] is Fault.BLACK and faults[31] is Fault.NONE
    assert watch.fault(45 * S) is Fault.NO_FRAMES


def test_pictures_that_were_not_looked_at_are_neither_frozen_nor_black() -> None:
    watch = PictureWatch(0, 2 * S)
    watch.looked(1 * S, same=False, black=False)
    for second in range(2, 12):
        watch.came(second * S)
        assert watch.fault(second * S) is Fault.NONE, 'keyframes are rare'
    # The first one after a silence.
    watch.came(30 * S)
    assert watch.fault(30 * S) is Fault.NONE
    watch.looked(31 * S, same=True, black=False)
    assert watch.fault(31 * S) is Fault.FROZEN
