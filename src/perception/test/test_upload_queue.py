# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the queue on disk."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData
from upload_helpers import PLENTY, ids, package_of, picture_of, put, refused_in

from ptz_perception.upload.database import Database, NewerQueueError, QueueError, QueueInUseError
from ptz_perception.upload.package_queue import Backlog, Limits, PackageQueue, Put, Rank
from ptz_site import UserError
from ptz_site.frame_package import FramePackage

HERE = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'new' / 'folders' / 'north.sqlite'


@pytest.fixture
def queue(path: Path) -> Iterator[PackageQueue]:
    made = PackageQueue(path, PLENTY)
    yield made
    made.close()


def numbers_in(queue: PackageQueue, rank: Rank) -> list[int]:
    found: list[str] = []
    while (package := queue.oldest(rank, found)) is not None:
        found.append(package.id)
    return [int(one.rpartition('-')[2]) for one in found]


def test_packages_come_back_as_they_were_put_in_also_after_a_new_start(path: Path) -> None:
    queue = PackageQueue(path, PLENTY, now_ns=lambda: 77)
    assert [put(queue, number) for number in (3, 1, 2)] == [Put.KEPT] * 3
    put(queue, 9, immediate=True)
    for _ in range(2):
        package = queue.oldest(Rank.QUEUED)
        assert package is not None
        assert (package.id, package.picture, package.added_ns) == (ids(3)[0], picture_of(3), 77)
        assert FramePackage.model_validate_json(package.document) == package_of(3)
        assert numbers_in(queue, Rank.QUEUED) == [3, 1, 2] and numbers_in(queue, Rank.IMMEDIATE) == [9]
        assert queue.look() == Backlog(1, 3, 0, queue.backlog.bytes, 0, 77)
        queue.close()
        queue = PackageQueue(path, PLENTY)
    queue.close()


def test_a_package_is_there_once_and_is_gone_when_it_is_done(queue: PackageQueue) -> None:
    assert [put(queue, 1), put(queue, 1), put(queue, 1, immediate=True)] == [Put.KEPT, Put.KNOWN, Put.KNOWN]
    assert queue.backlog.waiting == 1
    queue.done(ids(1)[0])
    queue.done(ids(1)[0])
    assert queue.backlog == Backlog() and queue.oldest(Rank.QUEUED) is None and queue.get(ids(1)[0]) is None


def test_a_refused_package_is_put_aside_with_its_reason_and_is_not_kept_again(queue: PackageQueue) -> None:
    put(queue, 1)
    put(queue, 2)
    queue.refuse(ids(1)[0], 'too large')
    assert put(queue, 1) is Put.KNOWN and numbers_in(queue, Rank.QUEUED) == [2]
    assert (queue.backlog.waiting, queue.backlog.refused, queue.dropped) == (1, 1, 0)
    assert queue.backlog.bytes == queue.backlog.refused_bytes
    assert queue.ranks(ids(1, 2, 3)) == {ids(2)[0]: Rank.QUEUED}
    queue.close()
    assert refused_in(queue.path) == [(ids(1)[0], 'too large')]


def test_when_it_is_full_refused_ones_go_then_queued_then_immediate_ones(tmp_path: Path) -> None:
    queue = PackageQueue(tmp_path / 'q', Limits(bytes=10**6, count=3))
    put(queue, 1, immediate=True)
    put(queue, 2)
    put(queue, 3)
    queue.refuse(ids(3)[0], 'no')
    assert put(queue, 4) is Put.KEPT and not queue.backlog.refused and queue.dropped == 0
    assert put(queue, 5) is Put.KEPT and numbers_in(queue, Rank.QUEUED) == [4, 5] and queue.dropped == 1
    put(queue, 6, immediate=True)
    put(queue, 7, immediate=True)
    assert numbers_in(queue, Rank.IMMEDIATE) == [1, 6, 7] and queue.dropped == 3
    assert put(queue, 8) is Put.NO_ROOM, 'no immediate one goes for a queued one'
    assert put(queue, 9, immediate=True) is Put.KEPT and numbers_in(queue, Rank.IMMEDIATE) == [6, 7, 9]
    assert queue.dropped == 5
    queue.close()


def test_it_is_bounded_by_bytes_and_a_package_that_never_fits_drives_none_out(tmp_path: Path) -> None:
    queue = PackageQueue(tmp_path / 'q', Limits(bytes=50_000, count=100))
    for number in range(30):
        put(queue, number, size=10_000)
        assert queue.backlog.bytes <= 50_000
    assert numbers_in(queue, Rank.QUEUED) == [26, 27, 28, 29]
    assert put(queue, 99, size=60_000, immediate=True) is Put.NO_ROOM
    assert numbers_in(queue, Rank.QUEUED) == [26, 27, 28, 29] and queue.dropped == 27
    queue.close()


