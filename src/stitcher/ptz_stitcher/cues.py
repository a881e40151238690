# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which cues a video has: what it shows from when to when. Pictures in, finished cues out; times in ns of ROS time."""

from __future__ import annotations

import json
from dataclasses import dataclass
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

    @property
    def state(self) -> tuple[object, ...]:
        """All but the marks, which are of one picture only."""
        return self.camera, self.slot, self.phase, self.targets

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
    _shown: tuple[Shown, ...] = ()
    _state: tuple[tuple[object, ...], ...] = ()
    _start_ns: int = 0
    _last_ns: int = 0

    def take(self, stamp_ns: int, shown: tuple[Shown, ...]) -> Cue | None:
        """A picture is shown. Returns the cue that ended with it."""
        state = tuple(one.state for one in shown)
        # It lasts until the next picture, unless that comes much later.
        goes_on = stamp_ns < self._last_ns + 3 * self.period_ns
        if goes_on and state == self._state and stamp_ns - self._start_ns < _LONGEST_NS and not any(one.marks for one in shown):
            self._last_ns = stamp_ns
            return None
        cue = self._cue(stamp_ns if goes_on else self._last_ns + self.period_ns)
        self._shown, self._state, self._start_ns, self._last_ns = shown, state, stamp_ns, stamp_ns
        return cue

    def finish(self) -> Cue | None:
        """The cue that is left."""
        cue = self._cue(self._last_ns + self.period_ns)
        self._shown, self._state = (), ()
        return cue

    def _cue(self, end_ns: int) -> Cue | None:
        return Cue(self._start_ns, end_ns, self._shown) if self._shown else None
