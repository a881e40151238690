# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a query, and the names that pictures are kept by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_receiver.query import Cursor, PackageQuery, parse_query
from ptz_receiver.storage.base import checked_key, is_package_id, picture_key

IDS = st.from_regex(r'[a-z][a-z0-9_-]{0,199}', fullmatch=True)
STAMPS = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize(
    ('text', 'ns'),
    [
        ('1800000000000000001', 1_800_000_000_000_000_001),
        ('0', 0),
        ('2027-01-15T08:00:00Z', 1_800_000_000_000_000_000),
        ('2027-01-15T08:00:00', 1_800_000_000_000_000_000),
        ('2027-01-15T08:00', 1_800_000_000_000_000_000),
        ('2027-01-15T09:30:00.000001+01:30', 1_800_000_000_000_001_000),
        ('2027-01-15T09:30:00 01:30', 1_800_000_000_000_000_000),
        ('2027-01-15', 1_800_000_000_000_000_000 - 8 * 3600 * 10**9),
        ('1960-01-01', -315_619_200 * 10**9),
        ('99999999999999999999', 2**63 - 1),
        ('-99999999999999999999', -(2**63) + 1),
        ('9999-12-31T23:59:59Z', 2**63 - 1),
    ],
)
def test_instants(text: str, ns: int) -> None:
    assert parse_query({'since': text}).since_ns == ns
    assert parse_query({'until': text}).until_ns == ns


@given(st.datetimes(datetime(1970, 1, 1), datetime(2260, 1, 1)), st.integers(-23 * 60, 23 * 60))
def test_every_zone_means_the_same_instant(instant: datetime, minutes: int) -> None:
    here = instant.replace(tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_query({'since': there.isoformat()}).since_ns == parse_query({'since': here.isoformat()}).since_ns


@pytest.mark.parametrize(
    'wrong',
    [
        {'since': 'yesterday'}, {'until': '2027-13-01'}, {'since': '1.5'}, {'limit': '0'}, {'limit': '-1'}, {'limit': '501'}, {'limit': '5.0'},
        {'limit': '٣'}, {'since': '٣٣'}, {'after': 'x'}, {'after': '1:../x'}, {'after': '1:a\n'}, {'after': f'{2**63}:a'}, {'camra': 'x'},
        {'since': '1' * 5000},
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))) as error:
        parse_query(wrong)
    assert len(str(error.value)) < 200


def test_nothing_given_asks_for_everything() -> None:
    empty = dict.fromkeys(('since', 'until', 'camera', 'scene', 'region', 'object', 'target', 'limit', 'after'), '')
    assert parse_query({}) == parse_query(empty) == PackageQuery()
    assert parse_query({}, limit=7).limit == 7


@given(STAMPS, IDS)
def test_a_cursor_comes_back(stamp: int, package_id: str) -> None:
    assert parse_query({'after': str(Cursor(stamp, package_id))}).after == Cursor(stamp, package_id)


@given(IDS, STAMPS)
def test_keys_say_the_day(package_id: str, stamp: int) -> None:
    key = picture_key(package_id, stamp)
    assert key == f'{datetime(1970, 1, 1) + timedelta(seconds=stamp // 10**9):%Y/%m/%d}/{package_id}.jpg'
    assert is_package_id(package_id) and len(package_id) + len('.0123456789abcdef.part') < 255


@given(st.text(max_size=30))
def test_no_other_id_becomes_a_key(text: str) -> None:
    if not is_package_id(text):
        with pytest.raises(ValueError, match='no key'):
            picture_key(text, 0)


@pytest.mark.parametrize(
    'key', ['../x.jpg', '/etc/passwd', '2027/01/15/../../x.jpg', '2027/01/15/a.jpg\n', '2027/01/15/a.png', '٢٠٢٧/01/15/a.jpg']
)
def test_keys_lead_nowhere_else(key: str) -> None:
    with pytest.raises(ValueError, match='no key'):
        checked_key(key)
