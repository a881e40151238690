# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reading an upload: however the network cuts it, and never more than is allowed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_receiver.errors import RefusedError
from ptz_receiver.settings import UploadLimits
from ptz_receiver.upload import Upload, boundary_of, read_upload

LIMITS = UploadLimits(picture=1000, document=500, seconds=5)


def part(name: str, kind: str, data: bytes) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + data + b'\r\n'


def body(package: bytes = b'{}', picture: bytes = b'jpeg') -> bytes:
    return part('package', 'application/json', package) + part('picture', 'image/jpeg', picture) + b'--x--\r\n'


def read(pieces: list[bytes], limits: UploadLimits = LIMITS) -> Upload:
    async def arriving() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return asyncio.run(read_upload(b'x', arriving(), limits))


def refusal(pieces: list[bytes], limits: UploadLimits = LIMITS) -> tuple[int, str]:
    with pytest.raises(RefusedError) as error:
        read(pieces, limits)
    return error.value.status, str(error.value)


# Pictures have whatever in them, also what looks like a boundary.
DATA = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b'\r\n', b'--x', b'--x--', b'\r\n--', b'-', b'a']), max_size=9).map(b''.join),
)


@given(DATA, DATA, st.lists(st.integers(0, 1200), max_size=6))
def test_it_does_not_matter_how_the_network_cuts_a_body(package: bytes, picture: bytes, cuts: list[int]) -> None:
    if b'\r\n--x' in b'\r\n' + package or b'\r\n--x' in b'\r\n' + picture:
        return
    whole = body(package, picture)
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    assert read([whole[a:b] for a, b in itertools.pairwise(places)]) == Upload(package, picture)


@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_sentence(noise: bytes) -> None:
    status, sentence = refusal([noise])
    assert 400 <= status < 500 and sentence


@pytest.mark.parametrize(
    ('package', 'picture', 'says'),
    [(b' ' * 501, b'', 'package: more than 500'), (b'', b' ' * 1001, 'picture: more than 1000')],
)
def test_a_part_that_is_too_large_is_refused(package: bytes, picture: bytes, says: str) -> None:
    assert refusal([body(package, picture)]) == (413, f'{says} bytes')
    assert read([body(package[:-1], picture[:-1])]), 'one byte less is allowed'


def test_reading_ends_where_a_body_becomes_too_large() -> None:
    read_so_far = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_so_far
        yield b'--x\r\nContent-Disposition: form-data; name="picture"\r\nContent-Type: image/jpeg\r\n\r\n'
        while True:
            read_so_far += 100
            yield b' ' * 100

    with pytest.raises(RefusedError, match='picture: more than'):
        asyncio.run(read_upload(b'x', endless(), LIMITS))
    assert read_so_far <= 1100
    preamble = [b'\r\n' * 100] * 1000
    assert refusal(preamble)[0] in (400, 413), 'nor is anything before the first boundary endless'


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield body()[:-10]
        await asyncio.Event().wait()

    with pytest.raises(RefusedError) as error:
        asyncio.run(read_upload(b'x', stalled(), UploadLimits(seconds=0.05)))
    assert error.value.status == 408 and 'did not come within 0.05 s' in str(error.value)


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({}, 415),
        ({'content-type': 'application/json'}, 415),
        ({'content-type': 'multipart/form-data'}, 415),
        ({'content-type': 'multipart/form-data; boundary=x', 'content-encoding': 'gzip'}, 415),
        ({'content-type': 'multipart/form-data; boundary=x', 'content-length': str(LIMITS.body + 1)}, 413),
        ({'content-type': 'multipart/form-data; boundary=x', 'content-length': '-5'}, 413),
    ],
)
def test_headers_may_say_already_that_a_body_is_of_no_use(headers: dict[str, str], status: int) -> None:
    with pytest.raises(RefusedError) as error:
        boundary_of(headers, LIMITS)
    assert error.value.status == status


def test_boundaries_are_found() -> None:
    assert (
        boundary_of({'content-type': 'Multipart/Form-Data; boundary="a b"', 'content-length': str(LIMITS.body)}, LIMITS) == b'a b'
    )


def test_a_boundary_that_is_too_long_is_refused() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b''

    with pytest.raises(RefusedError):
        asyncio.run(read_upload(b'x' * 5000, nothing(), LIMITS))
