# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands for the watchlist of a region that runs: watch add, list, remove. 0 done, 1 refused."""

from __future__ import annotations

import getpass
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collab_bringup.operate import refused
from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import Target
from ptz_collab_msgs.srv import AddTarget, ListTargets, RemoveTarget
from ptz_node import names
from ptz_node.convert import time_to_ns
from ptz_site import NANOSECONDS, UserError

#: Bytes; a picture of one person is far below.
_LARGEST_PICTURE = 20_000_000


@dataclass(frozen=True)
class NewTarget:
    """What `watch add` was told. Either picture or feature (a JSON file of numbers) is given."""

    target: str
    picture: Path | None
    feature: Path | None
    kind: str = ''
    label: str = ''
    colour: str = ''
    shape: str = ''
    hold: bool = True


def add(region: str, new: NewTarget, out: Console) -> int:
    """Puts a target on the watchlist."""
    target = Target(
        target=new.target,
        label=new.label,
        kind=new.kind,
        mark_colour=new.colour,
        mark_shape=new.shape,
        hold=new.hold,
        added_by=_who(),
        feature=_feature(new.feature) if new.feature is not None else [],
    )
    request = AddTarget.Request(target=target, picture=_picture(new.picture) if new.picture is not None else b'')
    with RegionConsole(region) as console:
        answer = console.ask_perception(AddTarget, names.ADD_TARGET, request)
        if answer.error_code:
            return refused(answer.error_msg, out)
        out.print(f'{new.target} is on the watchlist of {console.region}', highlight=False)
        return 0


def remove(region: str, target: str, out: Console) -> int:
    """Takes a target off the watchlist."""
    with RegionConsole(region) as console:
        answer = console.ask_perception(RemoveTarget, names.REMOVE_TARGET, RemoveTarget.Request(target=target, removed_by=_who()))
        if answer.error_code:
            return refused(answer.error_msg, out)
        out.print(f'{target} is off the watchlist of {console.region}', highlight=False)
        return 0


def show(region: str, out: Console) -> int:
    """Lists the targets."""
    with RegionConsole(region) as console:
        targets = console.ask_perception(ListTargets, names.LIST_TARGETS, ListTargets.Request()).targets
        if not targets:
            out.print(f'nobody is on the watchlist of {console.region}', highlight=False)
            return 0
        table = Table()
        for heading in ('target', 'label', 'kind', 'mark', 'holds', 'added', 'by'):
            table.add_column(heading)
        for one in targets:
            added = datetime.fromtimestamp(time_to_ns(one.added) / NANOSECONDS).strftime('%Y-%m-%d %H:%M:%S')
            mark = f'[{one.mark_colour}]{one.mark_shape}[/]'
            held = 'yes' if one.hold else 'no'
            table.add_row(one.target, escape(one.label), one.kind, mark, held, added, escape(one.added_by))
        out.print(table)
        return 0


def _picture(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_PICTURE:
            raise UserError(f'{path} is larger than {_LARGEST_PICTURE // 1_000_000} MB; give a picture of the target alone')
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None


def _feature(path: Path) -> list[float]:
    try:
        found = json.loads(path.read_text())
        return [float(number) for number in found]
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise UserError(f'{path} has no feature; give a JSON file with a list of numbers') from None


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return 'unknown'
