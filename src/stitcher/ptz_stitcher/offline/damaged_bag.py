# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what is left of a bag's storage file that was cut short, from its beginning on."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader

#: How far messages without an index may be out of order.
_WAITING_NS, _WAITING_BYTES = 3_000_000_000, 64_000_000


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A serialized message out of a damaged file, with its topic and type. definition: of the type, if the file holds it."""

    topic: str
    type_name: str
    definition: str
    log_ns: int
    data: bytes


def salvage(path: Path) -> Iterator[Salvaged]:
    """The messages in the order in which they lie in the file; one chunk is in memory at a time.

    Ends with an exception, of whatever kind, where nothing can be read any more.
    """
    yield from _from_mcap(path) if path.suffix == '.mcap' else _from_sqlite(path)


def in_order(messages: Iterator[Salvaged]) -> Iterator[Salvaged]:
    """The same by log time, where they lie at most some seconds apart: recorders write what several threads received as it comes."""
    waiting: list[tuple[int, int, Salvaged]] = []
    size = newest_ns = 0
    failure: Exception | None = None
    try:
        for number, message in enumerate(messages):
            heapq.heappush(waiting, (message.log_ns, number, message))
            size, newest_ns = size + len(message.data), max(newest_ns, message.log_ns)
            while waiting and (size > _WAITING_BYTES or waiting[0][0] < newest_ns - _WAITING_NS):
                _, _, first = heapq.heappop(waiting)
                size -= len(first.data)
                yield first
    except Exception as error:  # as above; what was read before it comes first
        failure = error
    while waiting:
        yield heapq.heappop(waiting)[-1]
    if failure is not None:
        raise failure


def _from_mcap(path: Path) -> Iterator[Salvaged]:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with path.open('rb') as stream:
        for record in StreamReader(stream, record_size_limit=path.stat().st_size).records:
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message):
                channel = channels[record.channel_id]
                schema = schemas[channel.schema_id]
                definition = schema.data.decode() if schema.encoding == 'ros2msg' else ''
                yield Salvaged(channel.topic, schema.name, definition, record.log_time, record.data)


def _from_sqlite(path: Path) -> Iterator[Salvaged]:
    # Immutable: nothing is written beside somebody's recording. In the order of rows, because the index may be the part that is gone.
    with closing(sqlite3.connect(f'file:{quote(bytes(path))}?mode=ro&immutable=1', uri=True)) as database:
        # Otherwise a file that is shorter than its first page says is not opened at all; nothing can be written all the same.
        database.execute('PRAGMA writable_schema = ON')
        topics = {number: (name, kind) for number, name, kind in database.execute('SELECT id, name, type FROM topics')}
        for topic, log_ns, data in database.execute('SELECT topic_id, timestamp, data FROM messages ORDER BY id'):
            yield Salvaged(*topics[topic], '', log_ns, data)
