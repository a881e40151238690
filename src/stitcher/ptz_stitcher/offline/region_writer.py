# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Writes what the live stitcher writes, from the same events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ptz_stitcher.frames import recording_summary
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.number_set import NumberSet
from ptz_stitcher.offline.events import Event, FrameEvent, HeaderEvent, PlanEvent, StateEvent, TracksEvent
from ptz_stitcher.offline.naming import is_name
from ptz_stitcher.offline.parts import Parts
from ptz_stitcher.segments import Cut, FrameHeader
from ptz_stitcher.sequence_writer import SequenceSettings
from ptz_stitcher.storage import RollingLog, RollingSequence
from ptz_stitcher.storage.limits import FileLimits
from ptz_stitcher.summary import RecordingSummary
from ptz_stitcher.window import RotationWindow


@dataclass(frozen=True)
class RegionSettings:
    """Of a whole region. scenes: those that are written even if no frame comes. has_plans: only frames inside the rotation count."""

    region: str
    site: str
    out: Path
    cut: Cut
    scenes: tuple[str, ...]
    polygons: dict[str, tuple[tuple[float, float], ...]]
    has_plans: bool
    sequence: Callable[[str], SequenceSettings]
    #: From when on a file is full, and the next one begins.
    file_limits: FileLimits = field(default_factory=FileLimits)


class RegionWriter:
    """Takes events, about in the order of time; memory does not grow with their number."""

    def __init__(self, settings: RegionSettings) -> None:
        self._settings = settings
        self._parts = Parts(settings.out, settings.region, settings.file_limits)
        self._sequences = {scene: self._sequence(scene) for scene in settings.scenes}
        self._log = RollingLog(settings.region, settings.site, self._parts, durable=False)
        self._window = RotationWindow()
        self._losses = LossCounter()
        #: Frames that came already, by camera and session.
        self._seen: dict[tuple[str, int], NumberSet] = {}
        #: Frames that were taken before or after the rotation.
        self.outside = 0
        #: Frames whose camera or scene has no name that a site could give it: they become names of files.
        self.misnamed = 0

    def take(self, event: Event) -> None:
        """Writes what an event tells."""
        match event:
            case FrameEvent():
                self._take_frame(event)
            case HeaderEvent():
                self._log_header(event.header, event.message)
            case PlanEvent():
                self._window.take(event.plan)
                self._log.plan(event.message, event.plan.effective_at_ns)
            case StateEvent():
                self._log.state(event.camera, event.message, event.stamp_ns)
            case TracksEvent():
                self._log.tracks(event.camera, event.message, event.stamp_ns)
                if (sequence := self._sequences.get(event.scene)) is not None:
                    sequence.look(event.look)

    def close(self) -> RecordingSummary:
        """Writes what is left, and tells what there is."""
        for sequence in self._sequences.values():
            sequence.close()
        self._log.close()
        s = self._settings
        failures = (self._log.failure,) if self._log.failure else ()
        return recording_summary(s.region, s.site, s.cut, self._sequences, s.polygons, self._losses, 0, failures)

    def _sequence(self, scene: str) -> RollingSequence:
        return RollingSequence(self._settings.sequence(scene), self._parts)

    def _take_frame(self, event: FrameEvent) -> None:
        frame = event.frame
        header = frame.header
        if not (is_name(header.scene) and is_name(header.camera)):
            self.misnamed += 1
            return
        self._log_header(header, frame.header_message)
        if self._settings.has_plans and not self._window.holds(header.stamp_ns):
            self.outside += 1
            return
        sequence = self._sequences.get(header.scene)
        if sequence is None:
            sequence = self._sequences[header.scene] = self._sequence(header.scene)
        sequence.take(frame)

    def _log_header(self, header: FrameHeader, message: bytes) -> None:
        # Of a frame that two inputs have, one.
        if self._seen.setdefault((header.camera, header.session), NumberSet()).add(header.sequence):
            self._losses.take(header.camera, header.session, header.sequence)
            self._log.header(header.camera, message, header.stamp_ns)
