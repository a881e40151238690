# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab receive as clients and people meet it: a process, real HTTP, everything that clients do wrong, and its own death."""

from __future__ import annotations

import http.client
import json
import re
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from frame_packages import STAMP, S, document, observation, picture
from receiver_process import TOKEN, Receiver, receiving

from ptz_site.frame_package import FramePackage, json_schema

JSON, JPEG = 'application/json', 'image/jpeg'


@pytest.fixture(scope='module')
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One for many tests, which send their packages from regions of their own. Largest picture: 1 MB."""
    with receiving(tmp_path_factory.mktemp('receiver'), '--max-mb', 1) as running:
        yield running
        code, log = running.end()
        assert code == 0
        assert 'Traceback' not in log, 'what clients do wrong is no fault of the program'
        assert TOKEN not in log


def test_a_package_is_stored_once_and_comes_back_as_it_was(receiver: Receiver) -> None:
    jpeg, about = picture(1), document(picture(1), region='once', id='once-1')
    first = receiver.post(about, jpeg)
    assert (first.status_code, first.json()) == (201, {'id': 'once-1', 'stored': True})
    for _ in range(2):
        again = receiver.post(about, jpeg)
        assert (again.status_code, again.json()) == (200, {'id': 'once-1', 'stored': False})
    other = receiver.post(document(picture(2), region='once', id='once-1'), picture(2))
    assert other.status_code == 409 and other.json()['detail'].startswith('id: once-1'), 'a picture never changes'

    found = receiver.get('/v1/packages/once-1/picture')
    assert found.content == jpeg and found.headers['Content-Type'] == 'image/jpeg'
    assert FramePackage.model_validate(receiver.get('/v1/packages/once-1').json()) == FramePackage.model_validate(about)
    assert receiver.ids('region=once') == ['once-1']
    assert (receiver.folder / 'pictures/2027/01/15/once-1.jpg').read_bytes() == jpeg
    unchanged = receiver.get('/v1/packages/once-1/picture', headers={**bearer(), 'If-None-Match': found.headers['ETag']})
    assert unchanged.status_code == 304 and not unchanged.content


def test_repeats_at_the_same_time_store_one(receiver: Receiver) -> None:
    same = (document(picture(3), region='same', id='same-1'), picture(3))
    assert receiver.answers([same] * 16) == {201: 1, 200: 15}
    # Of different pictures with one id one is kept, and is the one that the index speaks of.
    rivals = [(document(picture(seed), region='rivals', id='rivals-1'), picture(seed)) for seed in range(10, 18)]
    assert receiver.answers(rivals) == {201: 1, 409: 7}
    kept = receiver.get('/v1/packages/rivals-1').json()
    winner = next(jpeg for about, jpeg in rivals if about['picture_sha256'] == kept['picture_sha256'])
    assert receiver.get('/v1/packages/rivals-1/picture').content == winner


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {'Authorization': f'Bearer {token}'}


def test_nothing_without_the_token(receiver: Receiver) -> None:
    receiver.post(document(picture(4), region='secret', id='secret-1'), picture(4))
    paths = ['/', '/v1/packages', '/v1/packages/secret-1', '/v1/packages/secret-1/picture', '/v1/schema', '/docs', '/nowhere']
    wrong = [{}, bearer('guess'), bearer(TOKEN[:-1]), bearer(''), {'Authorization': TOKEN}, {'Authorization': 'Basic !!'}]
    for path in paths:
        for headers in wrong:
            answer = receiver.get(path, headers=headers)
            assert answer.status_code == 401, (path, headers)
            assert 'secret' not in answer.text
            assert 'Bearer' in answer.headers['WWW-Authenticate'] and 'Basic' in answer.headers['WWW-Authenticate']
    refused = receiver.post(document(picture(5), region='secret', id='secret-2'), picture(5), headers=bearer('guess'))
    assert refused.status_code == 401
    assert receiver.ids('region=secret') == ['secret-1']
    # Browsers ask people for a name and a password.
    assert receiver.get('/v1/packages/secret-1', headers={}, auth=('anybody', TOKEN)).status_code == 200
    assert receiver.get('/v1/packages/secret-1', headers={}, auth=(TOKEN, '')).status_code == 401
    healthy = receiver.get('/healthz', headers={})
    assert (healthy.status_code, healthy.json()) == (200, {'status': 'ok'})


def test_a_page_of_somebody_else_can_not_store_through_a_browser(receiver: Receiver) -> None:
    about = document(picture(6), region='forged', id='forged-1')
    forged = receiver.post(about, picture(6), headers={'Origin': 'https://elsewhere.example'}, auth=('', TOKEN))
    assert forged.status_code == 403 and receiver.ids('region=forged') == []


def peak_memory(receiver: Receiver) -> int:
    """Bytes."""
    status = Path(f'/proc/{receiver.process.pid}/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024  # type: ignore[index]


def test_a_huge_body_fills_neither_memory_nor_disk(receiver: Receiver) -> None:
    before, files = peak_memory(receiver), set(receiver.pictures())
    huge = 40_000_000
    honest = receiver.send({'package': ('a', b'{}', JSON), 'picture': ('b', bytes(huge), JPEG)})
    assert honest.status_code == 413 and 'the body' in honest.json()['detail']

    head = b'--x\r\nContent-Disposition: form-data; name="picture"\r\nContent-Type: image/jpeg\r\n\r\n'
    pieces = (head if number == 0 else bytes(100_000) for number in range(huge // 100_000))
    absent = requests.post(
        f'{receiver.url}/v1/packages',
        data=pieces,
        headers={**bearer(), 'Content-Type': 'multipart/form-data; boundary=x'},
        timeout=60,
    )
    assert absent.status_code == 413 and 'picture' in absent.json()['detail']
    endless_header = b'--x\r\nContent-Disposition: form-data; name="' + b'a' * 2_000_000
    assert raw_post(receiver, endless_header).startswith('400')
    endless_document = head.replace(b'picture', b'package').replace(b'image/jpeg', b'application/json') + b' ' * 2_500_000
    assert raw_post(receiver, endless_document).startswith('413')
    assert peak_memory(receiver) - before < 25_000_000
    assert set(receiver.pictures()) == files


def raw_post(receiver: Receiver, body: bytes, length: object = None, leave: bool = False) -> str:
    """Sends a body with any Content-Length, and goes away then if it shall; the status and body of the answer."""
    address = urlsplit(receiver.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        head = (
            f'POST /v1/packages HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n'
            f'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n'
        )
        connection.sendall(head.encode() + body)
        if leave:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
            return f'{answer.status} {answer.read().decode()}'
        except http.client.HTTPException:
            return 'no answer'


def multipart(*parts: tuple[str, str, bytes]) -> bytes:
    """A body with boundary x. parts: the headers' ends, and data."""
    text = b''.join(
        f'--x\r\nContent-Disposition: form-data; name={name}\r\nContent-Type: {kind}\r\n\r\n'.encode() + data + b'\r\n'
        for name, kind, data in parts
    )
    return text + b'--x--\r\n'


