# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From looked-at frames to packages that wait for the upload: asks the selection, and keeps the pictures that it may still choose."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ptz_node.images import encode_jpeg
from ptz_perception.detections import Image
from ptz_perception.pictures import EncodedFrame
from ptz_perception.pipeline import SeenObject
from ptz_perception.selection import Choice, Decision, FrameFacts, FrameKey, Selection, Urgency
from ptz_perception.selection.observed import track_facts
from ptz_site import CameraPose
from ptz_site.frame_package import (
    MOST_OBSERVATIONS,
    Box,
    CameraPosition,
    Exposure,
    FramePackage,
    Ground,
    Observation,
    package_id,
)

_JPEG = 'jpeg'
#: Of pictures that a camera sends as video: hardly visible losses.
_QUALITY = 92


@dataclass(frozen=True)
class FrameOrigin:
    """Where a frame comes from, for its package. position: pan, tilt (rad) and zoom (magnification), NaN where unknown."""

    region: str
    camera: str
    scene: str
    slot: int
    position: tuple[float, float, float]
    exposure: Exposure


@dataclass(frozen=True)
class _Kept:
    """A frame that may still be chosen."""

    facts: FrameFacts
    origin: FrameOrigin
    picture: bytes
    encoded_by_camera: bool
    seen: tuple[SeenObject, ...]


class BestFrames:
    """Of one camera. put takes what is chosen, and must not take long. camera: its pose, None if it is not calibrated.

    object_of: the region's name of a track in a driver's session, empty while it is not known. For one thread at a time: look() in the one
    that looks, everything else while that one rests.
    """

    def __init__(
        self,
        selection: Selection,
        camera: CameraPose | None,
        object_of: Callable[[int, int], str],
        put: Callable[[FramePackage, bytes], object],
    ) -> None:
        self._selection, self._camera, self._object_of, self._put = selection, camera, object_of, put
        self._kept: dict[FrameKey, _Kept] = {}
        self._segment: tuple[int, int] | None = None
        #: Pictures that were chosen, and those of them that no package could be made of; and why, the last time.
        self.chosen = self.failed = 0
        self.failure = ''

    def look(
        self, facts: FrameFacts, origin: FrameOrigin, frame: EncodedFrame, picture: Image, seen: Sequence[SeenObject]
    ) -> None:
        """Takes a frame of the camera at rest with all its tracks; picture: BGR, of the same frame."""
        if facts.segment != self._segment:
            self.end_segment()
        self._segment = facts.segment
        measured = picture if self._selection.by_sharpness else None
        tracks = track_facts(seen, lambda track_id: self._object_of(facts.session, track_id), measured, self._camera)
        decision = self._selection.look(facts, tracks)
        if facts.key in decision.keep or any(choice.frame == facts.key for choice in decision.choices):
            by_camera = frame.encoding == _JPEG
            data = frame.data if by_camera else encode_jpeg(picture, _QUALITY)
            self._kept[facts.key] = _Kept(facts, origin, data, by_camera, tuple(seen))
        self._follow(decision)

    def end_segment(self) -> None:
        """The camera does not rest any longer, or nobody will look: what waits is chosen.

        Better not at once: a moment after the last frame the region has said which objects its tracks are.
        """
        if self._segment is None or not self._kept:
            return
        session = self._segment[0]
        names = {track_id: self._object_of(session, track_id) for track_id in self._selection.nameless}
        self._follow(self._selection.end_segment(names))

    def _follow(self, decision: Decision) -> None:
        for choice in decision.choices:
            self.chosen += 1
            kept = self._kept[choice.frame]
            names = {one.track.track_id: self._object_of(kept.facts.session, one.track.track_id) for one in kept.seen}
            try:
                package = _package(kept, choice, names)
            except ValueError as error:
                self.failed += 1
                self.failure = f'no package of frame {choice.frame.sequence}: {str(error).splitlines()[0]}'
            else:
                self._put(package, kept.picture)
        self._kept = {key: kept for key, kept in self._kept.items() if key in decision.keep}


def exposure_of(mode: str, time: float, gain: float) -> Exposure:
    """mode: unknown, automatic or manual; time: s, 0 if unknown; gain: dB, NaN if unknown."""
    known = time if 0 < time < math.inf else None
    return Exposure.model_validate({'mode': mode, 'time': known, 'gain': _known(gain)})


def _package(kept: _Kept, choice: Choice, names: Mapping[int, str]) -> FramePackage:
    facts, origin = kept.facts, kept.origin
    pan, tilt, zoom = origin.position
    # Those that it was chosen for are there even if not everybody can be.
    seen = sorted(kept.seen, key=lambda one: one.track.track_id not in choice.track_ids)[:MOST_OBSERVATIONS]
    return FramePackage(
        id=package_id(origin.region, origin.camera, facts.session, facts.sequence),
        region=origin.region,
        camera=origin.camera,
        scene=origin.scene,
        slot=origin.slot,
        stamp_ns=facts.stamp_ns,
        session=facts.session,
        sequence=facts.sequence,
        exposure=origin.exposure,
        position=CameraPosition(pan=_known(pan), tilt=_known(tilt), zoom=_known(zoom)),
        width=facts.size[0],
        height=facts.size[1],
        encoded_by='camera' if kept.encoded_by_camera else 'perception',
        picture_bytes=len(kept.picture),
        picture_sha256=hashlib.sha256(kept.picture).hexdigest(),
        immediate=choice.urgency is Urgency.IMMEDIATE,
        observations=tuple(_observation(one, names[one.track.track_id], choice) for one in seen),
    )


def _observation(seen: SeenObject, object_id: str, choice: Choice) -> Observation:
    track, movement = seen.track, seen.movement
    x, y, width, height = track.box
    ground = None
    if movement is not None:
        (px, py), covariance = movement.position, movement.covariance
        spread = (float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 0]), float(covariance[1, 1]))
        ground = Ground(x=px, y=py, covariance=spread)
    return Observation(
        track_id=track.track_id,
        object_id=object_id,
        class_name=track.class_name,
        score=track.score,
        predicted=track.detection is None,
        # Clockwise, as pictures count; a track's is counter-clockwise as seen.
        box=Box(x=x, y=y, width=width, height=height, angle=-track.orientation),
        ground=ground,
        heading=seen.heading,
        target=seen.recognition.target,
        best=track.track_id in choice.track_ids,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
