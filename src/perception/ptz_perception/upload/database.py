# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A SQLite file that belongs to one process, whose transactions are on the disk when they are over, and that mends itself.

What can go wrong with a disk, and what becomes of it here: a full one is an error that passes (QueueError); a file that can't be read is
moved aside, and a new one begun.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, MetaData, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from ptz_site import UserError

T = TypeVar('T')
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REASONS = {
    sqlite3.SQLITE_FULL: 'no room on the disk',
    sqlite3.SQLITE_IOERR: 'the disk reports an error, or is full',
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened",
    sqlite3.SQLITE_READONLY: "the file can't be written to",
}
#: s between two looks whether another process has let go of the file.
_LOOK_PERIOD = 0.02
#: Files that are moved aside: none is replaced, and a bad disk is not filled with them.
_MOST_DAMAGED = 20


class QueueError(Exception):
    """The disk does not keep or give what it should. One sentence. It may work again later."""


class QueueInUseError(UserError):
    """Another process has the file open."""


class NewerQueueError(QueueError, UserError):
    """The file is of a newer version, which has it as it wants it."""


class _DamagedError(Exception):
    pass


class Database:
    """Runs transactions. From any thread, but never from two at once.

    wait: s to wait for a process that has the file and may be about to end. Raises UserError if the folder can't be used,
    QueueInUseError if another process uses the file; run() raises NewerQueueError. moved_aside: the newest file that could not be read,
    where it is now.
    """

    def __init__(self, path: Path, tables: MetaData, version: int, wait: float = 0.0) -> None:
        self.path, self._tables, self._version = path, tables, version
        self.moved_aside: Path | None = None
        self._closed = False
        self._owner = _own(path, wait)
        # One connection for all threads: with the file to itself SQLite needs no shared memory beside it.
        self._engine = create_engine(
            URL.create('sqlite', database=str(path)), poolclass=StaticPool, connect_args={'check_same_thread': False}
        )
        event.listen(self._engine, 'do_connect', self._make_file)
        event.listen(self._engine, 'connect', self._on_connect)

    def run(self, work: Callable[[Connection], T]) -> T:
        """What work returns; what it did is on the disk then. work may be run twice. Raises QueueError, and then nothing was done."""
        if self._closed:
            raise QueueError(f'{self.path} is closed')
        try:
            return self._attempt(work)
        except _DamagedError as error:
            self._move_aside(str(error))
        try:
            return self._attempt(work)
        except _DamagedError as error:
            raise QueueError(f'{self.path}: a new file is damaged at once ({error}); replace the disk') from None

    def close(self) -> None:
        """Closes the file and leaves it to others."""
        if not self._closed:
            self._closed = True
            self._disconnect()
            os.close(self._owner)

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(cause, 'sqlite_errorcode', 0) & 0xFF
            if code in _DAMAGED:
                raise _DamagedError(str(cause)) from None
            # Begin afresh next time: an error of the disk may leave the connection useless.
            self._disconnect()
            raise QueueError(f'{self.path}: {_REASONS.get(code, "it does not work")} ({cause})') from None

    def _make_file(self, *_: object) -> None:
        # Nobody else may read it, and its log takes that over. If it can't be made, SQLite says what is wrong.
        with contextlib.suppress(OSError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def _on_connect(self, connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # WAL with synchronous=FULL: what was committed survives a power failure. Exclusive: no -shm file, which is mapped memory and
        # would have to grow on a full disk.
        for pragma in ('locking_mode=EXCLUSIVE', 'journal_mode=WAL', 'synchronous=FULL'):
            connection.execute(f'PRAGMA {pragma}').close()
        found = connection.execute('PRAGMA user_version').fetchone()[0]
        if found > self._version:
            raise NewerQueueError(
                f'{self.path} is of a newer version ({found}; known: up to {self._version}); update ptz_collab, or move the file away'
            )
        if found not in (0, self._version):
            raise _DamagedError(f'version {found}, and {self._version} is known')
        if not found:
            with connection:
                connection.execute('BEGIN')
                for statement in _definitions(self._tables):
                    connection.execute(statement)
                connection.execute(f'PRAGMA user_version={self._version}')

    def _disconnect(self) -> None:
        with contextlib.suppress(DBAPIError, sqlite3.Error):
            self._engine.dispose()

    def _move_aside(self, reason: str) -> None:
        self._disconnect()
        names = (self.path.name + '.damaged' + (f'-{number}' if number > 1 else '') for number in range(1, _MOST_DAMAGED + 1))
        aside = next((free for name in names if not (free := self.path.with_name(name)).exists()), None)
        if aside is None:
            raise QueueError(f'{self.path} is damaged ({reason}), as {_MOST_DAMAGED} before; replace the disk, or remove those')
        # The log after the file: SQLite drops a log without its file.
        try:
            self.path.replace(aside)
            with contextlib.suppress(FileNotFoundError):
                Path(f'{self.path}-wal').replace(f'{aside}-wal')
        except OSError as error:
            raise QueueError(f"{self.path} is damaged ({reason}) and can't be moved aside ({error.strerror})") from None
        self.moved_aside = aside


def _definitions(tables: MetaData) -> list[str]:
    dialect = sqlite.dialect()
    statements: list[ExecutableDDLElement] = []
    for table in tables.sorted_tables:
        statements += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))]
    return [str(statement.compile(dialect=dialect)) for statement in statements]


def _own(path: Path, wait: float) -> int:
    """Takes the lock beside the file, which the kernel gives back when the process is gone, however it ended."""
    lock = path.with_name(path.name + '.lock')
    try:
        _make_folder(path.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(f"{path.parent}: pictures that wait can't be kept there ({error.strerror})") from None
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                raise QueueInUseError(f'{path} is used by another process; stop the other perception of this camera') from None
            time.sleep(_LOOK_PERIOD)
        else:
            return descriptor


def _make_folder(folder: Path) -> None:
    """Makes a folder so that it is there after a power failure, too."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    # Pictures of people are in it.
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
