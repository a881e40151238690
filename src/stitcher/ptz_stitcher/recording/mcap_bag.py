# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 bag in MCAP that opens at any time, also after kill -9 or on a full disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, Header, MessageIndex, Schema

from ptz_site import NANOSECONDS
from ptz_stitcher.recording.bag_metadata import TopicType, write_metadata
from ptz_stitcher.recording.checksum import crc32
from ptz_stitcher.recording.errors import RecordingError
from ptz_stitcher.recording.mcap_end import MAGIC, Summary
from ptz_stitcher.recording.mcap_file import CheckpointedFile, PlainFile

__all__ = ['BagWriter', 'TopicType']

#: Stamps that lie further back than this are not late: the clock was set.
_CLOCK_SET_NS = 60 * NANOSECONDS
#: Of a message: opcode and length; channel, sequence, log time, publish time. Of a chunk: opcode and length; first and last log time,
#: size and checksum of its records, length of the name of the compression (none), size again. Little-endian.
_MESSAGE, _CHUNK = struct.Struct('<BQHIQQ'), struct.Struct('<BQQQQIIQ')
_RECORD_HEAD_BYTES = 1 + 8


@dataclass
class _Open:
    """The chunk that is being filled. began_ns: the newest log time when it was begun. records: its bytes, which are copied once only."""

    began_ns: int = 0
    records: list[bytes | memoryview] = field(default_factory=list)
    size: int = 0
    index: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    count: int = 0

    def add(self, *data: bytes | memoryview) -> None:
        """Records, or parts of one."""
        self.records += data
        self.size += sum(map(len, data))


