# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings must go: the oldest first, of those that are over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ptz_stitcher.storage.limits import KeepLimits


@dataclass(frozen=True)
class Part:
    """A part of a recording: what lies below one name. end_ns: ROS time of its end; None while it is being written. size: bytes."""

    name: str
    end_ns: int | None
    size: int


def surplus(parts: Iterable[Part], now_ns: int, limits: KeepLimits) -> list[Part]:
    """Those that must go, oldest first."""
    everything = list(parts)
    total = sum(part.size for part in everything)
    ended = sorted((part.end_ns, part.name, part) for part in everything if part.end_ns is not None)
    going = []
    for end_ns, _, part in ended:
        too_old = 0 < limits.age_ns < now_ns - end_ns
        too_much = 0 < limits.size < total
        if not too_old and not too_much:
            break
        going.append(part)
        total -= part.size
    return going
