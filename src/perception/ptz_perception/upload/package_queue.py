# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The packages of a camera that wait for the receiver: on disk, bounded, each once.

Pictures are in the database beside their documents. A file beside it for each would have to be written, synced, named and removed in step
with the database, whatever happens in between; so a package is one row, and there or not. A picture is written twice so (to the log
first), which costs a millisecond or two for each (benchmarks/upload.py), where there are a few a second at most. The room of rows that
are gone is used again; the file does not become smaller.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ptz_perception.upload.database import Database, NewerQueueError, QueueError
from ptz_site.frame_package import FramePackage

T = TypeVar('T')
_VERSION = 1
_METADATA = MetaData()
# What is looked up and added up is in the index; pictures come last, so that reading the rest does not read them.
_PACKAGES = Table(
    'packages',
    _METADATA,
    Column('number', Integer, primary_key=True),
    Column('id', String, nullable=False, unique=True),
    Column('rank', Integer, nullable=False),
    Column('bytes', Integer, nullable=False),
    Column('added_ns', Integer, nullable=False),
    Column('reason', Text, nullable=False, default=''),
    Column('document', Text, nullable=False),
    Column('picture', LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index('packages_by_rank', _PACKAGES.c.rank, _PACKAGES.c.number, _PACKAGES.c.bytes, _PACKAGES.c.added_ns)
_C = _PACKAGES.c


class Rank(IntEnum):
    """Of a package: when there is no room, lower ones go first."""

    REFUSED = 0
    QUEUED = 1
    IMMEDIATE = 2


class Put(Enum):
    """What became of a package that was put in."""

    KEPT = 'kept'
    #: It was there already.
    KNOWN = 'known'
    #: There was no room: everything else that is there is worth more, or it is larger than everything may be.
    NO_ROOM = 'no room'
    #: The disk did not keep it.
    DISK_ERROR = 'disk error'


@dataclass(frozen=True)
class Limits:
    """Of everything that is in the queue, refused ones included. bytes: of pictures and documents."""

    bytes: int
    count: int


@dataclass(frozen=True)
class WaitingPackage:
    """A package to be sent. document: FramePackage as JSON. added_ns: ns since 1970."""

    id: str
    rank: Rank
    added_ns: int
    document: str
    picture: bytes


@dataclass(frozen=True)
class Backlog:
    """What is in the queue. bytes: of those that wait. oldest_ns: since when the oldest of them waits, ns since 1970; None: none waits."""

    immediate: int = 0
    queued: int = 0
    refused: int = 0
    bytes: int = 0
    refused_bytes: int = 0
    oldest_ns: int | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self.immediate + self.queued


class PackageQueue:
    """The packages of one camera, from any thread. One process may have it open.

    What a method did is on the disk when it returns. It raises QueueError if the disk does not do it; then nothing has changed. wait: s to
    wait for a process that ends. The constructor raises UserError if the folder can't be used, QueueInUseError if another process has it
    open, NewerQueueError if it can't be read yet; a full disk is no reason, it may have room later.
    """

    def __init__(self, path: Path, limits: Limits, wait: float = 0.0, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._limits, self._now_ns = limits, now_ns
        self._database = Database(path, _METADATA, _VERSION, wait)
        self._lock = threading.Lock()
        #: As it was when it was looked at or changed last; reading it never waits for the disk.
        self.backlog = Backlog()
        #: How many that waited went for want of room, since the start; new ones that found none are among them.
        self.dropped = 0
        try:
            self.look()
        except NewerQueueError:
            self.close()
            raise
        except QueueError:
            pass

    @property
    def path(self) -> Path:
        """Of the database."""
        return self._database.path

    @property
    def moved_aside(self) -> Path | None:
        """The newest database that could not be read, where it is now."""
        return self._database.moved_aside

    def look(self) -> Backlog:
        """What is in it."""
        self._run(lambda _connection: None)
        return self.backlog

    def put(self, package: FramePackage, picture: bytes) -> Put:
        """Keeps a package, if need be in the place of others: refused ones go first, then queued, then immediate ones, the oldest first."""
        document = package.model_dump_json()
        row = {
            'id': package.id,
            'rank': int(Rank.IMMEDIATE if package.immediate else Rank.QUEUED),
            'bytes': len(document.encode()) + len(picture),
            'added_ns': self._now_ns(),
            'document': document,
            'picture': picture,
        }
        result, dropped = self._run(lambda connection: _put(connection, row, self._limits))
        with self._lock:
            self.dropped += dropped
        return result

    def oldest(self, rank: Rank, without: Collection[str] = ()) -> WaitingPackage | None:
        """The oldest one of a rank. without: ids that are passed over, a few at most."""
        return self._run(lambda connection: _first(connection, _C.rank == rank, _C.id.not_in(without)))

    def get(self, package_id: str) -> WaitingPackage | None:
        """A package that waits."""
        return self._run(lambda connection: _first(connection, _C.id == package_id, _C.rank != Rank.REFUSED))

    def ranks(self, ids: Collection[str]) -> dict[str, Rank]:
        """Those of a few packages that wait still, with their ranks."""
        chosen = select(_C.id, _C.rank).where(_C.id.in_(ids), _C.rank != Rank.REFUSED)
        return self._run(lambda connection: {str(row.id): Rank(row.rank) for row in connection.execute(chosen)})

    def done(self, package_id: str) -> None:
        """The receiver has it: it is removed."""
        self._run(lambda connection: connection.execute(delete(_PACKAGES).where(_C.id == package_id)))

    def refuse(self, package_id: str, reason: str) -> None:
        """The receiver will never take it: it is put aside, and kept as long as nothing else needs the room."""
        change = update(_PACKAGES).where(_C.id == package_id).values(rank=int(Rank.REFUSED), reason=reason)
        self._run(lambda connection: connection.execute(change))

    def close(self) -> None:
        """Lets another process have it. Everything else raises QueueError from now on."""
        with self._lock:
            self._database.close()

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self._lock:
            result, self.backlog = self._database.run(lambda connection: (work(connection), _backlog(connection)))
        return result


def _put(connection: Connection, row: dict[str, Any], limits: Limits) -> tuple[Put, int]:
    """What became of a new row, and how many that waited were dropped."""
    if connection.execute(select(_C.number).where(_C.id == row['id'])).first() is not None:
        return Put.KNOWN, 0
    sums = connection.execute(select(func.count(), func.sum(_C.bytes)).select_from(_PACKAGES)).one()
    count, size = int(sums[0]), int(sums[1] or 0)
    leaving: list[dict[str, int]] = []
    dropped = 0
    others = select(_C.number, _C.rank, _C.bytes).where(_C.rank <= row['rank']).order_by(_C.rank, _C.number)
    if count + 1 > limits.count or size + row['bytes'] > limits.bytes:
        with connection.execute(others) as rows:
            for other in rows:
                leaving.append({'leaving': other.number})
                dropped += other.rank != Rank.REFUSED
                count, size = count - 1, size - other.bytes
                if count + 1 <= limits.count and size + row['bytes'] <= limits.bytes:
                    break
            else:
                return Put.NO_ROOM, 1
        connection.execute(delete(_PACKAGES).where(_C.number == bindparam('leaving')), leaving)
    connection.execute(insert(_PACKAGES), row)
    return Put.KEPT, dropped


def _first(connection: Connection, *conditions: ColumnElement[bool]) -> WaitingPackage | None:
    chosen = select(_C.id, _C.rank, _C.added_ns, _C.document, _C.picture).where(*conditions).order_by(_C.number).limit(1)
    row = connection.execute(chosen).first()
    return None if row is None else WaitingPackage(row.id, Rank(row.rank), row.added_ns, row.document, row.picture)


def _backlog(connection: Connection) -> Backlog:
    sums = select(_C.rank, func.count(), func.sum(_C.bytes), func.min(_C.added_ns)).group_by(_C.rank)
    found: dict[int, tuple[int, int, int | None]] = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(sums)}
    nothing: tuple[int, int, int | None] = (0, 0, None)
    refused, queued, immediate = (found.get(rank, nothing) for rank in Rank)
    return Backlog(
        immediate=immediate[0],
        queued=queued[0],
        refused=refused[0],
        bytes=immediate[1] + queued[1],
        refused_bytes=refused[1],
        oldest_ns=min((ns for ns in (immediate[2], queued[2]) if ns is not None), default=None),
    )
