# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The perception node of one camera."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import cv2
from geometry_msgs.msg import Point
from rcl_interfaces.msg import IntegerRange
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import Detection, PresetFrame, PresetHeader, TrackArray
from ptz_collab_msgs.msg import Track as TrackMsg
from ptz_node import diagnostics, names
from ptz_node.convert import time_from_ns, time_to_ns
from ptz_node.images import to_compressed_msg
from ptz_node.parameters import declare_camera, declare_site, describe
from ptz_node.qos import EVENTS, FRAMES_LATEST, FRAMES_OUT, FRAMES_RECORD
from ptz_node.run import run
from ptz_perception.annotate import annotate
from ptz_perception.detectors import make_detector
from ptz_perception.locate import foot_on_ground, view_of
from ptz_perception.pace import Pace
from ptz_perception.pictures import EncodedFrame, FramePictures
from ptz_perception.tracker import OverlapTracker, Track
from ptz_perception.worker import LatestWorker
from ptz_site import OnvifCamera, UserError

_LOG_PERIOD = 10.0


class Perception(Node):
    """Looks at the newest frames of a camera at rest, in a thread of its own.

    Frames of a camera that turns, has a fault, or was never told where to look are left out: what they show, and from where, is
    not known.
    """

    def __init__(self) -> None:
        super().__init__('perception')
        parameters = declare_site(self)
        self._site = parameters.site
        self._camera = declare_camera(self, self._site)
        self._yield_to_others()
        self._detector = make_detector(self._site.perception, Path(parameters.path).parent)
        self._tracker = OverlapTracker()
        self._pace = Pace(self._site.perception.rate)
        self._session = 0
        self._looked = self._not_at_rest = self._failed = self._undecodable = self._skipped_before = 0
        self._milliseconds = 0.0
        self._failing = False
        self._failure = ''
        self._tracks = self.create_publisher(TrackArray, names.camera_tracks(self._camera), EVENTS)
        self._pictures = self.create_publisher(CompressedImage, f'cameras/{self._camera}/image/annotated/compressed', FRAMES_OUT)
        self._sources = FramePictures()
        self._worker: LatestWorker[tuple[PresetFrame, EncodedFrame]] = LatestWorker(self._look, self._on_error)
        # In a network camera's stream most pictures depend on earlier ones, so that none may be missed.
        every = isinstance(self._site.cameras[self._camera], OnvifCamera)
        profile = FRAMES_RECORD if every else FRAMES_LATEST
        self.create_subscription(PresetFrame, names.camera_frames(self._camera), self._on_frame, profile)
        self._diagnostics = diagnostics.Diagnostics(self, self._camera)
        self._diagnostics.add('Detection', self._status)

    def close(self) -> None:
        """Ends the thread."""
        self._worker.close()

    def _yield_to_others(self) -> None:
        descriptor = describe('How much the process yields to others: added to its niceness, so that drivers come first.')
        descriptor.integer_range = [IntegerRange(from_value=0, to_value=19, step=1)]
        try:
            niceness = self.declare_parameter('niceness', 10, descriptor).value
        except (InvalidParameterTypeException, InvalidParameterValueException):
            raise UserError(f'{self.get_name()}: parameter niceness must be a whole number from 0 to 19') from None
        # For this thread and those it starts from now on, which are all that compute.
        os.nice(int(niceness))
        cv2.setNumThreads(1)

    def _on_frame(self, message: PresetFrame) -> None:
        preset = message.preset
        if preset.session != self._session:
            self._session, self._skipped_before = preset.session, self._worker.skipped
        frame = _encoded(message)
        self._sources.feed(frame)
        if preset.phase != PresetHeader.PHASE_IN_POSITION:
            self._not_at_rest += 1
        elif self._pace.takes(time_to_ns(message.header.stamp)):
            self._worker.give((message, frame))

    def _look(self, item: tuple[PresetFrame, EncodedFrame]) -> None:
        begin = time.monotonic()
        message, frame = item
        picture = self._sources.picture(frame)
        if picture is None:
            self._undecodable += 1
            return
        preset, stamp_ns = message.preset, time_to_ns(message.header.stamp)
        segment = (preset.session, time_to_ns(preset.switch_start))
        tracks = self._tracker.update(self._detector.detect(picture), stamp_ns, segment)
        self._tracks.publish(self._track_array(message, stamp_ns, tracks))
        if self._pictures.get_subscription_count() > 0:
            caption = f'{preset.camera}: {preset.scene}, slot {preset.slot}'
            image = to_compressed_msg(annotate(picture, tracks, stamp_ns, caption))
            image.header = message.header
            self._pictures.publish(image)
        spent = 1000 * (time.monotonic() - begin)
        self._milliseconds = spent if self._looked == 0 else 0.9 * self._milliseconds + 0.1 * spent
        self._looked += 1
        self._failing = False

    def _track_array(self, message: PresetFrame, stamp_ns: int, tracks: tuple[Track, ...]) -> TrackArray:
        preset = message.preset
        view = view_of(self._site.cameras[self._camera], preset.pan, preset.tilt, preset.zoom)
        array = TrackArray(header=message.header, preset=preset, width=message.width, height=message.height)
        array.frames_skipped = self._worker.skipped - self._skipped_before
        for track in tracks:
            entry = _track_msg(track, stamp_ns)
            located = foot_on_ground(view, track.box, message.height) if view is not None else None
            if located is not None:
                (x, y), covariance = located
                entry.has_ground, entry.ground = True, Point(x=x, y=y, z=0.0)
                entry.ground_covariance = covariance.ravel().tolist()
            array.tracks.append(entry)
        return array

    def _on_error(self, item: tuple[PresetFrame, EncodedFrame], error: Exception) -> None:
        self._failed += 1
        self._failing = True
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        self._failure = f'frame {item[1].sequence} could not be looked at: {reason}'
        self.get_logger().warning(f'{self._camera}: {self._failure}', throttle_duration_sec=_LOG_PERIOD)

    def _status(self) -> diagnostics.Status:
        values = {
            'detector': self._detector.name,
            'frames looked at': self._looked,
            'frames skipped for newer ones': self._worker.skipped,
            'frames not in position': self._not_at_rest,
            'frames that failed': self._failed,
            'last failure': self._failure,
            'frames before a keyframe': self._undecodable,
            'ms for each frame': f'{self._milliseconds:.0f}',
        }
        if self._failing:
            return diagnostics.Status(diagnostics.WARN, self._failure, values)
        if not self._looked:
            return diagnostics.Status(diagnostics.OK, f'{self._detector.name}, no frames yet', values)
        return diagnostics.Status(diagnostics.OK, f'{self._detector.name}, {self._milliseconds:.0f} ms for each frame', values)


def _encoded(message: PresetFrame) -> EncodedFrame:
    preset = message.preset
    size = (message.width, message.height)
    return EncodedFrame(preset.session, preset.sequence, message.encoding, message.keyframe, size, bytes(message.data))


def _track_msg(track: Track, stamp_ns: int) -> TrackMsg:
    x, y, width, height = (float(value) for value in track.box)
    return TrackMsg(
        track_id=track.track_id,
        detection=Detection(center_x=x, center_y=y, width=width, height=height, class_name=track.class_name, score=track.score),
        source=TrackMsg.SOURCE_DETECTED if track.seen_at(stamp_ns) else TrackMsg.SOURCE_PREDICTED,
        first_seen=time_from_ns(track.first_seen_ns),
        observations=track.observations,
    )


def main() -> int:
    """Entry point of the executable."""
    return run(Perception, sys.argv)
