# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as objects of an S3-compatible storage: PREFIX/YYYY/MM/DD/ID.jpg."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ptz_receiver.errors import StorageError, StorageFullError
from ptz_receiver.storage.base import checked_key
from ptz_site import UserError

#: What storages say when they have no room.
_NO_ROOM = frozenset({'QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded'})
_ABSENT = frozenset({'NoSuchKey', '404', 'NotFound'})


class S3Storage:
    """A bucket. The credentials are found as boto3 finds them: environment, ~/.aws, the machine's role."""

    def __init__(self, bucket: str, endpoint: str = '', prefix: str = '') -> None:
        """endpoint: URL; empty: Amazon's. Raises UserError."""
        self._bucket, self._endpoint = bucket, endpoint
        self._prefix = f'{prefix.strip("/")}/' if prefix.strip('/') else ''
        config = Config(
            connect_timeout=5,
            read_timeout=20,
            retries={'total_max_attempts': 2},
            max_pool_connections=16,
            # Many compatible storages know no others than MD5, which is given with every picture.
            request_checksum_calculation='when_required',
            response_checksum_validation='when_required',
        )
        try:
            self._client: Any = boto3.client('s3', endpoint_url=endpoint or None, config=config)
        except (BotoCoreError, ValueError) as error:
            raise UserError(
                f"--s3-endpoint, --s3-bucket: can't be used ({error}); give a URL such as https://s3.example.org"
            ) from None

    def check(self) -> None:
        """Whether the bucket is there and may be used. Raises UserError."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            remedy = {
                '404': 'it does not exist; create it, or give another --s3-bucket',
                '403': 'access is refused; check the credentials and what they are allowed to do',
            }
            code = _code(error)
            raise UserError(f'--s3-bucket: {self._bucket}: {remedy.get(code, f"{error}; check name and endpoint")}') from None
        except (BotoCoreError, ValueError) as error:
            raise UserError(
                f'--s3-bucket: {self._bucket}: {error}; check --s3-endpoint, the network, and the credentials (as for the aws command)'
            ) from None

    def put(self, key: str, picture: bytes) -> None:
        """Keeps a picture; see PictureStorage."""
        digest = base64.b64encode(hashlib.md5(picture, usedforsecurity=False).digest()).decode()
        self._call(
            'put_object',
            Key=self._key(key),
            Body=picture,
            ContentType='image/jpeg',
            ContentLength=len(picture),
            ContentMD5=digest,
        )

    def get(self, key: str) -> bytes | None:
        """The picture; see PictureStorage."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            return bytes(answer['Body'].read())
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise _storage_error(error) from error
        except BotoCoreError as error:
            raise _storage_error(error) from error

    def remove(self, key: str) -> None:
        """Removes a picture; see PictureStorage."""
        self._call('delete_object', Key=self._key(key))

    def _key(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _call(self, operation: str, **arguments: object) -> None:
        try:
            getattr(self._client, operation)(Bucket=self._bucket, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise _storage_error(error) from error


def _code(error: ClientError) -> str:
    return str(error.response.get('Error', {}).get('Code', ''))


def _storage_error(error: Exception) -> StorageError:
    # What the storage said is for the log; the client can't mend it.
    if isinstance(error, ClientError) and _code(error) in _NO_ROOM:
        return StorageFullError()
    return StorageError('the object storage does not answer as it should; send it again later')
