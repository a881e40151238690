# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads an upload: multipart/form-data with a document and a picture, and never more of it than is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ptz_receiver.errors import RefusedError
from ptz_receiver.settings import UploadLimits

#: The parts that an upload must have, and what they are.
_TYPES = {'package': 'application/json', 'picture': 'image/jpeg'}


@dataclass(frozen=True)
class Upload:
    """What was sent: a document, not looked at yet, and a picture."""

    package: bytes
    picture: bytes


def boundary_of(headers: Mapping[str, str], limits: UploadLimits) -> bytes:
    """What separates the parts. Raises RefusedError if the headers already say that the body is of no use."""
    kind, options = parse_options_header(headers.get('content-type'))
    boundary = options.get(b'boundary', b'')
    if kind != b'multipart/form-data' or not boundary:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 'Content-Type: multipart/form-data with a boundary is expected')
    if headers.get('content-encoding', 'identity').lower() != 'identity':
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 'Content-Encoding: none is expected')
    length = headers.get('content-length', '0')
    if not length.isdecimal() or int(length) > limits.body:
        raise _too_large(f'the body: {length} bytes; allowed: {limits.body}')
    return boundary


async def read_upload(boundary: bytes, body: AsyncIterable[bytes], limits: UploadLimits) -> Upload:
    """The upload. Raises RefusedError as soon as anything is wrong or too much."""
    parts = _Parts(limits)
    received = 0
    try:
        parser = parts.parser(boundary)
        async with asyncio.timeout(limits.seconds):
            async for piece in body:
                received += len(piece)
                if received > limits.body:
                    raise _too_large(f'the body: more than {limits.body} bytes')
                parser.write(piece)
    except FormParserError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f'the body: not multipart/form-data as it should be ({error})') from None
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, f'the body: did not come within {limits.seconds:g} s') from None
    return parts.upload()


def _too_large(sentence: str) -> RefusedError:
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)


class _Parts:
    """Collects what the parser finds, and refuses what is not expected before it takes room."""

    def __init__(self, limits: UploadLimits) -> None:
        self._most = {'package': limits.document, 'picture': limits.picture}
        self._found: dict[str, bytearray] = {}
        self._part = bytearray()
        self._name = ''
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._ended = False

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                'on_part_begin': self._headers.clear,
                'on_header_field': lambda data, begin, end: self._field.extend(data[begin:end]),
                'on_header_value': lambda data, begin, end: self._value.extend(data[begin:end]),
                'on_header_end': self._header,
                'on_headers_finished': self._begin,
                'on_part_data': self._data,
                'on_end': self._end,
            },
        )

    def upload(self) -> Upload:
        if not self._ended:
            raise RefusedError(HTTPStatus.BAD_REQUEST, 'the body: it ends before its last boundary')
        for name, kind in _TYPES.items():
            if name not in self._found:
                raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f'{name}: the part is missing; {kind} is expected')
        return Upload(bytes(self._found['package']), bytes(self._found['picture']))

    def _header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _begin(self) -> None:
        """Names of files are nobody's business here: a picture's place follows from the id alone."""
        options = parse_options_header(self._headers.get(b'content-disposition', b''))[1]
        name = options.get(b'name', b'').decode(errors='replace')
        if name not in _TYPES or name in self._found:
            what = 'sent twice' if name in self._found else 'not expected'
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f'part {name[:40]!r}: {what}; exactly two are: package and picture'
            )
        kind = parse_options_header(self._headers.get(b'content-type', b''))[0].decode(errors='replace')
        if kind != _TYPES[name]:
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f'{name}: {kind[:40]!r} found; {_TYPES[name]} is expected')
        self._name = name
        self._part = self._found[name] = bytearray()

    def _data(self, data: bytes, begin: int, end: int) -> None:
        if len(self._part) + end - begin > self._most[self._name]:
            raise _too_large(f'{self._name}: more than {self._most[self._name]} bytes')
        self._part += memoryview(data)[begin:end]

    def _end(self) -> None:
        self._ended = True
