# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the cutting: every frame in exactly one segment, in order, whatever comes late, twice or not at all."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ptz_site import CameraOrder, Mark, Phase, Plan, PlanMode
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.segments import Cut, FrameHeader, Placed, SceneCutter
from ptz_stitcher.window import RotationWindow

MS = 1_000_000
S = 1_000_000_000


def frames(
    camera: str, switch_ms: int, turn_ms: int, end_ms: int, slot: int, first: int = 1, session: int = 1
) -> list[FrameHeader]:
    """The frames of one segment, every 100 ms."""
    result = []
    for number, stamp in enumerate(range(switch_ms, end_ms, 100)):
        arrived = stamp >= switch_ms + turn_ms
        marks = Mark.SWITCH_START if number == 0 else Mark.NONE
        if arrived and not any(h.phase is Phase.IN_POSITION for h in result):
            marks |= Mark.ARRIVED
        result.append(
            FrameHeader(
                camera, 'gate', session, first + number, stamp * MS, Phase.IN_POSITION if arrived else Phase.TURNING, marks,
                switch_ms * MS, (switch_ms + turn_ms) * MS if arrived else 0, slot,
            )
        )  # fmt: skip
    return result


def cut(headers: list[FrameHeader], how: Cut = Cut.ARRIVED, reorder_ms: int = 500) -> tuple[list[Placed], SceneCutter]:
    cutter = SceneCutter('gate', how, reorder_ms * MS)
    placed: list[Placed] = []
    for header in headers:
        cutter.take(header)
        placed += cutter.ready()
    return placed + list(cutter.finish()), cutter


TWO_SLOTS = frames('north', 0, 300, 2000, 0) + frames('south', 2000, 400, 4000, 1)


def test_arrived_drops_the_turning_and_switch_start_keeps_it() -> None:
    kept = [p.header for p in cut(TWO_SLOTS)[0] if p.keep]
    assert all(header.phase is Phase.IN_POSITION for header in kept)
    assert len(kept) == 17 + 16
    assert all(p.keep for p in cut(TWO_SLOTS, Cut.SWITCH_START)[0])


def test_the_segments_of_all_cameras_follow_each_other() -> None:
    _, cutter = cut(TWO_SLOTS)
    assert [(s.camera, s.first_slot, s.frames, s.kept) for s in cutter.segments] == [('north', 0, 20, 17), ('south', 1, 20, 16)]
    assert all(s.start_marked and s.arrival_marked for s in cutter.segments)


def test_lost_marks_do_not_merge_segments() -> None:
    north_twice = frames('north', 0, 300, 2000, 0) + frames('north', 2000, 300, 4000, 1, first=21)
    without_marks = [h for h in north_twice if not h.marks]
    _, cutter = cut(without_marks)
    assert [s.first_slot for s in cutter.segments] == [0, 1]
    assert [s.switch_start_ns for s in cutter.segments] == [0, 2000 * MS]
    assert not any(s.start_marked or s.arrival_marked for s in cutter.segments)
    assert [s.arrived_ns for s in cutter.segments] == [300 * MS, 2300 * MS]


def test_a_restarted_camera_begins_a_new_segment() -> None:
    again = [*frames('north', 0, 0, 500, 0), FrameHeader('north', 'gate', 2, 1, 900 * MS, Phase.IN_POSITION, Mark.NONE, 0, 1, 0)]
    assert len(cut(again)[1].segments) == 2


def test_of_two_cameras_at_once_the_video_shows_one_and_the_bag_keeps_both() -> None:
    both = sorted(frames('north', 0, 0, 1000, 0) + frames('south', 0, 0, 1000, 0), key=lambda h: h.stamp_ns)
    placed, _ = cut(both)
    assert all(p.keep for p in placed)
    assert {p.header.camera for p in placed if p.shown} == {'north'}


def test_when_the_shown_camera_falls_silent_the_other_is_shown() -> None:
    both = sorted(frames('north', 0, 0, 1000, 0) + frames('south', 0, 0, 4000, 0), key=lambda h: h.stamp_ns)
    shown = [p.header for p in cut(both)[0] if p.shown]
    assert shown[-1].camera == 'south'
    assert max(b.stamp_ns - a.stamp_ns for a, b in itertools.pairwise(shown)) < 1500 * MS


def test_a_frame_that_comes_too_late_is_counted_and_kept_but_not_shown() -> None:
    late = [*TWO_SLOTS[:5], *TWO_SLOTS[6:], TWO_SLOTS[5]]
    placed, cutter = cut(late)
    assert cutter.late == 1
    assert len(placed) == len(TWO_SLOTS)
    (found,) = (p for p in placed if p.header is TWO_SLOTS[5])
    assert (found.keep, found.shown) == (True, False)
    assert found.segment is cutter.segments[0]


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.sampled_from(Cut), st.floats(0, 0.2), st.floats(0, 0.2))
def test_every_frame_is_in_exactly_one_segment_in_the_order_of_stamps(seed: int, how: Cut, lost: float, doubled: float) -> None:
    chance = random.Random(seed)
    headers: list[FrameHeader] = []
    sequence = {'north': 1, 'south': 1}
    for slot in range(6):
        camera = chance.choice(('north', 'south'))
        made = frames(camera, slot * 1000, chance.choice((0, 200, 900, 2000)), (slot + 1) * 1000, slot, sequence[camera])
        sequence[camera] += len(made)
        headers += made
    arrived = [h for h in headers if chance.random() >= lost]
    arrived += [h for h in arrived if chance.random() < doubled]
    # Each is at most 400 ms late, less than the cutter waits.
    arrived.sort(key=lambda h: h.stamp_ns + chance.randrange(400) * MS)
    placed, cutter = cut(arrived, how)
    assert {(p.header.camera, p.header.sequence) for p in placed} == {(h.camera, h.sequence) for h in arrived}
    assert len(placed) == len({(h.camera, h.sequence) for h in arrived})
    stamps = [p.header.stamp_ns for p in placed]
    assert stamps == sorted(stamps)
    assert sum(s.frames for s in cutter.segments) == len(placed)
    for p in placed:
        assert (p.segment.camera, p.segment.switch_start_ns) == (p.header.camera, p.header.switch_start_ns)
    assert len([p for p in placed if p.opens]) == len(cutter.segments) == len({p.header.segment_key for p in placed})


def test_loss_is_counted_by_camera_and_session() -> None:
    losses = LossCounter()
    for camera, session, sequence in [('a', 1, 5), ('a', 1, 7), ('a', 2, 1), ('b', 1, 3), ('b', 1, 2)]:
        losses.take(camera, session, sequence)
    assert losses.lost() == {'a': 1, 'b': 0}
    assert losses.frames() == {'a': 3, 'b': 2}


def test_only_what_lies_in_the_rotation_is_recorded() -> None:
    window = RotationWindow()
    assert not window.holds(5 * S)
    window.take(Plan('r', 1, 1 * S, PlanMode.RUNNING, 2 * S, (CameraOrder('a', ('x',)),), slot_start_ns=10 * S, end_slot=3))
    assert [window.holds(t * S) for t in (9, 10, 15, 16)] == [False, True, True, False]
    window.take(Plan('r', 2, 13 * S, PlanMode.STOPPED, 2 * S, ()))
    assert [window.holds(t * S) for t in (12, 13)] == [True, False]