def test_a_body_that_is_not_as_long_as_it_says_stores_nothing(receiver: Receiver) -> None:
    jpeg = picture(7)
    about = json.dumps(document(jpeg, region='cut', id='cut-1')).encode()
    body = multipart(('"package"', JSON, about), ('"picture"', JPEG, jpeg))
    assert raw_post(receiver, body, len(body) - 40).startswith('400'), 'the last boundary is missing'
    assert raw_post(receiver, body[:-40], len(body), leave=True).split()[0] in ('400', 'no'), 'the client went away'
    assert raw_post(receiver, body[:200]).startswith('400')
    for length in (-1, '1e3', 10**30, ''):
        assert raw_post(receiver, body, length)[:3] in ('400', '413', 'no '), length
    assert receiver.ids('region=cut') == []
    assert raw_post(receiver, body).startswith('201'), 'it is the length alone that was wrong'


@pytest.mark.parametrize(
    ('parts', 'status', 'says'),
    [
        ([('package', JSON), ('picture', 'image/png')], 415, 'picture'),
        ([('package', 'text/plain'), ('picture', JPEG)], 415, 'package'),
        ([('package', JSON)], 422, 'picture: the part is missing'),
        ([('picture', JPEG)], 422, 'package: the part is missing'),
        ([('package', JSON), ('picture', JPEG), ('picture', JPEG)], 422, "'picture': sent twice"),
        ([('package', JSON), ('picture', JPEG), ('../../etc', JPEG)], 422, "'../../etc': not expected"),
        ([], 415, 'multipart/form-data'),
    ],
)
def test_other_parts_and_types_are_refused(receiver: Receiver, parts: list[tuple[str, str]], status: int, says: str) -> None:
    data = {'package': json.dumps(document(picture(8), region='types', id='types-1')).encode(), 'picture': picture(8)}
    answer = receiver.send([(name, ('file', data.get(name, b'x'), kind)) for name, kind in parts])
    assert answer.status_code == status and says in answer.json()['detail'], answer.text
    assert receiver.ids('region=types') == []


