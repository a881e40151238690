# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface for programs, version 1."""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ptz_receiver.checking import check_picture, read_package
from ptz_receiver.errors import RefusedError
from ptz_receiver.index import Page, Stored
from ptz_receiver.keeper import Keeper
from ptz_receiver.query import parse_query
from ptz_receiver.settings import UploadLimits
from ptz_receiver.storage.base import is_package_id
from ptz_receiver.upload import Upload, boundary_of, read_upload
from ptz_site.frame_package import json_schema

#: Seconds for which it is known whether the index answers.
_HEALTH_PERIOD = 1.0


class PackageApi:
    """Stores packages and answers queries."""

    def __init__(self, keeper: Keeper, limits: UploadLimits) -> None:
        self._keeper, self._limits = keeper, limits
        # Bodies are held in memory: no more of them at the same time than there is surely room for.
        self._at_once = asyncio.Semaphore(limits.at_once)
        self._looking = asyncio.Lock()
        self._healthy, self._look_again = False, 0.0

    def router(self) -> APIRouter:
        """The paths."""
        router = APIRouter()
        router.add_api_route('/v1/packages', self.store, methods=['POST'])
        router.add_api_route('/v1/packages', self.packages, methods=['GET'])
        router.add_api_route('/v1/packages/{package_id}', self.package, methods=['GET'])
        router.add_api_route('/v1/packages/{package_id}/picture', self.picture, methods=['GET'])
        router.add_api_route('/v1/schema', self.schema, methods=['GET'])
        router.add_api_route('/healthz', self.health, methods=['GET'])
        return router

    async def store(self, request: Request) -> JSONResponse:
        """Keeps a package; answers when it is durable."""
        boundary = boundary_of(request.headers, self._limits)
        async with self._at_once:
            upload = await read_upload(boundary, request.stream(), self._limits)
            package_id, new = await run_in_threadpool(self._keep, upload)
        return JSONResponse({'id': package_id, 'stored': new}, HTTPStatus.CREATED if new else HTTPStatus.OK)

    def _keep(self, upload: Upload) -> tuple[str, bool]:
        package = read_package(upload.package)
        check_picture(package, upload.picture)
        return package.id, self._keeper.keep(package, upload.picture)

    def packages(self, request: Request) -> Response:
        """The packages that are asked for, newest first; next: where the following answer begins."""
        try:
            query = parse_query(request.query_params)
        except ValueError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        return _json(_listing(self._keeper.index.search(query)))

    def package(self, package_id: str) -> Response:
        """One document."""
        return _json(self._find(package_id).document)

    def picture(self, package_id: str, request: Request) -> Response:
        """One picture, as it was sent."""
        stored = self._find(package_id)
        headers = {'ETag': f'"{stored.picture_sha256}"', 'Cache-Control': 'private, max-age=86400, immutable'}
        if request.headers.get('if-none-match') == headers['ETag']:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        picture = self._keeper.picture(stored)
        if picture is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f'{package_id}: its picture is no longer in the storage')
        return Response(picture, media_type='image/jpeg', headers=headers)

    def schema(self) -> JSONResponse:
        """The JSON Schema of a document."""
        return JSONResponse(json_schema())

    async def health(self) -> JSONResponse:
        """Whether the index answers; nothing else, and looked at now and then only, because everybody may ask. Raises RefusedError."""
        async with self._looking:
            if time.monotonic() >= self._look_again:
                self._healthy, self._look_again = False, time.monotonic() + _HEALTH_PERIOD
                await run_in_threadpool(self._keeper.index.find, 'nothing')
                self._healthy = True
        if not self._healthy:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, 'the index did not answer as it should', retry_after=1)
        return JSONResponse({'status': 'ok'})

    def _find(self, package_id: str) -> Stored:
        stored = self._keeper.index.find(package_id) if is_package_id(package_id) else None
        if stored is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, 'there is no package with this id')
        return stored


def _listing(page: Page) -> str:
    # Documents are kept as JSON and not taken apart again.
    following = None if page.following is None else str(page.following)
    return f'{{"packages": [{", ".join(stored.document for stored in page.packages)}], "next": {json.dumps(following)}}}'


def _json(text: str) -> Response:
    return Response(text, media_type='application/json', headers={'Cache-Control': 'no-store'})
