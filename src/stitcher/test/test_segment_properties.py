# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What always holds of segments, whatever cameras and networks do: marks, and nothing twice, nothing lost."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from rotations import MS, NETWORKS, ROTATIONS, SCENES, Network

from ptz_site import Mark, Phase
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.mark_counts import MarkCounts
from ptz_stitcher.segments import Cut, FrameHeader, Placed, SceneCutter, Segment

CUTS = st.sampled_from(Cut)
SILENCE_NS = 1_000 * MS


def cut(headers: list[FrameHeader], how: Cut = Cut.ARRIVED) -> tuple[dict[str, list[Placed]], dict[str, SceneCutter]]:
    """What the cutters of both scenes make of headers that come in this order; a frame may come 500 ms late."""
    cutters = {scene: SceneCutter(scene, how, 500 * MS, SILENCE_NS) for scene in SCENES}
    placed: dict[str, list[Placed]] = {scene: [] for scene in SCENES}
    for header in headers:
        cutters[header.scene].take(header)
        placed[header.scene] += cutters[header.scene].ready()
    for scene, cutter in cutters.items():
        placed[scene] += cutter.finish()
    return placed, cutters


def name(header: FrameHeader) -> tuple[str, int, int]:
    return header.camera, header.session, header.sequence


@settings(max_examples=150)
@given(ROTATIONS, NETWORKS, CUTS)
def test_nothing_twice_nothing_lost(headers: list[FrameHeader], network: Network, how: Cut) -> None:
    came = network.deliver(headers)
    placed, cutters = cut(came, how)
    everything = [p for scene in SCENES for p in placed[scene]]
    assert sorted(name(p.header) for p in everything) == sorted({name(h) for h in came})
    for scene in SCENES:
        stamps = [p.header.stamp_ns for p in placed[scene]]
        assert stamps == sorted(stamps)
        assert not cutters[scene].late
        keys = [(s.camera, s.session, s.switch_start_ns) for s in cutters[scene].segments]
        assert len(keys) == len(set(keys)) == sum(p.opens for p in placed[scene])
        for p in placed[scene]:
            assert p.header.segment_key == (p.segment.camera, p.segment.session, p.segment.switch_start_ns)
            assert p.segment.scene == p.header.scene == scene
        for segment in cutters[scene].segments:
            own = [p for p in placed[scene] if p.segment is segment]
            assert (segment.frames, segment.kept) == (len(own), sum(p.keep for p in own))


@settings(max_examples=150)
@given(ROTATIONS, NETWORKS)
def test_where_one_segment_ends_the_next_begins(headers: list[FrameHeader], network: Network) -> None:
    placed, _ = cut(network.deliver(headers), Cut.SWITCH_START)
    by_camera = defaultdict(list)
    for p in sorted((p for scene in SCENES for p in placed[scene]), key=lambda p: p.header.stamp_ns):
        assert p.keep
        by_camera[p.header.camera].append(id(p.segment))
    for segments in by_camera.values():
        runs = [key for key, _ in itertools.groupby(segments)]
        assert len(runs) == len(set(runs)), 'a segment went on after another one of the same camera'


@settings(max_examples=150)
@given(ROTATIONS, NETWORKS)
def test_every_mark_that_is_missing_is_repaired_and_counted(headers: list[FrameHeader], network: Network) -> None:
    came = network.deliver(headers)
    placed, cutters = cut(came)
    for scene in SCENES:
        first_ns = min((p.header.stamp_ns for p in placed[scene]), default=0)
        starts = arrivals = 0
        for segment in cutters[scene].segments:
            own = [p.header for p in placed[scene] if p.segment is segment]
            in_position = [h for h in own if h.phase is Phase.IN_POSITION]
            assert sum(bool(h.marks & Mark.SWITCH_START) for h in own) == segment.starts <= 1
            assert sum(bool(h.marks & Mark.ARRIVED) for h in own) == segment.arrivals <= bool(in_position)
            starts += not segment.start_marked and segment.switch_start_ns >= first_ns
            arrivals += bool(in_position) and not segment.arrival_marked and segment.arrived_ns >= first_ns
            if in_position:
                assert segment.switch_start_ns <= segment.arrived_ns <= in_position[0].stamp_ns
        assert cutters[scene].marks == MarkCounts(repaired_starts=starts, repaired_arrivals=arrivals)
        if not network.lost:
            assert cutters[scene].marks == MarkCounts()


