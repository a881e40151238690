# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""When to say again which tracks of a camera are which objects: at once when that changes, else now and then. Times in ns."""

from __future__ import annotations

from collections.abc import Sequence

from ptz_perception.identity.register import RegionObject
from ptz_site import NANOSECONDS

#: What has not changed is said again after so long: each perception hears of all cameras, which is what grows with their square.
AGAIN_NS = NANOSECONDS // 2

_Known = frozenset[tuple[int, int, str, str]]


class ObjectNews:
    """What was last said of each camera."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[int, _Known]] = {}

    def is_due(self, camera: str, objects: Sequence[RegionObject], stamp_ns: int) -> bool:
        """Whether to say it; it counts as said then. objects: of the camera's tracks at a frame; stamp_ns: the frame's."""
        known = frozenset((one.track.session, one.track.track_id, one.object_id, one.target) for one in objects)
        said = self._said.get(camera)
        # Stamps go back when a clock is set back.
        if said is not None and said[1] == known and 0 <= stamp_ns - said[0] < AGAIN_NS:
            return False
        self._said[camera] = (stamp_ns, known)
        return True
