# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Access units as RTP packets (RFC 3550; H.264: RFC 6184; H.265: RFC 7798), and RTCP sender reports. Bytes out, no sockets."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ptz_site import NANOSECONDS
from ptz_site.stream_marks.nal import Codec

CLOCK_RATE = 90_000
PAYLOAD_TYPE = 96
_LARGEST_PAYLOAD = 1400
_HEADER = struct.Struct('>BBHII')
_SENDER_REPORT = struct.Struct('>BBHIIIIII')
#: s from 1900, where NTP begins, to 1970.
_NTP_EPOCH = 2_208_988_800


@dataclass
class RtpStream:
    """Numbers the packets of one receiver's stream."""

    codec: Codec
    source: int
    offset: int
    sequence: int = 0
    packets: int = 0
    octets: int = 0

    def packetize(self, units: Iterable[bytes], stamp_ns: int) -> Iterator[bytes]:
        """The packets of an access unit that was captured at an instant; the last one has the marker bit."""
        payloads = [payload for unit in units for payload in _fragments(unit, self.codec)]
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            head = _HEADER.pack(0x80, marker | PAYLOAD_TYPE, self.sequence, self.timestamp(stamp_ns), self.source)
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.packets += 1
            self.octets += len(payload)
            yield head + payload

    def timestamp(self, stamp_ns: int) -> int:
        """The RTP time of an instant."""
        return (self.offset + stamp_ns * CLOCK_RATE // NANOSECONDS) & 0xFFFFFFFF

    def sender_report(self, at_ns: int, clock_ns: int) -> bytes:
        """Says which time of the camera's clock an RTP time is (RFC 3550, 6.4.1)."""
        seconds, rest = divmod(clock_ns, NANOSECONDS)
        return _SENDER_REPORT.pack(
            0x80,
            200,
            6,
            self.source,
            (seconds + _NTP_EPOCH) & 0xFFFFFFFF,
            (rest << 32) // NANOSECONDS,
            self.timestamp(at_ns),
            self.packets & 0xFFFFFFFF,
            self.octets & 0xFFFFFFFF,
        )


def _fragments(unit: bytes, codec: Codec) -> Iterator[bytes]:
    """A unit as payloads: whole if it is small, otherwise cut (FU-A, in H.265 FU)."""
    if len(unit) <= _LARGEST_PAYLOAD:
        yield unit
        return
    if codec is Codec.H264:
        indicator, kind, body = bytes([unit[0] & 0xE0 | 28]), unit[0] & 0x1F, unit[1:]
    else:
        indicator, kind, body = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit[0] >> 1 & 0x3F, unit[2:]
    for at in range(0, len(body), _LARGEST_PAYLOAD):
        piece = body[at : at + _LARGEST_PAYLOAD]
        first, last = at == 0, at + _LARGEST_PAYLOAD >= len(body)
        yield indicator + bytes([first << 7 | last << 6 | kind]) + piece
