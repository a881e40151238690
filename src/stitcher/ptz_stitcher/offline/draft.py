# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A folder that is there when it is whole: made under a hidden name beside its place, and put there at last."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType

from ptz_site import UserError


class Draft:
    """The hidden folder; with it the place is nobody else's. Raises UserError if the place is taken, or can't be written to.

    What a killed process left of its own is removed by the next one. Left by an exception, so is this one.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place.with_name(f'.{place.name}.draft')
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UserError(f'{place}: is there already and is never written over; give another folder with --out, or remove it')
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UserError(f"{place}: can't be made ({error.strerror}); give another folder with --out") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise UserError(f'{place}: is just being made by somebody else; wait, or give another folder with --out') from None
        self._empty()

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def finish(self) -> None:
        """Puts the folder in its place. Raises UserError if that is taken by now."""
        try:
            self.folder.rename(self.place)
        except OSError as error:
            raise UserError(f"{self.place}: can't be put there ({error.strerror}); give another folder with --out") from None

    def _empty(self) -> None:
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
