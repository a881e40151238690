# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What pictures without marks show is told by those with marks, also where a mark is missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ptz_site import Mark, Phase
from ptz_site.stream_marks import StreamMark
from ptz_stitcher.offline.labelling import LOOK_AHEAD_NS, Labeller

MS = 1_000_000
S = 1_000_000_000
BEGIN = 1_700_000_000 * S


def recording(slots: int = 3, session: int = 1, begin_ns: int = BEGIN) -> list[StreamMark]:
    """Every picture of a camera that switches every 2 s and turns for 0.5 s, every 100 ms, as its driver knows it."""
    found = []
    for number in range(slots * 20):
        slot, within = divmod(number, 20)
        turning = within < 5
        marks = Mark.SWITCH_START if within == 0 else Mark.ARRIVED if within == 5 else Mark.NONE
        switch = begin_ns + slot * 2 * S - 30 * MS
        phase = Phase.TURNING if turning else Phase.IN_POSITION
        arrived = 0 if turning else switch + 510 * MS
        stamp = begin_ns + number * 100 * MS
        found.append(StreamMark('north', f's{slot}', '', marks, phase, stamp, switch, arrived, slot, 1, session, number + 1))
    return found


def label(pictures: list[StreamMark], lost: Collection[int] = (), jitter_ns: int = 0) -> tuple[list[StreamMark], Labeller[int]]:
    """What the labeller makes of the video. lost: pictures whose mark can't be read. jitter_ns: of the times of pictures without."""
    labeller: Labeller[int] = Labeller()
    labels = []
    for number, picture in enumerate(pictures):
        mark = picture if picture.marks and number not in lost else None
        time_ns = picture.stamp_ns - BEGIN + (0 if mark else jitter_ns)
        labels += [one.label for one in labeller.take(time_ns, mark, number)]
    labels += [one.label for one in labeller.finish()]
    return labels, labeller


def test_between_marks_pictures_are_counted_and_timed() -> None:
    pictures = recording()
    assert label(pictures)[0] == pictures


def test_nothing_is_known_before_the_first_mark() -> None:
    labels, labeller = label(recording()[7:])
    assert labeller.before_first == 13
    assert labels == recording()[20:]


def test_a_lost_mark_of_a_switch_is_told_by_the_arrival() -> None:
    pictures = recording()
    labels, labeller = label(pictures, lost={20})
    assert labeller.mended == 1
    assert labels == [replace(picture, marks=Mark.NONE) if number == 20 else picture for number, picture in enumerate(pictures)]


def test_without_the_arrival_a_camera_counts_as_turning() -> None:
    labels, labeller = label(recording(), lost={25})
    assert [one.phase for one in labels[20:40]] == [Phase.TURNING] * 20
    assert {one.scene for one in labels[20:40]} == {'s1'}
    assert labels[40:] == recording()[40:]
    assert not labeller.mended


def test_a_driver_that_starts_again_begins_a_new_count() -> None:
    pictures = recording(2) + recording(2, session=2, begin_ns=BEGIN + 5 * S)
    assert label(pictures)[0] == pictures


def test_inexact_times_of_the_video_do_not_put_pictures_behind_the_next_mark() -> None:
    labels, _ = label(recording(), jitter_ns=150 * MS)
    stamps = [one.stamp_ns for one in labels]
    assert stamps == sorted(stamps)
    assert [one.scene for one in labels] == [one.scene for one in recording()]


def test_only_so_many_pictures_wait_for_a_mark() -> None:
    first = recording()[0]
    labeller: Labeller[int] = Labeller()
    given = 0
    for number in range(2000):
        given += len(list(labeller.take(number * 100 * MS, first if number == 0 else None, number)))
    assert 2000 - given <= LOOK_AHEAD_NS // (100 * MS) + 2
