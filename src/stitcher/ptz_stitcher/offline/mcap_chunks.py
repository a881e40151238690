# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the messages of an MCAP file that has an index: each chunk with one read, and no byte of a message is copied after that.

Format: https://mcap.dev/spec. The summary is read by the mcap library; chunks are taken apart here, because copying pictures from one
buffer to the next is most of what that costs.
"""

from __future__ import annotations

import heapq
import os
import struct
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, ChunkIndex, Schema
from mcap.stream_reader import get_chunk_data_stream

from ptz_stitcher.recording.checksum import crc32

#: Opcode and length of a record; of a message behind it: channel, sequence, log time, publish time. Little-endian.
_RECORD, _MESSAGE = struct.Struct('<BQ'), struct.Struct('<HIQQ')
#: Of a chunk: first and last log time, size and checksum of its records, length of the compression's name.
_CHUNK = struct.Struct('<QQQII')

#: Log time, topic, serialized message.
Message = tuple[int, str, memoryview]


class _Place(NamedTuple):
    """Where a chunk lies, and the channels of its messages; empty if nobody knows. Of a recording of hours there are many."""

    start_ns: int
    offset: int
    length: int
    channels: frozenset[int]


class IndexedFile:
    """An MCAP file with a summary and an index of its chunks. Raises an exception, of whatever kind, if it has none or can't be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        size = path.stat().st_size
        with path.open('rb') as stream:
            summary = SeekingReader(stream, record_size_limit=size).get_summary()
        if summary is None or summary.statistics is None or not summary.channels:
            raise McapError('no index')
        if any(channel.schema_id not in summary.schemas for channel in summary.channels.values()):
            raise McapError('no types in the index')
        if not summary.chunk_indexes and summary.statistics.message_count:
            raise McapError('no index of chunks')
        if any(index.chunk_start_offset + index.chunk_length > size for index in summary.chunk_indexes):
            raise McapError('the index is of another file')
        self._channels, self._schemas = summary.channels, summary.schemas
        self._counts = summary.statistics.channel_message_counts
        self._places = _places(summary.chunk_indexes)

    def topics(self) -> Iterator[tuple[Channel, Schema, int]]:
        """Each with its type, and the number of its messages."""
        for channel in self._channels.values():
            yield channel, self._schemas[channel.schema_id], self._counts.get(channel.id, 0)

    def messages(self, topics: Collection[str]) -> Iterator[Message]:
        """Those of some topics, in the order of log time. While a chunk is looked at, the next one is being read.

        Raises an exception, of whatever kind, if a chunk can't be read; the messages of all others have come before.
        """
        wanted = {channel.id: channel.topic for channel in self._channels.values() if channel.topic in topics}
        chunks = [place for place in self._places if not place.channels or not place.channels.isdisjoint(wanted)]
        file = os.open(self._path, os.O_RDONLY)
        try:
            with ThreadPoolExecutor(1, 'bag') as reader:
                yield from _merged(file, chunks, wanted, reader)
        finally:
            os.close(file)


def _places(indexes: list[ChunkIndex]) -> list[_Place]:
    """In the order of their first messages."""
    known: dict[frozenset[int], frozenset[int]] = {}
    places = []
    for index in indexes:
        channels = frozenset(index.message_index_offsets)
        channels = known.setdefault(channels, channels)
        places.append(_Place(index.message_start_time, index.chunk_start_offset, index.chunk_length, channels))
    return sorted(places, key=lambda place: place[:2])


def _merged(file: int, chunks: list[_Place], wanted: dict[int, str], reader: ThreadPoolExecutor) -> Iterator[Message]:
    """Chunks are in the order of their first messages; they may overlap. One that can't be read is left out, and told at the end."""
    waiting: list[tuple[int, int, int, Message]] = []
    ahead: Future[memoryview] | None = None
    failure: Exception | None = None
    for number, place in enumerate(chunks):
        reading = ahead or reader.submit(_records, file, place)
        ahead = reader.submit(_records, file, chunks[number + 1]) if number + 1 < len(chunks) else None
        try:
            found = sorted(_taken_apart(reading.result(), wanted), key=itemgetter(0))
        except Exception as error:  # what is damaged fails with whatever is taken for lengths
            failure, found = failure or error, []
        next_ns = chunks[number + 1].start_ns if ahead is not None else None
        if not waiting and (next_ns is None or not found or found[-1][0] < next_ns):
            yield from found
            continue
        for at, message in enumerate(found):
            heapq.heappush(waiting, (message[0], number, at, message))
        while waiting and (next_ns is None or waiting[0][0] < next_ns):
            yield heapq.heappop(waiting)[-1]
    if failure is not None:
        raise failure


def _records(file: int, place: _Place) -> memoryview:
    """What is in a chunk. Raises McapError or ValueError if that is damaged."""
    data = memoryview(_read(file, place.length, place.offset))
    opcode, length = _RECORD.unpack_from(data)
    start_ns, end_ns, size, crc, name_length = _CHUNK.unpack_from(data, _RECORD.size)
    name_at = _RECORD.size + _CHUNK.size
    compression = bytes(data[name_at : name_at + name_length]).decode()
    records = data[name_at + name_length + 8 :]
    if opcode != Opcode.CHUNK or _RECORD.size + length != len(data):
        raise McapError('no chunk where the index says')
    if compression:
        chunk = Chunk(compression, records, end_ns, start_ns, crc, size)  # type: ignore[arg-type]
        stream, inflated = get_chunk_data_stream(chunk)
        records = memoryview(stream.read(inflated))
    if len(records) != size or (crc and crc32(records) != crc):
        raise McapError('a chunk is damaged')
    return records


def _read(file: int, size: int, offset: int) -> bytes:
    data = os.pread(file, size, offset)
    while len(data) < size:
        more = os.pread(file, size - len(data), offset + len(data))
        if not more:
            raise McapError('ends early')
        data += more
    return data


def _taken_apart(records: memoryview, wanted: dict[int, str]) -> Iterator[Message]:
    at = 0
    while at < len(records):
        opcode, length = _RECORD.unpack_from(records, at)
        at += _RECORD.size
        if at + length > len(records):
            raise McapError('a record ends behind its chunk')
        if opcode == Opcode.MESSAGE:
            channel, _, log_ns, _ = _MESSAGE.unpack_from(records, at)
            topic = wanted.get(channel)
            if topic is not None:
                yield log_ns, topic, records[at + _MESSAGE.size : at + length]
        at += length
