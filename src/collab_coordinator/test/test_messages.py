# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that the plain values and the messages say the same."""

import math

import pytest

pytest.importorskip('ptz_collab_msgs', reason='needs the built interfaces')

from diagnostic_msgs.msg import DiagnosticStatus

from collab_coordinator.core.coverage import Coverage
from collab_coordinator.core.fleet import Level
from collab_coordinator.core.protocol import Outcome, RotationError, RotationRequest
from collab_coordinator.messages import report_from_msg, request_from_goal, result_to_msg
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import CameraState, PresetHeader
from ptz_node.convert import duration_from_ns, time_from_ns
from ptz_site import Phase

S = 1_000_000_000


def test_enumerations_have_the_values_of_the_messages() -> None:
    # rosidl gives the constants of an action to the section that they stand in.
    codes = RunRotation.Result if hasattr(RunRotation.Result, 'BUSY') else RunRotation.Goal
    for error in RotationError:
        assert getattr(codes, error.name) == error
    for phase in Phase:
        assert getattr(PresetHeader, f'PHASE_{phase.name}') == phase
    for level in Level:
        assert getattr(DiagnosticStatus, level.name) == bytes([level])


def test_a_goal_without_dwell_takes_the_sites() -> None:
    assert request_from_goal(RunRotation.Goal(cycles=2), 2_500_000_000, S) == RotationRequest(2_500_000_000, cycles=2)
    goal = RunRotation.Goal(dwell=duration_from_ns(7 * S), slots=4, start_time=time_from_ns(9 * S))
    assert request_from_goal(goal, 2_500_000_000, S) == RotationRequest(7 * S, 9 * S, slots=4)


@pytest.mark.parametrize(
    ('goal', 'says'),
    [
        (RunRotation.Goal(dwell=duration_from_ns(-S)), 'dwell'),
        (RunRotation.Goal(start_time=time_from_ns(5 * S)), '5.0 s ago'),
        (RunRotation.Goal(slots=3, cycles=1), 'both'),
    ],
)
def test_a_goal_out_of_range_is_refused_by_name(goal: RunRotation.Goal, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        request_from_goal(goal, 2_500_000_000, 10 * S)


def test_unknown_positions_are_none() -> None:
    state = CameraState(camera='a', phase=CameraState().phase, pan=1.0, tilt=-0.5, zoom=2.0)
    position = report_from_msg(state, S).position
    assert position is not None
    assert position.zoom == 2.0
    state.pan = math.nan
    assert report_from_msg(state, S).position is None
    assert report_from_msg(CameraState(camera='a'), S).position is None


def test_an_outcome_is_sent_whole() -> None:
    result = result_to_msg(Outcome(RotationError.CANCELED, 'enough', 3, (Coverage('x', 5 * S, 4 * S, S, ('a', 'b')),)))
    assert (result.error_code, result.error_msg, result.slots) == (105, 'enough', 3)
    (coverage,) = result.coverage
    assert (coverage.scene, coverage.assigned.sec, coverage.watched.sec, coverage.longest_gap.sec) == ('x', 5, 4, 1)
    assert coverage.cameras == ['a', 'b']
