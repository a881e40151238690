# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the marks: every segment begins with one SWITCH_START and has one ARRIVED, whatever the timing."""

from hypothesis import given
from hypothesis import strategies as st

from ptz_driver.marks import SegmentMarker
from ptz_site import Mark, Phase


def test_the_marks_of_an_ordinary_switch() -> None:
    marker = SegmentMarker()
    assert marker.mark(0) == (marker.newest, Mark.NONE)
    marker.switch_commanded(100, 'gate', 'p1')
    marker.arrived(250)
    results = [marker.mark(stamp) for stamp in (99, 100, 200, 250, 300)]
    assert [mark for _, mark in results] == [Mark.NONE, Mark.SWITCH_START, Mark.NONE, Mark.ARRIVED, Mark.NONE]
    assert [showing.phase for showing, _ in results] == [
        Phase.UNKNOWN, Phase.TURNING, Phase.TURNING, Phase.IN_POSITION, Phase.IN_POSITION,
    ]  # fmt: skip
    assert {showing.scene for showing, _ in results[1:]} == {'gate'}


def test_a_frame_from_before_the_command_belongs_to_before() -> None:
    marker = SegmentMarker()
    marker.switch_commanded(10, 'gate', 'p1')
    marker.arrived(20)
    marker.mark(30)
    marker.switch_commanded(100, 'road', 'p2')
    assert marker.mark(90)[0].scene == 'gate'
    showing, mark = marker.mark(105)
    assert (showing.scene, mark) == ('road', Mark.SWITCH_START)


def test_a_whole_turn_between_two_frames_marks_one_frame_with_both() -> None:
    marker = SegmentMarker()
    marker.switch_commanded(10, 'gate', 'p1')
    marker.arrived(15)
    assert marker.mark(20)[1] == Mark.SWITCH_START | Mark.ARRIVED


def test_a_segment_that_is_cut_short_has_no_arrival() -> None:
    marker = SegmentMarker()
    marker.switch_commanded(10, 'gate', 'p1')
    assert marker.mark(11)[1] == Mark.SWITCH_START
    marker.switch_commanded(20, 'road', 'p2')
    marker.arrived(30)
    assert [marker.mark(stamp)[1] for stamp in (21, 31)] == [Mark.SWITCH_START, Mark.ARRIVED]


def test_a_camera_that_comes_late_is_in_fault_and_arrives_all_the_same() -> None:
    marker = SegmentMarker()
    marker.switch_commanded(10, 'gate', 'p1')
    marker.failed(50)
    marker.arrived(90)
    assert [marker.mark(stamp)[0].phase for stamp in (20, 60, 95)] == [Phase.TURNING, Phase.FAULT, Phase.IN_POSITION]


events = st.lists(st.tuples(st.sampled_from(['switch', 'arrive', 'fail', 'frame']), st.integers(0, 5)), max_size=80)


@given(events)
def test_in_any_interleaving_a_segment_has_one_start_and_at_most_one_arrival(steps: list[tuple[str, int]]) -> None:
    marker = SegmentMarker()
    now, count, frames = 0, 0, []
    for step, passed in steps:
        now += passed
        if step == 'switch':
            count += 1
            now += 1
            marker.switch_commanded(now, f's{count}', '')
        elif step == 'arrive':
            marker.arrived(now)
        elif step == 'fail':
            marker.failed(now)
        else:
            frames.append(marker.mark(now))
    segments: dict[int, list[tuple[Phase, Mark]]] = {}
    for showing, mark in frames:
        if showing.switch_start_ns:
            segments.setdefault(showing.switch_start_ns, []).append((showing.phase, mark))
    for segment in segments.values():
        marks = [mark for _, mark in segment]
        assert marks[0] & Mark.SWITCH_START
        assert sum(bool(mark & Mark.SWITCH_START) for mark in marks) == 1
        arrivals = [i for i, mark in enumerate(marks) if mark & Mark.ARRIVED]
        rests = [i for i, (phase, _) in enumerate(segment) if phase is Phase.IN_POSITION]
        assert len(arrivals) <= 1
        assert bool(arrivals) == bool(rests)
        assert not rests or arrivals[0] == rests[0]
