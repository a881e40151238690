# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to one picture: detect, track, locate, recognise. Without ROS and clock: the same frames give the same tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ptz_perception.attention import Attention
from ptz_perception.density import PictureHeats
from ptz_perception.detections import Boxes, Image
from ptz_perception.detectors.base import Detector, Guide
from ptz_perception.facing.headings import Facings, turned_to
from ptz_perception.facing.model import FacingModel
from ptz_perception.hot_parts import HotParts
from ptz_perception.locating.ground import GroundPoint, locate, view_of
from ptz_perception.locating.movement import Movement, Movements
from ptz_perception.recognition.embedders.base import Embedder
from ptz_perception.recognition.recogniser import Recogniser, Recognition, Reference, crop_of
from ptz_perception.tracking.byte_tracker import ByteTracker, TrackerSettings
from ptz_perception.tracking.tracks import Track
from ptz_site import Site

#: Ids of tracks begin at the first frame's sequence number times this: unique in a driver's session also after a restart of this node.
_IDS_PER_FRAME = 100


@dataclass(frozen=True)
class FrameView:
    """What a frame of a camera at rest shows. Angles in rad, zoom a magnification; NaN where the camera does not know."""

    stamp_ns: int
    session: int
    sequence: int
    switch_start_ns: int
    scene: str
    pan: float
    tilt: float
    zoom: float


@dataclass(frozen=True)
class SeenObject:
    """A track at one frame, and what is known of it. point: measured in this frame; heading in rad, map frame: where it walks or looks."""

    track: Track
    point: GroundPoint | None = None
    movement: Movement | None = None
    heading: float | None = None
    recognition: Recognition = field(default_factory=Recognition)


class CameraPipeline:
    """Looks at the frames of one camera, in their order.

    Raises ValueError, by look(), if the picture can't be looked at.
    """

    def __init__(
        self, site: Site, camera: str, detector: Detector, embedders: Mapping[str, Embedder], facing: FacingModel | None = None
    ) -> None:
        """facing: tells from pictures where targets look; None: only where they walk is known."""
        self._facing_model = facing
        self._camera, self._settings, self._scenes = site.cameras[camera], site.perception, site.scenes
        self._detector, self._embedders = detector, embedders
        self._heats = PictureHeats()
        self._segment: tuple[int, int] | None = None
        self._newest_ns = 0
        #: Of the tracks at the newest frame.
        self._boxes: Boxes = np.empty((0, 5))
        self._begin(1, '')

    def look(self, picture: Image, frame: FrameView, references: Sequence[Reference] = ()) -> tuple[SeenObject, ...]:
        """Every track that is alive, in the order of their ids."""
        self._begin_if_turned(frame)
        parts = None if self._attention is None else self._attention.parts(picture, frame.stamp_ns, self._boxes)
        detections = self._detector.detect(picture, parts)
        tracks = self._tracker.update(detections, frame.stamp_ns)
        self._boxes = tracks.boxes
        size = (picture.shape[1], picture.shape[0])
        if self._detector.guide is Guide.HEAT:
            self._heats.take(frame.scene, frame.stamp_ns, detections.boxes, size)
        known = self._recogniser.look(tracks, picture, references, detections.vectors)
        alive = set(map(int, tracks.ids))
        self._movements.keep(alive)
        if self._facings is not None:
            self._facings.keep(alive)
        view = view_of(self._camera, frame.pan, frame.tilt, frame.zoom)
        found = []
        for track in tracks:
            height = self._settings.heights.get(track.class_name)
            # A predicted box has no feet of its own: what it says is in the movement already.
            point = locate(view, track.box, size, height) if view is not None and track.detection is not None else None
            movement = self._movements.take(track.track_id, point, frame.stamp_ns)
            recognition = known[track.track_id]
            if recognition.target:
                self._look_at_facing(track, movement, picture, frame.stamp_ns)
            found.append(SeenObject(track, point, movement, self._heading(track, movement, frame.stamp_ns), recognition))
        return tuple(found)

    def _look_at_facing(self, track: Track, movement: Movement | None, picture: Image, stamp_ns: int) -> None:
        """Only targets are looked at: of nobody else anything depends on it."""
        if self._facings is None or self._facing_model is None or movement is None or track.detection is None:
            return
        if track.box[3] >= self._settings.recognition.least_height:
            try:
                seen = self._facing_model.look(crop_of(picture, track.box))
            except ValueError:
                return
            self._facings.take(track.track_id, seen, movement.position, stamp_ns)

    def _heading(self, track: Track, movement: Movement | None, stamp_ns: int) -> float | None:
        walking = None if movement is None else movement.heading(self._settings.recognition.least_speed)
        facing = None if self._facings is None else self._facings.of(track.track_id)
        return turned_to(facing, walking, stamp_ns)

    def _begin_if_turned(self, frame: FrameView) -> None:
        """Tracks start anew when the camera has turned, and when the stamps go back."""
        segment = (frame.session, frame.switch_start_ns)
        if segment != self._segment or frame.stamp_ns < self._newest_ns:
            self._segment = segment
            self._begin(max(self._tracker.next_id, frame.sequence * _IDS_PER_FRAME + 1), frame.scene)
            self._detector.expect(self._scenes[frame.scene].keywords if frame.scene in self._scenes else ())
        self._newest_ns = frame.stamp_ns

    def _begin(self, first_id: int, scene: str) -> None:
        tracking = self._settings.tracking
        settings = replace(
            TrackerSettings(),
            low=self._settings.score,
            high=tracking.high,
            begin=tracking.begin,
            track_buffer=tracking.track_buffer,
        )
        self._tracker = ByteTracker(settings, first_id)
        self._recogniser = Recogniser(self._embedders, self._settings.recognition)
        self._movements = Movements()
        pose = self._camera.mounting
        self._facings = None if self._facing_model is None or pose is None else Facings(pose)
        self._attention = self._guided(scene) if self._settings.attention else None
        self._boxes = np.empty((0, 5))

    def _guided(self, scene: str) -> Attention | HotParts | None:
        """What tells the detector where to look, until the camera turns."""
        if self._detector.guide is Guide.HEAT:
            return HotParts(self._heats, scene)
        return Attention() if self._detector.guide is Guide.MOVEMENT else None
