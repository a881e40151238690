# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Keeping packages: once, whole or not at all, whatever fails in between; and letting the oldest go."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from frame_packages import STAMP, S, document, observation, picture
from hypothesis import given
from hypothesis import strategies as st

from ptz_receiver.errors import RefusedError, StorageError, StorageFullError, storage_error
from ptz_receiver.index import PackageIndex, Stored
from ptz_receiver.keeper import Keeper
from ptz_receiver.query import PackageQuery
from ptz_receiver.retention import Retention, surplus
from ptz_receiver.storage import FolderStorage
from ptz_site.frame_package import FramePackage

JPEG = picture()


def package(number: int = 1, jpeg: bytes = JPEG, **changes: object) -> FramePackage:
    return FramePackage.model_validate(document(jpeg, number, **changes))


def test_a_picture_is_on_the_disk_before_it_has_its_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def note_sync(handle: int) -> None:
        done.append('sync ' + Path(f'/proc/self/fd/{handle}').readlink().relative_to(place.folder).parts[-1])
        sync(handle)

    def note_replace(path: Path, target: Path) -> Path:
        done.append('replace')
        return replace(path, target)

    monkeypatch.setattr(os, 'fsync', note_sync)
    monkeypatch.setattr(Path, 'replace', note_replace)
    place.storage.put('2027/01/15/a.jpg', JPEG)
    file = next(one for one in done if one.endswith('.part'))
    assert done == ['sync pictures', 'sync 2027', 'sync 01', file, 'replace', 'sync 15'], 'and the name before it counts'


def test_the_index_does_not_trust_the_disks_memory(place: Place) -> None:
    for _ in range(2):
        with place.index._reading() as connection:
            settings = [connection.exec_driver_sql(f'PRAGMA {name}').scalar_one() for name in ('journal_mode', 'synchronous')]
        assert settings == ['wal', 2], 'FULL'


class Crash(BaseException):
    """The process ends here: nothing that would come after happens."""


class Storage(FolderStorage):
    """Fails where the test wants it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fail_before: BaseException | None = None
        self.fail_after: BaseException | None = None
        self.fail_remove: BaseException | None = None

    def put(self, key: str, picture: bytes) -> None:
        if self.fail_before:
            raise self.fail_before
        super().put(key, picture)
        if self.fail_after:
            raise self.fail_after

    def remove(self, key: str) -> None:
        if self.fail_remove:
            raise self.fail_remove
        super().remove(key)


class Place:
    """A keeper over a folder, which can be opened again as after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, STAMP
        self.open()

    def open(self) -> None:
        self.storage = Storage(self.folder)
        self.storage.check()
        self.index = PackageIndex(self.folder / 'index.sqlite')
        self.keeper = Keeper(self.index, self.storage, lambda: self.now)
        self.removed = self.keeper.recover()

    def files(self) -> list[str]:
        return sorted(
            path.stem for name in ('pictures', 'incoming') for path in (self.folder / name).rglob('*') if path.is_file()
        )

    def ids(self) -> list[str]:
        return sorted(stored.id for stored in self.index.search(PackageQuery()).packages)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = Place(tmp_path)
    yield opened
    opened.index.close()


def test_stored_once(place: Place) -> None:
    assert place.keeper.keep(package(), JPEG)
    assert not place.keeper.keep(package(), JPEG)
    assert not place.keeper.keep(package(scene='elsewhere', stamp_ns=STAMP + 86_400 * S), JPEG), 'it is the picture that counts'
    with pytest.raises(RefusedError, match='another picture') as error:
        place.keeper.keep(package(jpeg=picture(5)), picture(5))
    assert error.value.status == 409
    stored = place.index.find('yard-north-7-1')
    assert stored is not None and place.keeper.picture(stored) == JPEG
    assert place.files() == place.ids() == ['yard-north-7-1']
    assert place.index.unsettled() == []


