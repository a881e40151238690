# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 bag in MCAP that opens at any time, also after kill -9 or on a full disk.

An MCAP file needs a summary and a footer at its end; most readers refuse a file without them. So every checkpoint writes the next chunk
together with a new end over the old end, in one write. Format: https://mcap.dev/spec and rosbag2's metadata, version 9.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import yaml
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Message,
    MessageIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from ptz_stitcher.recording.errors import RecordingError

MAGIC = struct.pack('<8B', 0x89, 0x4D, 0x43, 0x41, 0x50, 0x30, 0x0D, 0x0A)
_METADATA_VERSION = 9
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class TopicType:
    """A message type: its name (package/msg/Name), its definition with all that it contains, and its RIHS01 hash."""

    name: str
    definition: str
    type_hash: str = ''


@dataclass
class _Open:
    """The chunk that is being filled."""

    messages: RecordBuilder = field(default_factory=RecordBuilder)
    index: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    count: int = 0


class BagWriter:
    """Writes the folder of one bag: <name>_0.mcap and metadata.yaml.

    Messages are given serialized (CDR). They are in the file after the next checkpoint, which comes by itself whenever chunk_bytes or
    chunk_seconds (by log time) are full. Raises RecordingError if the folder exists already, or can't be written any more; what was
    written by then opens.
    """

    def __init__(
        self, folder: Path, custom_data: Mapping[str, str] | None = None, chunk_bytes: int = 4_000_000, chunk_seconds: float = 1.0
    ) -> None:
        self.folder = folder
        self._mcap = folder / f'{folder.name}_0.mcap'
        self._custom_data = dict(custom_data or {})
        self._chunk_bytes = chunk_bytes
        self._chunk_ns = round(chunk_seconds * _NANOSECONDS)
        self._schemas: dict[str, Schema] = {}
        self._channels: dict[str, Channel] = {}
        self._types: dict[str, TopicType] = {}
        self._chunks: list[ChunkIndex] = []
        self._counts: dict[int, int] = {}
        self._span = (0, 0)
        self._open = _Open()
        self._closed = False
        try:
            folder.mkdir(parents=True)
            self._file = os.open(self._mcap, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise RecordingError(folder, 'exists already; recordings are never written over') from None
        except OSError as error:
            raise RecordingError(folder, error.strerror or str(error)) from None
        head = RecordBuilder()
        Header(profile='ros2', library='ptz_collab').write(head)
        self._data_end = 0
        self._append(MAGIC + head.end())

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def messages(self) -> int:
        """Messages given so far."""
        return sum(self._counts.values()) + self._open.count

    def add_topic(self, topic: str, topic_type: TopicType) -> None:
        """Makes a topic known; needed once before its first message."""
        if topic in self._channels:
            return
        schema = self._schemas.get(topic_type.name)
        if schema is None:
            schema = Schema(
                id=len(self._schemas) + 1, name=topic_type.name, encoding='ros2msg', data=topic_type.definition.encode()
            )
            self._schemas[topic_type.name] = schema
            schema.write(self._open.messages)
        metadata = {'offered_qos_profiles': '', 'topic_type_hash': topic_type.type_hash}
        channel = Channel(len(self._channels) + 1, topic=topic, message_encoding='cdr', schema_id=schema.id, metadata=metadata)
        channel.write(self._open.messages)
        self._channels[topic] = channel
        self._types[topic] = topic_type
        self._counts[channel.id] = 0

    def write(self, topic: str, data: bytes, log_ns: int, sequence: int = 0) -> None:
        """Writes one message. Raises RecordingError when a checkpoint that is due fails."""
        chunk, channel = self._open, self._channels[topic]
        chunk.index.setdefault(channel.id, []).append((log_ns, chunk.messages.count))
        Message(channel.id, log_time=log_ns, data=data, publish_time=log_ns, sequence=sequence).write(chunk.messages)
        chunk.start_ns = min(chunk.start_ns, log_ns) if chunk.count else log_ns
        chunk.end_ns = max(chunk.end_ns, log_ns)
        chunk.count += 1
        if chunk.messages.count >= self._chunk_bytes or chunk.end_ns - chunk.start_ns >= self._chunk_ns:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Puts everything so far into the file, and makes the file whole."""
        chunk = self._open
        if chunk.messages.count == 0 or self._closed:
            return
        self._open = _Open()
        data = chunk.messages.end()
        record, index = self._encode(chunk, data)
        self._chunks.append(index)
        span = self._span
        self._span = (min(span[0], chunk.start_ns) if span[1] else chunk.start_ns, max(span[1], chunk.end_ns))
        for channel, entries in chunk.index.items():
            self._counts[channel] += len(entries)
        try:
            self._append(record)
        except RecordingError:
            # Back to the last checkpoint: its end fits, because the room for it was there before.
            self._chunks.pop()
            self._span = span
            for channel, entries in chunk.index.items():
                self._counts[channel] -= len(entries)
            self._restore()
            raise

    def close(self) -> None:
        """Writes what is left. Raises RecordingError if that fails; a second call does nothing."""
        if self._closed:
            return
        try:
            self.checkpoint()
        finally:
            self._closed = True
            os.close(self._file)

    def _encode(self, chunk: _Open, data: bytes) -> tuple[bytes, ChunkIndex]:
        builder = RecordBuilder()
        Chunk(
            compression='',
            data=data,
            message_start_time=chunk.start_ns,
            message_end_time=chunk.end_ns,
            uncompressed_crc=zlib.crc32(data),
            uncompressed_size=len(data),
        ).write(builder)
        length = builder.count
        offsets = {}
        for channel, entries in chunk.index.items():
            offsets[channel] = self._data_end + builder.count
            MessageIndex(channel_id=channel, records=entries).write(builder)
        index = ChunkIndex(
            chunk_length=length,
            chunk_start_offset=self._data_end,
            compression='',
            compressed_size=len(data),
            message_end_time=chunk.end_ns,
            message_index_length=builder.count - length,
            message_index_offsets=offsets,
            message_start_time=chunk.start_ns,
            uncompressed_size=len(data),
        )
        return builder.end(), index

    def _append(self, record: bytes) -> None:
        start, end = self._data_end, self._data_end + len(record)
        try:
            self._write_at(start, record + self._tail(end))
            self._data_end = end
            self._write_metadata()
        except OSError as error:
            self._data_end = start
            raise RecordingError(self.folder, error.strerror or str(error)) from None

    def _write_at(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, offset)
            offset += written
            view = view[written:]
        os.ftruncate(self._file, offset)

    def _restore(self) -> None:
        try:
            self._write_at(self._data_end, self._tail(self._data_end))
            self._write_metadata()
        except OSError:
            # metadata.yaml is replaced as a whole or not at all; the earlier one still describes the file.
            pass

    def _tail(self, summary_start: int) -> bytes:
        data_end = RecordBuilder()
        DataEnd(data_section_crc=0).write(data_end)
        ending = data_end.end()
        summary_start += len(ending)
        summary = RecordBuilder()
        offsets: list[SummaryOffset] = []
        groups = (
            (Opcode.SCHEMA, list(self._schemas.values())),
            (Opcode.CHANNEL, list(self._channels.values())),
            (Opcode.STATISTICS, [self._statistics()]),
            (Opcode.CHUNK_INDEX, self._chunks),
        )
        for opcode, records in groups:
            begin = summary.count
            for record in records:
                record.write(summary)
            if summary.count > begin:
                offsets.append(SummaryOffset(opcode, group_start=summary_start + begin, group_length=summary.count - begin))
        offset_start = summary_start + summary.count
        for offset in offsets:
            offset.write(summary)
        data = summary.end()
        # The checksum covers the summary and the footer up to the checksum itself.
        crc = zlib.crc32(struct.pack('<BQQQ', Opcode.FOOTER, 8 + 8 + 4, summary_start, offset_start), zlib.crc32(data))
        footer = RecordBuilder()
        Footer(summary_start=summary_start, summary_offset_start=offset_start, summary_crc=crc).write(footer)
        return bytes(ending + data + footer.end() + MAGIC)

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=dict(self._counts),
            chunk_count=len(self._chunks),
            message_count=sum(self._counts.values()),
            message_end_time=self._span[1],
            message_start_time=self._span[0],
            metadata_count=0,
            schema_count=len(self._schemas),
        )

    def _write_metadata(self) -> None:
        start_ns, end_ns = self._span
        total = sum(self._counts.values())
        span = {
            'starting_time': {'nanoseconds_since_epoch': start_ns},
            'duration': {'nanoseconds': end_ns - start_ns},
            'message_count': total,
        }
        topics = [
            {
                'topic_metadata': {
                    'name': topic,
                    'type': self._types[topic].name,
                    'serialization_format': 'cdr',
                    'offered_qos_profiles': [],
                    'type_description_hash': self._types[topic].type_hash,
                },
                'message_count': self._counts[channel.id],
            }
            for topic, channel in self._channels.items()
        ]
        information = {
            'version': _METADATA_VERSION,
            'storage_identifier': 'mcap',
            'relative_file_paths': [self._mcap.name],
            **span,
            'topics_with_message_count': topics,
            'compression_format': '',
            'compression_mode': '',
            'files': [{'path': self._mcap.name, **span}],
            'custom_data': self._custom_data or None,
            'ros_distro': 'jazzy',
        }
        target = self.folder / 'metadata.yaml'
        fresh = target.with_suffix('.yaml.tmp')
        try:
            fresh.write_text(yaml.safe_dump({'rosbag2_bagfile_information': information}, sort_keys=False), encoding='utf-8')
            fresh.replace(target)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
