# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Passwords of cameras: from a file or from the environment, never from the site file itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ptz_site.errors import UserError
from ptz_site.schema import OnvifCamera


@dataclass(frozen=True)
class Credentials:
    """A user and a password. An empty user: none is needed. The password is not shown when this is printed."""

    user: str = ''
    password: str = field(default='', repr=False)


def camera_credentials(site_file: str | Path, name: str, camera: OnvifCamera) -> Credentials:
    """What a camera of a site asks for. Raises UserError."""
    try:
        return read_credentials(camera.user, camera.password_file, camera.password_env, Path(site_file).parent)
    except UserError as error:
        raise UserError(f'cameras.{name}.{error}') from None


def read_credentials(user: str, password_file: str, password_env: str, folder: Path = Path()) -> Credentials:
    """The user's password. folder: what the file's path is relative to. Raises UserError whose message begins with the key."""
    if not user:
        return Credentials()
    if password_env:
        if password_env not in os.environ:
            raise UserError(f'password_env: the environment has no {password_env}; export it before the start')
        return Credentials(user, os.environ[password_env])
    path = folder / Path(password_file).expanduser()
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'not a text file'
        raise UserError(f"password_file: {path} can't be read ({reason}); its first line shall be the password") from None
    if not lines or not lines[0].strip():
        raise UserError(f'password_file: {path} is empty; its first line shall be the password')
    return Credentials(user, lines[0].strip())
