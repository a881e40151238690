# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The watchlist on disk, and the log of who changed it when."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ptz_perception.recognition.watchlist import MarkShape, Target, Watchlist, WatchlistError, WatchlistFault
from ptz_site import NANOSECONDS, UserError

_VERSION = 1


class _TargetEntry(BaseModel):
    model_config = ConfigDict(extra='forbid')

    target: str
    kind: str
    feature: list[float]
    label: str = ''
    mark_colour: str
    mark_shape: MarkShape = MarkShape.BOX
    hold: bool = True
    added: datetime
    added_by: str = ''


class _File(BaseModel):
    model_config = ConfigDict(extra='forbid')

    version: int
    targets: list[_TargetEntry]


class WatchlistFile:
    """<path> holds the list, <path>.log one line for every change: time, what, which target, who."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_path = path.with_name(path.name + '.log')

    def read(self) -> Watchlist:
        """The list; empty if there is no file yet. Raises UserError if the file is not one."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return Watchlist()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"watchlist: {self.path} can't be read: {error}") from None
        try:
            content = _File.model_validate_json(text)
            if content.version != _VERSION:
                raise UserError(f'watchlist: {self.path} is of version {content.version}; this program reads version {_VERSION}')
            return _listed([_target(entry) for entry in content.targets])
        except (ValidationError, WatchlistError) as error:
            reason = str(error.errors()[0]['msg']) if isinstance(error, ValidationError) else str(error)
            raise UserError(f'watchlist: {self.path} is damaged: {reason}; mend it, or move it away') from None

    def write(self, watchlist: Watchlist, action: str, target: str, who: str, now_ns: int) -> None:
        """Replaces the file as a whole, after the log has the change. Raises WatchlistError if it can't be written."""
        line = {'time': _time(now_ns).isoformat(), 'action': action, 'target': target, 'who': who}
        content = _File(version=_VERSION, targets=[_entry(one) for one in watchlist])
        fresh = self.path.with_name(self.path.name + '.new')
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.log_path.open('a') as log:
                log.write(json.dumps(line) + '\n')
                _to_disk(log.fileno())
            with fresh.open('w') as file:
                file.write(content.model_dump_json(indent=1))
                file.flush()
                _to_disk(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            raise WatchlistError(WatchlistFault.NOT_SAVED, f"{self.path} can't be written: {error.strerror}") from None


def _to_disk(number: int) -> None:
    os.fsync(number)


def _listed(targets: list[Target]) -> Watchlist:
    watchlist = Watchlist()
    for target in targets:
        watchlist = watchlist.with_target(target)
    return watchlist


def _target(entry: _TargetEntry) -> Target:
    added = round(entry.added.timestamp() * NANOSECONDS)
    return Target(
        entry.target,
        entry.kind,
        tuple(entry.feature),
        entry.label,
        entry.mark_colour,
        entry.mark_shape,
        entry.hold,
        added,
        entry.added_by,
    )


def _entry(target: Target) -> _TargetEntry:
    return _TargetEntry(
        target=target.target,
        kind=target.kind,
        feature=list(target.feature),
        label=target.label,
        mark_colour=target.mark_colour,
        mark_shape=target.mark_shape,
        hold=target.hold,
        added=_time(target.added_ns),
        added_by=target.added_by,
    )


def _time(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / NANOSECONDS, UTC)
