# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a selection is told of frames and tracks, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ptz_perception.locating.ground import Box

#: Frames that wait at once, of one camera: whoever holds their pictures needs memory for so many, and for one more.
MOST_KEPT = 24


@dataclass(frozen=True, order=True)
class FrameKey:
    """Names a frame of one camera: the driver's session, and the frame's number in it."""

    session: int
    sequence: int


@dataclass(frozen=True)
class FrameFacts:
    """A frame of a camera at rest.

    size: width, height in px. exposure_manual: time and gain were fixed; manual_possible: the driver says that they can be
    (CameraState.manual_exposure_possible; false while it has said nothing). switch_start_ns: when the turn to this scene was commanded.
    """

    stamp_ns: int
    session: int
    sequence: int
    switch_start_ns: int
    size: tuple[int, int]
    exposure_manual: bool = False
    manual_possible: bool = False

    @property
    def key(self) -> FrameKey:
        """Names it."""
        return FrameKey(self.session, self.sequence)

    @property
    def segment(self) -> tuple[int, int]:
        """The same for all frames between two turns; tracks live no longer."""
        return self.session, self.switch_start_ns

    @property
    def well_exposed(self) -> bool:
        """By hand, if the camera can do that at all."""
        return self.exposure_manual or not self.manual_possible


@dataclass(frozen=True)
class TrackFacts:
    """A track that is alive at a frame.

    object_id: empty while it is not known. observations: detections so far; detected: one of them in this frame. box: centre x, y,
    width, height in px; orientation: rad, counter-clockwise as seen, 0 upright. score: of its newest detection, 0 to 1.
    Only the quality needs these: sharpness (0 to 1), frontality (0: from behind, 1: looks at the camera), None where they are not known;
    hidden: share of the box that others nearer to the camera cover.
    """

    track_id: int
    object_id: str
    class_name: str
    observations: int
    detected: bool
    box: Box
    orientation: float
    score: float
    sharpness: float | None = None
    frontality: float | None = None
    hidden: float = 0.0


class Urgency(Enum):
    """How a frame is sent."""

    IMMEDIATE = 'immediate'
    QUEUED = 'queued'


@dataclass(frozen=True)
class Choice:
    """A frame that is to be sent now, this one or an earlier one that was kept. track_ids: whom it shows best; ids ascend."""

    frame: FrameKey
    track_ids: tuple[int, ...]
    urgency: Urgency


@dataclass(frozen=True)
class Decision:
    """choices: what is to be sent, no frame twice. keep: frames that may still be chosen; all others may be dropped after that."""

    choices: tuple[Choice, ...] = ()
    keep: frozenset[FrameKey] = frozenset()


@dataclass(frozen=True)
class Remembered:
    """How much a selection remembers: for diagnostics."""

    tracks: int = 0
    objects: int = 0
    frames: int = 0


class Selection(Protocol):
    """Chooses frames of one camera. The same frames give the same choices."""

    @property
    def by_sharpness(self) -> bool:
        """Whether it wants to know how sharp somebody is, which costs some time."""
        ...

    def look(self, frame: FrameFacts, tracks: Sequence[TrackFacts]) -> Decision:
        """Takes the next frame with all tracks that are alive, in any order.

        A frame of another segment, or of an earlier time, ends the segment before it first. Raises ValueError for a track id that
        is there twice.
        """
        ...

    def end_segment(self, objects: Mapping[int, str] | None = None) -> Decision:
        """Ends all tracks, because the camera turns, has a fault, or nobody will look any longer: what waits is chosen.

        objects: ids of tracks' objects that became known after their last frame. Keeps what is known of objects.
        """
        ...

    @property
    def nameless(self) -> tuple[int, ...]:
        """Tracks that have something waiting and whose object is not known: worth asking for before the segment ends."""
        ...

    @property
    def remembered(self) -> Remembered:
        """How much is remembered."""
        ...
