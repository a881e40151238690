# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""For the tests of the upload: packages, and a receiver that behaves as it is told."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ptz_perception.upload.package_queue import Limits, PackageQueue
from ptz_perception.upload.receiver import Receiver
from ptz_perception.upload.schedule import Pacing
from ptz_perception.upload.uploader import Uploader
from ptz_site.frame_package import Box, CameraPosition, Exposure, FramePackage, Observation, package_id
from ptz_site.schema import UploadSettings

TOKEN = 'se-cret.Token/1'
PLENTY = Limits(bytes=100_000_000, count=10_000)
QUICK = Pacing(send_period=0.0, first_pause=0.02, longest_pause=0.1)


def picture_of(number: int, size: int = 2000) -> bytes:
    """Different for every number, and not a JPEG; nothing here looks inside."""
    seed = hashlib.sha256(str(number).encode()).digest()
    return (b'\xff\xd8\xff' + seed * (size // 32 + 1))[:size]


def package_of(number: int, *, immediate: bool = False, size: int = 2000) -> FramePackage:
    picture = picture_of(number, size)
    person = Observation(track_id=1, class_name='person', score=0.9, box=Box(x=5, y=5, width=2, height=6), best=True)
    return FramePackage(
        id=package_id('yard', 'north', 1, number), region='yard', camera='north', scene='gate', slot=1, stamp_ns=1 + number,
        session=1, sequence=number, exposure=Exposure(mode='manual', time=0.004), position=CameraPosition(pan=0.0, tilt=0.0, zoom=1.0),
        width=1280, height=720, picture_bytes=len(picture), picture_sha256=hashlib.sha256(picture).hexdigest(),
        immediate=immediate, observations=(person,),
    )  # fmt: skip


def ids(*numbers: int) -> list[str]:
    return [package_of(number).id for number in numbers]


def put(queue: PackageQueue | Uploader, number: int, *, immediate: bool = False, size: int = 2000) -> object:
    return queue.put(package_of(number, immediate=immediate, size=size), picture_of(number, size))


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it did not come to this in time'
        time.sleep(0.005)


class Request:
    """What came: the connection, and what was sent over it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.stream = connection.makefile('rb')
        self.first_line = self.stream.readline().decode()
        self.headers: dict[str, str] = {}
        while line := self.stream.readline().strip():
            name, _, value = line.decode().partition(':')
            self.headers[name.lower()] = value.strip()
        self.parts: dict[str, tuple[str, bytes]] = {}

    def read(self) -> str:
        """Reads the body; returns the package's id."""
        length = self.headers.get('content-length')
        body = self.stream.read(int(length)) if length else b''
        if not length or len(body) != int(length):
            raise ConnectionError('the sender is gone')
        boundary = b'--' + self.headers['content-type'].partition('boundary=')[2].encode()
        for part in body.split(boundary)[1:-1]:
            head, _, content = part[2:-2].partition(b'\r\n\r\n')
            name = re.search(rb'[; ]name="(\w+)"', head)
            kind = re.search(rb'(?i)content-type: ([\w/]+)', head)
            assert name and kind
            self.parts[name.group(1).decode()] = (kind.group(1).decode(), content)
        return str(json.loads(self.parts['package'][1])['id'])

    def answer(self, status: int, body: object = None, headers: str = '') -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.sendall(f'HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{headers}\r\n'.encode() + data)

    def take(self) -> str:
        """Takes the package as a receiver should."""
        found = self.read()
        self.answer(201, {'id': found})
        return found


class FakeReceiver:
    """A receiver on 127.0.0.1. behave: what it does with a request; may raise. What it stored is by id, in the order of arrival.

    there: whether it can be reached from the beginning, or only once listen() is called; its port is its own meanwhile.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, there: bool = True) -> None:
        self.stored: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.behave: Callable[[Request], None] = self.store
        self._tls = tls
        self._ended = threading.Event()
        self._listener = socket.socket()
        self._listener.bind(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        if there:
            self.listen()

    def listen(self) -> None:
        """From now on it can be reached."""
        self._listener.listen(50)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f'{"https" if self._tls else "http"}://127.0.0.1:{self.port}'

    def store(self, request: Request) -> None:
        """Before the answer, as a receiver does that keeps what it says it has."""
        found = request.read()
        picture = request.parts['picture'][1]
        assert self.stored.setdefault(found, picture) == picture
        request.answer(201, {'id': found})

    def in_turn(self, *behaviours: Callable[[Request], None]) -> None:
        """One for each request; when they are over, it stores."""
        left = list(behaviours)
        self.behave = lambda request: (left.pop(0) if left else self.store)(request)

    def wait_for_end(self, _request: Request) -> None:
        """Hangs."""
        self._ended.wait(600)

    def close(self) -> None:
        self._ended.set()
        # Otherwise the thread in accept() keeps it listening.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            talking = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            request = Request(talking)
            self.requests.append(request)
            self.behave(request)
            request.stream.close()
            talking.close()


def with_status(status: int, headers: str = '') -> Callable[[Request], None]:
    def answer(request: Request) -> None:
        request.read()
        request.answer(status, {'detail': 'so it is'}, headers)

    return answer


def settings_for(url: str, folder: Path, /, **changes: object) -> UploadSettings:
    (folder / 'token').write_text(TOKEN + '\n')
    return UploadSettings.model_validate({'url': url, 'token_file': 'token', 'timeout': 60.0, 'send_period': 0.0} | changes)


@contextlib.contextmanager
def uploading(url: str, folder: Path, pacing: Pacing = QUICK, limits: Limits = PLENTY, **changes: object) -> Iterator[Uploader]:
    uploader = Uploader(
        PackageQueue(folder / 'north.sqlite', limits), Receiver(settings_for(url, folder, **changes), folder), pacing
    )
    try:
        yield uploader
    finally:
        uploader.close()


def refused_in(path: Path) -> list[tuple[str, str]]:
    """Ids and reasons of what was put aside, in a queue that is closed; oldest first."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute('SELECT id, reason FROM packages WHERE rank = 0 ORDER BY number').fetchall()


def left_in(folder: Path) -> list[str]:
    """What is still in the queue of an uploader that was closed."""
    queue = PackageQueue(folder / 'north.sqlite', PLENTY)
    try:
        found = []
        while (package := next((one for rank in (2, 1) if (one := queue.oldest(rank, found))), None)) is not None:  # type: ignore[arg-type]
            found.append(package.id)
        return found
    finally:
        queue.close()
