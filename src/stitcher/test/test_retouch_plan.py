# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what is hidden in a frame: between two looks, before the first and after the last, and where nobody looked."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ptz_site import Mark, Phase
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.retouch import (
    Box,
    Look,
    LookMemory,
    Redact,
    Retouching,
    RetouchSettings,
    Sighting,
    WaitingRoom,
    retouching,
)
from ptz_stitcher.retouch.plan import HOLD_NS, MARGIN
from ptz_stitcher.retouch.waiting import WaitingFrame
from ptz_stitcher.segments import FrameHeader, Placed, Segment

S = 1_000_000_000
START = 1_700_000_000 * S
SIZE = (1280, 720)
#: What is promised: people who move by so many of their heights a second (2.5 m/s), and come in over the edge by such a share of the picture.
SPEED, EDGE_SPEED = 1.5, 0.25
EVERYBODY = RetouchSettings(Redact.EVERYBODY)
OTHERS = RetouchSettings(Redact.OTHERS)


def header(seconds: float, phase: Phase = Phase.IN_POSITION, switch: int = START) -> FrameHeader:
    return FrameHeader('north', 'gate', 7, 1, START + round(seconds * S), phase, Mark.NONE, switch, switch + S, 0)


def look(seconds: float, *sightings: Sighting, switch: int = START) -> Look:
    return Look(('north', 7, switch), switch + S, START + round(seconds * S), SIZE, sightings)


def person(x: float, y: float, height: float = 100.0) -> Box:
    return Box(x - 0.2 * height, y - 0.5 * height, x + 0.2 * height, y + 0.5 * height)


def is_hidden(box: Box, what: Retouching) -> bool:
    """Whether all of it is: by one region, which is more than is asked for."""
    return what.whole or any(
        region.left <= box.left and region.top <= box.top and region.right >= box.right and region.bottom >= box.bottom
        for region in what.hidden
    )


places = st.floats(-200, 1500)
#: s between two looks; at less than one every two seconds pictures may be hidden as a whole.
gaps = st.floats(0.02, 1.9)
shares = st.floats(0, 1)


@given(places, places, places, places, st.floats(20, 600), gaps, shares)
def test_somebody_who_walks_straight_is_hidden_between_two_looks(
    x0: float, y0: float, x1: float, y1: float, height: float, gap: float, share: float
) -> None:
    looks = [look(2, Sighting(1, person(x0, y0, height))), look(2 + gap, Sighting(1, person(x1, y1, height)))]
    now = person(x0 + share * (x1 - x0), y0 + share * (y1 - y0), height)
    what = retouching(header(2 + share * gap), looks, EVERYBODY)
    assert is_hidden(now, what)
    assert not what.whole


@given(st.data(), gaps, st.integers(2, 8))
def test_somebody_who_walks_to_and_fro_is_hidden_at_every_instant(data: st.DataObject, gap: float, steps: int) -> None:
    # A way of short pieces, none faster than people are taken to be.
    height, step = 100.0, gap / steps
    way = [(640.0, 360.0)]
    for _ in range(steps):
        reach = SPEED * height * step
        dx, dy = data.draw(st.floats(-reach, reach)), data.draw(st.floats(-reach, reach))
        way.append((way[-1][0] + dx, way[-1][1] + dy))
    looks = [look(2, Sighting(1, person(*way[0]))), look(2 + gap, Sighting(1, person(*way[-1])))]
    for number, (x, y) in enumerate(way):
        assert is_hidden(person(x, y), retouching(header(2 + number * step), looks, EVERYBODY))


@given(st.floats(0, 1), st.floats(-1, 1), st.booleans())
def test_before_the_first_look_and_after_the_last_one_people_are_hidden_where_they_can_be(
    away: float, way: float, before: bool
) -> None:
    looks = [look(5, Sighting(1, person(640, 360)))]
    now = person(640 + way * SPEED * 100 * away, 360)
    assert is_hidden(now, retouching(header(5 - away if before else 5 + away), looks, EVERYBODY))


@given(st.floats(0, 4), st.integers(0, 40), st.integers(2, 12))
def test_who_is_found_late_and_lost_early_is_hidden_before_and_after(phase: float, first: int, count: int) -> None:
    """Looks go on all the time; the track is in some of them only."""
    times = [2 + 0.25 * number for number in range(60)]
    seen = range(first, first + count)
    looks = [look(at, *([Sighting(1, person(640, 360))] if number in seen else [])) for number, at in enumerate(times)]
    begin, end = times[first] - HOLD_NS / S, times[first + count - 1] + HOLD_NS / S
    at = max(2.0, begin) + phase / 4 * (min(end, times[-1]) - max(2.0, begin))
    assert is_hidden(person(640, 360), retouching(header(at), looks, EVERYBODY))
    # And not for ever.
    for outside in (begin - 0.1, end + 0.1):
        if 2 < outside < times[-1]:
            assert not is_hidden(person(640, 360), retouching(header(outside), looks, EVERYBODY))


def test_the_margin_is_that_of_a_box_where_the_frame_itself_was_looked_at() -> None:
    what = retouching(header(3), [look(2.7), look(3, Sighting(1, Box(100, 100, 140, 200))), look(3.3)], EVERYBODY)
    assert what.hidden == (Box(100 - 100 * MARGIN, 100 - 100 * MARGIN, 140 + 100 * MARGIN, 200 + 100 * MARGIN),)
    assert what.size == SIZE


