# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Lets the dwell follow how long people stay (dwell: auto). Times in ns."""

from __future__ import annotations

from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import RotationState
from collab_coordinator.planning.turns import planned_turns, slowest_turn
from ptz_site import NANOSECONDS, Site, StayObserver, all_stays, suggest_dwell

#: A dwell that is right within this share stays, so that the rotation is not changed all the time.
_WORTH = 0.2


class AutoDwell:
    """Looks at the stays once a cycle, and changes the dwell of a rotation if another one fits clearly better."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.observer = StayObserver()
        self._looked_slot = 0

    def look(self, rotation: Rotation, slot: int, now_ns: int) -> bool:
        """Called several times a second, with the present slot; True if the dwell is changed."""
        slots = rotation.schedule.slots_per_cycle
        if rotation.state is not RotationState.STARTED or slot < self._looked_slot + slots:
            return False
        slowest = slowest_turn(planned_turns(self._site, rotation.schedule.orders))
        suggestion = suggest_dwell(all_stays(self.observer.stays()), slots, slowest.seconds if slowest else 0.0)
        dwell = rotation.dwell_ns / NANOSECONDS
        if suggestion is None or abs(suggestion.dwell / dwell - 1) <= _WORTH:
            self._looked_slot = slot
            return False
        changed = rotation.change_dwell(round(suggestion.dwell * NANOSECONDS), now_ns)
        if changed:
            self._looked_slot = slot
        return changed
