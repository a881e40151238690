# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera's perception was told: the watchlist, the holds of the plan, and which track is which object."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ptz_collab_msgs.msg import ObjectArray
from ptz_perception.holding.holder import Sighting
from ptz_perception.pipeline import SeenObject
from ptz_perception.recognition.recogniser import Reference
from ptz_perception.recognition.watchlist import MarkShape, Target, Watchlist
from ptz_site import Hold, Plan, PlanBook

#: Objects of tracks that are remembered.
_MOST_OBJECTS = 2000


class KnownTargets:
    """Told in the executor, asked by the thread that looks as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchlist = Watchlist()
        self._plans = PlanBook()
        self._objects: dict[tuple[str, int, int], str] = {}

    def take_watchlist(self, watchlist: Watchlist) -> None:
        """A new watchlist."""
        with self._lock:
            self._watchlist = watchlist

    def take_plan(self, plan: Plan) -> None:
        """A plan, which may come into force later."""
        with self._lock:
            self._plans.take(plan)

    def take_objects(self, array: ObjectArray) -> None:
        """Objects of some camera's tracks."""
        with self._lock:
            for one in array.objects:
                self._objects[one.camera, one.session, one.track_id] = one.object_id
            while len(self._objects) > _MOST_OBJECTS:
                del self._objects[next(iter(self._objects))]

    def object_of(self, camera: str, session: int, track_id: int) -> str:
        """A track's object; empty if it is not known (yet)."""
        with self._lock:
            return self._objects.get((camera, session, track_id), '')

    def holds(self, now_ns: int) -> Sequence[Hold]:
        """What holds the rotation by the plan in force."""
        with self._lock:
            plan = self._plans.in_force(now_ns)
        return () if plan is None else plan.holds

    @property
    def marks(self) -> Mapping[str, Target]:
        """The targets by id."""
        with self._lock:
            return MappingProxyType(dict(self._watchlist.targets))

    def references(self, targets: Mapping[str, Target], now_ns: int) -> list[Reference]:
        """What these targets look like: as somebody said, and as who holds one sees it."""
        found = [Reference(target.target, target.kind, target.vector) for target in targets.values()]
        for hold in self.holds(now_ns):
            if hold.target in targets and hold.feature:
                found.append(Reference(hold.target, targets[hold.target].kind, np.asarray(hold.feature, np.float32)))
        return found

    def sightings(self, seen: Sequence[SeenObject]) -> list[Sighting]:
        """The targets among what was seen in this frame itself."""
        targets = self.marks
        return [
            _sighting(one, targets.get(one.recognition.target))
            for one in seen
            if one.recognition.target and one.track.detection is not None
        ]


def _sighting(seen: SeenObject, target: Target | None) -> Sighting:
    movement, known = seen.movement, seen.recognition
    feature = known.feature if known.feature is not None else np.zeros(0, np.float32)
    ground = None if movement is None else movement.position
    if target is None:
        return Sighting(known.target, '', MarkShape.BOX.value, False, feature, ground, seen.heading)
    return Sighting(known.target, target.mark_colour, target.mark_shape.value, target.hold, feature, ground, seen.heading)
