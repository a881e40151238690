# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a mark inside a picture says, byte by byte."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from ptz_site.phase import Mark, Phase

VERSION = 1
#: Version, marks, phase, reserved; stamp, switch start, arrival; slot, plan revision, session, sequence. Big-endian.
_FIXED = struct.Struct('>BBBBqqqQQQQ')
_CHECKSUM = struct.Struct('>I')
_LONGEST_NAME = 255


@dataclass(frozen=True)
class StreamMark:
    """The preset header of the picture that carries it: fields as in PresetHeader.msg, times in ns."""

    camera: str
    scene: str
    preset: str
    marks: Mark
    phase: Phase
    stamp_ns: int
    switch_start_ns: int
    arrived_ns: int = 0
    slot: int = 0
    plan_revision: int = 0
    session: int = 0
    sequence: int = 0


def pack(mark: StreamMark) -> bytes:
    """The mark as bytes. Raises ValueError if a name is longer than 255 bytes."""
    fixed = _FIXED.pack(
        VERSION,
        int(mark.marks),
        int(mark.phase),
        0,
        mark.stamp_ns,
        mark.switch_start_ns,
        mark.arrived_ns,
        mark.slot,
        mark.plan_revision,
        mark.session,
        mark.sequence,
    )
    names = b''.join(_name(name) for name in (mark.camera, mark.scene, mark.preset))
    return fixed + names + _CHECKSUM.pack(zlib.crc32(fixed + names))


def unpack(data: bytes) -> StreamMark:
    """The mark that bytes say. Raises ValueError if they are cut short, changed, or of a version that is not known."""
    if len(data) < _FIXED.size + 3 + _CHECKSUM.size:
        raise ValueError(f'a mark of {len(data)} bytes is cut short')
    body, (checksum,) = data[: -_CHECKSUM.size], _CHECKSUM.unpack(data[-_CHECKSUM.size :])
    if zlib.crc32(body) != checksum:
        raise ValueError('the checksum of the mark does not fit: it was changed')
    version, marks, phase, _, stamp, switch_start, arrived, slot, revision, session, sequence = _FIXED.unpack_from(body)
    if version != VERSION:
        raise ValueError(f'a mark of version {version}; this reads version {VERSION}')
    camera, scene, preset = _names(body[_FIXED.size :])
    return StreamMark(
        camera, scene, preset, Mark(marks), Phase(phase), stamp, switch_start, arrived, slot, revision, session, sequence
    )


def _name(name: str) -> bytes:
    data = name.encode()
    if len(data) > _LONGEST_NAME:
        raise ValueError(f'{name[:40]!r}...: a name of {len(data)} bytes; at most {_LONGEST_NAME} fit into a mark')
    return bytes([len(data)]) + data


def _names(data: bytes) -> tuple[str, str, str]:
    found, at = [], 0
    for _ in range(3):
        if at >= len(data) or at + 1 + data[at] > len(data):
            raise ValueError('the names of the mark are cut short')
        found.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    if at != len(data):
        raise ValueError('there is more behind the names of the mark than there should be')
    return found[0], found[1], found[2]
