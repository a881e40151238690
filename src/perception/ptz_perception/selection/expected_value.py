# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How much a frame is expected to show of somebody: one number, comparable between the frames of one track or object."""

from __future__ import annotations

import math

from ptz_perception.selection.base import FrameFacts, TrackFacts
from ptz_perception.selection.geometry import area_share, edge_distance, inside_share

#: What an unknown value is worth: its mean over everything that it could be.
_UNKNOWN_FRONTALITY, _UNKNOWN_SHARPNESS = 0.5, 0.5
#: From behind somebody is still shown: clothes, bags.
_LEAST_FRONTALITY = 0.1
#: px from the edge within which a box is taken as cut off; and what is left of its worth, because how much is missing is not seen.
_EDGE, _CUT_OFF = 3.0, 0.5
#: Of the worth, with an exposure that may be long enough to blur who walks, although the camera can do better.
_AUTOMATIC = 0.8
#: Share of a box behind nearer ones from which on it shows nobody in particular.
_MOST_HIDDEN = 0.8


def expected_value(frame: FrameFacts, track: TrackFacts) -> float:
    """0 to 1: completeness, size, sharpness, pose, exposure and occlusion, multiplied: one that is bad is not made up for by another."""
    return expected_value_of(worth(frame, track), pose(track.frontality))


def expected_value_of(worth_of: float, pose_of: float) -> float:
    """The same of its two parts."""
    return worth_of * pose_of


def worth(frame: FrameFacts, track: TrackFacts) -> float:
    """All but the pose, which is known better later. 0 to 1."""
    return (
        completeness(frame, track)
        * size(frame, track)
        * sharpness(track)
        * (1.0 if frame.well_exposed else _AUTOMATIC)
        * max(0.0, 1.0 - track.hidden / _MOST_HIDDEN)
    )


def completeness(frame: FrameFacts, track: TrackFacts) -> float:
    """Share of somebody that is in the picture, 0 to 1."""
    inside = inside_share(track.box, track.orientation, frame.size)
    return inside * (1.0 if edge_distance(track.box, track.orientation, frame.size) > _EDGE else _CUT_OFF)


def size(frame: FrameFacts, track: TrackFacts) -> float:
    """Lengths count, not areas: twice the resolution is twice as good. 0 to 1, 1 fills the picture."""
    return math.sqrt(min(1.0, area_share(track.box, frame.size)))


def pose(frontality: float | None) -> float:
    """Expected, 0.1 to 1."""
    known = _UNKNOWN_FRONTALITY if frontality is None else frontality
    return _LEAST_FRONTALITY + (1.0 - _LEAST_FRONTALITY) * known


def sharpness(track: TrackFacts) -> float:
    """As measured, 0 to 1."""
    return _UNKNOWN_SHARPNESS if track.sharpness is None else track.sharpness
