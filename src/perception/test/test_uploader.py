# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the uploader against receivers that misbehave: nothing is lost, and nothing is removed that was not taken."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from upload_helpers import (
    PLENTY,
    QUICK,
    TOKEN,
    FakeReceiver,
    Request,
    ids,
    left_in,
    package_of,
    picture_of,
    put,
    refused_in,
    settings_for,
    until,
    uploading,
    with_status,
)

from ptz_perception.upload.connections import Connections
from ptz_perception.upload.database import QueueError
from ptz_perception.upload.package_queue import PackageQueue, Put
from ptz_perception.upload.receiver import Receiver
from ptz_perception.upload.schedule import Pacing
from ptz_perception.upload.uploader import Uploader
from ptz_site.frame_package import FramePackage

HERE = Path(__file__).parent
SLOW = Pacing(send_period=1000.0)


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    made = FakeReceiver()
    yield made
    made.close()


def test_a_package_arrives_as_it_was_put_in(receiver: FakeReceiver, tmp_path: Path) -> None:
    with uploading(receiver.url + '/below/', tmp_path) as uploader:
        assert put(uploader, 7, size=300_000) is Put.KEPT
        until(lambda: uploader.status().sent == 1 and not uploader.status().waiting)
    (request,) = receiver.requests
    assert request.first_line == 'POST /below/v1/packages HTTP/1.1\r\n'
    assert request.headers['authorization'] == f'Bearer {TOKEN}'
    assert [(name, kind) for name, (kind, _) in request.parts.items()] == [
        ('package', 'application/json'), ('picture', 'image/jpeg')
    ]  # fmt: skip
    assert FramePackage.model_validate_json(request.parts['package'][1]) == package_of(7, size=300_000)
    assert receiver.stored == {ids(7)[0]: picture_of(7, 300_000)}


def test_immediate_ones_are_sent_at_once_and_queued_ones_at_the_period(receiver: FakeReceiver, tmp_path: Path) -> None:
    begin = time.time()
    with uploading(receiver.url, tmp_path, SLOW) as uploader:
        for number in (1, 2, 3):
            put(uploader, number)
        until(lambda: uploader.status().sent == 1)
        for number in (4, 5):
            put(uploader, number, immediate=True)
        until(lambda: uploader.status().sent == 3)
        until(lambda: uploader.status().waiting == 2)
        assert 0 < uploader.status().oldest_age <= time.time() - begin
    assert list(receiver.stored) == ids(1, 4, 5)
    assert left_in(tmp_path) == ids(2, 3)


def test_a_backlog_goes_out_at_the_period_oldest_first(receiver: FakeReceiver, tmp_path: Path) -> None:
    queue = PackageQueue(tmp_path / 'north.sqlite', PLENTY)
    for number in range(6):
        put(queue, number)
    queue.close()
    begin = time.monotonic()
    with uploading(receiver.url, tmp_path, Pacing(send_period=0.1)) as uploader:
        until(lambda: uploader.status().sent == 6)
    assert time.monotonic() - begin >= 0.5
    assert list(receiver.stored) == ids(*range(6))


def close_before_the_body(request: Request) -> None:
    # With what was not read in its buffer, the connection is reset.
    request.connection.close()


def close_half_way(request: Request) -> None:
    request.read()
    request.connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": ')


def half_a_header(request: Request) -> None:
    request.read()
    request.connection.sendall(b'HTTP/1.1 201 Cre')


def silent_end(request: Request) -> None:
    request.read()


def garbage(request: Request) -> None:
    request.read()
    request.connection.sendall(b'\x00\xff SSH-2.0-OpenSSH_9.6\r\n\r\n')


def wrong_id(request: Request) -> None:
    request.read()
    request.answer(201, {'id': 'yard-north-1-999'})


def endless(request: Request) -> None:
    request.read()
    request.connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
    while True:
        request.connection.sendall(b'x' * 10000)


NOT_TAKEN = [
    close_before_the_body, close_half_way, half_a_header, silent_end, garbage, wrong_id, endless,
    *map(with_status, (202, 204, 401, 403, 404, 405, 408, 429, 500, 502, 503, 507)),
    with_status(302, 'Location: http://127.0.0.1:1/elsewhere\r\n'),
]  # fmt: skip


