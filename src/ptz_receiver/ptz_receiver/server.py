# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The receiver as a process: opens what it needs, listens, ends on SIGINT and SIGTERM."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import ipaddress
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ptz_receiver.access import TokenCheck
from ptz_receiver.app import Rules, build_app
from ptz_receiver.errors import StorageError
from ptz_receiver.index import PackageIndex
from ptz_receiver.keeper import Keeper
from ptz_receiver.retention import Retention
from ptz_receiver.settings import DAY_NS, GIGABYTE, MEGABYTE, ReceiveRequest, UploadLimits, read_token
from ptz_receiver.storage import FolderStorage, PictureStorage
from ptz_site import UserError

_LOG = logging.getLogger('ptz_receiver')
#: Connections at the same time; more are answered with 503.
_CONNECTIONS = 256
#: Seconds for requests that are on when it shall end.
_PATIENCE = 10


class _Server(uvicorn.Server):
    """A server that does not wait for clients that rest.

    Closing a TLS connection takes an answer of the client, and one that rests gives it when it asks for something the next time.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends all connections; those on which something is on when that is done."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol) and _rests(connection):
                connection.transport.abort()
        await super().shutdown(sockets)


def _rests(connection: H11Protocol) -> bool:
    done = connection.cycle is None or connection.cycle.response_complete
    return done and connection.transport.get_write_buffer_size() == 0


def receive(request: ReceiveRequest, say: Callable[[str], None]) -> int:
    """Receives until SIGINT or SIGTERM; says where, when it is ready. Raises UserError."""
    rules = _rules(request)
    _check_certificate(request)
    lock = _lock(request.folder)
    try:
        storage = _storage(request)
        storage.check()
        index = PackageIndex(request.folder / 'index.sqlite')
        try:
            keeper = Keeper(index, storage)
            _recover(keeper)
            with _listen(request.host, request.port) as listener:
                _serve(request, keeper, rules, listener, say)
        finally:
            index.close()
    finally:
        os.close(lock)
    return 0


def _rules(request: ReceiveRequest) -> Rules:
    if request.rate < 1:
        raise UserError(f'--rate: {request.rate} found; allowed: 1 or more')
    return Rules(
        token=TokenCheck(read_token(request.token_file, request.token_env)),
        rate=request.rate,
        limits=UploadLimits(picture=int(request.max_mb * MEGABYTE)),
        retention=Retention(
            age_ns=None if request.keep_days is None else int(request.keep_days * DAY_NS),
            total_bytes=None if request.keep_gb is None else int(request.keep_gb * GIGABYTE),
        ),
    )


def _check_certificate(request: ReceiveRequest) -> None:
    if request.certificate is None:
        if request.key is not None:
            raise UserError(f'--key: {request.key} is given without its certificate; give --certificate too')
        return
    try:
        # A key that asks for a password would have the start wait for somebody to type.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(request.certificate, request.key, lambda: '')
    except (OSError, ValueError) as error:
        raise UserError(
            f"--certificate: {request.certificate} can't be used ({error}); give PEM files that belong together, the key without password"
        ) from None


def _lock(folder: Path) -> int:
    """Two receivers with one folder would not know of each other's pictures. Raises UserError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / 'lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(
            f"--dir: {folder} can't be written to ({error.strerror}); give a folder that this user may write to"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise UserError(f'--dir: another receiver uses {folder}; end that one, or give another folder') from None
    return lock


def _storage(request: ReceiveRequest) -> PictureStorage:
    if request.s3_bucket:
        from ptz_receiver.storage.s3 import S3Storage

        return S3Storage(request.s3_bucket, request.s3_endpoint, request.s3_prefix)
    if request.s3_endpoint or request.s3_prefix:
        raise UserError('--s3-bucket: is missing; it says where pictures go at the object storage')
    return FolderStorage(request.folder)


def _recover(keeper: Keeper) -> None:
    try:
        keeper.recover()
    except StorageError as error:
        raise UserError(f"--dir: what the last run left can't be removed ({error}); look at the storage and its room") from None


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 65536:
        raise UserError(f'--port: {port} found; allowed: 0 to 65535')
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_CONNECTIONS)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        busy = getattr(error, 'errno', 0) in (errno.EADDRINUSE, errno.EACCES)
        raise UserError(
            f"{host}:{port}: can't be listened on ({reason}); give another {'--port' if busy else '--host'}"
        ) from None
    return listener


def _serve(request: ReceiveRequest, keeper: Keeper, rules: Rules, listener: socket.socket, say: Callable[[str], None]) -> None:
    _set_up_log()
    config = uvicorn.Config(
        build_app(keeper, rules),
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever connects is the client, whatever its headers say.
        proxy_headers=False,
        http=H11Protocol,
        ws='none',
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_PATIENCE,
        ssl_certfile=request.certificate,
        ssl_keyfile=request.key,
    )
    server = _Server(config)

    def end(_number: int, _frame: object) -> None:
        server.should_exit = True

    # While it serves, uvicorn has handlers of its own, and raises the signal again afterwards.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if request.certificate is None and not _is_loopback(listener):
        _LOG.warning('no TLS: others on the network can read the token and the pictures; give --certificate and --key')
    say(f'receiving at {_url(request, listener)}, pictures go to {_place(request)}; Ctrl-C ends it')
    asyncio.run(server.serve(sockets=[listener]))


def _set_up_log() -> None:
    logging.basicConfig(format='%(asctime)s %(message)s', level=logging.WARNING)
    _LOG.setLevel(logging.INFO)
    # What clients do wrong is counted; it is no news of the server.
    for name in ('uvicorn.error', 'python_multipart', 'python_multipart.multipart'):
        logging.getLogger(name).setLevel(logging.ERROR)


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _url(request: ReceiveRequest, listener: socket.socket) -> str:
    host = f'[{request.host}]' if ':' in request.host else request.host
    return f'{"https" if request.certificate else "http"}://{host}:{listener.getsockname()[1]}'


def _place(request: ReceiveRequest) -> str:
    if request.s3_bucket:
        return '/'.join(part for part in (f's3://{request.s3_bucket}', request.s3_prefix.strip('/')) if part)
    return str(request.folder / 'pictures')