def test_the_file_does_not_grow_when_packages_come_and_go(tmp_path: Path) -> None:
    queue = PackageQueue(tmp_path / 'q', Limits(bytes=400_000, count=100))
    for number in range(60):
        put(queue, number, size=50_000)
    queue.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 800_000


@pytest.mark.parametrize('damage', ['garbage', 'middle', 'cut off', 'while it is used'])
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    path = tmp_path / 'north.sqlite'
    queue = PackageQueue(path, PLENTY)
    # More than SQLite remembers without reading it again.
    for number in range(60):
        put(queue, number, size=100_000)
    if damage != 'while it is used':
        queue.close()
    size = path.stat().st_size
    with path.open('r+b') as file:
        if damage == 'garbage':
            file.write(b'not a database, by no means ' * 40)
        elif damage == 'cut off':
            file.truncate(size // 2)
        else:
            file.seek(4096)
            file.write(b'\xa5' * (size - 4096))
    if damage == 'while it is used':
        assert [found for number in range(40) if (found := queue.get(ids(number)[0]))] == []
    else:
        queue = PackageQueue(path, PLENTY)
    put(queue, 50)
    assert queue.oldest(Rank.QUEUED) is not None
    assert queue.moved_aside == tmp_path / 'north.sqlite.damaged' and queue.moved_aside.stat().st_size > 0
    assert 50 in numbers_in(queue, Rank.QUEUED)
    queue.close()
    again = PackageQueue(path, PLENTY)
    assert 50 in numbers_in(again, Rank.QUEUED) and again.moved_aside is None
    again.close()


def test_none_that_was_moved_aside_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ptz_perception.upload.database._MOST_DAMAGED', 3)
    path = tmp_path / 'north.sqlite'
    for number, name in enumerate(['north.sqlite.damaged', 'north.sqlite.damaged-2', 'north.sqlite.damaged-3']):
        path.write_text(f'{number} not a database, by no means ' * 40)
        queue = PackageQueue(path, PLENTY)
        assert queue.moved_aside == tmp_path / name and put(queue, 1) is Put.KEPT
        queue.close()
    assert [(tmp_path / name).read_text()[0] for name in ('north.sqlite.damaged', 'north.sqlite.damaged-2')] == ['0', '1']
    path.write_text('not a database, by no means ' * 40)
    queue = PackageQueue(path, PLENTY)
    with pytest.raises(QueueError, match='as 3 before; replace the disk'):
        put(queue, 1)
    queue.close()


def test_a_queue_of_a_newer_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / 'north.sqlite'
    queue = PackageQueue(path, PLENTY)
    put(queue, 1)
    queue.close()
    version(path, 9)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(NewerQueueError, match=r'north\.sqlite is of a newer version \(9; .*; update ptz_collab, or') as error:
            PackageQueue(path, PLENTY)
        assert isinstance(error.value, UserError) and len(str(error.value).splitlines()) == 1
    assert path.read_bytes() == before and not list(tmp_path.glob('*.damaged*'))
    version(path, 1)
    queue = PackageQueue(path, PLENTY)
    assert numbers_in(queue, Rank.QUEUED) == [1]
    queue.close()


def version(path: Path, number: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f'PRAGMA user_version={number}')


def test_nobody_else_may_read_what_waits_whatever_folder_it_is_in(tmp_path: Path) -> None:
    folder = tmp_path / 'what? 100%'
    folder.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        queue = PackageQueue(folder / 'north.sqlite', PLENTY)
        put(queue, 1)
        found = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
        queue.close()
    finally:
        os.umask(before)
    assert found == dict.fromkeys(['north.sqlite', 'north.sqlite-wal', 'north.sqlite.lock'], 0o600)


def test_two_do_not_open_the_same_queue_and_a_dead_one_does_not_keep_it(path: Path) -> None:
    code = (
        'import sys, pathlib; from upload_helpers import *; q = PackageQueue(pathlib.Path(sys.argv[1]), PLENTY); put(q, 1); '
        'print(1, flush=True); sys.stdin.read()'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code, str(path)], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == '1\n'
        with pytest.raises(QueueInUseError, match='used by another process'):
            PackageQueue(path, PLENTY)
        other.kill()
        # It waits for the other's end, which a kill begins.
        queue = PackageQueue(path, PLENTY, wait=120.0)
    assert numbers_in(queue, Rank.QUEUED) == [1]
    with pytest.raises(QueueInUseError):
        PackageQueue(path, PLENTY)
    queue.close()
    with pytest.raises(QueueError, match='closed'):
        put(queue, 2)


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / 'new' / 'q', MetaData(), 1)
    found = database.run(
        lambda connection: [connection.exec_driver_sql(f'PRAGMA {name}').scalar() for name in ('journal_mode', 'synchronous')]
    )
    database.close()
    assert found == ['wal', 2]


