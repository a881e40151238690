# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The perception node of one camera."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
from rcl_interfaces.msg import IntegerRange
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import CameraState, ObjectArray, PresetFrame, PresetHeader, RotationPlan, TrackArray, Watchlist
from ptz_node import diagnostics, names
from ptz_node.convert import plan_from_msg, time_to_ns
from ptz_node.images import to_compressed_msg
from ptz_node.parameters import declare_camera, declare_site, describe
from ptz_node.qos import EVENTS, FRAMES_LATEST, FRAMES_OUT, FRAMES_RECORD, LATCHED
from ptz_node.run import run
from ptz_perception import messages
from ptz_perception.annotate import annotate
from ptz_perception.best_frames import BestFrames
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.advice import Advice, advice
from ptz_perception.facing.model import make_facing
from ptz_perception.hold_client import HoldClient
from ptz_perception.holding.holder import Holder
from ptz_perception.known_targets import KnownTargets
from ptz_perception.pace import Pace
from ptz_perception.pictures import EncodedFrame, FramePictures
from ptz_perception.pipeline import CameraPipeline, SeenObject
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.recognition.watchlist import WatchlistError
from ptz_perception.selection import make_selection
from ptz_perception.upload.package_queue import Put
from ptz_perception.upload.uploader import make_uploader
from ptz_perception.upload_diagnostics import UploadDiagnostics
from ptz_perception.worker import InTurn, LatestWorker, Worker
from ptz_site import OnvifCamera, UserError
from ptz_site.frame_package import FramePackage

