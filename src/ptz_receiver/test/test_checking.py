# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of documents that are wrong, and of pictures that are others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from frame_packages import document, observation, picture

from ptz_receiver.checking import check_picture, read_package
from ptz_receiver.errors import RefusedError

JPEG = picture()


def said(text: bytes) -> str:
    with pytest.raises(RefusedError) as error:
        read_package(text)
    assert error.value.status == 422
    assert '\n' not in str(error.value) and len(str(error.value)) < 400
    return str(error.value)


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'id': '../x'}, 'id: '),
        ({'stamp_ns': 'soon'}, 'stamp_ns: '),
        ({'stamp_ns': 2**63}, 'stamp_ns: 9223372036854775808 found'),
        ({'width': 0}, 'width: '),
        ({'scene': 'a' * 201}, 'scene: '),
        ({'exposure': {'mode': 'night'}}, "exposure.mode: input should be 'unknown', 'automatic' or 'manual'"),
        ({'observations': [observation(score=2)]}, 'observations.0.score: '),
        ({'observations': [observation(best=False)]}, 'observations: none is best'),
        ({'observations': [observation()] * 1001}, 'observations: '),
        ({'k' * 5000: 1}, 'kkkk'),
        ({'width': 0, 'height': 0}, '(and 1 more)'),
        ({'picture_sha256': 'A' * 64}, 'picture_sha256: '),
    ],
)
def test_the_field_is_named(changes: dict[str, Any], says: str) -> None:
    assert says in said(json.dumps(document(JPEG, **changes)).encode())


@pytest.mark.parametrize(
    'text',
    [
        b'',
        b'[]',
        b'null',
        b'{"id":',
        b'\xff\xfe{}',
        b'[' * 100_000,
        b'{"a":' * 5_000,
        b'{"stamp_ns": 1' + b'0' * 10_000 + b'}',
        b'{"camera": "\\ud800"}',
        b'NaN',
    ],
)
def test_what_is_no_document_is_refused(text: bytes) -> None:
    assert said(text)


def test_numbers_that_json_does_not_know_are_refused() -> None:
    assert 'observations.0.score' in said(json.dumps(document(JPEG, observations=[observation(score=float('nan'))])).encode())


def test_text_that_can_not_be_kept_is_refused() -> None:
    for text in ('"\\ud800"', '"\\udc00 "'):
        assert said(json.dumps(document(JPEG)).replace('"gate"', text).encode())


@pytest.mark.parametrize(
    ('changes', 'jpeg', 'says'),
    [
        ({'picture_bytes': 5}, JPEG, f'picture_bytes: 5 in the document, but the picture has {len(JPEG)}'),
        ({'picture_sha256': '0' * 64}, JPEG, 'picture_sha256: 000'),
        ({'width': 48, 'height': 64}, JPEG, 'width, height: 48 x 64 px in the document, but the picture has 64 x 48 px'),
        ({}, JPEG[:100], 'picture: '),
        ({}, b'GIF89a', 'picture: '),
        ({}, b'\xff\xd8', 'picture: '),
        ({}, b'\xff\xd8\xff\xc0\x00\x02', 'width, height: '),
        ({}, b'\xff\xd8' + b'\xff' * 1000, 'picture: '),
    ],
)
def test_the_picture_must_be_the_one_that_is_described(changes: dict[str, Any], jpeg: bytes, says: str) -> None:
    with pytest.raises(RefusedError, match='^' + says.replace('.', r'\.')):
        check_picture(read_package(json.dumps(document(jpeg, **changes)).encode()), jpeg)


def test_a_package_that_agrees_is_taken() -> None:
    check_picture(read_package(json.dumps(document(JPEG)).encode()), JPEG)
