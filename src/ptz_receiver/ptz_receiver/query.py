# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a client asks for: the parameters of a query, read strictly, so that a misspelt one is not ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Packages in one answer.
DEFAULT_LIMIT, LARGEST_LIMIT = 50, 500

_KNOWN = ('since', 'until', 'camera', 'scene', 'region', 'object', 'target', 'limit', 'after')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS = 2**63 - 1
#: Characters; the standard library takes any number of digits.
_LONGEST_INSTANT = 40
#: A + that was sent as it is arrives as a blank.
_BLANK_FOR_PLUS = re.compile(r'(T\S*) (\d\d:?\d\d)$')


@dataclass(frozen=True)
class Cursor:
    """The last package of an answer: the next answer begins behind it."""

    stamp_ns: int
    id: str

    def __str__(self) -> str:
        return f'{self.stamp_ns}:{self.id}'


@dataclass(frozen=True)
class PackageQuery:
    """Which packages, newest first. Empty, None: whatever it is. since_ns is within, until_ns is not."""

    since_ns: int | None = None
    until_ns: int | None = None
    region: str = ''
    camera: str = ''
    scene: str = ''
    object_id: str = ''
    target: str = ''
    limit: int = DEFAULT_LIMIT
    after: Cursor | None = None


def parse_query(given: Mapping[str, str], limit: int = DEFAULT_LIMIT) -> PackageQuery:
    """The parameters of a request. limit: unless it says one. Raises ValueError that names the parameter."""
    for name in given:
        if name not in _KNOWN:
            raise ValueError(f'{name[:40]!r} is no parameter; there are: {", ".join(_KNOWN)}')
    return PackageQuery(
        since_ns=_instant('since', given.get('since', '')),
        until_ns=_instant('until', given.get('until', '')),
        region=given.get('region', ''),
        camera=given.get('camera', ''),
        scene=given.get('scene', ''),
        object_id=given.get('object', ''),
        target=given.get('target', ''),
        limit=_limit(given.get('limit', ''), limit),
        after=_cursor(given.get('after', '')),
    )


def _instant(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        found = int(text) if re.fullmatch(r'-?[0-9]{1,20}', text) else _from_iso(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f'{name}: {text[:40]!r} found; allowed: ISO 8601 (UTC unless it says otherwise) or ns since 1970'
        ) from None
    # Beyond what an index holds nothing can be found, but the question is not wrong.
    return max(-_LATEST_NS, min(found, _LATEST_NS))


def _from_iso(text: str) -> int:
    if len(text) > _LONGEST_INSTANT:
        raise ValueError
    instant = datetime.fromisoformat(_BLANK_FOR_PLUS.sub(r'\1+\2', text))
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def _limit(text: str, default: int) -> int:
    if not text:
        return default
    if not re.fullmatch('[0-9]{1,4}', text) or not 1 <= int(text) <= LARGEST_LIMIT:
        raise ValueError(f'limit: {text[:40]!r} found; allowed: 1 to {LARGEST_LIMIT}')
    return int(text)


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    found = re.fullmatch(r'([0-9]{1,19}):([a-z][a-z0-9_-]{0,199})', text)
    if not found or int(found[1]) > _LATEST_NS:
        raise ValueError("after: not a cursor; give the 'next' of an earlier answer")
    return Cursor(int(found[1]), found[2])
