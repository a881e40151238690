# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP whose calls end in time, whatever the other side does.

The time limits of requests and zeep are for each read from the socket: a camera that sends a byte now and then is waited for without
end. Here the connection is shut down when the whole call has taken too long.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """Knows the open connections of a session, and shuts them down when a call takes too long. For one calling thread."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._passed = False

    @contextlib.contextmanager
    def limit(self) -> Iterator[None]:
        """Within it everything ends within the time limit. Raises TimeoutError if that is why it ended."""
        self._passed = False
        timer = threading.Timer(self.seconds, self._shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if self._passed:
                raise TimeoutError(f'no answer within {self.seconds:g} s') from error
            raise
        finally:
            timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """A connection was opened."""
        with self._lock:
            self._sockets = [known for known in self._sockets if known.fileno() >= 0] + [connection]

    def _shut(self) -> None:
        self._passed = True
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def session(deadline: Deadline, ca_file: str = '') -> requests.Session:
    """A session under a time limit. ca_file: who is trusted to sign certificates; empty: whom the system trusts."""
    made = requests.Session()
    # Cameras are on the local network; proxies of the environment are not for them.
    made.trust_env = False
    if ca_file:
        made.verify = ca_file
    made.mount('http://', _Adapter(deadline))
    made.mount('https://', _Adapter(deadline))
    return made


class _Adapter(HTTPAdapter):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(pool_connections=4, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        deadline = self._deadline

        class PlainConnection(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                deadline.watch(self.sock)

        class TlsConnection(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                deadline.watch(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = PlainConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = TlsConnection

        self.poolmanager.pool_classes_by_scheme = {'http': PlainPool, 'https': TlsPool}
