# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who gets in, how often, and what the secret may be."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

import pytest
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from ptz_receiver.access import ClientRate, TokenCheck, client_of
from ptz_receiver.gate import Gate, Tally
from ptz_receiver.settings import read_token
from ptz_site import UserError

CHECK = TokenCheck('s3cret:with:colons')


@pytest.mark.parametrize(
    ('header', 'admitted'),
    [
        (b'Bearer s3cret:with:colons', True),
        (b'bearer  s3cret:with:colons ', True),
        (b'Basic ' + base64.b64encode(b'anybody:s3cret:with:colons'), True),
        (b'Basic ' + base64.b64encode(b':s3cret:with:colons'), True),
        (b'Basic ' + base64.b64encode(b's3cret:with:colons'), False),
        (b'Basic ' + base64.b64encode(b's3cret:with:colons:'), False),
        (b'Basic s3cret:with:colons', False),
        (b'Digest s3cret:with:colons', False),
        (b's3cret:with:colons', False),
        (b'Bearer', False),
        (b'Bearer ', False),
        (b'', False),
        (b'Bearer s3cret:with:colonz', False),
        (b'Bearer s3cret:with:colons2', False),
    ],
)
def test_the_token_alone_gets_in(header: bytes, admitted: bool) -> None:
    assert CHECK.admits(header) is admitted


@given(st.binary(max_size=60))
def test_nothing_else_gets_in(header: bytes) -> None:
    assert not CHECK.admits(header)


def test_each_client_has_its_own_rate() -> None:
    rate = ClientRate(5)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not (seconds := rate.wait('192.0.2.1')):
        pass
    assert 1 <= seconds <= 2
    assert rate.wait('192.0.2.2') == 0


def test_who_does_not_know_the_token_uses_up_nothing_of_others_with_the_address() -> None:
    async def through(_scope: Scope, _receive: Receive, send: Send) -> None:
        await JSONResponse({})(_scope, _receive, send)

    gate = Gate(through, CHECK, 5, Tally())

    async def status(token: bytes) -> int:
        found: list[int] = []

        async def sending(message: Message) -> None:
            found.append(message.get('status', 0))

        async def receiving() -> Message:
            return {'type': 'http.disconnect'}

        headers = [(b'authorization', b'Bearer ' + token)]
        await gate(
            {'type': 'http', 'method': 'GET', 'path': '/', 'headers': headers, 'client': ('192.0.2.1', 1)}, receiving, sending
        )
        return found[0]

    async def ask() -> None:
        deadline = time.monotonic() + 10
        while (refused := await status(b'guess')) == 401 and time.monotonic() < deadline:
            pass
        assert refused == 429, 'those who guess are slowed down'
        assert await status(b's3cret:with:colons') == 200

    asyncio.run(ask())


@pytest.mark.parametrize(
    ('address', 'client'),
    [
        ('192.0.2.7', '192.0.2.7'),
        ('2001:db8::1', '2001:db8::/64'),
        ('2001:db8::ffff:1', '2001:db8::/64'),
        ('', ''),
        ('testclient', 'testclient'),
    ],
)
def test_who_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client


def test_the_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'token').write_text('  one\nsecond line\n')
    monkeypatch.setenv('PTZ_TOKEN', 'two')
    assert read_token(str(tmp_path / 'token'), '') == 'one'
    assert read_token('', 'PTZ_TOKEN') == 'two'
    monkeypatch.setenv('PTZ_TOKEN', '')
    (tmp_path / 'binary').write_bytes(b'\xff\xfe')
    for name, variable in (('', 'PTZ_TOKEN'), (str(tmp_path / 'binary'), ''), (str(tmp_path), ''), ('', '')):
        with pytest.raises(UserError, match='token'):
            read_token(name, variable)


@pytest.mark.parametrize('token', ['two words', 'tüt', 'a\tb', '\x7f'])
def test_a_token_that_can_not_be_sent_is_refused_and_not_shown(token: str, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text(token, encoding='utf-8')
    with pytest.raises(UserError, match='the token has') as error:
        read_token(str(tmp_path / 'file'), '')
    assert token not in str(error.value)


def test_the_log_says_what_there_was_once() -> None:
    tally = Tally()
    for method, status in [('POST', 201), ('POST', 201), ('POST', 200), ('GET', 200), ('GET', 404)]:
        tally.count(method, status)
    assert tally.read() == '2 stored, 1 repeated, 1 refused with 404'
    assert tally.read() == ''
