# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What goes when not everything may be kept: the oldest first.

By when it was received, so that a camera with a wrong clock can't remove pictures of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True)
class Retention:
    """What is kept. None: without limit."""

    age_ns: int | None = None
    total_bytes: int | None = None

    @property
    def everything(self) -> bool:
        """Nothing ever goes."""
        return self.age_ns is None and self.total_bytes is None


class Kept(Protocol):
    """What must be known of a picture to decide about it."""

    @property
    def received_ns(self) -> int:
        """Since 1970, ns."""

    @property
    def picture_bytes(self) -> int:
        """Of the picture."""


_T = TypeVar('_T', bound=Kept)


def surplus(oldest: Sequence[_T], total_bytes: int, now_ns: int, rule: Retention) -> list[_T]:
    """Those that must go. oldest: the oldest ones, oldest first. total_bytes: of all that are kept."""
    going = []
    for one in oldest:
        too_old = rule.age_ns is not None and one.received_ns < now_ns - rule.age_ns
        too_much = rule.total_bytes is not None and total_bytes > rule.total_bytes
        if not too_old and not too_much:
            break
        going.append(one)
        total_bytes -= one.picture_bytes
    return going
