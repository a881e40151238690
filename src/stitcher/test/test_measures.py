# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the report says of a run."""

from __future__ import annotations

import pytest

from ptz_site import Mark, Phase
from ptz_stitcher.report.measures import Rotation, RunMeasures, measure
from ptz_stitcher.segments import FrameHeader

MS = 1_000_000
T0 = 100_000 * MS
ROTATION = Rotation(T0, T0 + 4000 * MS, 2000 * MS)


def run(
    camera: str, orders: list[tuple[str, int]], turn_ms: int = 300, lag_ms: int = 0, until_ms: int = 4000
) -> list[FrameHeader]:
    """A camera's frames, every 100 ms: the scenes of its slots and when it was told to turn there."""
    headers = []
    for number, stamp in enumerate(range(50, until_ms, 100)):
        slot = max(0, (stamp - lag_ms) // 2000)
        scene, switched = orders[slot]
        resting = stamp >= switched + lag_ms + turn_ms
        arrived = T0 + (switched + lag_ms + turn_ms) * MS if resting else 0
        phase = Phase.IN_POSITION if resting else Phase.TURNING
        headers.append(
            FrameHeader(
                camera, scene, 7, number + 1, T0 + stamp * MS, phase, Mark.NONE, T0 + (switched + lag_ms) * MS, arrived, slot
            )
        )
    return headers


def measured(*cameras: list[FrameHeader]) -> RunMeasures:
    return measure([header for camera in cameras for header in camera], ('gate', 'road'), ROTATION)


NORTH = run('north', [('gate', -2000), ('road', 2000)])
SOUTH = run('south', [('road', -2000), ('gate', 2000)], lag_ms=12)


def test_two_cameras_that_swap_cover_both_scenes_all_the_time() -> None:
    result = measured(NORTH, SOUTH)
    for scene in result.scenes:
        assert scene.assigned == pytest.approx(1.0, abs=0.005)
        assert scene.watched == pytest.approx(1 - 0.3 / 4, abs=0.01)
        assert set(scene.views) == {'north', 'south'}
        assert scene.longest_unwatched_ns == pytest.approx(300 * MS, abs=15 * MS)
        assert scene.segments == 2


def test_the_spread_of_a_switch_is_that_of_the_commands() -> None:
    (switch,) = measured(NORTH, SOUTH).switches
    assert (switch.slot, switch.cameras, switch.planned_ns) == (1, 2, T0 + 2000 * MS)
    assert switch.spread_ns == 12 * MS
    assert switch.latest_ns == 12 * MS


def test_a_camera_that_dies_leaves_a_gap_that_is_seen() -> None:
    dead = [header for header in SOUTH if header.stamp_ns < T0 + 2500 * MS]
    gate = measured(NORTH, dead).scenes[0]
    assert gate.assigned < 0.75
    assert gate.longest_unassigned_ns > 1000 * MS


def test_lost_frames_are_counted_and_short_gaps_are_no_loss_of_coverage() -> None:
    thinned = [header for header in NORTH if header.sequence not in (5, 6)]
    result = measured(thinned, SOUTH)
    assert {camera.camera: camera.lost for camera in result.cameras} == {'north': 2, 'south': 0}
    assert result.scenes[0].assigned == pytest.approx(1.0, abs=0.005)


def test_turn_times_are_from_the_command_to_the_rest() -> None:
    north = measured(NORTH, SOUTH).cameras[0]
    assert (north.turns, north.longest_turn_ns) == (1, 300 * MS)


def test_a_camera_that_stays_on_its_scene_does_not_switch() -> None:
    staying = run('north', [('gate', -2000), ('gate', -2000)])
    assert measured(staying).switches == ()
    assert measured(staying).scenes[0].assigned == pytest.approx(1.0, abs=0.005)
