# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who may ask for something, and how often."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class TokenCheck:
    """Compares what a client sent with the token, in a time that does not tell how much of it was right."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def admits(self, authorization: bytes) -> bool:
        """Whether the header has the token: Bearer TOKEN, or Basic with it as the password (which browsers ask people for)."""
        scheme, _, given = authorization.strip().partition(b' ')
        match scheme.lower():
            case b'bearer':
                found = given.strip()
            case b'basic':
                found = _password(given.strip())
            case _:
                found = b''
        return hmac.compare_digest(found, self._token)


def _password(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True).partition(b':')[2]
    except binascii.Error:
        return b''


class ClientRate:
    """Requests of each client in any one second."""

    def __init__(self, rate: int) -> None:
        """rate: 1/s."""
        self._rate = RateLimitItemPerSecond(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, address: str) -> int:
        """0: the client may go on; otherwise the whole seconds after which it may try again."""
        client = client_of(address)
        if self._limiter.hit(self._rate, client):
            return 0
        return max(1, math.ceil(self._limiter.get_window_stats(self._rate, client).reset_time - time.time()))


def client_of(address: str) -> str:
    """Who counts as one client: an address, or the network that one IPv6 connection has to itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