def test_a_body_that_is_no_form_is_refused(receiver: Receiver) -> None:
    url = f'{receiver.url}/v1/packages'
    for kind in (JSON, 'multipart/form-data', 'multipart/mixed; boundary=x', ''):
        answer = requests.post(url, data=b'{}', headers={**bearer(), 'Content-Type': kind}, timeout=60)
        assert answer.status_code == 415, kind
    squeezed = requests.post(
        url,
        data=b'x',
        headers={**bearer(), 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Encoding': 'gzip'},
        timeout=60,
    )
    assert squeezed.status_code == 415
    assert raw_post(receiver, b'no boundary at all').startswith('400')


@pytest.mark.parametrize(
    ('changes', 'jpeg', 'says'),
    [
        ({'picture_bytes': 17}, picture(9), 'picture_bytes: 17'),
        ({'picture_sha256': 'a' * 64}, picture(9), 'picture_sha256'),
        ({'width': 65}, picture(9), '64 x 48'),
        ({}, b'\x89PNG' + bytes(200), 'not a JPEG'),
        ({}, b'\xff\xd8\xff\xd9', 'JPEG'),
        ({'stamp_ns': 2**63}, picture(9), 'stamp_ns'),
        ({'observations': []}, picture(9), 'observations'),
        ({'extra': 1}, picture(9), 'extra'),
        ({'version': 2}, picture(9), 'version'),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_the_field(
    receiver: Receiver, changes: dict[str, Any], jpeg: bytes, says: str
) -> None:
    answer = receiver.post(document(jpeg, **{'region': 'wrong', 'id': 'wrong-1', **changes}), jpeg)
    assert answer.status_code == 422 and says in answer.json()['detail'], answer.text
    assert '\n' not in answer.json()['detail']
    assert receiver.ids('region=wrong') == []


TRICKS = [
    '../../escaped',
    '..',
    'a/b',
    'a%2fb',
    'a\0b',
    'ä',
    'A',
    'a.jpg',
    'a\n',
    '-a',
    '',
    'a' * 201,
    'a' * 10_000,
    '/etc/passwd',
    'a\\b',
]


def test_ids_lead_nowhere_else(receiver: Receiver) -> None:
    everything = set(receiver.folder.parent.rglob('*'))
    for trick in TRICKS:
        answer = receiver.post(document(picture(20), region='tricks', id=trick), picture(20))
        assert answer.status_code == 422 and answer.json()['detail'].startswith('id: '), trick
    assert receiver.ids('region=tricks') == []
    assert set(receiver.folder.parent.rglob('*')) == everything
    longest = 'a' * 200
    assert receiver.post(document(picture(20), region='tricks', id=longest), picture(20)).status_code == 201
    assert receiver.get(f'/v1/packages/{longest}/picture').content == picture(20)


@pytest.mark.parametrize(
    'path',
    [
        '..%2f..%2fkept%2findex.sqlite', '%2e%2e/%2e%2e/log', '..', 'a%00', '%C3%A4', '%ff%fe', 'a' * 9_000, '%2fetc%2fpasswd',
    ],
)  # fmt: skip
def test_paths_lead_nowhere_else(receiver: Receiver, path: str) -> None:
    address = urlsplit(receiver.url)
    for end in ('', '/picture'):
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        connection.request('GET', f'/v1/packages/{path}{end}', headers=bearer())
        answer = connection.getresponse()
        assert answer.status in (404, 400), path
        assert b'SQLite' not in answer.read()
        connection.close()


def test_names_of_files_are_nobodys_business(receiver: Receiver) -> None:
    jpeg = picture(21)
    about = json.dumps(document(jpeg, region='named', id='named-1')).encode()
    names = (
        '"package"; filename="../../../evil.json"',
        '"picture"; filename="/etc/evil\0.jpg"; filename*=UTF-8\'\'..%2f..%2fevil.jpg',
    )
    answer = raw_post(receiver, multipart((names[0], JSON, about), (names[1].replace('\0', ''), JPEG, jpeg)))
    assert answer.startswith('201'), answer
    assert not list(receiver.folder.parent.rglob('*evil*'))
    assert raw_post(receiver, multipart((names[1], JPEG, jpeg)))[:3] in ('400', '422'), 'a NUL in a header'


def test_queries(receiver: Receiver) -> None:
    for number in range(7):
        who = observation(object_id='person-1' if number % 2 else '', target='anna' if number == 3 else '')
        place = {'camera': 'north' if number < 4 else 'south', 'scene': 'gate' if number % 2 else 'road'}
        about = document(picture(), number, region='asked', id=f'asked-{number}', observations=[who, observation()], **place)
        assert receiver.post(about, picture()).status_code == 201
    names = [f'asked-{number}' for number in reversed(range(7))]
    assert receiver.ids('region=asked') == names, 'newest first'
    assert receiver.ids('region=asked&camera=south') == names[:3]
    assert receiver.ids('region=asked&scene=gate&camera=north') == ['asked-3', 'asked-1']
    assert receiver.ids('region=asked&object=person-1') == ['asked-5', 'asked-3', 'asked-1']
    assert receiver.ids('region=asked&target=anna') == ['asked-3']
    assert receiver.ids(f'region=asked&since={STAMP + 2 * S}&until={STAMP + 4 * S}') == ['asked-3', 'asked-2'], (
        'until is not within'
    )
    assert receiver.ids('region=asked&since=2027-01-15T08:00:05Z') == names[:2]
    assert receiver.ids('region=asked&since=2027-01-15T10:00:05+02:00') == names[:2], 'a + that came as a blank'
    assert receiver.ids('region=asked&camera=') == names, 'empty: whatever it is'
    assert receiver.ids("region=asked&camera=north' OR '1'='1") == []
    for wrong in ('camra=north', 'since=yesterday', 'limit=0', 'limit=501', 'after=nonsense', 'since=9999-99-99'):
        answer = receiver.get(f'/v1/packages?{wrong}')
        assert answer.status_code == 422 and wrong.split('=')[0] in answer.json()['detail']


def test_pages_have_everything_once_while_more_comes(receiver: Receiver) -> None:
    # Several of one instant, so that the time alone does not say where a page ends.
    for number in range(9):
        about = document(picture(), region='paged', id=f'paged-{number}', stamp_ns=STAMP + number // 4)
        assert receiver.post(about, picture()).status_code == 201
    seen, after = [], ''
    for page in range(10):
        answer = receiver.get(f'/v1/packages?region=paged&limit=2&after={after}').json()
        seen += [package['id'] for package in answer['packages']]
        receiver.post(document(picture(), region='paged', id=f'paged-new-{page}', stamp_ns=STAMP + 99 + page), picture())
        if answer['next'] is None:
            break
        after = answer['next']
    assert seen == [f'paged-{number}' for number in reversed(range(9))]


def test_the_schema_is_the_documents(receiver: Receiver) -> None:
    assert receiver.get('/v1/schema').json() == json_schema()


def test_the_gallery_shows_what_came_and_runs_nothing(receiver: Receiver) -> None:
    evil = '<script>alert(1)</script>'
    for number in range(26):
        who = [observation(target='anna & co', object_id=evil, heading=1.0), observation(best=False)]
        about = document(picture(), number, region='shown', id=f'shown-{number}', scene=evil, observations=who)
        assert receiver.post(about, picture()).status_code == 201
    page = receiver.get('/?region=shown&scene=&since=&until=')
    assert page.status_code == 200 and page.headers['Content-Type'].startswith('text/html')
    shown = re.findall(r'<img [^>]*src="/v1/packages/(shown-\d+)/picture"', page.text)
    assert shown == [f'shown-{number}' for number in range(25, 1, -1)]
    assert '<script' not in page.text and '&lt;script&gt;' in page.text
    assert 'anna &amp; co' in page.text and '2027-01-15 08:00:25.000' in page.text and 'person 0.80' in page.text
    assert not re.search(r'(src|href|action)="(?!/)', page.text), 'nothing from elsewhere'
    assert "default-src 'none'" in page.headers['Content-Security-Policy']
    older = re.search(r'href="(/\?[^"]*after=[^"]*)">Older', page.text)
    assert older, page.text
    rest = receiver.get(older[1].replace('&amp;', '&'))
    assert re.findall(r'<img [^>]*src="/v1/packages/(shown-\d+)/picture"', rest.text) == ['shown-1', 'shown-0']
    assert 'Nothing fits' in receiver.get('/?target=nobody').text
    wrong = receiver.get('/?since=yesterday')
    assert wrong.status_code == 422 and 'since: ' in wrong.text and '<form' in wrong.text


def test_a_full_disk_leaves_nothing_half(receiver: Receiver) -> None:
    # Writing beyond fails as on a full disk, with EFBIG in place of ENOSPC.
    pid, unlimited = receiver.process.pid, resource.RLIM_INFINITY
    large = picture(30, 400, 300)
    sent = (document(large, region='full', id='full-1', width=400, height=300), large)
    files = set(receiver.pictures())
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, unlimited))
    try:
        for _ in range(3):
            answer = receiver.post(*sent)
            assert answer.status_code == 507 and 'no room' in answer.json()['detail'] and answer.headers['Retry-After']
        assert receiver.ids('region=full') == [], 'questions are still answered'
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    assert set(receiver.pictures()) == files
    assert receiver.post(*sent).status_code == 201
    assert receiver.get('/v1/packages/full-1/picture').content == large
