# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Takes PresetFrame and PresetHeader apart where they lie, without making messages of them and without copying the picture.

Of recording, live or of hours at once, this is most of the work, and a general decoder takes ten times as long. CDR: DDS-XTypes 1.3, 7.4.3,
of which ROS writes the plain, little-endian form: each number at a multiple of its size, counted from behind the first four bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ptz_site import NANOSECONDS, Mark, Phase
from ptz_stitcher.segments import FrameHeader

#: CDR, little-endian.
_PLAIN = b'\x00\x01'
_BEGIN = b'\x00\x01\x00\x00'
_U32, _TIME, _TIMES = struct.Struct('<I'), struct.Struct('<iI'), struct.Struct('<iIiI')
#: Of a PresetFrame: width, height, and length of the picture that follows.
_SIZES = struct.Struct('<III')
_PHASE, _COUNTS = struct.Struct('<BB'), struct.Struct('<QQQQ')
#: Behind the first number of eight bytes of a PresetHeader: four of them, a byte, three unused, five of four bytes.
_TAIL_BYTES = 4 * 8 + 4 + 5 * 4
_ZEROS = bytes(8)


@dataclass(frozen=True, slots=True)
class WireFrame:
    """A PresetFrame. header_message: its PresetHeader, serialized; picture: a view; size: width and height in pixels."""

    header: FrameHeader
    header_message: bytes
    encoding: str
    keyframe: bool
    size: tuple[int, int]
    picture: memoryview
    #: A CompressedImage of this picture, up to the picture.
    image_head: bytes


@dataclass(frozen=True, slots=True)
class WireImage:
    """A CompressedImage. head: serialized, up to the picture."""

    encoding: str
    picture: bytes
    head: bytes


def read_frame(data: bytes | memoryview) -> WireFrame:
    """Of a serialized PresetFrame. Raises ValueError if it is damaged, or not in the form that ROS writes."""
    body = _body(data)
    try:
        frame_id_end = _string_end(body, _TIME.size)
        begin = _aligned(frame_id_end, 4)
        header, times_end, tail = _preset(body, begin)
        encoding_at = _aligned(tail + _TAIL_BYTES, 4)
        encoding, at = _string(body, encoding_at)
        keyframe = bool(body[at])
        width_at = _aligned(at + 1, 4)
        width, height, length = _SIZES.unpack_from(body, width_at)
        picture = body[width_at + _SIZES.size : width_at + _SIZES.size + length]
        if len(picture) != length:
            raise ValueError('ends early')
        # What comes before the first number of eight bytes lies the same way in both; that number has its own place in each.
        strings = bytes(body[begin:times_end])
        message = b''.join((_BEGIN, strings, _padding(len(strings), 8), body[tail : tail + _TAIL_BYTES]))
        name = bytes(body[encoding_at:at])
        head = b''.join((_BEGIN, body[:frame_id_end], _padding(frame_id_end, 4), name, _padding(len(name), 4), _U32.pack(length)))
    except (struct.error, IndexError) as error:
        raise ValueError(f'a damaged PresetFrame: {error}') from None
    return WireFrame(header, message, encoding, keyframe, (width, height), picture, head)


def read_image(data: bytes | memoryview) -> WireImage:
    """Of a serialized CompressedImage. Raises ValueError, as above."""
    body = _body(data)
    try:
        encoding, at = _string(body, _aligned(_string_end(body, _TIME.size), 4))
        begin = _aligned(at, 4) + 4
        (length,) = _U32.unpack_from(body, begin - 4)
    except struct.error as error:
        raise ValueError(f'a damaged CompressedImage: {error}') from None
    if begin + length > len(body):
        raise ValueError('a picture that ends early')
    return WireImage(encoding, bytes(body[begin : begin + length]), bytes(data[: begin + 4]))


def read_stamp(data: bytes | memoryview) -> int:
    """Ns: of any serialized message that begins with a std_msgs/Header. Raises ValueError, as above."""
    try:
        seconds, nanoseconds = _TIME.unpack_from(_body(data), 0)
    except struct.error as error:
        raise ValueError(f'a damaged message: {error}') from None
    return int(seconds) * NANOSECONDS + int(nanoseconds)


def read_header(data: bytes | memoryview) -> FrameHeader:
    """Of a serialized PresetHeader. Raises ValueError, as above."""
    body = _body(data)
    try:
        return _preset(body, 0)[0]
    except (struct.error, IndexError) as error:
        raise ValueError(f'a damaged PresetHeader: {error}') from None


def _body(data: bytes | memoryview) -> memoryview:
    if data[:2] != _PLAIN:
        raise ValueError('not little-endian CDR')
    return memoryview(data)[4:]


def _preset(body: memoryview, at: int) -> tuple[FrameHeader, int, int]:
    """A PresetHeader that begins there; the end of what comes before its counts, and where those are."""
    stamp = _TIME.unpack_from(body, at)
    camera, after = _string(body, _aligned(_string_end(body, at + _TIME.size), 4))
    scene, after = _string(body, _aligned(after, 4))
    after = _string_end(body, _aligned(after, 4))
    phase, marks = _PHASE.unpack_from(body, after)
    times_at = _aligned(after + _PHASE.size, 4)
    times = _TIMES.unpack_from(body, times_at)
    tail = _aligned(times_at + _TIMES.size, 8)
    slot, _, sequence, session = _COUNTS.unpack_from(body, tail)
    if tail + _TAIL_BYTES > len(body):
        raise ValueError('a header that ends early')
    header = FrameHeader(
        camera=camera,
        scene=scene,
        session=session,
        sequence=sequence,
        stamp_ns=stamp[0] * NANOSECONDS + stamp[1],
        phase=Phase(phase),
        marks=Mark(marks),
        switch_start_ns=times[0] * NANOSECONDS + times[1],
        arrived_ns=times[2] * NANOSECONDS + times[3],
        slot=slot,
    )
    return header, times_at + _TIMES.size, tail


def _string(body: memoryview, at: int) -> tuple[str, int]:
    """A string whose length is there, and its end."""
    end = _string_end(body, at)
    return str(body[at + 4 : max(at + 4, end - 1)], 'utf-8'), end


def _string_end(body: memoryview, at: int) -> int:
    end = at + 4 + int(_U32.unpack_from(body, at)[0])
    if end > len(body):
        raise ValueError('a string that ends early')
    return end


def _aligned(at: int, size: int) -> int:
    return at + -at % size


def _padding(at: int, size: int) -> bytes:
    return _ZEROS[: -at % size]