def test_who_is_lost_for_a_while_is_hidden_where_he_was_seen_too_not_only_where_he_is_predicted() -> None:
    looks = [
        look(2, Sighting(1, person(300, 360))),
        look(2.25, Sighting(1, person(700, 360), detected=False)),
        look(2.5, Sighting(1, person(900, 360), detected=False)),
        look(2.75, Sighting(1, person(300, 500))),
    ]
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        what = retouching(header(2 + 0.75 * share), looks, EVERYBODY)
        assert is_hidden(person(300, 360 + 140 * share), what)
    assert is_hidden(person(700, 360), retouching(header(2.3), looks, EVERYBODY))


def test_what_nobody_looked_at_in_time_is_hidden_as_a_whole() -> None:
    empty = [look(2), look(2.5)]
    assert not retouching(header(2.2), empty, EVERYBODY).whole
    assert not retouching(header(3.4), empty, EVERYBODY).whole
    for frame, looks in [
        (header(3.6), empty),  # perception is dead, or too slow
        (header(0.9), empty),  # before it began
        (header(2.2), []),
        (header(2.2, Phase.TURNING), empty),  # the camera turns
        (header(2.2, Phase.FAULT), empty),
        (header(2.2, switch=START + S // 2), empty),  # looks of another segment, when the camera stood elsewhere
        (replace(header(2.2), session=8), empty),
        (replace(header(2.2), arrived_ns=START + 2 * S), empty),
    ]:
        for settings in (EVERYBODY, OTHERS):
            what = retouching(frame, looks, settings)
            assert what.whole
            assert not what.marks
        assert not retouching(frame, looks, RetouchSettings(draw_targets=True)).whole, 'nobody asked for it'


def test_who_comes_in_over_the_edge_between_two_looks_is_hidden_there() -> None:
    what = retouching(header(2.5), [look(2), look(3)], EVERYBODY)
    depth = EDGE_SPEED * 1280 * 0.5
    for box in (Box(0, 300, depth, 400), Box(1280 - depth, 0, 1280, 720), Box(0, 0, 1280, depth), Box(9, 720 - depth, 99, 720)):
        pieces = [region for region in what.hidden if region.left < box.right and region.right > box.left]
        assert sum(_overlap(box, region) for region in pieces) >= (box.right - box.left) * (box.bottom - box.top) - 1e-6
    assert sum(_overlap(Box(0, 0, *SIZE), region) for region in what.hidden) < 1280 * 720


def _overlap(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)


def test_targets_are_shown_only_where_they_were_recognised_on_both_sides() -> None:
    unknown, known = Sighting(1, person(300, 360)), Sighting(1, person(320, 360), True, 'anna', '#102030', 'arrow')
    other = Sighting(2, person(900, 360))
    looks = [look(2, unknown, other), look(2.25, known, other), look(2.5, known, other)]
    assert is_hidden(unknown.box, retouching(header(2.1), looks, OTHERS)), 'not recognised yet'
    shown = retouching(header(2.4), looks, OTHERS)
    assert not is_hidden(known.box, shown)
    assert is_hidden(other.box, shown)
    assert is_hidden(known.box, retouching(header(2.4), looks, EVERYBODY))


def test_marks_follow_targets_between_looks() -> None:
    def anna(x: float) -> Sighting:
        return Sighting(1, person(x, 360), True, 'anna', '#102030', 'arrow')

    looks = [look(2, anna(300)), look(2.4, anna(340), Sighting(2, person(500, 360)))]
    (mark,) = retouching(header(2.1), looks, RetouchSettings(draw_targets=True)).marks
    assert (mark.target, mark.colour, mark.shape) == ('anna', '#102030', 'arrow')
    assert all(abs(a - b) < 0.01 for a, b in zip(mark.box.sides, person(310, 360).sides, strict=True))
    assert retouching(header(2.1), looks, RetouchSettings(draw_targets=True)).hidden == ()
    assert not retouching(header(2.1), looks, EVERYBODY).marks


def test_a_memory_gives_looks_in_order_and_forgets() -> None:
    memory = LookMemory(keep_ns=5 * S)
    for at in (2.0, 2.5, 2.25, 9.0):
        memory.take(look(at))
    assert memory.near('north', START + 2 * S, S) == ()
    for at in (8.5, 8.25):
        memory.take(look(at))
    assert [one.stamp_ns for one in memory.near('north', START + 8 * S, S)] == [START + round(at * S) for at in (8.25, 8.5, 9)]
    assert memory.near('south', START + 8 * S, S) == ()


def test_frames_wait_for_their_time_or_until_there_are_too_many_of_them() -> None:
    room = WaitingRoom(delay_ns=S, max_bytes=2500)

    def frame(seconds: float, size: int = 100) -> WaitingFrame:
        placed = Placed(header(seconds), Segment('north', 'gate', 7, START, 0), False, True, True)
        return WaitingFrame(placed, EncodedPicture(bytes(size), 'jpeg', True, SIZE), ())

    came = [[(one.placed.header.stamp_ns - START) / S for one in room.take(frame(at))] for at in (2.0, 2.5, 3.0, 3.4, 3.5)]
    assert came == [[], [], [2.0], [], [2.5]]
    large = [(one.placed.header.stamp_ns - START) / S for one in room.take(frame(3.6, 2400))]
    assert large == [3.0, 3.4], 'the oldest go before memory grows'
    assert [(one.placed.header.stamp_ns - START) / S for one in room.finish()] == [3.5, 3.6]