@pytest.mark.parametrize('where', ['fail_before', 'fail_after'])
def test_a_crash_on_the_way_in_leaves_nothing_and_the_repeat_is_stored(place: Place, where: str) -> None:
    place.keeper.keep(package(1), JPEG)
    setattr(place.storage, where, Crash())
    with pytest.raises(Crash):
        place.keeper.keep(package(2), JPEG)
    place.open()
    assert place.removed == 1
    assert place.files() == place.ids() == ['yard-north-7-1']
    assert place.keeper.keep(package(2), JPEG)
    place.open()
    assert (place.removed, place.files()) == (0, place.ids()) and len(place.ids()) == 2, 'what is stored stays'


def test_a_crash_does_not_bring_the_old_picture_back(place: Place) -> None:
    place.storage.fail_after = Crash()
    with pytest.raises(Crash):
        place.keeper.keep(package(), JPEG)
    # The same process goes on, as after a fault that nobody thought of; the client sends another picture.
    place.storage.fail_after = None
    assert place.keeper.keep(package(jpeg=picture(6)), picture(6))
    place.open()
    stored = place.index.find('yard-north-7-1')
    assert stored is not None and place.keeper.picture(stored) == picture(6)


@pytest.mark.parametrize('where', ['fail_before', 'fail_after'])
@pytest.mark.parametrize('removable', [True, False])
def test_a_fault_of_the_storage_leaves_nothing(place: Place, where: str, removable: bool) -> None:
    setattr(place.storage, where, StorageFullError())
    place.storage.fail_remove = None if removable else StorageError('not now')
    with pytest.raises(StorageFullError):
        place.keeper.keep(package(), JPEG)
    assert place.ids() == []
    place.open()
    assert place.files() == [] and place.removed == (0 if removable else 1)
    assert place.keeper.keep(package(), JPEG)


def test_a_half_written_picture_is_removed_at_the_start(place: Place) -> None:
    (place.folder / 'incoming' / 'yard-north-7-1.0123.part').write_bytes(JPEG[:100])
    place.open()
    assert place.files() == []


def test_a_damaged_picture_is_not_given_out(place: Place) -> None:
    place.keeper.keep(package(), JPEG)
    stored = place.index.find('yard-north-7-1')
    assert stored is not None
    file = place.folder / 'pictures' / stored.key
    file.write_bytes(JPEG[:-1])
    with pytest.raises(StorageError, match='damaged'):
        place.keeper.picture(stored)
    file.unlink()
    assert place.keeper.picture(stored) is None


def test_a_full_disk_is_told_from_other_faults() -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        assert storage_error(OSError(number, 'x')).status == 507
    assert storage_error(OSError(errno.EIO, 'Input/output error')).status == 503


def test_the_oldest_go_by_age_and_by_size(place: Place) -> None:
    for number in range(6):
        place.now = STAMP + number * S
        # Captured in the opposite order: it is the reception that counts.
        place.keeper.keep(package(number, stamp_ns=STAMP + (50 - number) * S, observations=[observation(target='anna')]), JPEG)
    place.now = STAMP + 6 * S
    assert place.keeper.tidy(Retention()) == 0
    assert place.keeper.tidy(Retention(age_ns=4 * S)) == 2
    assert place.ids() == place.files() == [f'yard-north-7-{number}' for number in range(2, 6)]
    assert place.keeper.tidy(Retention(total_bytes=2 * len(JPEG))) == 2
    assert place.ids() == place.files() == ['yard-north-7-4', 'yard-north-7-5']
    assert len(place.index.search(PackageQuery(target='anna')).packages) == 2, 'who was in them is forgotten with them'
    assert place.index.unsettled() == []


def test_a_crash_on_the_way_out_leaves_no_picture_that_nobody_knows(place: Place) -> None:
    place.keeper.keep(package(), JPEG)
    place.now += 10 * S
    place.storage.fail_remove = Crash()
    with pytest.raises(Crash):
        place.keeper.tidy(Retention(age_ns=S))
    place.open()
    assert place.ids() == place.files() == []


