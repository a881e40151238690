# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What an answer of the receiver, or its absence, means."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from ptz_perception.upload.schedule import Outcome, Verdict
from ptz_site import network_reason

_TAKEN = (200, 201)
_REFUSED = {
    409: 'another picture has its id',
    413: 'it is too large',
    415: 'its media type is not taken',
    422: 'its content is not as it should be',
}
_WRONG_TOKEN = (401, 403)
#: Of these the receiver, or what stands before it, says that it is not the time; the others of 500 and more may be about the package.
_LATER = (408, 425, 429, 502, 503, 504, 507)
#: What is sent may have broken off on its way.
_NOT_UNDERSTOOD = 400
_LONGEST_TEXT = 200


def judge(status: int, headers: Mapping[str, str], body: bytes, package_id: str, now: datetime, token: str) -> Outcome:
    """What an answer means. Only one of success that names the package is one. now: with a time zone, for dates in the answer.

    token: is not repeated, should the answer do so.
    """
    if status in _TAKEN:
        found = _named_id(body)
        if found == package_id:
            return Outcome(Verdict.SENT)
        return Outcome(Verdict.FAILED, f"the receiver answered {status}, but not with the package's id; is it a receiver?")
    if status in _REFUSED:
        return Outcome(Verdict.REFUSED, f'{_REFUSED[status]} (status {status}){_said(body, token)}')
    if status in _WRONG_TOKEN:
        return Outcome(Verdict.WRONG_TOKEN, f'wrong token: the receiver does not accept it (status {status}){_said(body, token)}')
    after = retry_after(headers.get('Retry-After', ''), now)
    if 300 <= status < 400:
        return Outcome(
            Verdict.AWAY, f'the receiver redirects to {_where(headers.get("Location", ""), token)}; give its own address as url'
        )
    if status in _LATER:
        return Outcome(Verdict.AWAY, f'the receiver takes nothing now (status {status}){_said(body, token)}', after)
    if status == _NOT_UNDERSTOOD:
        return Outcome(
            Verdict.FAILED, f'the receiver did not understand the request (status {status}){_said(body, token)}', after
        )
    if status >= 500:
        return Outcome(Verdict.FAILED, f'the receiver failed (status {status}){_said(body, token)}', after)
    if 400 <= status < 500:
        return Outcome(Verdict.AWAY, f'no receiver at this url (status {status}){_said(body, token)}', after)
    return Outcome(Verdict.FAILED, f'the receiver answered with status {status}, which means nothing here', after)


def explain(error: Exception, token: str, *, established: bool) -> Outcome:
    """What it means that there was no answer. established: whether the receiver was reached. token: is not repeated."""
    text = str(error) if isinstance(error, TimeoutError) else _shortened(network_reason(error, 'timed out'), token)
    if isinstance(error, TimeoutError | requests.exceptions.Timeout):
        return Outcome(Verdict.FAILED if established else Verdict.AWAY, f'the receiver does not answer in time ({text})')
    if isinstance(error, requests.exceptions.ProxyError):
        return Outcome(Verdict.AWAY, f"the proxy of the environment can't be used ({text})")
    if isinstance(error, requests.exceptions.SSLError) and not established:
        if 'certificate' in text.lower():
            return Outcome(Verdict.AWAY, f"the receiver's certificate is not trusted ({text}); ca_file says who signed it")
        return Outcome(Verdict.AWAY, f'no HTTPS at this url ({text})')
    if established:
        return Outcome(Verdict.FAILED, f'the connection to the receiver broke ({text})')
    return Outcome(Verdict.AWAY, f"the receiver can't be reached ({text})")


def retry_after(value: str, now: datetime) -> float | None:
    """S to wait, of a Retry-After header: a number of seconds or a date. None: neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    with contextlib.suppress(ValueError):
        date = parsedate_to_datetime(value)
        return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())
    return None


def _named_id(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ''
    found = answer.get('id') if isinstance(answer, dict) else None
    return found if isinstance(found, str) else ''


def _said(body: bytes, token: str) -> str:
    """What the receiver said about it, as one short line."""
    text = ''.join(letter if letter.isprintable() else ' ' for letter in body.decode('utf-8', 'replace'))
    text = _shortened(' '.join(text.split()), token)
    return f': {text}' if text else ''


def _shortened(text: str, token: str) -> str:
    """A short text without the token, of which the cut would otherwise leave the beginning."""
    text = text.replace(token, '***')
    return text if len(text) <= _LONGEST_TEXT else f'{text[:_LONGEST_TEXT]}...'


def _where(location: str, token: str) -> str:
    """A redirect's target without what may be secret in it."""
    try:
        parts = urlsplit(location)
        where = f'{parts.scheme}://{parts.hostname}' if parts.hostname else parts.path
    except ValueError:
        where = ''
    return _shortened(where, token) if where.isprintable() and where else 'somewhere'