def test_nothing_is_removed_without_a_good_answer_whatever_comes_instead(receiver: FakeReceiver, tmp_path: Path) -> None:
    looked = threading.Event()

    def silent_end_after_a_look(request: Request) -> None:
        looked.wait(120)
        silent_end(request)

    receiver.in_turn(*NOT_TAKEN, silent_end_after_a_look)
    with uploading(receiver.url, tmp_path, size_of_pause(0.01)) as uploader:
        for number in range(4):
            put(uploader, number, size=200_000)
        until(lambda: len(receiver.requests) > len(NOT_TAKEN))
        assert uploader.status().waiting == 4 and uploader.status().failing_since_ns is not None
        looked.set()
        until(lambda: uploader.status().sent == 4)
        assert (uploader.status().refused, uploader.status().dropped) == (0, 0)
        until(lambda: uploader.status().waiting == 0)
        assert uploader.status().failing_since_ns is None
    assert sorted(receiver.stored) == ids(*range(4))
    assert len(receiver.requests) == len(NOT_TAKEN) + 1 + 4


def size_of_pause(seconds: float) -> Pacing:
    return Pacing(send_period=0.0, first_pause=seconds, longest_pause=seconds)


@pytest.mark.parametrize('behaviour', NOT_TAKEN)
def test_each_kind_of_failure_is_said_and_the_package_stays(
    receiver: FakeReceiver, tmp_path: Path, behaviour: Callable[[Request], None]
) -> None:
    receiver.behave = behaviour
    with uploading(receiver.url, tmp_path, size_of_pause(60.0)) as uploader:
        put(uploader, 1, size=200_000)
        until(lambda: uploader.status().last_error)
        status = uploader.status()
        assert (status.waiting, status.sent, status.refused) == (1, 0, 0) and status.failing_since_ns is not None
        assert TOKEN not in status.last_error and len(status.last_error) < 400
    assert left_in(tmp_path) == ids(1)


def test_a_receiver_that_is_down_and_comes_back_gets_everything_in_order(tmp_path: Path) -> None:
    receiver = FakeReceiver(there=False)
    with uploading(receiver.url, tmp_path) as uploader:
        for number in range(5):
            put(uploader, number)
        until(lambda: "can't be reached" in uploader.status().last_error)
        receiver.listen()
        until(lambda: uploader.status().sent == 5)
        receiver.close()
        put(uploader, 5)
        until(lambda: uploader.status().failing_since_ns)
    assert list(receiver.stored) == ids(*range(5))
    assert left_in(tmp_path) == ids(5)


@pytest.mark.parametrize('status', [409, 413, 415, 422])
def test_what_the_receiver_refuses_for_good_is_put_aside_and_holds_up_none(
    receiver: FakeReceiver, tmp_path: Path, status: int
) -> None:
    receiver.in_turn(with_status(status))
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1)
        put(uploader, 2)
        until(lambda: uploader.status().sent == 1 and not uploader.status().waiting)
        found = uploader.status()
        assert (found.refused, found.refused_kept) == (1, 1)
        assert found.last_refusal.startswith(ids(1)[0]) and 'so it is' in found.last_refusal
    ((refused, reason),) = refused_in(tmp_path / 'north.sqlite')
    assert refused == ids(1)[0] and str(status) in reason


@pytest.mark.parametrize('immediate', [False, True])
def test_a_package_over_which_the_receiver_breaks_holds_up_none_and_is_not_lost(
    receiver: FakeReceiver, tmp_path: Path, immediate: bool
) -> None:
    mended = threading.Event()

    def breaks_over_the_first(request: Request) -> None:
        found = request.read()
        if found == ids(1)[0] and not mended.is_set():
            return
        receiver.stored[found] = request.parts['picture'][1]
        request.answer(200, {'id': found})

    receiver.behave = breaks_over_the_first
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1, immediate=immediate)
        for number in range(2, 6):
            put(uploader, number)
        until(lambda: uploader.status().sent == 4 and uploader.status().waiting == 1)
        assert uploader.status().stuck == 1
        put(uploader, 6)
        until(lambda: uploader.status().sent == 5)
        mended.set()
        until(lambda: uploader.status().sent == 6 and not uploader.status().waiting)
        assert uploader.status().stuck == 0
    assert sorted(receiver.stored) == ids(*range(1, 7))


