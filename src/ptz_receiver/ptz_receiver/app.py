# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The application: the interface for programs, the page for people, and what is done every minute."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ptz_receiver.access import TokenCheck
from ptz_receiver.api import PackageApi
from ptz_receiver.errors import RefusedError, StorageError
from ptz_receiver.gallery import Gallery
from ptz_receiver.gate import Gate, Tally
from ptz_receiver.keeper import Keeper
from ptz_receiver.retention import Retention
from ptz_receiver.settings import UploadLimits

_LOG = logging.getLogger(__name__)
#: Seconds between two looks at what is too old, and two lines in the log.
_PERIOD = 60.0


@dataclass(frozen=True)
class Rules:
    """What clients may do, and what is kept. rate: requests of one client, 1/s."""

    token: TokenCheck
    rate: int = 50
    limits: UploadLimits = field(default_factory=UploadLimits)
    retention: Retention = field(default_factory=Retention)


def build_app(keeper: Keeper, rules: Rules) -> FastAPI:
    """The application that uvicorn serves."""
    tally = Tally()

    @contextlib.asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        ended = asyncio.Event()
        task = asyncio.create_task(_look_after(keeper, rules.retention, tally, ended))
        yield
        # Not cancelled: its thread would go on, with an index that is closed.
        ended.set()
        await task

    app = FastAPI(
        title='ptz-collab receiver',
        # The pages that describe the interface would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # Nothing that clients send is told to anybody.
        telemetry={'tracing': False, 'metrics': False, 'logs': False, 'auto_configure': False},
        lifespan=living,
    )
    app.include_router(PackageApi(keeper, rules.limits).router())
    app.include_router(Gallery(keeper.index).router())
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_middleware(Gate, token=rules.token, rate=rules.rate, tally=tally)
    return app


async def _look_after(keeper: Keeper, retention: Retention, tally: Tally, ended: asyncio.Event) -> None:
    while not ended.is_set():
        try:
            removed = await run_in_threadpool(keeper.tidy, retention, ended.is_set)
            if removed:
                _LOG.info('removed the %d oldest: more than --keep-days or --keep-gb allow', removed)
        except StorageError as error:
            _LOG.warning('what is too old could not be removed: %s', _cause(error))
        except Exception:
            # Whatever it is, it is tried again.
            _LOG.exception('what is too old could not be removed')
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _PERIOD)
        _tell(tally)


def _tell(tally: Tally) -> None:
    if text := tally.read():
        _LOG.info('%s', text)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    if isinstance(error, StorageError):
        _LOG.warning('%s: %s', error, _cause(error))
    headers = {} if error.retry_after is None else {'Retry-After': str(error.retry_after)}
    return JSONResponse({'detail': str(error)}, error.status, headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody is there to read it.
    return JSONResponse({'detail': 'the body did not come'}, 400)


def _cause(error: StorageError) -> str:
    cause = error.__cause__ or error
    return str(getattr(cause, 'orig', None) or cause)
