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
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import Detection, PresetFrame, PresetHeader, TrackArray
from ptz_collab_msgs.msg import Track as TrackMsg
from ptz_node import diagnostics, names
from ptz_node.convert import time_from_ns, time_to_ns
from ptz_node.images import decode, to_compressed_msg
from ptz_node.parameters import declare_camera, declare_site, describe
from ptz_node.qos import EVENTS, FRAMES_LATEST, FRAMES_OUT
from ptz_node.run import run
from ptz_perception.annotate import annotate
from ptz_perception.detectors import make_detector
from ptz_perception.locate import foot_on_ground
from ptz_perception.tracker import OverlapTracker, Track
from ptz_perception.worker import LatestWorker
from ptz_site import PtzPosition

_NANOSECONDS = 1_000_000_000


class Perception(Node):
    """Looks at the newest frames of a camera at rest, in a thread of its own."""

    def __init__(self) -> None:
        super().__init__('perception')
        parameters = declare_site(self)
        self._site = parameters.site
        self._camera = declare_camera(self, self._site)
        niceness = self.declare_parameter(
            'niceness', 10, describe('How much the process yields to others, 0 to 19: drivers come first.')
        ).value
        os.nice(max(0, min(19, int(niceness))))
        cv2.setNumThreads(1)
        self._settings = self._site.perception
        self._detector = make_detector(self._settings, Path(parameters.path).parent)
        self._tracker = OverlapTracker()
        self._next_look_ns = 0
        self._looked = self._failed = 0
        self._seconds = 0.0
        self._last_error = ''
        self._tracks = self.create_publisher(TrackArray, names.camera_tracks(self._camera), EVENTS)
        self._pictures = self.create_publisher(CompressedImage, f'cameras/{self._camera}/image/annotated/compressed', FRAMES_OUT)
        self._worker: LatestWorker[PresetFrame] = LatestWorker(self._look, self._on_error)
        self.create_subscription(PresetFrame, names.camera_frames(self._camera), self._on_frame, FRAMES_LATEST)
        self._diagnostics = diagnostics.Diagnostics(self, self._camera)
        self._diagnostics.add('Detection', self._status)

    def close(self) -> None:
        """Ends the thread."""
        self._worker.close()

    def _on_frame(self, message: PresetFrame) -> None:
        stamp = time_to_ns(message.header.stamp)
        if message.preset.phase != PresetHeader.PHASE_IN_POSITION:
            return
        # A clock that was set back must not stop the looking.
        if stamp < self._next_look_ns <= stamp + 10 * _NANOSECONDS:
            return
        self._next_look_ns = stamp + round(_NANOSECONDS / self._settings.rate)
        self._worker.give(message)

    def _look(self, message: PresetFrame) -> None:
        if message.encoding != PresetFrame.ENCODING_JPEG:
            raise ValueError(f'frames of encoding {message.encoding} are not looked at; set the camera to jpeg')
        begin = time.monotonic()
        picture = decode(bytes(message.data))
        detections = self._detector.detect(picture)
        preset = message.preset
        segment = (preset.session, time_to_ns(preset.switch_start))
        tracks = self._tracker.update(detections, time_to_ns(message.header.stamp), segment)
        self._tracks.publish(self._track_array(message, tracks))
        if self._pictures.get_subscription_count() > 0:
            image = to_compressed_msg(annotate(picture, tracks, f'{preset.camera}: {preset.scene}, slot {preset.slot}'))
            image.header = message.header
            self._pictures.publish(image)
        self._looked += 1
        self._seconds += time.monotonic() - begin

    def _track_array(self, message: PresetFrame, tracks: tuple[Track, ...]) -> TrackArray:
        preset = message.preset
        view = self._site.cameras[self._camera].projection(PtzPosition(preset.pan, preset.tilt, preset.zoom))
        array = TrackArray(header=message.header, preset=preset, width=message.width, height=message.height)
        array.frames_skipped = self._worker.skipped
        for track in tracks:
            entry = _track_msg(track)
            located = foot_on_ground(view, track.box) if view is not None else None
            if located is not None:
                (x, y), covariance = located
                entry.has_ground, entry.ground = True, Point(x=x, y=y, z=0.0)
                entry.ground_covariance = covariance.ravel().tolist()
            array.tracks.append(entry)
        return array

    def _on_error(self, error: Exception) -> None:
        self._failed += 1
        text = str(error) or repr(error)
        if text != self._last_error:
            self.get_logger().warning(f'a frame of {self._camera} could not be looked at: {text}')
        self._last_error = text

    def _status(self) -> diagnostics.Status:
        mean = 1000 * self._seconds / self._looked if self._looked else 0.0
        values = {
            'detector': self._detector.name,
            'frames looked at': self._looked,
            'frames skipped': self._worker.skipped,
            'frames that failed': self._failed,
            'ms for each frame': f'{mean:.0f}',
        }
        if self._failed:
            return diagnostics.Status(
                diagnostics.WARN, f'{self._failed} frames could not be looked at: {self._last_error}', values
            )
        return diagnostics.Status(diagnostics.OK, f'{self._detector.name}, {mean:.0f} ms for each frame', values)


def _track_msg(track: Track) -> TrackMsg:
    x, y, width, height = (float(value) for value in track.box)
    return TrackMsg(
        track_id=track.track_id,
        detection=Detection(center_x=x, center_y=y, width=width, height=height, class_name=track.class_name, score=track.score),
        source=TrackMsg.SOURCE_DETECTED,
        first_seen=time_from_ns(track.first_seen_ns),
        observations=track.observations,
    )


def main() -> int:
    """Entry point of the executable."""
    return run(Perception, sys.argv)