def test_the_receiver_says_when_to_come_again(receiver: FakeReceiver, tmp_path: Path) -> None:
    begun: list[float] = []
    receiver.in_turn(with_status(429, 'Retry-After: 1\r\n'))
    behave = receiver.behave
    receiver.behave = lambda request: (begun.append(time.monotonic()), behave(request))[1]
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1, immediate=True)
        until(lambda: uploader.status().sent == 1)
    assert begun[1] - begun[0] >= 1.0


def trickle(request: Request) -> None:
    request.read()
    request.connection.sendall(b'HTTP/1.1 201 Created\r\n')
    while True:
        request.connection.sendall(b'X: 1\r\n')
        time.sleep(0.05)


@pytest.mark.parametrize('name', ['trickle', 'never reads'])
def test_a_receiver_that_holds_on_is_let_go_of_in_time(receiver: FakeReceiver, tmp_path: Path, name: str) -> None:
    # Both go on for longer than it is waited for here.
    receiver.in_turn({'trickle': trickle, 'never reads': receiver.wait_for_end}[name])
    begin = time.monotonic()
    with uploading(receiver.url, tmp_path, timeout=1.0) as uploader:
        put(uploader, 1, size=8_000_000)
        until(lambda: 'in time' in uploader.status().last_error)
        assert time.monotonic() - begin > 0.9
        until(lambda: uploader.status().sent == 1)


