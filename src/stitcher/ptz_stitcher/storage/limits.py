# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long recordings grow, how long they are kept, and how much of the disk is left to others. Values alone."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import NANOSECONDS
from ptz_site.schema import StitcherSettings

_MEGABYTE, _GIGABYTE, _DAY_NS = 1_000_000, 1_000_000_000, 86_400 * NANOSECONDS


@dataclass(frozen=True)
class FileLimits:
    """Of one file: its time and its size; 0: without limit."""

    time_ns: int = 0
    size: int = 0

    @property
    def rotates(self) -> bool:
        """Whether a recording is more than one file."""
        return self.time_ns > 0 or self.size > 0


@dataclass(frozen=True)
class KeepLimits:
    """Of what is over: its age and its size with all that is being written; 0: without limit."""

    age_ns: int = 0
    size: int = 0


@dataclass(frozen=True)
class StorageLimits:
    """All of them. least_free: bytes of the disk that are left alone."""

    file: FileLimits = FileLimits()
    keep: KeepLimits = KeepLimits()
    least_free: int = 0


def storage_limits(settings: StitcherSettings) -> StorageLimits:
    """As the site says."""
    return StorageLimits(
        FileLimits(round(settings.file_minutes * 60 * NANOSECONDS), round(settings.file_megabytes * _MEGABYTE)),
        KeepLimits(round(settings.keep_days * _DAY_NS), round(settings.keep_gigabytes * _GIGABYTE)),
        round(settings.least_free_megabytes * _MEGABYTE),
    )
