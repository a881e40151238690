# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are taken apart where they lie are those that the messages say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetFrame, PresetHeader
from ptz_stitcher.frame_cdr import read_frame, read_header, read_image, read_stamp
from ptz_stitcher.frames import frame_header, time_ns
from ptz_stitcher.offline import messages

TEXTS = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=9)
COUNTS = st.integers(0, 2**64 - 1)
FLOATS = st.one_of(st.floats(width=32, allow_nan=False), st.just(math.nan))


@st.composite
def frames(draw: st.DrawFn) -> PresetFrame:
    preset = PresetHeader(camera=draw(TEXTS), scene=draw(TEXTS), preset=draw(TEXTS))
    preset.header.frame_id = draw(TEXTS)
    for time in (preset.header.stamp, preset.switch_start, preset.arrived):
        time.sec, time.nanosec = draw(st.integers(-(2**31), 2**31 - 1)), draw(st.integers(0, 999_999_999))
    preset.phase, preset.marks, preset.exposure_mode = draw(st.integers(0, 3)), draw(st.integers(0, 3)), draw(st.integers(0, 2))
    for name in ('slot', 'plan_revision', 'sequence', 'session'):
        setattr(preset, name, draw(COUNTS))
    for name in ('exposure_time', 'gain', 'pan', 'tilt', 'zoom'):
        setattr(preset, name, draw(FLOATS))
    return PresetFrame(
        header=preset.header,
        preset=preset,
        encoding=draw(st.sampled_from(['jpeg', 'h264', 'h265', ''])),
        keyframe=draw(st.booleans()),
        width=draw(st.integers(0, 2**32 - 1)),
        height=draw(st.integers(0, 2**32 - 1)),
        data=draw(st.binary(max_size=40)),
    )


def same(one: object, other: object) -> bool:
    """NaN is like NaN."""
    return repr(one) == repr(other)


@given(frames())
def test_what_is_read_is_what_was_sent(frame: PresetFrame) -> None:
    for data in (
        serialize_message(frame),
        messages.encode(messages.decode(serialize_message(frame), messages.FRAME), messages.FRAME),
    ):
        wire = read_frame(data)
        assert wire.header == frame_header(frame.preset) == read_header(wire.header_message)
        assert (wire.encoding, wire.keyframe, wire.size) == (frame.encoding, frame.keyframe, (frame.width, frame.height))
        assert bytes(wire.picture) == bytes(frame.data)
        assert read_stamp(data) == time_ns(frame.header.stamp) == read_stamp(wire.header_message)
        assert same(deserialize_message(wire.header_message, PresetHeader), frame.preset)
        image = deserialize_message(wire.image_head + wire.picture, CompressedImage)
        assert image == CompressedImage(header=frame.header, format=frame.encoding, data=frame.data)


@given(frames())
def test_an_image_in_two_parts_is_the_same_message(frame: PresetFrame) -> None:
    image = CompressedImage(header=frame.header, format=frame.encoding, data=frame.data)
    # Not by bytes: what is between strings and numbers is whatever was in memory.
    whole, picture = serialize_message(image), bytes(frame.data)
    head = messages.image_head(messages.decode(whole, messages.IMAGE).header, frame.encoding, len(picture))
    assert deserialize_message(head + picture, CompressedImage) == image
    assert len(head + picture) == len(whole)
    found = read_image(whole)
    assert (found.encoding, found.picture, found.head + found.picture) == (frame.encoding, picture, whole)
    for size in range(len(whole)):
        with pytest.raises(ValueError, match=r'damaged|early|CDR'):
            read_image(whole[:size])


@given(frames(), st.data())
def test_what_is_damaged_is_refused_or_still_a_frame(frame: PresetFrame, data: st.DataObject) -> None:
    whole = serialize_message(frame)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ValueError, match=r'damaged|early|CDR'):
        read_frame(cut)
    broken = bytearray(whole)
    broken[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read_frame(bytes(broken))
    except ValueError:
        return
