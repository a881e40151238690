# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the user chose for a receiver, and the secret that clients must know."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ptz_site import UserError

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000
DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True)
class ReceiveRequest:
    """What the user asked for, as the command line names it. The token is never among it.

    max_mb: MB of a picture. rate: requests of one client, 1/s. keep_days, keep_gb: none: everything is kept.
    """

    folder: Path
    port: int
    host: str = '127.0.0.1'
    token_file: str = ''
    token_env: str = ''
    certificate: Path | None = None
    key: Path | None = None
    max_mb: float = 20.0
    rate: int = 50
    keep_days: float | None = None
    keep_gb: float | None = None
    s3_bucket: str = ''
    s3_endpoint: str = ''
    s3_prefix: str = ''


@dataclass(frozen=True)
class UploadLimits:
    """How much one upload may be. Whatever is beyond is neither kept in memory nor on disk."""

    #: Bytes of a picture.
    picture: int = 20 * MEGABYTE
    #: Bytes of a document: a thousand observations, the most that there may be, take half of it.
    document: int = MEGABYTE
    #: Bytes of everything else: boundaries and headers of two parts.
    frame: int = 16_384
    #: Seconds for a body to come.
    seconds: float = 60.0
    #: Uploads whose bodies are in memory at the same time; others wait.
    at_once: int = 16

    @property
    def body(self) -> int:
        """Bytes of a whole body."""
        return self.picture + self.document + self.frame


def read_token(token_file: str, token_env: str) -> str:
    """The token that clients must know. Raises UserError."""
    if token_env:
        if not os.environ.get(token_env):
            raise UserError(f'--token-env: the environment has no {token_env}; export it before the start')
        return _usable(os.environ[token_env].strip(), f'--token-env: {token_env}')
    if not token_file:
        raise UserError('no token: give --token-file FILE or --token-env NAME; clients must know it')
    path = Path(token_file).expanduser()
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'not a text file'
        raise UserError(f"--token-file: {path} can't be read ({reason}); its first line shall be the token") from None
    if not lines or not lines[0].strip():
        raise UserError(f'--token-file: {path} is empty; its first line shall be the token')
    return _usable(lines[0].strip(), f'--token-file: {path}')


def _usable(token: str, where: str) -> str:
    # Others can't be sent in a header of HTTP.
    if not all('!' <= character <= '~' for character in token):
        raise UserError(f'{where}: the token has a blank or a character beyond ASCII; make one with: openssl rand -hex 32')
    return token
