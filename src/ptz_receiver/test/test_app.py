# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the application does by itself, and what the command line's words become."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frame_packages import STAMP, S, document, observation, picture

from ptz_receiver.access import TokenCheck
from ptz_receiver.api import PackageApi
from ptz_receiver.app import Rules, build_app
from ptz_receiver.errors import RefusedError, StorageError
from ptz_receiver.gallery import card, exposure, link
from ptz_receiver.index import PackageIndex, Stored
from ptz_receiver.keeper import Keeper
from ptz_receiver.query import PackageQuery
from ptz_receiver.retention import Retention
from ptz_receiver.server import _is_loopback, _listen, _rules
from ptz_receiver.settings import ReceiveRequest, UploadLimits
from ptz_receiver.storage import FolderStorage
from ptz_site.frame_package import FramePackage

JPEG = picture()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    storage = FolderStorage(tmp_path)
    storage.check()
    index = PackageIndex(tmp_path / 'index.sqlite')
    keeper = Keeper(index, storage, lambda: STAMP)
    for number in range(3):
        keeper.keep(FramePackage.model_validate(document(JPEG, number)), JPEG)
    yield keeper
    index.close()


async def living(keeper: Keeper, retention: Retention, until: str, log: pytest.LogCaptureFixture) -> None:
    app = build_app(keeper, Rules(TokenCheck('x'), retention=retention))
    async with app.router.lifespan_context(app), asyncio.timeout(120):
        while until not in log.text:
            await asyncio.sleep(0.01)


def test_the_oldest_go_while_it_runs(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asyncio.run(living(keeper, Retention(total_bytes=len(JPEG)), 'removed the 2 oldest', caplog))
    assert len(keeper.index.search(PackageQuery()).packages) == 1


def test_a_storage_that_can_not_remove_is_told_and_nothing_else_happens(
    keeper: Keeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_storage: FolderStorage, _key: str) -> None:
        raise StorageError('the storage sleeps')

    monkeypatch.setattr(FolderStorage, 'remove', fail)
    asyncio.run(living(keeper, Retention(total_bytes=0), 'could not be removed: the storage sleeps', caplog))


def test_a_fault_that_nobody_thought_of_is_told_and_it_goes_on(
    keeper: Keeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr('ptz_receiver.app._PERIOD', 0.01)
    tidy, faults = Keeper.tidy, [ValueError('nonsense')]

    def fail_once(*arguments: Any) -> int:
        if faults:
            raise faults.pop()
        return tidy(*arguments)

    monkeypatch.setattr(Keeper, 'tidy', fail_once)
    asyncio.run(living(keeper, Retention(total_bytes=len(JPEG)), 'removed the 2 oldest', caplog))
    assert 'ValueError: nonsense' in caplog.text


def test_at_the_end_nothing_is_removed_any_more(
    keeper: Keeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[bool] = []

    def slowly(_keeper: Keeper, _rule: Retention, ended: Callable[[], bool]) -> int:
        logging.getLogger().warning('begun')
        until = time.monotonic() + 120
        while not ended() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        done.append(ended())
        return 0

    monkeypatch.setattr(Keeper, 'tidy', slowly)

    async def told() -> list[bool]:
        await living(keeper, Retention(), 'begun', caplog)
        return list(done)

    assert asyncio.run(told()) == [True]


def test_whoever_asks_whether_it_lives_does_not_keep_the_index_busy(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, away = 0, False

    def find(_index: PackageIndex, _package_id: str) -> None:
        nonlocal looks
        looks += 1
        if away:
            raise StorageError('the index sleeps')

    monkeypatch.setattr(PackageIndex, 'find', find)
    monkeypatch.setattr('ptz_receiver.api._HEALTH_PERIOD', 1000.0)
    api = PackageApi(keeper, UploadLimits())

    async def status() -> int:
        try:
            return (await api.health()).status_code
        except RefusedError as error:
            return error.status

    async def ask() -> None:
        nonlocal away
        for expected, so_far in ((200, 1), (503, 2), (200, 3)):
            away = expected != 200
            assert await asyncio.gather(*(status() for _ in range(20))) == [expected] * 20 and looks == so_far
            api._look_again = 0.0

    asyncio.run(ask())


def test_the_words_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PTZ_TOKEN', 'secret')
    request = ReceiveRequest(tmp_path, 0, token_env='PTZ_TOKEN', max_mb=0.5, rate=7, keep_days=2, keep_gb=1.5)
    rules = _rules(request)
    assert (rules.limits.picture, rules.rate) == (500_000, 7)
    assert rules.retention == Retention(age_ns=2 * 86_400 * S, total_bytes=1_500_000_000)
    assert _rules(ReceiveRequest(tmp_path, 0, token_env='PTZ_TOKEN')).retention.everything
    assert 'secret' not in repr(request)


@pytest.mark.parametrize(('host', 'alone'), [('127.0.0.1', True), ('localhost', True), ('0.0.0.0', False)])
def test_who_can_reach_it(host: str, alone: bool) -> None:
    with _listen(host, 0) as listener:
        assert _is_loopback(listener) is alone


def test_what_the_gallery_says_of_a_picture() -> None:
    seen = [
        observation(track_id=1, best=False),
        observation(track_id=2, object_id='person-2', ground={'x': 1.25, 'y': -2, 'covariance': [1, 0, 0, 1]}, predicted=True),
        observation(track_id=3, object_id='person-3', target='anna', heading=math.pi / 2, best=False),
    ]
    package = FramePackage.model_validate(document(JPEG, observations=seen))
    shown = card(Stored(package.id, '', 0, 0, 0, '', package.model_dump_json()))
    assert [(one.kind, one.name, one.best, one.more) for one in shown.figures] == [
        ('target', 'anna', False, '/?target=anna'),
        ('best', 'person-2', True, '/?object=person-2'),
        ('other', 'person', False, ''),
    ]
    assert shown.figures[0].facts == 'person 0.80, track 3, 12 x 30 px, heading 90°'
    assert shown.figures[1].facts == 'person 0.80, track 2, 12 x 30 px, at 1.2, -2.0 m, predicted'
    assert (shown.figures[0].corner, shown.figures[0].size) == ((24, 5), (12, 30))
    assert shown.time == '2027-01-15 08:00:01.000'
    assert exposure(package) == 'manual, 1/250 s'


def test_times_are_not_rounded_up() -> None:
    package = FramePackage.model_validate(document(JPEG, stamp_ns=STAMP + S - 1))
    assert card(Stored(package.id, '', 0, 0, 0, '', package.model_dump_json())).time == '2027-01-15 08:00:00.999'


def test_links_keep_the_filters_alone() -> None:
    assert link({'camera': 'a & b', 'scene': '', 'after': '1:x', 'limit': '5'}, None) == '/?camera=a+%26+b'
    assert link({'camera': 'north'}, '1:x') == '/?camera=north&after=1%3Ax'
