# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab receive through its own death, full disks, TLS, an object storage, and starts that can't work."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from conftest import PATIENCE, start_command, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from frame_packages import document, picture
from moto.server import ThreadedMotoServer
from receiver_process import TOKEN, receiving

from collab_bringup.cli import main


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    (tmp_path / 'disk').mkdir()
    made = subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', tmp_path / 'disk'], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f'a small file system can not be mounted here; RLIMIT_FSIZE is tried instead: {made.stderr.decode().strip()}')
    yield tmp_path / 'disk'
    subprocess.run(['umount', '-l', tmp_path / 'disk'], check=True)


def test_a_disk_that_is_really_full_and_has_room_again(small_disk: Path) -> None:
    large = picture(30, 1200, 1000)

    def sent(number: int) -> tuple[dict[str, Any], bytes]:
        return document(large, number, region='full', width=1200, height=1000), large

    with receiving(small_disk, '--host', '0.0.0.0') as receiver:
        found = [receiver.post(*sent(number)).status_code for number in range(25)]
        assert set(found) == {201, 507} and found[0] == 201 and found[-1] == 507
        # Something else takes what was left for the index.
        ballast = small_disk / 'ballast'
        with contextlib.suppress(OSError), ballast.open('wb', buffering=0) as file:
            while True:
                file.write(bytes(4096))
        assert receiver.post(*sent(99)).status_code == 507
        kept = receiver.ids('limit=500')
        assert len(kept) == found.count(201) == len(receiver.pictures()), 'a picture for each row, and nothing else'
        assert receiver.get(f'/v1/packages/{kept[-1]}/picture').content == large
        ballast.unlink()
        receiver.pictures()[0].unlink()
        assert receiver.post(*sent(99)).status_code == 201, 'there is room again'
        code, log = receiver.end()
        assert code == 0 and 'Traceback' not in log and 'room' in log and 'no TLS' in log


def test_killed_in_the_middle_it_has_everything_that_it_said_it_has(tmp_path: Path) -> None:
    sent = [(document(picture(number), number), picture(number)) for number in range(400)]
    told: list[int] = []
    with receiving(tmp_path) as receiver, ThreadPoolExecutor(4) as pool:
        dead = threading.Event()

        def post(number: int) -> None:
            with contextlib.suppress(requests.RequestException):
                if not dead.is_set() and receiver.post(*sent[number]).status_code == 201:
                    told.append(number)
            if len(told) >= 25:
                # While it is busy with those of the other threads.
                receiver.process.kill()
                dead.set()

        for posted in [pool.submit(post, number) for number in range(len(sent))]:
            posted.result()
    assert 25 <= len(told) < len(sent), 'it was killed in the middle'
    with receiving(tmp_path) as receiver:
        kept = receiver.ids('limit=500')
        assert {sent[number][0]['id'] for number in told} <= set(kept)
        assert sorted(path.stem for path in receiver.pictures()) == sorted(kept), 'nothing is half there'
        for number in told:
            assert receiver.get(f'/v1/packages/{sent[number][0]["id"]}/picture').content == picture(number)
        # A client sends everything again that it has no answer for.
        rest = receiver.answers(sent[:40])
        assert set(rest) <= {200, 201} and rest[200] >= sum(number < 40 for number in told)
        assert len(receiver.ids('limit=500')) == len(receiver.pictures()) >= 40
        code, log = receiver.end(signal.SIGTERM)
        assert code == 0 and 'Traceback' not in log, log


@pytest.fixture(scope='module')
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp('certificate')
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'receiver')])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / 'receiver.crt').write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / 'receiver.key').write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return folder / 'receiver.crt', folder / 'receiver.key'


