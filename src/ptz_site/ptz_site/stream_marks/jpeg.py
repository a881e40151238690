# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Marks in JPEG pictures: an APP9 segment of our own (ISO/IEC 10918-1, B.2.4.6), which every decoder skips."""

from __future__ import annotations

from collections.abc import Iterator

from ptz_site.stream_marks.payload import StreamMark, pack, unpack

IDENTIFIER = b'ptz_collab\0'
_START = b'\xff\xd8'
_APP0, _APP9, _APP15, _SCAN = 0xE0, 0xE9, 0xEF, 0xDA
#: Start of frame, in all its kinds; C4, C8 and CC are something else.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
#: Markers without a length: TEM, and the restart markers.
_BARE = {0x01, *range(0xD0, 0xD8)}


def insert(jpeg: bytes, mark: StreamMark) -> bytes:
    """The picture with the mark in it, behind the application segments that it has. Raises ValueError if it is no JPEG."""
    place = 2
    for marker, _, end in _segments(jpeg):
        if not _APP0 <= marker <= _APP15:
            break
        place = end
    body = IDENTIFIER + pack(mark)
    segment = bytes([0xFF, _APP9]) + (len(body) + 2).to_bytes(2, 'big') + body
    return jpeg[:place] + segment + jpeg[place:]


def read(jpeg: bytes) -> StreamMark | None:
    """The mark in a picture; None if it has none. Raises ValueError if it is no JPEG, or the mark is damaged."""
    for marker, begin, end in _segments(jpeg):
        if marker == _APP9 and jpeg.startswith(IDENTIFIER, begin):
            return unpack(jpeg[begin + len(IDENTIFIER) : end])
    return None


def size(jpeg: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the frame header (B.2.2). Raises ValueError if it is no JPEG."""
    for marker, begin, _ in _segments(jpeg):
        if marker in _FRAMES:
            return int.from_bytes(jpeg[begin + 3 : begin + 5], 'big'), int.from_bytes(jpeg[begin + 1 : begin + 3], 'big')
    raise ValueError('a JPEG picture without a frame header')


def _segments(jpeg: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of the data of each segment before the scan."""
    if not jpeg.startswith(_START):
        raise ValueError('not a JPEG picture')
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF or marker in _BARE:  # a fill byte, or nothing behind it
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _SCAN:
            return
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], 'big')
        if end > len(jpeg):
            return
        yield marker, at + 4, end
        at = end
