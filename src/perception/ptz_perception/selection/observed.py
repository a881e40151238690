# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From what the pipeline saw in a picture to what a selection is told of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ptz_perception.detections import Image
from ptz_perception.pipeline import SeenObject
from ptz_perception.recognition.quality import hidden_shares
from ptz_perception.selection.base import TrackFacts
from ptz_perception.selection.sharpness import sharpness
from ptz_site import CameraPose


def track_facts(
    seen: Sequence[SeenObject], object_of: Callable[[int], str], picture: Image | None, camera: CameraPose | None
) -> tuple[TrackFacts, ...]:
    """Every track of a frame. object_of: a track's object, empty if it is not known.

    picture: BGR; None: sharpness is not measured. camera: None: pose towards the camera is not known.
    """
    if not seen:
        return ()
    hidden = hidden_shares(np.array([one.track.box for one in seen], float))
    return tuple(
        TrackFacts(
            one.track.track_id,
            object_of(one.track.track_id),
            one.track.class_name,
            one.track.observations,
            one.track.detection is not None,
            one.track.box,
            one.track.orientation,
            one.track.score,
            None if picture is None or one.track.detection is None else sharpness(picture, one.track.box),
            _frontality(one, camera),
            float(share),
        )
        for one, share in zip(seen, hidden, strict=True)
    )


def frontality(heading: float, place: tuple[float, float], camera: CameraPose) -> float:
    """(1 + cos) / 2 of the angle between where somebody goes (rad, map frame) and the direction to the camera: 1 is towards it, 0 away."""
    towards = math.atan2(camera.y - place[1], camera.x - place[0])
    return (1.0 + math.cos(heading - towards)) / 2.0


def _frontality(one: SeenObject, camera: CameraPose | None) -> float | None:
    if camera is None or one.heading is None or one.movement is None:
        return None
    return frontality(one.heading, one.movement.position, camera)