def test_tls_and_the_rate_of_one_client(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    words = ('--certificate', certificate[0], '--key', certificate[1], '--rate', 4, '--host', '0.0.0.0')
    with receiving(tmp_path, *words) as receiver:
        receiver.url = receiver.url.replace('0.0.0.0', '127.0.0.1')
        receiver.verify = str(certificate[0])
        assert receiver.url.startswith('https://')
        assert receiver.post(document(picture()), picture()).status_code == 201
        with pytest.raises(requests.RequestException):
            requests.get(receiver.url.replace('https', 'http') + '/healthz', timeout=60)

        refused: list[requests.Response] = []

        def too_fast() -> bool:
            """Asks for a second and more: over one connection, as a slow machine agrees upon TLS less often than it may ask."""
            with requests.Session() as hasty:
                hasty.headers['Authorization'] = f'Bearer {TOKEN}'
                found = [hasty.get(f'{receiver.url}/v1/schema', verify=receiver.verify, timeout=60) for _ in range(12)]
            assert {answer.status_code for answer in found} <= {200, 429}
            refused.extend(answer for answer in found if answer.status_code == 429)
            return bool(refused)

        wait_for(too_fast, PATIENCE, 'who asks too often is refused')
        assert all(1 <= int(answer.headers['Retry-After']) <= 2 for answer in refused)
        assert receiver.get('/healthz').status_code == 200, 'who watches over it is not refused'
        wait_for(lambda: receiver.get('/v1/schema').status_code == 200, PATIENCE, 'the client may go on')
        with requests.Session() as resting:
            resting.get(f'{receiver.url}/healthz', verify=receiver.verify, timeout=60)
            code, log = receiver.end()
        assert code == 0 and 'Traceback' not in log and 'no TLS' not in log
        assert 'exceeded' not in log, 'clients that rest are not waited for'
        assert '1 stored' in log and 'refused with 429' in log, 'the log says what there was'


def test_pictures_in_an_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        monkeypatch.setenv(name, 'testing')
    storage = ThreadedMotoServer('127.0.0.1', 0, verbose=False)
    storage.start()
    endpoint = 'http://{}:{}'.format(*storage.get_host_and_port())
    bucket = boto3.client('s3', endpoint_url=endpoint, region_name='us-east-1')
    bucket.create_bucket(Bucket='frames')
    words = ('--s3-bucket', 'frames', '--s3-endpoint', endpoint, '--s3-prefix', '/yard/')
    about, jpeg = document(picture(), id='far-1'), picture()
    try:
        with receiving(tmp_path, *words) as receiver:
            assert receiver.post(about, jpeg).status_code == 201
            assert receiver.post(about, jpeg).status_code == 200
            kept = bucket.list_objects_v2(Bucket='frames')['Contents']
            assert [one['Key'] for one in kept] == ['yard/2027/01/15/far-1.jpg']
            assert receiver.get('/v1/packages/far-1/picture').content == jpeg
            assert receiver.pictures() == [], 'nothing of it is on this disk'

            bucket.put_object(Bucket='frames', Key=kept[0]['Key'], Body=b'something else')
            assert receiver.get('/v1/packages/far-1/picture').status_code == 500, 'damaged pictures are not shown'
            bucket.delete_object(Bucket='frames', Key=kept[0]['Key'])
            assert receiver.get('/v1/packages/far-1/picture').status_code == 404
            storage.stop()
            away = receiver.post(document(jpeg, id='far-2'), jpeg)
            assert away.status_code == 503 and int(away.headers['Retry-After']) > 0
            assert receiver.ids('') == ['far-1']
            code, log = receiver.end()
            assert code == 0 and 'Traceback' not in log and 'object storage' in log
    finally:
        with contextlib.suppress(Exception):
            storage.stop()


@pytest.mark.parametrize(
    ('words', 'says'),
    [
        ((), 'no token: give --token-file FILE or --token-env NAME'),
        (('--token-file', 'none'), "--token-file: none can't be read (No such file or directory)"),
        (('--token-file', 'empty'), '--token-file: empty is empty'),
        (('--token-file', 'blanks'), 'has a blank'),
        (('--token-env', 'PTZ_NO_SUCH_TOKEN'), 'the environment has no PTZ_NO_SUCH_TOKEN; export it'),
        (('--token-file', 'token', '--port', 'BUSY'), "can't be listened on (Address already in use); give another --port"),
        (('--token-file', 'token', '--port', '70000'), '--port: 70000 found; allowed'),
        (('--token-file', 'token', '--host', '192.0.2.1'), 'give another --host'),
        (('--token-file', 'token', '--host', 'no-such-host.invalid'), 'give another --host'),
        (('--token-file', 'token', '--host', 'a' * 70), 'give another --host'),
        (('--token-file', 'token', '--dir', 'token'), "--dir: token can't be written to"),
        (('--token-file', 'token', '--dir', 'other'), "can't be used as an index"),
        (('--token-file', 'token', '--dir', 'busy'), 'another receiver uses'),
        (('--token-file', 'token', '--certificate', 'token'), "--certificate: token can't be used"),
        (('--token-file', 'token', '--certificate', 'none'), "--certificate: none can't be used"),
        (('--token-file', 'token', '--key', 'token'), 'give --certificate too'),
        (('--token-file', 'token', '--rate', '0'), '--rate: 0 found'),
        (('--token-file', 'token', '--s3-prefix', 'a'), '--s3-bucket: is missing'),
        (('--token-file', 'token', '--s3-bucket', 'b', '--s3-endpoint', 'nonsense'), '--s3-endpoint'),
        (('--token-file', 'token', '--s3-bucket', 'b', '--s3-endpoint', 'http://127.0.0.1:9'), '--s3-bucket: b: '),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'testing')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'testing')
    (tmp_path / 'token').write_text(TOKEN)
    (tmp_path / 'empty').write_text('\n')
    (tmp_path / 'blanks').write_text('two words')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'index.sqlite').write_text('not a database, but something that is longer than its header' * 20)
    monkeypatch.setattr('ptz_receiver.server._serve', lambda *_: pytest.fail('it started'))
    (tmp_path / 'busy').mkdir()
    with (tmp_path / 'busy' / 'lock').open('w') as lock, socket.create_server(('127.0.0.1', 0)) as listener:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = str(listener.getsockname()[1])
        code = main(['receive', '--dir', 'kept', '--port', '0', *(port if word == 'BUSY' else word for word in words)])
    captured = capsys.readouterr()
    assert code == 2 and says in captured.err, captured.err
    assert len(captured.err.splitlines()) == 1 and captured.out == '' and TOKEN not in captured.err


def test_it_says_what_is_wrong_as_a_process_too(tmp_path: Path) -> None:
    code, output = start_command('receive', '--dir', tmp_path / 'kept', '--port', 0, cwd=tmp_path).finish()
    assert code == 2 and output.startswith('no token') and len(output.splitlines()) == 1
    assert not (tmp_path / 'kept').exists()
