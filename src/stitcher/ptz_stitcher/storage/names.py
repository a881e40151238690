# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What files of a recording are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ptz_site import NANOSECONDS

#: The log of a region, as `what`.
LOG = 'region'
_TIME = r'\d{8}T\d{6}Z(-\d+)?'


def part_name(region: str, what: str, stamp_ns: int) -> str:
    """Of one part of a recording; what: a scene, or the log. Sorted by name, the parts are in the order of time."""
    began = datetime.fromtimestamp(stamp_ns // NANOSECONDS, UTC)
    return f'{region}_{what}_{began:%Y%m%dT%H%M%SZ}'


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """A name, or if it is taken the first one with a number behind it that is not."""
    number, free = 1, name
    while is_taken(free):
        number += 1
        free = f'{name}-{number}'
    return free


def parts_of(out: Path, what: str, region: str = '') -> list[Path]:
    """The bags of a recording, in the order of time: the one that is not rotated, and the parts. region empty: whichever it is."""
    return [out / name for name in names_of(out, what, region) if (out / name).is_dir()]


def names_of(out: Path, what: str, region: str = '') -> list[str]:
    """What the files of a recording are called before any dot, as for parts_of."""
    whole = [what] if any(entry.name.split('.')[0] == what for entry in out.glob(f'{what}*')) else []
    name = re.compile(f'{re.escape(region) or ".+"}_{re.escape(what)}_{_TIME}')
    stems = {entry.name.split('.')[0] for entry in out.glob(f'*_{what}_*')}
    return [*whole, *sorted((stem for stem in stems if name.fullmatch(stem)), key=_by_time)]


def _by_time(name: str) -> tuple[str, int]:
    stem, _, number = name.partition('Z-')
    return stem.rstrip('Z'), int(number or 1)