def test_a_folder_that_cannot_be_used_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match="can't be kept there"):
        PackageQueue(tmp_path / 'file' / 'north.sqlite', PLENTY)


FULL_DISK = """
import pathlib, resource, sys
from upload_helpers import *
from ptz_perception.upload.database import QueueError
from ptz_perception.upload.package_queue import Rank
folder = pathlib.Path(sys.argv[1])
def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
room(0)
queue = PackageQueue(folder / 'late.sqlite', PLENTY)
for at in ('opening', 'putting'):
    try:
        put(queue, 0)
        sys.exit('it was kept without room')
    except QueueError as error:
        print(error)
room(resource.RLIM_INFINITY)
put(queue, 0)
assert queue.look().waiting == 1

queue, kept, failed = PackageQueue(folder / 'q.sqlite', PLENTY), [], 0
room(1_500_000)
for number in range(60):
    try:
        put(queue, number, size=100_000)
        kept.append(number)
    except QueueError as error:
        failed += 1
    assert queue.backlog.waiting == len(kept)
assert 5 < len(kept) and failed, (kept, failed)
assert queue.oldest(Rank.QUEUED).id == ids(0)[0], 'it can be read'
room(resource.RLIM_INFINITY)
put(queue, 99, size=100_000)
queue.done(ids(0)[0])
assert queue.look().waiting == len(kept)
queue.close()
queue, left = PackageQueue(folder / 'q.sqlite', PLENTY), []
assert queue.moved_aside is None
while (package := queue.oldest(Rank.QUEUED)) is not None:
    number = int(package.id.rpartition('-')[2])
    assert package.picture == picture_of(number, 100_000)
    left.append(number)
    queue.done(package.id)
assert left == [*kept[1:], 99], (left, kept)
"""


def test_a_full_disk_is_an_error_that_passes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, '-c', FULL_DISK, str(tmp_path)], cwd=HERE, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('late.sqlite: ') == 2


class Model:
    """What a queue should do, as simply as can be said."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: list[tuple[Rank, str, int]] = []

    def put(self, rank: Rank, package_id: str, size: int) -> Put:
        if any(known == package_id for _, known, _ in self.rows):
            return Put.KNOWN
        kept = list(self.rows)
        for victim in sorted(self.rows, key=lambda row: row[0]):  # stable: oldest first
            if self._fits(kept, size) or victim[0] > rank:
                break
            kept.remove(victim)
        if not self._fits(kept, size):
            return Put.NO_ROOM
        self.rows = [*kept, (rank, package_id, size)]
        return Put.KEPT

    def _fits(self, rows: list[tuple[Rank, str, int]], size: int) -> bool:
        return len(rows) < self.limits.count and sum(row[2] for row in rows) + size <= self.limits.bytes

    def of(self, rank: Rank) -> list[str]:
        return [package_id for found, package_id, _ in self.rows if found is rank]


STEPS = st.one_of(
    st.tuples(st.just('put'), st.integers(0, 12), st.booleans(), st.sampled_from([500, 3000, 9000])),
    st.tuples(st.sampled_from(['done', 'refuse']), st.integers(0, 12)),
    st.tuples(st.just('again')),
)


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=25), st.integers(1, 5))
def test_it_does_what_a_simple_model_does(steps: list[tuple[str, int, bool, int]], count: int) -> None:
    limits = Limits(bytes=16_000, count=count)
    model = Model(limits)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'q')
        queue = PackageQueue(path, limits)
        for name, *arguments in steps:
            if name == 'again':
                queue.close()
                queue = PackageQueue(path, limits)
                continue
            package = package_of(arguments[0])
            if name == 'put':
                _, immediate, size = arguments
                document = package_of(arguments[0], immediate=immediate, size=size).model_dump_json()
                rank = Rank.IMMEDIATE if immediate else Rank.QUEUED
                result = put(queue, arguments[0], immediate=immediate, size=size)
                assert result is model.put(rank, package.id, len(document) + size)
            elif name == 'done':
                queue.done(package.id)
                model.rows = [row for row in model.rows if row[1] != package.id]
            else:
                queue.refuse(package.id, 'no')
                model.rows = [(Rank.REFUSED, *row[1:]) if row[1] == package.id else row for row in model.rows]
            assert queue.backlog.refused == len(model.of(Rank.REFUSED))
            assert queue.backlog.bytes == sum(row[2] for row in model.rows if row[0] is not Rank.REFUSED)
        for rank in (Rank.QUEUED, Rank.IMMEDIATE):
            found = queue.oldest(rank)
            assert ([found.id] if found else []) == model.of(rank)[:1]
            assert ids(*numbers_in(queue, rank)) == model.of(rank)
        queue.close()
        assert refused_in(path) == [(package_id, 'no') for package_id in model.of(Rank.REFUSED)]
