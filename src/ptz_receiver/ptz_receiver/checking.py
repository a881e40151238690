# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a document is a FramePackage, and whether the picture is the one that it describes."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from pydantic import ValidationError

from ptz_receiver.errors import RefusedError
from ptz_site.frame_package import FramePackage
from ptz_site.stream_marks import jpeg

#: Keys come from the client; what is said of them stays readable.
_LONGEST_NAME = 120
#: What an SQLite integer holds; in 2262.
_LATEST_NS = 2**63 - 1


def read_package(document: bytes) -> FramePackage:
    """The document. Raises RefusedError that names the field."""
    try:
        package = FramePackage.model_validate_json(document)
    except ValidationError as error:
        raise _unprocessable(_first(error)) from None
    if package.stamp_ns > _LATEST_NS:
        raise _unprocessable(f'stamp_ns: {package.stamp_ns} found; allowed: up to {_LATEST_NS}')
    return package


def check_picture(package: FramePackage, picture: bytes) -> None:
    """Raises RefusedError that names what does not agree with the picture."""
    if len(picture) != package.picture_bytes:
        raise _unprocessable(f'picture_bytes: {package.picture_bytes} in the document, but the picture has {len(picture)}')
    digest = hashlib.sha256(picture).hexdigest()
    if digest != package.picture_sha256:
        raise _unprocessable(f'picture_sha256: {package.picture_sha256} in the document, but that of the picture is {digest}')
    try:
        width, height = jpeg.size(picture)
    except ValueError as error:
        raise _unprocessable(f'picture: {error}') from None
    if (width, height) != (package.width, package.height):
        raise _unprocessable(
            f'width, height: {package.width} x {package.height} px in the document, but the picture has {width} x {height} px'
        )


def _unprocessable(sentence: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)


def _first(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    where = '.'.join(str(part) for part in faults[0]['loc'])
    what = faults[0]['msg'].removeprefix('Value error, ')
    if len(where) > _LONGEST_NAME:
        where = where[:_LONGEST_NAME] + '...'
    sentence = (
        f'{where}: {what[:1].lower()}{what[1:]}' if where else what if faults[0]['type'] == 'value_error' else f'package: {what}'
    )
    return sentence if len(faults) == 1 else f'{sentence} (and {len(faults) - 1} more)'
