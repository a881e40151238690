# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What files of a recording are called."""

from __future__ import annotations

from datetime import UTC, datetime

from ptz_site import NANOSECONDS


def part_name(region: str, what: str, stamp_ns: int) -> str:
    """Of one part of a recording; what: a scene, or the log. Sorted by name, the parts are in the order of time."""
    began = datetime.fromtimestamp(stamp_ns // NANOSECONDS, UTC)
    return f'{region}_{what}_{began:%Y%m%dT%H%M%SZ}'
