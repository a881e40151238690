# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What every request goes through before anything of it is read: token, rate, and the headers of every answer."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ptz_receiver.access import ClientRate, TokenCheck

#: Pages and pictures come from here alone, run nothing, and are shown in no other page.
_HEADERS = [
    (
        b'content-security-policy',
        b"default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b'x-content-type-options', b'nosniff'),
    (b'referrer-policy', b'no-referrer'),
]
_OPEN = '/healthz'


class Tally:
    """Answers since it was last read, for the log."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, method: str, status: int) -> None:
        """Counts an answer."""
        if method == 'POST' and status in (HTTPStatus.CREATED, HTTPStatus.OK):
            self._counts['stored' if status == HTTPStatus.CREATED else 'repeated'] += 1
        elif status >= HTTPStatus.BAD_REQUEST:
            self._counts[f'refused with {status}'] += 1

    def read(self) -> str:
        """What there was, as a sentence, and begins anew; empty: nothing worth telling."""
        text = ', '.join(f'{number} {what}' for what, number in sorted(self._counts.items(), reverse=True))
        self._counts.clear()
        return text


class Gate:
    """ASGI middleware. A request that does not get through is answered without its body being kept."""

    def __init__(self, app: ASGIApp, token: TokenCheck, rate: int, tally: Tally) -> None:
        """rate: requests of one client, 1/s."""
        self._app, self._token, self._tally = app, token, tally
        # Who does not know the token may have the address of others who do, and shall not use up what is theirs.
        self._known, self._unknown = ClientRate(rate), ClientRate(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses a request, or hands it on."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message['type'] == 'http.response.start':
                self._tally.count(scope['method'], message['status'])
                message['headers'] = [*message.get('headers', []), *_HEADERS]
            await send(message)

        answer = None if scope['path'] == _OPEN else self._refusal(scope)
        await (answer or self._app)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers: dict[bytes, bytes] = dict(scope['headers'])
        admitted = self._token.admits(headers.get(b'authorization', b''))
        rate = self._known if admitted else self._unknown
        seconds = rate.wait(scope['client'][0] if scope.get('client') else '')
        if seconds:
            return _answer(HTTPStatus.TOO_MANY_REQUESTS, 'too many requests; slow down', {'Retry-After': str(seconds)})
        if not admitted:
            answer = _answer(
                HTTPStatus.UNAUTHORIZED, 'the token is missing or wrong', {'WWW-Authenticate': 'Basic realm="ptz-collab"'}
            )
            # Programs know this way, browsers the other; in one line some browsers see neither.
            answer.headers.append('WWW-Authenticate', 'Bearer realm="ptz-collab"')
            return answer
        if scope['method'] not in ('GET', 'HEAD') and b'origin' in headers:
            # A browser sends the token along by itself, also for pages of somebody else.
            return _answer(HTTPStatus.FORBIDDEN, 'pages in a browser may look, but not store', {})
        return None


def _answer(status: HTTPStatus, sentence: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({'detail': sentence}, status, headers)
