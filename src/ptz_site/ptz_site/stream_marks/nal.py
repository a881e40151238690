# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Marks in H.264 and H.265: an SEI message user_data_unregistered with our UUID, before the first slice of an access unit.

ITU-T H.264 7.3.2.3 and D.1.7, H.265 7.3.2.4 and D.2.7. Whether units have start codes or lengths is taken from the stream's
extradata, never from a packet: a length may look like a start code.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ptz_site.stream_marks.payload import StreamMark, pack, unpack

#: Names our messages among all that use user_data_unregistered.
UUID = uuid.UUID('7d2c0c4e-5f0b-4c0a-9a64-70747a636c62').bytes
_USER_DATA_UNREGISTERED = 5
_START_CODE = b'\x00\x00\x00\x01'


class Codec(Enum):
    """The codecs that can carry marks this way; values are FFmpeg's names."""

    H264 = 'h264'
    H265 = 'hevc'


@dataclass(frozen=True)
class NalFormat:
    """How the units of a stream are put together. length_bytes 0: with start codes (Annex B)."""

    codec: Codec
    length_bytes: int

    def is_slice(self, head: int) -> bool:
        """Whether a unit whose first byte is given holds picture data."""
        return 1 <= head & 31 <= 5 if self.codec is Codec.H264 else (head >> 1) & 63 < 32

    def is_random_access(self, head: int) -> bool:
        """Whether a unit is of a picture that can be decoded without an earlier one (IDR; in H.265 also CRA and BLA)."""
        return head & 31 == 5 if self.codec is Codec.H264 else 16 <= (head >> 1) & 63 <= 21

    def is_parameter_set(self, head: int) -> bool:
        """Whether a unit says how the following pictures are encoded (VPS, SPS, PPS)."""
        return head & 31 in (7, 8) if self.codec is Codec.H264 else (head >> 1) & 63 in (32, 33, 34)

    def is_sei(self, head: int) -> bool:
        """Whether a unit holds messages that come before a picture."""
        return head & 31 == 6 if self.codec is Codec.H264 else (head >> 1) & 63 == 39

    @property
    def sei_head(self) -> bytes:
        """The header of such a unit."""
        return b'\x06' if self.codec is Codec.H264 else b'\x4e\x01'


def format_of(codec: Codec, extradata: bytes) -> NalFormat:
    """The format of a stream, from its extradata: avcC or hvcC begin with version 1, everything else has start codes."""
    if not extradata.startswith(b'\x01'):
        return NalFormat(codec, 0)
    at = 4 if codec is Codec.H264 else 21
    if len(extradata) <= at:
        raise ValueError(f'extradata of {len(extradata)} bytes is cut short')
    return NalFormat(codec, (extradata[at] & 3) + 1)


def units(packet: bytes, form: NalFormat) -> Iterator[bytes]:
    """The units of an access unit, without start codes or lengths."""
    for _, begin, end in _units(packet, form):
        if begin < end:
            yield packet[begin:end]


def is_keyframe(packet: bytes, form: NalFormat) -> bool:
    """Whether an access unit can be decoded without an earlier one."""
    return any(form.is_random_access(unit[0]) for unit in units(packet, form))


def insert(packet: bytes, form: NalFormat, mark: StreamMark) -> bytes:
    """The access unit with the mark before its first slice. Raises ValueError if it has none."""
    unit = form.sei_head + _escaped(_message(UUID + pack(mark)) + b'\x80')
    head = len(unit).to_bytes(form.length_bytes, 'big') if form.length_bytes else _START_CODE
    for at, begin, end in _units(packet, form):
        if begin < end and form.is_slice(packet[begin]):
            return packet[:at] + head + unit + packet[at:]
    raise ValueError('no slice in the access unit')


def read(packet: bytes, form: NalFormat) -> StreamMark | None:
    """The mark in an access unit; None if it has none. Raises ValueError if it is damaged."""
    for _, begin, end in _units(packet, form):
        if begin < end and form.is_sei(packet[begin]):
            for kind, data in _messages(_unescaped(packet[begin + len(form.sei_head) : end])):
                if kind == _USER_DATA_UNREGISTERED and data.startswith(UUID):
                    return unpack(data[len(UUID) :])
    return None


def _units(packet: bytes, form: NalFormat) -> Iterator[tuple[int, int, int]]:
    """Of each unit: where its start code or length begins, where it begins, where it ends."""
    if form.length_bytes:
        at = 0
        while at + form.length_bytes <= len(packet):
            begin = at + form.length_bytes
            end = begin + int.from_bytes(packet[at:begin], 'big')
            if end > len(packet):
                raise ValueError('a unit is longer than its packet: wrong extradata, or a packet that was cut short')
            yield at, begin, end
            at = end
        return
    code = packet.find(b'\x00\x00\x01')
    while code >= 0:
        following = packet.find(b'\x00\x00\x01', code + 3)
        end = len(packet) if following < 0 else following
        # A zero byte before a start code belongs to it.
        at = code - 1 if code and packet[code - 1] == 0 else code
        yield at, code + 3, end - 1 if following >= 0 and packet[end - 1] == 0 else end
        code = following


def _message(data: bytes) -> bytes:
    return bytes([_USER_DATA_UNREGISTERED]) + b'\xff' * (len(data) // 255) + bytes([len(data) % 255]) + data


def _messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    # The last byte holds the stop bit.
    while at < len(payload) - 1:
        kind, at = _number(payload, at)
        size, at = _number(payload, at)
        yield kind, payload[at : at + size]
        at += size


def _number(payload: bytes, at: int) -> tuple[int, int]:
    """A number as SEI messages write it, and where it ends."""
    number = 0
    while at < len(payload) and payload[at] == 255:
        number, at = number + 255, at + 1
    if at >= len(payload):
        raise ValueError('an SEI message is cut short')
    return number + payload[at], at + 1


def _escaped(payload: bytes) -> bytes:
    """With emulation prevention bytes: no 00 00 00 to 00 00 03 may be inside a unit (H.264 7.4.1)."""
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _unescaped(data: bytes) -> bytes:
    return data.replace(b'\x00\x00\x03', b'\x00\x00')
