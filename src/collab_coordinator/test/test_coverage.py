# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of how coverage is measured."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_coordinator.core.coverage import Coverage, CoverageMeter
from collab_coordinator.core.fleet import CameraReport
from ptz_site import Phase

S = 1_000_000_000
SILENCE = 3 * S


def report(camera: str, at: float, phase: Phase, scene: str, switch: float = 0, arrived: float = 0) -> CameraReport:
    ns = [round(seconds * S) for seconds in (at, switch, arrived)]
    return CameraReport(camera, ns[0], ns[0], 1, phase, scene, 1, switch_start_ns=ns[1], arrived_ns=ns[2])


def measure(reports: list[CameraReport], begin: float, end: float, scenes: tuple[str, ...] = ('x', 'y')) -> dict[str, Coverage]:
    meter = CoverageMeter(scenes, round(begin * S), SILENCE)
    for one in reports:
        meter.take(one)
    return {coverage.scene: coverage for coverage in meter.finish(round(end * S))}


def seconds(coverage: Coverage) -> tuple[float, float, float]:
    return coverage.assigned_ns / S, coverage.watched_ns / S, coverage.longest_gap_ns / S


TURNING, AT_REST, FAULT = Phase.TURNING, Phase.IN_POSITION, Phase.FAULT


def test_turning_counts_as_assigned_and_only_rest_as_watched() -> None:
    result = measure(
        [
            report('a', 9, AT_REST, 'x', 7, 8),
            report('a', 11, AT_REST, 'x', 7, 8),
            # Reported late: the switch and the arrival count when they were, not when they were reported.
            report('a', 12.5, TURNING, 'y', 12, 0),
            report('a', 13.7, AT_REST, 'y', 12, 13.5),
        ],
        10,
        15,
    )
    assert seconds(result['x']) == (2, 2, 3)
    assert seconds(result['y']) == (3, 1.5, 2)
    assert result['x'].cameras == result['y'].cameras == ('a',)


def test_two_cameras_on_one_scene_count_once_and_both_are_views() -> None:
    reports = [report(camera, at, AT_REST, 'x', 1, 2) for at in range(10, 16) for camera in 'ab']
    result = measure(reports, 10, 15)
    assert seconds(result['x']) == (5, 5, 0)
    assert result['x'].cameras == ('a', 'b')
    assert seconds(result['y']) == (0, 0, 5)
    assert result['y'].cameras == ()


def test_a_camera_that_falls_silent_covers_nothing_from_its_last_report_on() -> None:
    before = [report('a', at, AT_REST, 'x', 1, 2) for at in (10, 11, 12)]
    assert seconds(measure(before, 10, 20)['x']) == (2, 2, 8)
    again = [report('a', at, AT_REST, 'x', 1, 2) for at in (18, 19, 20)]
    assert seconds(measure(before + again, 10, 20)['x']) == (4, 4, 6)


def test_a_fault_covers_nothing_and_a_restarted_driver_is_not_bridged() -> None:
    reports = [report('a', 10, AT_REST, 'x', 1, 2), report('a', 12, FAULT, 'x', 1, 2), report('a', 14, FAULT, 'x', 1, 2)]
    assert seconds(measure(reports, 10, 15)['x']) == (2, 2, 3)
    restarted = replace(report('a', 12, AT_REST, 'x', 11, 12), session=2)
    assert seconds(measure([reports[0], restarted], 10, 14)['x']) == (2, 2, 2)


def test_a_camera_that_passed_by_without_rest_is_no_view() -> None:
    result = measure([report('a', 10, TURNING, 'x', 10), report('a', 11, TURNING, 'y', 11)], 10, 12)
    assert seconds(result['x']) == (1, 0, 1)
    assert result['x'].cameras == ()


def test_a_rotation_of_days_is_folded_and_gives_the_same_sums() -> None:
    meter = CoverageMeter(('x', 'y'), 0, SILENCE)
    for slot in range(20_000):
        scene = 'xy'[slot % 2]
        meter.take(report('a', slot, TURNING, scene, slot))
        meter.take(report('a', slot + 0.25, AT_REST, scene, slot, slot + 0.25))
        assert len(meter._pending) < 60
    for coverage in meter.finish(20_000 * S):
        assert seconds(coverage)[:2] == pytest.approx((10_000, 7_500), abs=1e-6)
        assert seconds(coverage)[2] == 1


@given(st.lists(st.tuples(st.sampled_from('ab'), st.floats(0.1, 5), st.floats(0, 2), st.sampled_from('xy')), max_size=30))
def test_watched_is_never_more_than_assigned_and_gaps_fit_beside_them(moves: list[tuple[str, float, float, str]]) -> None:
    reports, time = [], 0.0
    for camera, step, turn, scene in moves:
        time += step
        reports.append(report(camera, time, TURNING, scene, time))
        if turn < step:
            reports.append(report(camera, time + turn, AT_REST, scene, time, time + turn))
    end = time + 1
    for coverage in measure(reports, 0, end).values():
        assert 0 <= coverage.watched_ns <= coverage.assigned_ns <= round(end * S)
        assert coverage.longest_gap_ns + coverage.assigned_ns <= round(end * S)
        assert bool(coverage.watched_ns) == bool(coverage.cameras)
