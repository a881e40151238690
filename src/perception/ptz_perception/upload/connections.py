# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP calls that end in time, and can be ended from another thread, whatever the other side does.

The time limits of requests are for each read from a connection: a receiver that sends a byte now and then is waited for without end. Here
the connection is shut down when the whole call has taken too long, while TLS is being agreed upon, too.
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


class Connections:
    """The connections of a session, for one call at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._shut = self._late = self._closed = False
        #: Whether the call has reached the other side.
        self.established = False

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """A call; within it every connection ends after the time limit. Raises TimeoutError if that is why it ended."""
        with self._lock:
            self._shut, self._late, self.established = self._closed, False, False
        timer = threading.Timer(seconds, self._too_late)
        timer.daemon = True
        timer.start()
        late = f'no answer within {seconds:g} s'
        try:
            yield
            if self._late:
                # The end of a connection may look like the end of an answer.
                raise TimeoutError(late)
        except Exception as error:
            if self._late:
                raise TimeoutError(late) from error
            raise
        finally:
            timer.cancel()
            with self._lock:
                for known in self._sockets:
                    known.close()
                self._sockets.clear()

    def close(self) -> None:
        """Ends the call that is on, and every later one. From any thread."""
        with self._lock:
            self._closed = True
        self._shut_all()

    def watch(self, opened: socket.socket) -> None:
        """A connection was opened."""
        # A second handle: TLS takes the first one over before it is agreed upon, so that it could not be shut down until then.
        known = opened.dup()
        with self._lock:
            self._sockets.append(known)
            if self._shut:
                _shut_down(known)

    def _too_late(self) -> None:
        self._late = True
        self._shut_all()

    def _shut_all(self) -> None:
        with self._lock:
            self._shut = True
            for known in self._sockets:
                _shut_down(known)


def session(connections: Connections) -> requests.Session:
    """A session whose connections are known. Proxies of the environment are respected, as requests does."""
    made = requests.Session()
    made.mount('http://', _Adapter(connections))
    made.mount('https://', _Adapter(connections))
    return made


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    def __init__(self, connections: Connections) -> None:
        self._pools = _pools(connections)
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(connections: Connections) -> dict[str, Any]:
    class KnownConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            connections.watch(opened)
            return opened

        def connect(self) -> None:
            super().connect()
            connections.established = True

    class KnownTlsConnection(KnownConnection, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = KnownConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = KnownTlsConnection

    return {'http': PlainPool, 'https': TlsPool}