def test_what_a_storage_that_was_away_did_not_remove_goes_when_it_is_back(place: Place) -> None:
    for number in (1, 2):
        place.keeper.keep(package(number), JPEG)
    place.now += 10 * S
    place.storage.fail_remove = StorageError('away')
    for _ in range(2):
        with pytest.raises(StorageError):
            place.keeper.tidy(Retention(age_ns=S))
    assert place.files() == ['yard-north-7-1', 'yard-north-7-2'] and place.ids() == ['yard-north-7-2']
    place.storage.fail_after = StorageError('away')
    with pytest.raises(StorageError):
        place.keeper.keep(package(3), JPEG)
    place.storage.fail_remove = place.storage.fail_after = None
    # What did not come in half, comes again with another time, and so with another key.
    assert place.keeper.keep(package(3, stamp_ns=STAMP + 86_400 * S), JPEG)
    place.keeper.tidy(Retention())
    assert place.files() == place.ids() == ['yard-north-7-2', 'yard-north-7-3']
    stored = place.index.find('yard-north-7-3')
    assert stored is not None and place.keeper.picture(stored) == JPEG
    assert place.index.unsettled() == []


def test_one_that_is_on_its_way_in_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, unsettled = threading.Event(), PackageIndex.unsettled

    def slowly(index: PackageIndex) -> list[tuple[str, str]]:
        found = unsettled(index)
        listed.set()
        return found

    class Slow(Storage):
        def put(self, key: str, picture: bytes) -> None:
            super().put(key, picture)
            tidying.start()
            assert listed.wait(120)

    monkeypatch.setattr(PackageIndex, 'unsettled', slowly)
    place.keeper = Keeper(place.index, Slow(place.folder), lambda: place.now)
    tidying = threading.Thread(target=place.keeper.tidy, args=(Retention(),))
    assert place.keeper.keep(package(), JPEG)
    tidying.join()
    assert place.files() == place.ids() == ['yard-north-7-1']


def test_it_ends_between_two_pictures(place: Place) -> None:
    for number in range(3):
        place.keeper.keep(package(number), JPEG)
    ended = iter([False, True])
    assert place.keeper.tidy(Retention(total_bytes=0), lambda: next(ended)) == 1
    assert place.files() == place.ids() and len(place.ids()) == 2


def test_nobody_else_may_read_what_is_kept_whatever_folder_it_is_in(tmp_path: Path) -> None:
    folder = tmp_path / 'what? 100%'
    folder.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        (folder / 'pictures' / '2027' / '01' / '15').mkdir(parents=True)
        place = Place(folder)
        place.keeper.keep(package(), JPEG)
        found = {file.name: file.stat().st_mode & 0o777 for file in folder.rglob('*') if file.is_file()}
        place.index.close()
    finally:
        os.umask(before)
    assert found == dict.fromkeys(['index.sqlite', 'index.sqlite-wal', 'index.sqlite-shm', 'yard-north-7-1.jpg'], 0o600)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=12),
    st.one_of(st.none(), st.integers(0, 60)),
    st.one_of(st.none(), st.integers(0, 300)),
)
def test_as_much_stays_as_is_allowed(kept: list[tuple[int, int]], age: int | None, total: int | None) -> None:
    stored = [Stored(str(number), '', size, 0, at, '', '') for number, (at, size) in enumerate(sorted(kept))]
    going = surplus(stored, sum(one.picture_bytes for one in stored), 50, Retention(age, total))
    staying = stored[len(going) :]
    assert going == stored[: len(going)], 'the oldest'
    assert age is None or all(one.received_ns >= 50 - age for one in staying)
    assert total is None or sum(one.picture_bytes for one in staying) <= total
    if going and (age is None or going[-1].received_ns >= 50 - age):
        assert total is not None and sum(one.picture_bytes for one in [going[-1], *staying]) > total, 'no more than must'


def test_documents_come_back_as_they_were(place: Place) -> None:
    odd = package(scene='gate\0 "ä" \u2028', observations=[observation(object_id="o'1", target='t"2')])
    place.keeper.keep(odd, JPEG)
    found = place.index.search(PackageQuery(scene='gate\0 "ä" \u2028', object_id="o'1", target='t"2')).packages
    assert [FramePackage.model_validate(json.loads(stored.document)) for stored in found] == [odd]
