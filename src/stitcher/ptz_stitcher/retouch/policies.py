# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What may be done to pictures on their way into videos and folders of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Redact(Enum):
    """Who is hidden."""

    NONE = 'none'
    #: Everything that perception tracks.
    EVERYBODY = 'everybody'
    #: Everybody but targets of the watchlist.
    OTHERS = 'others'


class RedactBy(Enum):
    """How. Both leave the same few values of each region."""

    PIXELATE = 'pixelate'
    BLUR = 'blur'


@dataclass(frozen=True)
class RetouchSettings:
    """draw_targets: burn in the marks of targets."""

    redact: Redact = Redact.NONE
    by: RedactBy = RedactBy.PIXELATE
    draw_targets: bool = False

    @property
    def needed(self) -> bool:
        """Whether anything is done; pictures are decoded and encoded for it."""
        return self.hides or self.draw_targets

    @property
    def hides(self) -> bool:
        """Whether anybody is hidden."""
        return self.redact is not Redact.NONE

    @property
    def what(self) -> str:
        """For people, in a few words; empty if nothing is done."""
        hidden = {Redact.NONE: '', Redact.EVERYBODY: 'everybody hidden', Redact.OTHERS: 'everybody but targets hidden'}[
            self.redact
        ]
        return ', '.join(filter(None, (hidden, 'targets marked' if self.draw_targets else '')))
