# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures over HTTP, for cameras without a usable RTSP stream: Motion JPEG, and single snapshots."""

from __future__ import annotations

from collections.abc import Callable

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from ptz_driver.onvif.deadline import Deadline, session
from ptz_driver.stream.source import Picture, StreamError, StreamRefusedError
from ptz_site import Credentials
from ptz_site.stream_marks import jpeg

_START, _END = b'\xff\xd8\xff', b'\xff\xd9'
_LARGEST = 32 << 20
_PIECE = 1 << 14


class MotionJpegSource:
    """multipart/x-mixed-replace. The parts are found by their own begin and end, because boundaries of cameras are often wrong."""

    def __init__(self, address: str, credentials: Credentials, silence: float, ca_file: str, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._deadline = Deadline(2 * silence)
        self._session = session(self._deadline, ca_file)
        self._data = bytearray()
        self._response = _get(self._session, address, credentials, silence)
        self._pieces = self._response.iter_content(_PIECE)

    def read(self) -> Picture:
        """The next picture."""
        try:
            with self._deadline.limit():
                while (found := _take_jpeg(self._data)) is None:
                    if len(self._data) > _LARGEST:
                        raise StreamError('no picture in what the camera sends')
                    self._data += next(self._pieces, b'') or _ended()
        except (requests.RequestException, OSError):
            raise StreamError('the stream broke off') from None
        return _picture(found, self._now_ns())

    def close(self) -> None:
        """Closes the connection."""
        self._response.close()
        self._session.close()


class SnapshotSource:
    """Asks for one picture after the other, at the rate that the site says. wait: waits until it is time for the next one."""

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        silence: float,
        ca_file: str,
        now_ns: Callable[[], int],
        wait: Callable[[], None],
    ) -> None:
        self._address, self._credentials, self._silence = address, credentials, silence
        self._now_ns, self._wait = now_ns, wait
        self._deadline = Deadline(silence)
        self._session = session(self._deadline, ca_file)

    def read(self) -> Picture:
        """The next picture."""
        self._wait()
        try:
            with self._deadline.limit():
                data = _get(self._session, self._address, self._credentials, self._silence).content
        except (requests.RequestException, OSError):
            raise StreamError('no snapshot in time') from None
        return _picture(data, self._now_ns())

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()


def _ended() -> bytes:
    raise StreamError('the camera ended the stream')


def _get(asking: requests.Session, address: str, credentials: Credentials, timeout: float) -> requests.Response:
    """Raises StreamError. The password is sent only to who asks for it, and as it is asked for."""
    auth: AuthBase | None = asking.auth if isinstance(asking.auth, AuthBase) else None
    try:
        response = asking.get(address, stream=True, timeout=timeout, auth=auth)
        if response.status_code == 401 and credentials.user and auth is None:
            digest = 'digest' in response.headers.get('WWW-Authenticate', '').lower()
            kind = HTTPDigestAuth if digest else HTTPBasicAuth
            asking.auth = kind(credentials.user, credentials.password)
            response.close()
            response = asking.get(address, stream=True, timeout=timeout)
    except requests.exceptions.SSLError:
        raise StreamError('its certificate is not trusted; give ca_file') from None
    except (requests.RequestException, OSError):
        raise StreamError('no connection') from None
    if response.status_code in (401, 403):
        raise StreamRefusedError('user or password refused')
    if response.status_code != 200:
        raise StreamError(f'HTTP status {response.status_code}')
    return response


def _take_jpeg(data: bytearray) -> bytes | None:
    """Takes the first complete picture out of what came."""
    begin = data.find(_START)
    following = data.find(_START, begin + 3) if begin >= 0 else -1
    end = data.find(_END, begin + 3) if begin >= 0 else -1
    if end < 0:
        return None
    # A thumbnail inside has a begin and an end of its own.
    while 0 <= following < end:
        inner, following = end, data.find(_START, following + 3)
        end = data.find(_END, inner + 2)
        if end < 0:
            return None
    found = bytes(data[begin : end + 2])
    del data[: end + 2]
    return found


def _picture(data: bytes, now_ns: int) -> Picture:
    try:
        size = jpeg.size(data)
    except ValueError as error:
        raise StreamError(f'what the camera sends is {error}') from None
    return Picture(data, 'jpeg', True, size, now_ns)