@settings(max_examples=100)
@given(ROTATIONS, NETWORKS)
def test_every_gap_is_reported_as_loss(headers: list[FrameHeader], network: Network) -> None:
    losses, came = LossCounter(), network.deliver(headers)
    for header in came:
        losses.take(header.camera, header.session, header.sequence)
    lost: dict[str, int] = {}
    for (camera, _), numbers in _numbers(came).items():
        lost[camera] = lost.get(camera, 0) + max(numbers) - min(numbers) + 1 - len(numbers)
    assert losses.lost() == lost
    assert sum(losses.frames().values()) == len({name(h) for h in came})


def _numbers(headers: list[FrameHeader]) -> dict[tuple[str, int], set[int]]:
    result = defaultdict(set)
    for header in headers:
        result[header.camera, header.session].add(header.sequence)
    return result


@settings(max_examples=150)
@given(ROTATIONS, NETWORKS, CUTS)
def test_the_order_in_which_frames_come_makes_no_difference(headers: list[FrameHeader], network: Network, how: Cut) -> None:
    came = network.deliver(headers)
    mixed, in_order = cut(came, how), cut(sorted(came, key=lambda h: h.stamp_ns), how)
    assert mixed[0] == in_order[0]
    assert [c.segments for c in mixed[1].values()] == [c.segments for c in in_order[1].values()]


@settings(max_examples=150)
@given(ROTATIONS, NETWORKS, CUTS)
def test_the_cut_keeps_what_it_says_and_the_video_shows_one_camera_without_holes(
    headers: list[FrameHeader], network: Network, how: Cut
) -> None:
    placed, _ = cut(network.deliver(headers), how)
    for scene in SCENES:
        shown, run_slot, shown_ns = None, -1, -SILENCE_NS
        for p in placed[scene]:
            assert p.keep == (how is Cut.SWITCH_START or p.header.phase is Phase.IN_POSITION)
            assert p.keep or not p.shown
            if p.shown:
                if shown is None or p.segment is not shown:
                    # Who is shown changes once in a slot, unless the camera that was shown has gone.
                    gone = shown is None or p.header.stamp_ns - shown_ns > SILENCE_NS or _switched(shown, p, placed[scene])
                    assert gone or p.header.slot > run_slot
                    shown, run_slot = p.segment, p.header.slot
                shown_ns = p.header.stamp_ns
            elif p.keep:
                assert p.header.stamp_ns - shown_ns <= SILENCE_NS


def _switched(shown: Segment, now: Placed, placed: list[Placed]) -> bool:
    """Whether the camera of a segment has begun another one by now."""
    later = (p for p in placed if p.segment is not shown and p.header.camera == shown.camera)
    return any(shown.last_kept_ns < p.header.stamp_ns <= now.header.stamp_ns for p in later)


@settings(max_examples=100)
@given(ROTATIONS, st.builds(Network, st.integers(0, 2**32), st.just(0.02), st.just(0.1), st.just(3_000)), CUTS)
def test_what_comes_too_late_is_counted_kept_and_not_shown(headers: list[FrameHeader], network: Network, how: Cut) -> None:
    came = network.deliver(headers)
    placed, cutters = cut(came, how)
    assert sorted(name(p.header) for s in SCENES for p in placed[s]) == sorted({name(h) for h in came})
    for scene in SCENES:
        newest_ns, late = -1, 0
        for p in placed[scene]:
            if p.header.stamp_ns < newest_ns:
                late += 1
                assert not p.shown
            newest_ns = max(newest_ns, p.header.stamp_ns)
            assert p.header.segment_key == (p.segment.camera, p.segment.session, p.segment.switch_start_ns)
        assert late == cutters[scene].late


