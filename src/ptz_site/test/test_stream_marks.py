# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of marks inside pictures: byte by byte, in real JPEG, and in units of H.264 and H.265."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_site import Mark, Phase
from ptz_site.stream_marks import StreamMark, jpeg, nal, pack, unpack

MARK = StreamMark('north', 'gate', 'p1', Mark.SWITCH_START, Phase.TURNING, 10**18 + 7, 10**18, 0, 12, 3, 10**18 - 5, 4711)
NAMES = st.text(max_size=60)
TIMES = st.integers(0, 2**63 - 1)
COUNTS = st.integers(0, 2**64 - 1)
MARKS = st.builds(
    StreamMark,
    NAMES,
    NAMES,
    NAMES,
    st.sampled_from(list(Mark)),
    st.sampled_from(Phase),
    TIMES,
    TIMES,
    TIMES,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
)
FORMATS = [nal.NalFormat(codec, length) for codec in nal.Codec for length in (0, 1, 2, 4)]


def picture() -> bytes:
    image = np.random.default_rng(1).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    return bytes(cv2.imencode('.jpg', image)[1])


def test_the_bytes_are_those_of_the_specification() -> None:
    data = pack(MARK)
    assert data[:4] == bytes([1, 1, 1, 0])
    assert int.from_bytes(data[4:12], 'big') == MARK.stamp_ns
    assert int.from_bytes(data[12:20], 'big') == MARK.switch_start_ns
    assert int.from_bytes(data[20:28], 'big') == 0
    assert [int.from_bytes(data[at : at + 8], 'big') for at in (28, 36, 44, 52)] == [12, 3, 10**18 - 5, 4711]
    assert data[60:-4] == b'\x05north\x04gate\x02p1'
    assert len(data) == 60 + 14 + 4


@given(MARKS)
def test_marks_survive(mark: StreamMark) -> None:
    assert unpack(pack(mark)) == mark


@given(st.integers(0, len(pack(MARK)) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, change: int) -> None:
    data = bytearray(pack(MARK))
    data[at] ^= change
    with pytest.raises(ValueError, match='mark'):
        unpack(bytes(data))


def test_a_name_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match='300 bytes'):
        pack(StreamMark('n' * 300, 'gate', '', Mark.NONE, Phase.UNKNOWN, 0, 0))


def test_a_jpeg_with_a_mark_decodes_to_the_same_pixels() -> None:
    plain = picture()
    marked = jpeg.insert(plain, MARK)
    assert jpeg.read(marked) == MARK
    assert jpeg.read(plain) is None
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (plain, marked)]
    assert np.array_equal(*decoded)
    # The JFIF segment stays the first one, as that standard wants it.
    assert marked[2:4] == plain[2:4] == b'\xff\xe0'
    assert len(marked) == len(plain) + 4 + len(jpeg.IDENTIFIER) + len(pack(MARK))


@pytest.mark.parametrize('data', [b'', b'\x89PNG', b'not a picture'])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match='not a JPEG'):
        jpeg.insert(data, MARK)


def test_a_jpeg_that_is_cut_short_has_no_mark() -> None:
    marked = jpeg.insert(picture(), MARK)
    for length in (2, 3, 10, 30):
        assert jpeg.read(marked[:length]) is None


def unit(form: nal.NalFormat, body: bytes) -> bytes:
    return (len(body).to_bytes(form.length_bytes, 'big') if form.length_bytes else b'\0\0\0\1') + body


def heads(form: nal.NalFormat) -> tuple[bytes, bytes, bytes]:
    """The first bytes of a delimiter, of a parameter set, and of a slice."""
    return (b'\x09', b'\x67', b'\x65') if form.codec is nal.Codec.H264 else (b'\x46\x01', b'\x42\x01', b'\x26\x01')


@pytest.mark.parametrize('form', FORMATS, ids=lambda form: f'{form.codec.value}-{form.length_bytes}')
@given(mark=MARKS.filter(lambda mark: len(mark.camera.encode() + mark.scene.encode() + mark.preset.encode()) < 100))
def test_the_mark_is_before_the_first_slice_and_everything_else_is_as_it_was(form: nal.NalFormat, mark: StreamMark) -> None:
    delimiter, parameters, picture_slice = heads(form)
    packet = (
        unit(form, delimiter + b'\xf0') + unit(form, parameters + b'\x42\x00\x1e') + unit(form, picture_slice + b'\x88\x84' * 40)
    )
    if form.length_bytes == 1:
        mark = MARK
    marked = nal.insert(packet, form, mark)
    assert nal.read(marked, form) == mark
    assert nal.read(packet, form) is None
    begin = len(unit(form, delimiter + b'\xf0') + unit(form, parameters + b'\x42\x00\x1e'))
    added = len(marked) - len(packet)
    assert marked[:begin] + marked[begin + added :] == packet
    inside = marked[begin + (form.length_bytes or 4) : begin + added]
    assert all(code not in inside for code in (b'\0\0\0', b'\0\0\1', b'\0\0\2')), 'it must not look like a start code'


def test_other_messages_of_the_same_kind_are_left_alone() -> None:
    form = nal.NalFormat(nal.Codec.H264, 4)
    foreign = b'\x06\x05\x14' + bytes(range(16, 36)) + b'\x80'
    packet = unit(form, foreign) + unit(form, b'\x65\x88')
    assert nal.read(packet, form) is None
    assert nal.read(nal.insert(packet, form, MARK), form) == MARK


def test_a_unit_without_a_slice_and_a_wrong_length_are_refused() -> None:
    form = nal.NalFormat(nal.Codec.H264, 4)
    with pytest.raises(ValueError, match='no slice'):
        nal.insert(unit(form, b'\x67\x42'), form, MARK)
    with pytest.raises(ValueError, match='longer than its packet'):
        nal.insert(b'\x00\x00\x10\x00\x65', form, MARK)


def test_the_format_is_taken_from_the_extradata() -> None:
    avcc = b'\x01\x64\x00\x1f\xff\xe1\x00'
    hvcc = b'\x01' + bytes(20) + b'\x0f\x03'
    assert nal.format_of(nal.Codec.H264, avcc).length_bytes == 4
    assert nal.format_of(nal.Codec.H265, hvcc).length_bytes == 4
    assert nal.format_of(nal.Codec.H264, b'\0\0\0\1\x67').length_bytes == 0
    assert nal.format_of(nal.Codec.H264, b'').length_bytes == 0
    with pytest.raises(ValueError, match='cut short'):
        nal.format_of(nal.Codec.H265, b'\x01\x02')
