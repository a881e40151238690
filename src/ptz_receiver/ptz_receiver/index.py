# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of every picture, in DIR/index.sqlite: the documents, and what they can be found by."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Named,
    Select,
    Table,
    TypedColumns,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ptz_receiver.errors import StorageError, StorageFullError
from ptz_receiver.query import Cursor, PackageQuery
from ptz_receiver.storage import picture_key
from ptz_site import UserError
from ptz_site.frame_package import FramePackage

_METADATA = MetaData()


class _PackageColumns(TypedColumns):
    id: Named[str] = Column(primary_key=True)
    picture_sha256: Named[str]
    picture_bytes: Named[int] = Column(BigInteger)
    stamp_ns: Named[int] = Column(BigInteger)
    received_ns: Named[int] = Column(BigInteger, index=True)
    region: Named[str]
    camera: Named[str]
    scene: Named[str]
    key: Named[str]
    document: Named[str]


class _SubjectColumns(TypedColumns):
    kind: Named[str] = Column(primary_key=True)
    name: Named[str] = Column(primary_key=True)
    stamp_ns: Named[int] = Column(BigInteger, primary_key=True)
    package_id: Named[str] = Column(ForeignKey('packages.id', ondelete='CASCADE'), primary_key=True, index=True)


class _UnsettledColumns(TypedColumns):
    key: Named[str] = Column(primary_key=True)
    package_id: Named[str]


_PACKAGES = Table('packages', _METADATA, _PackageColumns)
#: Who is in a picture: kind is 'object' or 'target'. With the time, so that the newest of somebody are found at once.
_SUBJECTS = Table('subjects', _METADATA, _SubjectColumns)
#: Pictures on their way in or out. What a crash or a fault left here has no package, and its picture is removed later.
_UNSETTLED = Table('unsettled', _METADATA, _UnsettledColumns)
Index('packages_newest', _PACKAGES.c.stamp_ns.desc(), _PACKAGES.c.id.desc())
for _column in (_PACKAGES.c.region, _PACKAGES.c.camera, _PACKAGES.c.scene):
    Index(f'packages_{_column.name}', _column, _PACKAGES.c.stamp_ns.desc(), _PACKAGES.c.id.desc())

#: Bytes that stay free for the index: what it writes may wait in its log, up to 4 MB, until it takes less room again.
_RESERVE = 8_000_000
#: Names that are offered to choose from.
_MOST_NAMES = 200


@dataclass(frozen=True)
class Stored:
    """One package as the index has it. document: its JSON. received_ns: since 1970, when it came."""

    id: str
    picture_sha256: str
    picture_bytes: int
    stamp_ns: int
    received_ns: int
    key: str
    document: str


@dataclass(frozen=True)
class Page:
    """An answer to a query. following: where the next one begins; None: this is the last."""

    packages: tuple[Stored, ...]
    following: Cursor | None


