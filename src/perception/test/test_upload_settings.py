# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the uploader needs to know of its receiver: addresses, tokens, certificates."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from upload_helpers import (
    TOKEN,
    FakeReceiver,
    Request,
    ids,
    put,
    settings_for,
    until,
    uploading,
    with_status,
)

from ptz_perception.upload.package_queue import Limits, PackageQueue
from ptz_perception.upload.receiver import Receiver
from ptz_perception.upload.schedule import Pacing, Verdict
from ptz_perception.upload.uploader import make_uploader, queue_folder
from ptz_site import Site, UserError

HERE = Path(__file__).parent
SLOW = Pacing(send_period=30.0)


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    made = FakeReceiver()
    yield made
    made.close()


def test_a_wrong_token_is_said_and_a_new_one_in_the_file_is_used(receiver: FakeReceiver, tmp_path: Path) -> None:
    def check(request: Request) -> None:
        if request.headers['authorization'] != 'Bearer right':
            request.read()
            request.answer(401, {'detail': 'not ' + request.headers['authorization']})
        else:
            receiver.store(request)

    receiver.behave = check
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1)
        put(uploader, 2, immediate=True)
        until(lambda: uploader.status().last_error.startswith('wrong token: '))
        assert TOKEN not in uploader.status().last_error and '***' in uploader.status().last_error
        assert uploader.status().waiting == 2
        (tmp_path / 'token').unlink()
        until(lambda: "can't be read" in uploader.status().last_error)
        (tmp_path / 'token').write_text('right\n')
        until(lambda: uploader.status().sent == 2)
    assert sorted(receiver.stored) == ids(1, 2)


def test_neither_the_token_nor_the_picture_goes_where_a_redirect_points(receiver: FakeReceiver, tmp_path: Path) -> None:
    elsewhere = FakeReceiver()
    receiver.in_turn(*[with_status(status, f'Location: {elsewhere.url}/v1/packages\r\n') for status in (301, 302, 303, 307, 308)])
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1)
        until(lambda: 'redirects to http://127.0.0.1' in uploader.status().last_error)
        until(lambda: uploader.status().sent == 1)
    elsewhere.close()
    assert not elsewhere.requests and len(receiver.requests) == 6


def test_certificates_are_checked(tmp_path: Path) -> None:
    command = (
        'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key -out cert -subj /CN=r'
    )
    subprocess.run([*command.split(), '-addext', 'subjectAltName=IP:127.0.0.1'], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / 'cert', tmp_path / 'key')
    receiver = FakeReceiver(tls=context)
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1)
        until(lambda: 'certificate is not trusted' in uploader.status().last_error)
        assert not receiver.stored
    with uploading(receiver.url, tmp_path, ca_file='cert') as uploader:
        until(lambda: uploader.status().sent == 1)
    plain = FakeReceiver()
    with uploading(plain.url.replace('http:', 'https:'), tmp_path) as uploader:
        put(uploader, 2)
        until(lambda: 'no HTTPS at this url' in uploader.status().last_error)
    receiver.close()
    plain.close()


def test_other_credentials_of_the_user_are_not_sent_and_proxies_are_used(
    receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'netrc').write_text('machine receiver.invalid login someone password other\n')
    monkeypatch.setenv('NETRC', str(tmp_path / 'netrc'))
    monkeypatch.setenv('http_proxy', receiver.url)
    with uploading('http://receiver.invalid:8080', tmp_path) as uploader:
        put(uploader, 1)
        until(lambda: uploader.status().sent == 1)
    (request,) = receiver.requests
    assert request.first_line == 'POST http://receiver.invalid:8080/v1/packages HTTP/1.1\r\n'
    assert request.headers['authorization'] == f'Bearer {TOKEN}'


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'url': 'https://me:very-secret@receiver.example'}, 'url: there is a user or a password in it'),
        ({'url': 'https://very-secret@receiver.example'}, 'url: there is a user or a password in it'),
        ({'url': 'ftp://receiver.example'}, 'url: not an address'),
        ({'url': 'receiver.example:80'}, 'url: not an address'),
        ({'url': 'https://'}, 'url: not an address'),
        ({'url': 'https://receiver.example:99999'}, 'url: not an address'),
        ({'url': 'https://[::1'}, 'url: not an address'),
        ({'url': 'https://a b'}, 'url: not an address'),
        ({'url': 'https://a/?key=very-secret'}, 'url: no ? and # allowed'),
        ({'token_env': 'X'}, 'token_file and token_env: both found'),
        ({'token_file': ''}, 'token_file and token_env: neither found'),
        ({'send_period': -1}, 'send_period'),
        ({'timeout': float('inf')}, 'timeout'),
        ({'max_count': 0}, 'max_count'),
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_telling_secrets(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_for('https://receiver.example', tmp_path, **changes)
    errors = [f'{".".join(map(str, one["loc"]))}: {one["msg"]}' for one in caught.value.errors()]
    assert len(errors) == 1 and said in errors[0] and 'very-secret' not in errors[0]


def test_tokens_and_certificates_that_cannot_be_used_are_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for('https://receiver.example', tmp_path)
    for content, said in (
        (b'', 'is empty'),
        (b'\n x', 'is empty'),
        (b'two words', 'no token'),
        (b'se\rcret', 'no token'),
        (b'\xff', 'not a text'),
    ):
        (tmp_path / 'token').write_bytes(content)
        with pytest.raises(UserError, match=said) as caught:
            Receiver(settings, tmp_path)
        assert 'cret' not in str(caught.value) and 'words' not in str(caught.value)
    (tmp_path / 'token').write_text('right')
    with pytest.raises(UserError, match=r"ca_file: .*missing can't be read"):
        Receiver(settings.model_copy(update={'ca_file': 'missing'}), tmp_path)
    with pytest.raises(UserError, match='no certificate'):
        Receiver(settings.model_copy(update={'ca_file': 'token'}), tmp_path)
    from_environment = settings.model_copy(update={'token_file': '', 'token_env': 'RECEIVER_TOKEN'})
    with pytest.raises(UserError, match='export it'):
        Receiver(from_environment, tmp_path)
    monkeypatch.setenv('RECEIVER_TOKEN', 'right')
    Receiver(from_environment, tmp_path)


def test_a_site_makes_its_uploaders(
    demo_site: Site, receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make_uploader(demo_site, 'north', tmp_path) is None
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'home'))
    perception = demo_site.perception.model_copy(update={'upload': settings_for(receiver.url, tmp_path)})
    site = demo_site.model_copy(update={'perception': perception})
    assert queue_folder(site, tmp_path) == tmp_path / 'home' / 'ptz_collab' / site.region.name / 'upload'
    uploader = make_uploader(site, 'north', tmp_path)
    assert uploader is not None
    put(uploader, 1)
    until(lambda: uploader.status().sent == 1)
    uploader.close()
    assert (tmp_path / 'home' / 'ptz_collab' / site.region.name / 'upload' / 'north.sqlite').is_file()


def test_an_unusable_host_is_said_and_nothing_ends(tmp_path: Path) -> None:
    for host in ('a..b', 'x' * 70 + '.invalid', 'receiver.invalid'):
        receiver = Receiver(settings_for(f'http://{host}', tmp_path), tmp_path)
        queue = PackageQueue(tmp_path / 'q', Limits(10**6, 10))
        put(queue, 1)
        package = queue.get(ids(1)[0])
        queue.close()
        assert package is not None
        outcome = receiver.send(package)
        assert outcome.verdict is Verdict.AWAY and "can't be reached" in outcome.sentence
