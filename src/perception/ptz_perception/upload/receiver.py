# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Sends packages to a receiver, one HTTP request for each, and says what became of it."""

from __future__ import annotations

import io
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import requests
from requests.auth import AuthBase
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from ptz_perception.upload.answers import explain, judge
from ptz_perception.upload.connections import Connections, session
from ptz_perception.upload.package_queue import WaitingPackage
from ptz_perception.upload.schedule import Outcome, Verdict
from ptz_site import UserError
from ptz_site.schema import UploadSettings

#: Longer answers are cut off: an answer is an id or a sentence.
_LONGEST_ANSWER = 1 << 16


class Receiver:
    """The receiver that a site names. folder: what the settings' paths are relative to. Raises UserError if token or ca_file can't be read.

    For one sending thread; close() may come from another.
    """

    def __init__(self, settings: UploadSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._address = settings.url.rstrip('/') + '/v1/packages'
        self._ca_file = _ca_file(settings, folder)
        read_token(settings, folder)
        self._connections = Connections()
        self._session = session(self._connections)

    def send(self, package: WaitingPackage) -> Outcome:
        """Sends a package. Ends within about the time limit of the settings; raises nothing."""
        try:
            # Each time, so that a new token needs no new start.
            token = read_token(self._settings, self._folder)
        except UserError as error:
            return Outcome(Verdict.WRONG_TOKEN, str(error))
        try:
            with self._connections.limit(self._settings.timeout):
                return self._post(package, token)
        except Exception as error:
            # requests, urllib3 and http.client have many kinds of errors, and whatever it is, the package waits.
            return explain(error, token, established=self._connections.established)

    def close(self) -> None:
        """Ends a call that is on."""
        self._connections.close()

    def _post(self, package: WaitingPackage, token: str) -> Outcome:
        body, content_type = _multipart(package)
        limit = self._settings.timeout
        with self._session.post(
            self._address,
            # As a file it is written piece by piece. In one piece, all of it would have to be written within the time limit for connecting.
            data=io.BytesIO(body),
            # A connection for each: seconds pass until the next picture, and receivers close idle connections just when they are used.
            headers={'Content-Type': content_type, 'Accept-Encoding': 'identity', 'Connection': 'close'},
            auth=_Bearer(token),
            timeout=(min(10.0, limit), limit),
            verify=self._ca_file or True,
            # The token is for this receiver and no other.
            allow_redirects=False,
            stream=True,
        ) as response:
            answer = bytearray()
            for piece in response.iter_content(1 << 12):
                answer += piece
                if len(answer) > _LONGEST_ANSWER:
                    break
            return judge(response.status_code, response.headers, bytes(answer), package.id, datetime.now(UTC), token)


class _Bearer(AuthBase):
    """As auth and not as a header, which requests would replace by what ~/.netrc has for the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers['Authorization'] = f'Bearer {self._token}'
        return request


def read_token(settings: UploadSettings, folder: Path) -> str:
    """The token. Raises UserError, which does not repeat it."""
    if settings.token_env:
        where, found = f'token_env: {settings.token_env}', os.environ.get(settings.token_env, '')
        if not found:
            raise UserError(f'token_env: the environment has no {settings.token_env}; export it before the start')
    else:
        path = folder / Path(settings.token_file).expanduser()
        where = f'token_file: {path}'
        try:
            found = path.read_bytes().decode().partition('\n')[0]
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, 'strerror', None) or 'not a text file'
            raise UserError(f"{where} can't be read ({reason}); its first line shall be the token") from None
    token = found.strip()
    if not token:
        raise UserError(f'{where} is empty; it shall hold the token')
    if not (token.isascii() and token.isprintable()) or ' ' in token:
        raise UserError(f'{where} holds no token: there are blanks, or other than ASCII letters, digits and signs in it')
    return token


def _ca_file(settings: UploadSettings, folder: Path) -> str:
    if not settings.ca_file:
        return ''
    path = folder / Path(settings.ca_file).expanduser()
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise UserError(f'ca_file: {path} holds no certificate in PEM form') from None
    except OSError as error:
        raise UserError(f"ca_file: {path} can't be read ({error.strerror})") from None
    return str(path)


def _multipart(package: WaitingPackage) -> tuple[bytes, str]:
    document = RequestField('package', package.document, filename='package.json')
    document.make_multipart(content_type='application/json')
    picture = RequestField('picture', package.picture, filename=f'{package.id}.jpg')
    picture.make_multipart(content_type='image/jpeg')
    return encode_multipart_formdata([document, picture])