class PackageIndex:
    """Every change is on the disk when its method returns. Usable from several threads; changes go one after the other."""

    def __init__(self, file: Path) -> None:
        """Raises UserError."""
        _make(file)
        self._engine = create_engine(URL.create('sqlite', database=str(file)), connect_args={'timeout': 30})
        event.listen(self._engine, 'connect', _prepare)
        self._changing = threading.Lock()
        self._folder = file.parent
        try:
            _METADATA.create_all(self._engine)
        except DBAPIError as error:
            raise UserError(f"--dir: {file} can't be used as an index ({error.orig}); give another folder") from None

    def close(self) -> None:
        """Closes the file."""
        self._engine.dispose()

    def find(self, package_id: str) -> Stored | None:
        """The package; None: it is not there. Raises StorageError."""
        with self._reading() as connection:
            row = connection.execute(_stored().where(_PACKAGES.c.id == package_id)).one_or_none()
        return None if row is None else Stored(*row)

    def begin(self, package: FramePackage) -> str:
        """Notes that a picture is on its way in; returns its key. Raises StorageError, StorageFullError."""
        self._check_room()
        key = picture_key(package.id, package.stamp_ns)
        with self._change() as connection:
            connection.execute(delete(_UNSETTLED).where(_UNSETTLED.c.key == key))
            connection.execute(insert(_UNSETTLED).values(key=key, package_id=package.id))
        return key

    def add(self, package: FramePackage, key: str, received_ns: int) -> None:
        """The picture is kept: from now on the package is there. Raises StorageError."""
        row = {name: getattr(package, name) for name in _OF_DOCUMENT}
        subjects = {('object', one.object_id) for one in package.observations if one.object_id}
        subjects |= {('target', one.target) for one in package.observations if one.target}
        with self._change() as connection:
            connection.execute(
                insert(_PACKAGES).values(**row, key=key, received_ns=received_ns, document=package.model_dump_json())
            )
            if subjects:
                where = {'stamp_ns': package.stamp_ns, 'package_id': package.id}
                connection.execute(insert(_SUBJECTS), [{'kind': kind, 'name': name, **where} for kind, name in sorted(subjects)])
            connection.execute(delete(_UNSETTLED).where(_UNSETTLED.c.key == key))

    def withdraw(self, stored: Stored) -> None:
        """The package is no longer there; its picture is on its way out. Raises StorageError."""
        with self._change() as connection:
            connection.execute(delete(_PACKAGES).where(_PACKAGES.c.id == stored.id))
            connection.execute(insert(_UNSETTLED).values(key=stored.key, package_id=stored.id))

    def settle(self, key: str) -> None:
        """The picture with this key is gone. Raises StorageError."""
        with self._change() as connection:
            connection.execute(delete(_UNSETTLED).where(_UNSETTLED.c.key == key))

    def unsettled(self) -> list[tuple[str, str]]:
        """Keys and ids of pictures that are, or were, on their way in or out. Raises StorageError."""
        with self._reading() as connection:
            return [
                (key, package_id) for key, package_id in connection.execute(select(_UNSETTLED.c.key, _UNSETTLED.c.package_id))
            ]

    def search(self, query: PackageQuery) -> Page:
        """The packages that are asked for, newest first. Raises StorageError."""
        statement = _matching(query).limit(query.limit + 1)
        with self._reading() as connection:
            found = tuple(Stored(*row) for row in connection.execute(statement))
        shown = found[: query.limit]
        return Page(shown, Cursor(shown[-1].stamp_ns, shown[-1].id) if len(found) > len(shown) else None)

    def oldest(self, limit: int) -> list[Stored]:
        """Those that were received first. Raises StorageError."""
        statement = _stored().order_by(_PACKAGES.c.received_ns).limit(limit)
        with self._reading() as connection:
            return [Stored(*row) for row in connection.execute(statement)]

    def total_bytes(self) -> int:
        """Of all pictures. Raises StorageError."""
        with self._reading() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(_PACKAGES.c.picture_bytes), 0))).scalar_one())

    def names(self) -> dict[str, list[str]]:
        """Regions, cameras, scenes and targets that there are, at most 200 of each. Raises StorageError."""
        columns = {'region': _PACKAGES.c.region, 'camera': _PACKAGES.c.camera, 'scene': _PACKAGES.c.scene}
        statements = {name: select(column) for name, column in columns.items()}
        statements['target'] = select(_SUBJECTS.c.name).where(_SUBJECTS.c.kind == 'target')
        with self._reading() as connection:
            return {
                name: sorted(connection.execute(statement.distinct().limit(_MOST_NAMES)).scalars())
                for name, statement in statements.items()
            }

    def _check_room(self) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < _RESERVE:
            raise StorageFullError

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _errors(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def _change(self) -> Iterator[Connection]:
        with _errors(), self._changing, self._engine.begin() as connection:
            yield connection


#: Columns that are fields of the document.
_OF_DOCUMENT = ('id', 'picture_sha256', 'picture_bytes', 'stamp_ns', 'region', 'camera', 'scene')


def _make(file: Path) -> None:
    """Makes the file, which nobody else may read; its log takes that over. SQLite says what is wrong if that can't be done."""
    with contextlib.suppress(OSError):
        # Never one that is there: closing it would end the locks that SQLite has on it.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare(connection: Any, _record: object) -> None:
    # FULL: a change is on the disk before it counts, also when the power fails.
    for setting in ('journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'):
        connection.execute(f'PRAGMA {setting}')


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, 'sqlite_errorcode', 0)
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC):
            raise StorageFullError from error
        raise StorageError('the index does not answer as it should; try again later') from error


def _stored() -> Select[str, str, int, int, int, str, str]:
    c = _PACKAGES.c
    return select(c.id, c.picture_sha256, c.picture_bytes, c.stamp_ns, c.received_ns, c.key, c.document)


def _matching(query: PackageQuery) -> Select[str, str, int, int, int, str, str]:
    """The packages that are asked for, newest first."""
    c = _PACKAGES.c
    statement, stamp, package_id = _stored(), c.stamp_ns, c.id
    for column, value in ((c.region, query.region), (c.camera, query.camera), (c.scene, query.scene)):
        if value:
            statement = statement.where(column == value)
    for kind, value in (('object', query.object_id), ('target', query.target)):
        if value:
            # Found through who is in them, and put in order by that, not by going through all packages.
            who = _SUBJECTS.alias(kind)
            statement = statement.join(who, who.c.package_id == c.id).where(who.c.kind == kind, who.c.name == value)
            stamp, package_id = who.c.stamp_ns, who.c.package_id
    if query.since_ns is not None:
        statement = statement.where(stamp >= query.since_ns)
    if query.until_ns is not None:
        statement = statement.where(stamp < query.until_ns)
    if query.after is not None:
        at, last = query.after.stamp_ns, query.after.id
        statement = statement.where(stamp <= at, or_(stamp < at, package_id < last))
    return statement.order_by(stamp.desc(), package_id.desc())
