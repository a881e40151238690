# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The four rules by which a frame becomes a track's best one, and is sent. docs/decisions/0008-best-frames.md: how they are read."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ptz_perception.selection.base import FrameFacts, FrameKey, TrackFacts, Urgency
from ptz_perception.selection.geometry import area_share, edge_distance
from ptz_site.schema import SelectionSettings


@dataclass(frozen=True)
class Showing:
    """How one frame shows one track. edge: px from the box to the picture's edge; area: px^2; share: of the picture's area.

    well_exposed: with a fixed exposure, or by a camera that has none.
    """

    frame: FrameKey
    stamp_ns: int
    track_id: int
    edge: float
    score: float
    well_exposed: bool
    area: float
    share: float


def showing(frame: FrameFacts, track: TrackFacts) -> Showing:
    """What the rules compare."""
    return Showing(
        frame.key,
        frame.stamp_ns,
        track.track_id,
        edge_distance(track.box, track.orientation, frame.size),
        track.score,
        frame.well_exposed,
        track.box[2] * track.box[3],
        area_share(track.box, frame.size),
    )


def qualifies(track: TrackFacts, settings: SelectionSettings) -> bool:
    """Rule 1: it was detected in this frame, and if not for the first time, is large and sure enough."""
    if not track.detected:
        return False
    if track.observations <= 1:
        return True
    large = track.box[2] >= settings.min_width and track.box[3] >= settings.min_height
    return large and track.score >= settings.score_1


def is_better(new: Showing, last: Showing | None, settings: SelectionSettings) -> bool:
    """Rule 2: in no respect worse than the last best, away from the edge, and well exposed. The first one founds the best."""
    if last is None:
        return True
    return (
        new.edge >= last.edge
        and new.edge >= settings.edge_1
        and new.score >= last.score
        and new.well_exposed
        and new.area >= last.area
    )


def is_taken(frame: FrameKey, uploaded: Set[FrameKey]) -> bool:
    """Rule 3: another track has chosen it already, so that the receiver has it, with all its tracks."""
    return frame in uploaded


def urgency(best: Showing, settings: SelectionSettings) -> Urgency:
    """Rule 4: large, sure, and far from the edge goes at once, everything else through the queue."""
    at_once = best.share > settings.area_share and best.score >= settings.score_2 and best.edge > settings.edge_2
    return Urgency.IMMEDIATE if at_once else Urgency.QUEUED