@settings(max_examples=100)
@given(ROTATIONS)
def test_headers_without_times_are_cut_by_their_marks(headers: list[FrameHeader]) -> None:
    bare = [dataclasses.replace(h, switch_start_ns=0, arrived_ns=0) for h in headers]
    timed, by_marks = cut(headers), cut(bare)
    for scene in SCENES:
        assert [(p.header.camera, p.header.sequence, p.opens, p.keep, p.shown) for p in timed[0][scene]] == [
            (p.header.camera, p.header.sequence, p.opens, p.keep, p.shown) for p in by_marks[0][scene]
        ]
        assert by_marks[1][scene].marks == MarkCounts()


@settings(max_examples=100)
@given(ROTATIONS, st.integers(0, 2**32))
def test_of_headers_without_times_a_lost_mark_is_reported(headers: list[FrameHeader], seed: int) -> None:
    bare = [dataclasses.replace(h, switch_start_ns=0, arrived_ns=0) for h in headers]
    arrivals = [h for h in bare if h.marks & Mark.ARRIVED]
    if not arrivals:
        return
    gone = arrivals[seed % len(arrivals)]
    rest = [h for h in bare if h is not gone or h.marks & Mark.SWITCH_START]
    rest = [dataclasses.replace(h, marks=h.marks & ~Mark.ARRIVED) if name(h) == name(gone) else h for h in rest]
    placed, cutters = cut(rest)
    own = [p for p in placed[gone.scene] if p.segment.camera == gone.camera and p.header.phase is Phase.IN_POSITION]
    of_segment = [p for p in own if not p.segment.arrivals]
    assert cutters[gone.scene].marks.unknown_arrivals == (1 if of_segment else 0)


def test_a_long_run_with_loss_stays_small() -> None:
    losses = LossCounter()
    for number in range(0, 50_000, 2):
        losses.take('north', 1, number)
    assert losses.lost() == {'north': 24_999}
    (life,) = losses._lives.values()
    assert len(life.gaps) <= 2_000
    losses.take('north', 1, 49_997)
    assert losses.lost() == {'north': 24_998}


def test_the_last_frames_of_a_driver_between_the_first_ones_of_its_successor_make_no_new_segments() -> None:
    def header(session: int, sequence: int, stamp_ms: int) -> FrameHeader:
        return FrameHeader('north', 'gate', session, sequence, stamp_ms * MS, Phase.IN_POSITION, Mark.NONE, 100 * MS, 200 * MS, 0)

    mixed = [header(1 + number % 2, number, 1000 + 100 * number) for number in range(10)]
    placed, cutters = cut(mixed)
    assert [(s.session, s.frames) for s in cutters['gate'].segments] == [(1, 5), (2, 5)]
    # Once the successor is shown it stays.
    assert [p.header.session for p in placed['gate'] if p.shown] == [1, 2, 2, 2, 2, 2]


def test_a_slow_camera_is_not_taken_for_silent() -> None:
    def header(camera: str, sequence: int, stamp_ms: int) -> FrameHeader:
        return FrameHeader(camera, 'gate', 1, sequence, stamp_ms * MS, Phase.IN_POSITION, Mark.NONE, 100 * MS, 200 * MS, 0)

    cutter = SceneCutter('gate', Cut.ARRIVED, 0, silence_ns=6_000 * MS)
    for number in range(10):
        cutter.take(header('north', number, 1_000 + 2_000 * number))
        cutter.take(header('south', number, 2_000 + 2_000 * number))
    assert {p.header.camera for p in cutter.finish() if p.shown} == {'north'}
