# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the live stitcher and the one for recordings share: headers out of messages, settings out of a site, the summary at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ptz_site import NANOSECONDS, Mark, Phase, Site
from ptz_site.schema import StitcherSettings
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.policies import Encode, Together
from ptz_stitcher.retouch import Box, Look, Redact, RedactBy, RetouchSettings, Sighting
from ptz_stitcher.segments import Cut, FrameHeader, SceneCutter
from ptz_stitcher.sequence_writer import SequenceSettings
from ptz_stitcher.summary import RecordingSummary, SceneSummary

#: Track.SOURCE_DETECTED.
_DETECTED = 0


def frame_header(preset: Any) -> FrameHeader:
    """The header of a PresetHeader message, whether it came over a topic or out of a bag."""
    return FrameHeader(
        camera=preset.camera,
        scene=preset.scene,
        session=preset.session,
        sequence=preset.sequence,
        stamp_ns=time_ns(preset.header.stamp),
        phase=Phase(preset.phase),
        marks=Mark(preset.marks),
        switch_start_ns=time_ns(preset.switch_start),
        arrived_ns=time_ns(preset.arrived),
        slot=preset.slot,
    )


def look_of(tracks: Any) -> Look:
    """What a TrackArray message tells of a picture, wherever it came from."""
    header = frame_header(tracks.preset)
    sightings = tuple(
        Sighting(
            track=track.track_id,
            box=_box(track.detection),
            detected=track.source == _DETECTED,
            target=track.target,
            colour=track.mark_colour,
            shape=track.mark_shape,
        )
        for track in tracks.tracks
    )
    return Look(header.segment_key, header.arrived_ns, time_ns(tracks.header.stamp), (tracks.width, tracks.height), sightings)


def _box(detection: Any) -> Box:
    """The upright box around a turned one."""
    cosine, sine = abs(math.cos(detection.orientation)), abs(math.sin(detection.orientation))
    half_width = (cosine * detection.width + sine * detection.height) / 2
    half_height = (sine * detection.width + cosine * detection.height) / 2
    x, y = detection.center_x, detection.center_y
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def time_ns(time: Any) -> int:
    """Nanoseconds of a time or duration message."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def sequence_settings(site: Site, site_path: str, scene: str, out: Path, cut: Cut) -> SequenceSettings:
    """How the sequence of a scene is written, as the site says."""
    settings = site.stitcher
    slowest = min(camera.rate for camera in site.cameras.values())
    return SequenceSettings(
        region=site.region.name,
        scene=scene,
        site=site_path,
        out=out,
        cut=cut,
        reorder_ns=round(settings.reorder * NANOSECONDS),
        period_ns=round(NANOSECONDS / slowest),
        bag=settings.bag,
        video=settings.video,
        together=Together(settings.together),
        encode=Encode(settings.encode),
        pictures=settings.pictures,
        retouch=retouch_settings(settings),
    )


def retouch_settings(settings: StitcherSettings) -> RetouchSettings:
    """What is done to pictures, as the site says."""
    return RetouchSettings(Redact(settings.redact), RedactBy(settings.redact_by), settings.draw_targets)


class Recorded(Protocol):
    """A sequence, of one file or of many."""

    @property
    def cutter(self) -> SceneCutter:
        """Its segments."""

    @property
    def written(self) -> int:
        """Frames in the bag."""

    @property
    def before_keyframe(self) -> int:
        """Frames in the bag only."""

    @property
    def wholly_hidden(self) -> int:
        """Frames of which everything is hidden."""

    @property
    def failures(self) -> Sequence[str]:
        """What could not be written, a line each."""


def recording_summary(
    region: str,
    site_path: str,
    cut: Cut,
    sequences: Mapping[str, Recorded],
    polygons: Mapping[str, Sequence[tuple[float, float]]],
    losses: LossCounter,
    refused: int,
    failures: tuple[str, ...],
) -> RecordingSummary:
    """What summary.json tells of sequences that are closed. refused: frames that the disk was too slow for."""
    scenes = tuple(
        SceneSummary(
            scene=scene,
            frames=s.written,
            segments=sum(bool(g.kept) for g in s.cutter.segments),
            late=s.cutter.late,
            doubled=s.cutter.doubled,
            failures=tuple(s.failures),
            polygon=tuple(polygons.get(scene, ())),
            before_keyframe=s.before_keyframe,
            wholly_hidden=s.wholly_hidden,
            marks=s.cutter.marks,
        )
        for scene, s in sequences.items()
    )
    return RecordingSummary(region, site_path, cut.value, scenes, losses.frames(), losses.lost(), refused, failures)
