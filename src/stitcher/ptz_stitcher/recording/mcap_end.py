# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The end of an MCAP file: the summary that tells readers what is in it, and the footer that tells them where the summary is.

Format: https://mcap.dev/spec
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, DataEnd, Footer, Schema, Statistics, SummaryOffset

MAGIC = struct.pack('<8B', 0x89, 0x4D, 0x43, 0x41, 0x50, 0x30, 0x0D, 0x0A)
#: The footer record with the magic behind it: the last bytes of every file.
FOOTER_BYTES = 1 + 8 + 8 + 8 + 4 + len(MAGIC)
RECORD_HEAD_BYTES = 1 + 8
#: Opcodes from 0x80 on are private; readers skip such records.
_PRIVATE_OPCODE = 0x80


@dataclass(frozen=True)
class Summary:
    """What a file holds. Times in ns of log time; counts: messages by channel id.

    chunk_index: its records as they are in the file, by chunk; what is behind the first `chunks` does not count, so that a growing list
    may be shared.
    """

    schemas: tuple[Schema, ...] = ()
    channels: tuple[Channel, ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    chunks: int = 0
    chunk_index: Sequence[bytes] = ()

    @property
    def messages(self) -> int:
        """How many messages the file holds."""
        return sum(self.counts.values())

    def encode(self, at: int) -> bytes:
        """The summary section and the footer, for offset `at` of the file. Its length does not depend on `at`."""
        out, offsets = RecordBuilder(), []
        for opcode, data in self._groups():
            if data:
                offsets.append(SummaryOffset(opcode, group_start=at + out.count, group_length=len(data)))
                out.write(data)
        offset_start = at + out.count
        for offset in offsets:
            offset.write(out)
        data = bytes(out.end())
        # The checksum covers the summary section, and the footer up to the checksum itself.
        crc = zlib.crc32(struct.pack('<BQQQ', Opcode.FOOTER, 8 + 8 + 4, at, offset_start), zlib.crc32(data))
        return data + _footer(Footer(summary_start=at, summary_offset_start=offset_start, summary_crc=crc))

    def _groups(self) -> tuple[tuple[int, bytes], ...]:
        statistics = Statistics(
            attachment_count=0,
            channel_count=len(self.channels),
            channel_message_counts=dict(self.counts),
            chunk_count=self.chunks,
            message_count=self.messages,
            message_end_time=self.end_ns,
            message_start_time=self.start_ns,
            metadata_count=0,
            schema_count=len(self.schemas),
        )
        return (
            (Opcode.SCHEMA, _encode(*self.schemas)),
            (Opcode.CHANNEL, _encode(*self.channels)),
            (Opcode.STATISTICS, _encode(statistics)),
            (Opcode.CHUNK_INDEX, b''.join(islice(self.chunk_index, self.chunks))),
        )


def data_end() -> bytes:
    """The record between the chunks and the summary."""
    return _encode(DataEnd(data_section_crc=0))


def footer_to(summary_start: int) -> bytes:
    """A footer that stands apart from its summary."""
    return _footer(Footer(summary_start=summary_start, summary_offset_start=0, summary_crc=0))


def filler_head(length: int) -> bytes:
    """The head of a record of `length` bytes in all that readers skip."""
    return struct.pack('<BQ', _PRIVATE_OPCODE, length - RECORD_HEAD_BYTES)


def _footer(footer: Footer) -> bytes:
    return _encode(footer) + MAGIC


def _encode(*records: Schema | Channel | Statistics | DataEnd | Footer) -> bytes:
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    return bytes(builder.end())