def test_what_is_sent_while_it_is_closed_is_not_sent_again(
    receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('ptz_perception.upload.uploader._GRACE', 120.0)

    def slowly(request: Request) -> None:
        time.sleep(0.3)
        receiver.store(request)

    receiver.behave = slowly
    with uploading(receiver.url, tmp_path) as uploader:
        put(uploader, 1)
        until(lambda: receiver.requests)
    assert list(receiver.stored) == ids(1) and left_in(tmp_path) == []


def test_a_call_that_begins_while_it_is_closed_ends_at_once() -> None:
    class ClosedMeanwhile(Connections):
        """Closed just after the call has looked whether it is."""

        was_closed = False
        closing = None

        @property
        def _closed(self) -> bool:
            found = self.was_closed
            if self.closing is None:
                self.closing = threading.Thread(target=self.close)
                self.closing.start()
                self.closing.join(0.2)
            return found

        @_closed.setter
        def _closed(self, closed: bool) -> None:
            self.was_closed = closed

    connections = ClosedMeanwhile()
    ours, other = socket.socketpair()
    with ours, other, connections.limit(5.0):
        assert connections.closing is not None
        connections.closing.join()
        connections.watch(ours)
        assert ours.recv(1) == b''


@pytest.mark.parametrize('where', ['answer', 'body', 'tls'])
def test_closing_does_not_wait_for_a_call_that_hangs(tmp_path: Path, where: str) -> None:
    receiver = FakeReceiver()
    receiver.behave = (
        receiver.wait_for_end if where == 'body' else lambda request: (request.read(), receiver.wait_for_end(request))[1]
    )
    # A listener that takes connections and says nothing: TLS is never agreed upon.
    silent = socket.create_server(('127.0.0.1', 0))
    url = f'https://127.0.0.1:{silent.getsockname()[1]}' if where == 'tls' else receiver.url
    with uploading(url, tmp_path, timeout=600.0) as uploader:
        put(uploader, 1, size=8_000_000)
        if where == 'tls':
            connection, _ = silent.accept()
            assert connection.recv(1)
        else:
            until(lambda: receiver.requests)
        begin = time.monotonic()
        uploader.close()
        assert time.monotonic() - begin < 120.0, 'the call may take 600 s'
        assert put(uploader, 2) is Put.DISK_ERROR and uploader.status().not_kept == 1
    receiver.close()
    silent.close()
    assert left_in(tmp_path) == ids(1)


def test_what_a_full_disk_does_not_keep_is_counted_and_the_next_one_is_kept(receiver: FakeReceiver, tmp_path: Path) -> None:
    code = (
        'import resource, sys, pathlib; from upload_helpers import *\n'
        'def room(size): resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n'
        'with uploading(sys.argv[1], pathlib.Path(sys.argv[2]), Pacing(send_period=1.0)) as uploader:\n'
        '    room(300_000)\n'
        '    results = [put(uploader, number, size=100_000).value for number in range(20)]\n'
        '    status = uploader.status()\n'
        '    assert "disk error" in results and status.not_kept == results.count("disk error") and status.disk_error, results\n'
        '    room(resource.RLIM_INFINITY)\n'
        '    assert put(uploader, 99, immediate=True).value == "kept"\n'
        '    until(lambda: uploader.status().sent >= 2)\n'
        '    assert not uploader.status().disk_error\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, receiver.url, str(tmp_path)], cwd=HERE, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    assert ids(99)[0] in receiver.stored and ids(0)[0] in receiver.stored


def test_what_was_sent_and_cannot_be_removed_yet_is_not_sent_again_meanwhile(
    receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, done, full = PackageQueue(tmp_path / 'north.sqlite', PLENTY), PackageQueue.done, threading.Event()
    full.set()

    def fails(self: PackageQueue, package_id: str) -> None:
        if full.is_set():
            raise QueueError('no room on the disk')
        done(self, package_id)

    monkeypatch.setattr(PackageQueue, 'done', fails)
    uploader = Uploader(queue, Receiver(settings_for(receiver.url, tmp_path), tmp_path), QUICK)
    put(uploader, 1)
    put(uploader, 2, immediate=True)
    until(lambda: uploader.status().sent == 2)
    put(uploader, 3)
    until(lambda: uploader.status().sent == 3)
    until(lambda: 'no room' in uploader.status().disk_error)
    assert len(receiver.requests) == 3 and uploader.status().waiting == 3
    full.clear()
    until(lambda: not uploader.status().waiting)
    assert len(receiver.requests) == 3 and not uploader.status().disk_error
    uploader.close()


KILLS = """
import os, pathlib, random, select, signal, sys, time
from upload_helpers import *
url, folder, chance = sys.argv[1], pathlib.Path(sys.argv[2]), random.Random(int(sys.argv[3]))
number = 0
for _ in range(50):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        uploader = Uploader(PackageQueue(folder / 'north.sqlite', PLENTY, wait=10.0), Receiver(settings_for(url, folder), folder), QUICK)
        while True:
            assert put(uploader, number, immediate=chance.random() < 0.2, size=chance.choice((500, 20_000, 150_000))).value == 'kept'
            os.write(writing, f'{number}\\n'.encode())
            number += 1
    os.close(writing)
    said = os.read(reading, 1 << 16)
    time.sleep(0.04 * chance.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(reading, 1 << 16):
        said += piece
    os.close(reading)
    print(said.decode(), end='', flush=True)
    # The one that may be in it without having been said is another one.
    number = int(said.split()[-1]) + 2
"""


def test_what_was_kept_is_not_lost_when_the_process_is_killed(receiver: FakeReceiver, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-c', KILLS, receiver.url, str(tmp_path), '1'], cwd=HERE, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    kept = {package_of(int(line)).id for line in done.stdout.split()}
    waiting = left_in(tmp_path)
    assert len(kept) >= 50 and len(waiting) == len(set(waiting))
    assert kept <= set(receiver.stored) | set(waiting)
    with uploading(receiver.url, tmp_path) as uploader:
        until(lambda: not uploader.status().waiting)
        assert uploader.status().refused == 0 and uploader.status().moved_aside is None
    assert kept <= set(receiver.stored) and left_in(tmp_path) == []


def test_json_of_the_answer_may_say_more(receiver: FakeReceiver, tmp_path: Path) -> None:
    def answer(request: Request) -> None:
        body = json.dumps({'id': request.read(), 'stored': True, 'more': [1]}).encode()
        pieces = b''.join(b'%x\r\n%c\r\n' % (1, byte) for byte in body)
        request.connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + pieces + b'0\r\n\r\n')

    receiver.behave = answer
    with uploading(receiver.url, tmp_path, QUICK) as uploader:
        put(uploader, 1)
        until(lambda: uploader.status().sent == 1)