class BagWriter:
    """Writes the folder of one bag: <name>_0.mcap and metadata.yaml.

    Messages are given serialized (CDR). They are in the file after the next checkpoint, which comes by itself whenever chunk_bytes or
    chunk_seconds (by log time) are full. Raises RecordingError if the folder exists already, or can't be written any more; what was
    written by then opens, and the writer takes nothing more.

    durable False: the same bag faster, for a folder that nobody reads before the writer is closed; until then it does not open.
    """

    def __init__(
        self,
        folder: Path,
        custom_data: Mapping[str, str] | None = None,
        chunk_bytes: int = 4_000_000,
        chunk_seconds: float = 1.0,
        durable: bool = True,
    ) -> None:
        self.folder = folder
        self._storage = f'{folder.name}_0.mcap'
        self._custom_data = dict(custom_data or {})
        self._chunk_bytes = chunk_bytes
        self._durable = durable
        self._chunk_ns = round(chunk_seconds * NANOSECONDS)
        self._schemas: dict[str, Schema] = {}
        self._channels: dict[str, Channel] = {}
        self._types: dict[str, TopicType] = {}
        self._chunk_index: list[bytes] = []
        self._summary = Summary(chunk_index=self._chunk_index)
        self._newest_ns = 0
        self._open = _Open()
        self._closed = False
        #: What is not durable is written in a thread, a chunk while the next one is filled.
        self._behind = None if durable else ThreadPoolExecutor(1, 'bag')
        self._storing: Future[None] | None = None
        try:
            self._file = self._create()
        except OSError as error:
            raise RecordingError(folder, error.strerror or str(error)) from None

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def messages(self) -> int:
        """Messages given so far, without those that could not be written. Of a durable bag; otherwise without the last but one chunk."""
        return self._summary.messages + self._open.count

    def add_topic(self, topic: str, topic_type: TopicType) -> None:
        """Makes a topic known; needed once before its first message."""
        if topic in self._channels:
            return
        schema = self._schemas.get(topic_type.name)
        if schema is None:
            number, definition = len(self._schemas) + 1, topic_type.definition.encode()
            schema = Schema(id=number, name=topic_type.name, encoding='ros2msg', data=definition)
            self._schemas[topic_type.name] = schema
            self._open.add(_encoded(schema))
        metadata = {'offered_qos_profiles': '', 'topic_type_hash': topic_type.type_hash}
        channel = Channel(len(self._channels) + 1, topic=topic, message_encoding='cdr', schema_id=schema.id, metadata=metadata)
        self._open.add(_encoded(channel))
        self._channels[topic] = channel
        self._types[topic] = topic_type

    def write(
        self,
        topic: str,
        data: bytes | memoryview,
        log_ns: int,
        sequence: int = 0,
        more: bool = False,
        tail: bytes | memoryview = b'',
    ) -> None:
        """Writes one message. tail: what comes behind data in it; given apart, a picture need not be copied to its head.

        more: the next message belongs to it, so that no checkpoint may part the two.

        Raises RecordingError when a checkpoint that is due fails, KeyError if the topic was not added.
        """
        if self._closed:
            raise RecordingError(self.folder, 'closed already')
        chunk, channel = self._open, self._channels[topic]
        if log_ns < self._newest_ns - _CLOCK_SET_NS:
            self._newest_ns = chunk.began_ns = log_ns
        self._newest_ns = max(self._newest_ns, log_ns)
        if not chunk.count:
            chunk.began_ns = self._newest_ns
        chunk.index.setdefault(channel.id, []).append((log_ns, chunk.size))
        length = _MESSAGE.size - _RECORD_HEAD_BYTES + len(data) + len(tail)
        head = _MESSAGE.pack(Opcode.MESSAGE, length, channel.id, sequence, log_ns, log_ns)
        chunk.add(head, data, tail) if tail else chunk.add(head, data)
        chunk.start_ns = min(chunk.start_ns, log_ns) if chunk.count else log_ns
        chunk.end_ns = max(chunk.end_ns, log_ns)
        chunk.count += 1
        # By the newest stamp, not by the span: messages that come a little late don't make a chunk each.
        if not more and (chunk.size >= self._chunk_bytes or self._newest_ns - chunk.began_ns >= self._chunk_ns):
            self.checkpoint()

    def checkpoint(self) -> None:
        """Puts everything so far into the file, and makes the bag whole. Raises RecordingError if that fails."""
        chunk = self._open
        if self._closed or chunk.size == 0:
            return
        self._open = _Open()
        known = tuple(self._schemas.values()), tuple(self._channels.values())
        try:
            self._await()
            if self._behind is not None:
                self._storing = self._behind.submit(self._store, chunk, *known)
            else:
                self._store(chunk, *known)
                self._write_metadata(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._stop()
            raise RecordingError(self.folder, error.strerror or str(error)) from None

    def close(self) -> None:
        """Writes what is left. Raises RecordingError if that fails; a second call does nothing."""
        if self._closed:
            return
        try:
            self.checkpoint()
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._closed:
            return
        try:
            try:
                self._await()
            finally:
                self._stop()
            if not self._durable:
                self._write_metadata(self.folder)
        except OSError as error:
            raise RecordingError(self.folder, error.strerror or str(error)) from None

    def _create(self) -> CheckpointedFile | PlainFile:
        """Makes the folder under another name and gives it its own when it is whole, so that it never exists half."""
        if self.folder.exists():
            raise RecordingError(self.folder, 'exists already; recordings are never written over')
        draft = self.folder.with_name(f'.{self.folder.name}.{os.getpid()}')
        draft.mkdir(parents=True)
        try:
            head = RecordBuilder()
            Header(profile='ros2', library='ptz_collab').write(head)
            kind = CheckpointedFile if self._durable else PlainFile
            file = kind(draft / self._storage, MAGIC + bytes(head.end()))
            self._write_metadata(draft)
            draft.rename(self.folder)
            file.moved(self.folder / self._storage)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return file

    def _stop(self) -> None:
        if not self._closed:
            self._closed = True
            if self._behind is not None:
                self._behind.shutdown()
            self._file.close()

    def _await(self) -> None:
        """Waits for what is being written. Raises OSError if it could not be."""
        storing, self._storing = self._storing, None
        if storing is not None:
            storing.result()

    def _store(self, chunk: _Open, schemas: tuple[Schema, ...], channels: tuple[Channel, ...]) -> None:
        parts, index = _encode(chunk, self._file.data_end)
        summary = self._grown(chunk, index, schemas, channels)
        self._file.append(parts, summary)
        self._summary = summary

    def _grown(self, chunk: _Open, index: ChunkIndex, schemas: tuple[Schema, ...], channels: tuple[Channel, ...]) -> Summary:
        """The summary of the file with one more chunk."""
        before = self._summary
        self._chunk_index.append(_encoded(index))
        counts = {channel.id: before.counts.get(channel.id, 0) for channel in channels}
        for number, entries in chunk.index.items():
            counts[number] += len(entries)
        first = before.messages == 0
        grown = replace(
            before,
            schemas=schemas,
            channels=channels,
            counts=counts,
            chunks=before.chunks + 1,
        )
        if not chunk.count:
            return grown
        start_ns = chunk.start_ns if first else min(before.start_ns, chunk.start_ns)
        return replace(grown, start_ns=start_ns, end_ns=max(before.end_ns, chunk.end_ns))

    def _write_metadata(self, folder: Path) -> None:
        write_metadata(folder, self._storage, self._summary, self._types, self._custom_data)


def _encode(chunk: _Open, at: int) -> tuple[list[bytes | memoryview], ChunkIndex]:
    """The chunk and its message indexes, in parts, for offset `at` of the file, and what the summary says of them."""
    crc = 0
    for part in chunk.records:
        crc = crc32(part, crc)
    length = _CHUNK.size - _RECORD_HEAD_BYTES + chunk.size
    head = _CHUNK.pack(Opcode.CHUNK, length, chunk.start_ns, chunk.end_ns, chunk.size, crc, 0, chunk.size)
    builder, indexes_at = RecordBuilder(), at + _CHUNK.size + chunk.size
    offsets = {}
    for channel, entries in chunk.index.items():
        offsets[channel] = indexes_at + builder.count
        MessageIndex(channel_id=channel, records=entries).write(builder)
    indexes = bytes(builder.end())
    index = ChunkIndex(
        chunk_length=_CHUNK.size + chunk.size,
        chunk_start_offset=at,
        compression='',
        compressed_size=chunk.size,
        message_end_time=chunk.end_ns,
        message_index_length=len(indexes),
        message_index_offsets=offsets,
        message_start_time=chunk.start_ns,
        uncompressed_size=chunk.size,
    )
    return [head, *chunk.records, indexes], index


def _encoded(record: Schema | Channel | ChunkIndex) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())