_LOG_PERIOD = 10.0
#: ns without a frame of the camera at rest after which it counts as turned: the region has named its last tracks by then.
_QUIET_NS = 500_000_000
#: s between two looks at what holds and best frames need, when nothing was seen: every call of a timer costs.
_PERIOD = 0.25


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
        folder = Path(parameters.path).parent
        settings, entry = self._site.perception, self._site.cameras[self._camera]
        self._detector = make_detector(settings, folder)
        self._advise(advice(settings.detector, entry.backend))
        self._pipeline = CameraPipeline(
            self._site, self._camera, self._detector, make_embedders(settings, folder), make_facing(settings, folder)
        )
        self._pace = Pace(settings.rate)
        self._session = 0
        self._looked = self._not_at_rest = self._failed = self._undecodable = self._skipped_before = 0
        self._milliseconds = 0.0
        self._failing = False
        self._failure = ''
        self._targets = KnownTargets()
        self._holder = Holder(self._camera, settings.recognition, self._site.region.hold, entry.mounting)
        self._hold_client = HoldClient(self, self._holder)
        wanted = self.declare_parameter(
            'upload', True, describe('Send best frames, if the site says where to; not from a replay.')
        )
        self._uploader = make_uploader(self._site, self._camera, folder) if wanted.value else None
        self._best_frames = self._make_best_frames()
        #: Waits for the disk, so that neither the executor nor the thread that looks has to.
        self._writer = ThreadPoolExecutor(1, 'best frames')
        self._rested_ns = 0
        self._manual_exposure_possible = False
        self._seen_lock = threading.Lock()
        self._seen: tuple[tuple[SeenObject, ...], str] | None = None
        self._tracks = self.create_publisher(TrackArray, names.camera_tracks(self._camera), EVENTS)
        self._pictures = self.create_publisher(CompressedImage, names.camera_annotated(self._camera), FRAMES_OUT)
        self._sources = FramePictures()
        wanted = self.declare_parameter(
            'every_frame', False, describe('Look at frames in turn, not at the newest: for replays, which wait for it.')
        )
        worker = InTurn if wanted.value else LatestWorker
        self._worker: Worker[tuple[PresetFrame, EncodedFrame]] = worker(self._look, self._on_error)
        # In a network camera's stream most pictures depend on earlier ones, so that none may be missed.
        profile = FRAMES_RECORD if wanted.value or isinstance(entry, OnvifCamera) else FRAMES_LATEST
        self.create_subscription(PresetFrame, names.camera_frames(self._camera), self._on_frame, profile)
        self.create_subscription(Watchlist, names.WATCHLIST, self._on_watchlist, LATCHED)
        self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED)
        self.create_subscription(ObjectArray, names.OBJECTS, self._targets.take_objects, EVENTS)
        self.create_subscription(CameraState, names.camera_state(self._camera), self._on_camera_state, LATCHED)
        self.create_timer(_PERIOD, self._pass_time)
        self._pass_time_soon = self.create_guard_condition(self._pass_time)
        self._diagnostics = diagnostics.Diagnostics(self, self._camera)
        self._diagnostics.add('Detection', self._status)
        self._diagnostics.add('Targets', self._target_status)
        if self._uploader is not None:
            self._upload_diagnostics = UploadDiagnostics()
            self._diagnostics.add('Upload', self._upload_status)
        if entry.mounting is None:
            self.get_logger().warning(
                f'{self._camera} has no pose: its tracks have no place on the ground, and no target is handed off; give pose in the site'
            )

    def close(self) -> None:
        """Ends the threads."""
        self._worker.close()
        if self._best_frames is not None and not self._worker.busy:
            self._best_frames.end_segment()
        self._writer.shutdown()
        if self._uploader is not None:
            self._uploader.close()

    def _make_best_frames(self) -> BestFrames | None:
        if self._uploader is None:
            return None
        selection = make_selection(self._site.perception.best_frames)
        pose = self._site.cameras[self._camera].mounting
        return BestFrames(selection, pose, partial(self._targets.object_of, self._camera), self._keep)

    def _keep(self, package: FramePackage, picture: bytes) -> None:
        self._writer.submit(self._upload, package, picture)

    def _upload(self, package: FramePackage, picture: bytes) -> None:
        assert self._uploader is not None
        if self._uploader.put(package, picture) is Put.KEPT:
            tracks = ', '.join(str(one.track_id) for one in package.observations if one.best)
            when = 'at once' if package.immediate else 'in its turn'
            self.get_logger().info(f'{package.id} is chosen for {tracks}; it is sent {when}')

    def _advise(self, known: Advice | None) -> None:
        if known is not None:
            (self.get_logger().warning if known.serious else self.get_logger().info)(known.text)

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

    # In the executor

    def _on_frame(self, message: PresetFrame) -> None:
        preset = message.preset
        if preset.session != self._session:
            self._session, self._skipped_before = preset.session, self._worker.skipped
        frame = messages.encoded_frame(message)
        self._sources.feed(frame)
        if preset.phase != PresetHeader.PHASE_IN_POSITION:
            self._not_at_rest += 1
            return
        self._rested_ns = self._now_ns()
        if self._pace.takes(time_to_ns(message.header.stamp)):
            self._worker.give((message, frame))

    def _on_camera_state(self, message: CameraState) -> None:
        self._manual_exposure_possible = message.manual_exposure_possible

    def _on_watchlist(self, message: Watchlist) -> None:
        try:
            self._targets.take_watchlist(messages.watchlist_from_msg(message))
        except WatchlistError as error:
            self.get_logger().error(f'the watchlist that was published is not used: {error}')

    def _on_plan(self, message: RotationPlan) -> None:
        try:
            self._targets.take_plan(plan_from_msg(message))
        except ValueError as error:
            self.get_logger().error(f'plan {message.revision} is not used: {error}')

    def _pass_time(self) -> None:
        with self._seen_lock:
            seen, self._seen = self._seen, None
        now_ns = self._now_ns()
        holds = self._targets.holds(now_ns)
        requests = self._holder.see(self._targets.sightings(seen[0]), seen[1], holds, now_ns) if seen is not None else []
        for request in (*requests, *self._holder.pass_time(holds, now_ns)):
            self._hold_client.send(request)
        # A clock may be set back. Nobody begins to look meanwhile: frames come in this thread.
        if self._best_frames is not None and abs(now_ns - self._rested_ns) > _QUIET_NS and not self._worker.busy:
            self._best_frames.end_segment()

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    # In the worker's thread

    def _look(self, item: tuple[PresetFrame, EncodedFrame]) -> None:
        begin = time.monotonic()
        message, frame = item
        picture = self._sources.picture(frame)
        if picture is None:
            self._undecodable += 1
            return
        view = messages.frame_view(message)
        # Once: the watchlist may change meanwhile, and who is recognised must have a mark.
        marks = self._targets.marks
        seen = self._pipeline.look(picture, view, self._targets.references(marks, view.stamp_ns))
        with self._seen_lock:
            self._seen = (seen, view.scene)
        self._pass_time_soon.trigger()
        array = messages.track_array(
            message, seen, lambda track_id: self._targets.object_of(self._camera, view.session, track_id), marks
        )
        array.frames_skipped = self._worker.skipped - self._skipped_before
        self._tracks.publish(array)
        if self._pictures.get_subscription_count() > 0:
            caption = f'{message.preset.camera}: {view.scene}, slot {message.preset.slot}'
            image = to_compressed_msg(annotate(picture, seen, marks, caption))
            image.header = message.header
            self._pictures.publish(image)
        spent = 1000 * (time.monotonic() - begin)
        self._milliseconds = spent if self._looked == 0 else 0.9 * self._milliseconds + 0.1 * spent
        self._looked += 1
        self._failing = False
        if self._best_frames is not None:
            facts = messages.frame_facts(message, self._manual_exposure_possible)
            self._best_frames.look(facts, messages.frame_origin(message, self._site.region.name), frame, picture, seen)

    def _on_error(self, item: tuple[PresetFrame, EncodedFrame], error: Exception) -> None:
        self._failed += 1
        self._failing = True
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        self._failure = f'frame {item[1].sequence} could not be looked at: {reason}'
        self.get_logger().warning(f'{self._camera}: {self._failure}', throttle_duration_sec=_LOG_PERIOD)

    # Diagnostics

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

    def _target_status(self) -> diagnostics.Status:
        holding = self._holder.holding
        values = {f'hold for {target}': hold_id or 'not answered yet' for target, hold_id in holding.items()}
        if self._hold_client.problem:
            return diagnostics.Status(diagnostics.WARN, self._hold_client.problem, values)
        text = f'holds for {", ".join(holding)}' if holding else f'{len(self._targets.marks)} on the watchlist'
        return diagnostics.Status(diagnostics.OK, text, values)

    def _upload_status(self) -> diagnostics.Status:
        assert self._uploader is not None and self._best_frames is not None
        return self._upload_diagnostics.status(self._uploader.status(), self._best_frames)


def main() -> int:
    """Entry point of the executable."""
    return run(Perception, sys.argv)
