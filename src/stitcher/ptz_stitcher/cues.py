# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which cues a video has: what it shows from when to when. Pictures in, finished cues out; times in ns of ROS time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from ptz_site import NANOSECONDS, Mark, Phase

#: A cue is written when it has ended; so a killed process leaves all but the last two seconds.
_LONGEST_NS = 2 * NANOSECONDS


@dataclass(frozen=True)
class Shown:
    """How a camera stands whose picture is shown. targets: watchlist ids of the targets in it, sorted."""

    camera: str
    slot: int
    phase: Phase
    marks: Mark
    targets: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            'camera': self.camera,
            'slot': self.slot,
            'phase': self.phase.name.lower(),
            'marks': [mark.name.lower() for mark in Mark if mark and mark in self.marks and mark.name],
            'targets': list(self.targets),
        }


@dataclass(frozen=True)
class Cue:
    """What is shown from an instant to another; several cameras side by side in a mosaic."""

    start_ns: int
    end_ns: int
    shown: tuple[Shown, ...]

    def text(self, scene: str) -> str:
        """One line of JSON. `-->` can't be in a cue, so `>` is escaped."""
        if len(self.shown) == 1:
            content = {'scene': scene, **self.shown[0].content(), 'stamp_ns': self.start_ns}
        else:
            content = {'scene': scene, 'cameras': [one.content() for one in self.shown], 'stamp_ns': self.start_ns}
        return json.dumps(content, ensure_ascii=False).replace('>', '\\u003e')


@dataclass
class CueTrack:
    """Follows the pictures of one video, in order. A cue ends when anything changes, at a mark, and after two seconds.

    period_ns: between two pictures of a camera; a gap of several is no part of a cue.
    """

    period_ns: int
    _open: Cue | None = field(default=None, init=False)

    def take(self, stamp_ns: int, shown: tuple[Shown, ...]) -> Cue | None:
        """A picture is shown. Returns the cue that ended with it."""
        cue = self._open
        if cue is not None and self._goes_on(cue, stamp_ns, shown):
            self._open = replace(cue, end_ns=stamp_ns + self.period_ns)
            return None
        self._open = Cue(stamp_ns, stamp_ns + self.period_ns, shown)
        # It lasts until the next picture, unless that comes much later.
        return replace(cue, end_ns=stamp_ns) if cue is not None and stamp_ns < cue.end_ns + 2 * self.period_ns else cue

    def finish(self) -> Cue | None:
        """The cue that is left."""
        cue, self._open = self._open, None
        return cue

    def _goes_on(self, cue: Cue, stamp_ns: int, shown: tuple[Shown, ...]) -> bool:
        if stamp_ns - cue.start_ns >= _LONGEST_NS or stamp_ns >= cue.end_ns + 2 * self.period_ns:
            return False
        return not any(one.marks for one in shown) and _without_marks(shown) == _without_marks(cue.shown)


def _without_marks(shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return tuple(replace(one, marks=Mark.NONE) for one in shown)
