# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The stitcher node: receives the frames of all scenes, and has them written."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message

from ptz_collab_msgs.msg import CameraState, PresetFrame, RotationPlan, TrackArray
from ptz_node import diagnostics, names
from ptz_node.convert import plan_from_msg, time_to_ns
from ptz_node.parameters import declare_site, describe
from ptz_node.qos import EVENTS, FRAMES_RECORD, LATCHED_RECORD
from ptz_node.run import run
from ptz_site import UserError
from ptz_stitcher.frame_cdr import read_frame, read_stamp
from ptz_stitcher.frames import look_of, recording_summary, sequence_settings
from ptz_stitcher.losses import LossCounter
from ptz_stitcher.recording import EncodedPicture, RecordingError
from ptz_stitcher.segments import Cut
from ptz_stitcher.sequence_writer import Frame
from ptz_stitcher.storage import Keeper, RollingLog, RollingSequence, storage_limits
from ptz_stitcher.storage.keeper import Surroundings
from ptz_stitcher.summary import RecordingSummary
from ptz_stitcher.window import RotationWindow
from ptz_stitcher.writer_thread import WriterThread


class Stitcher(Node):
    """Records what belongs to the rotation; the files are written in a thread of their own."""

    def __init__(self) -> None:
        super().__init__('stitcher')
        parameters = declare_site(self)
        self._site = parameters.site
        out = str(self.declare_parameter('out', '', describe('Folder for the recordings; made if it is not there.')).value)
        cut = str(self.declare_parameter('cut', '', describe('arrived or switch_start; empty: as the site says.')).value)
        self._cut = _cut(cut or self._site.stitcher.cut)
        self._out = _folder(out)
        self._site_path = parameters.path
        what = 'Wait for the disk rather than refuse frames: for replays, which wait for it.'
        patient = bool(self.declare_parameter('every_frame', False, describe(what)).value)
        try:
            self._keeper = self._make_keeper()
            self._sequences = {scene: self._sequence(scene) for scene in self._site.scenes}
            self._log = RollingLog(self._site.region.name, parameters.path, self._keeper)
        except RecordingError as error:
            raise UserError(f'{error}; give another folder with out') from None
        self._window = RotationWindow()
        self._losses = LossCounter()
        self._said: set[str] = set()
        self._lock = threading.Lock()
        self._writer = WriterThread(self._on_writer_error, patient=patient)
        for note in self._site.recording_notes:
            self.get_logger().info(note)
        self._subscribe()
        self._diagnostics = diagnostics.Diagnostics(self, self._site.region.name)
        for scene in self._site.scenes:
            self._diagnostics.add(f'scene {scene}', partial(self._scene_status, scene))
        self._diagnostics.add('Frames', self._frames_status)
        self._diagnostics.add('Disk', self._disk_status)
        self.create_timer(0.5, self._say_failures)
        # The disk fills up by the clock on the wall, also in a replay.
        self.create_timer(1.0, lambda: self._writer.submit(0, self._keeper.look), clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Writes everything that came, closes the files, and says what is in them."""
        self._writer.close()
        for sequence in self._sequences.values():
            sequence.close()
        self._log.close()
        self._keeper.close()
        self._say_failures()
        summary = self._summary()
        try:
            summary.write(self._out / 'summary.json')
        except OSError as error:
            self.get_logger().error(f'{self._out}/summary.json: {error.strerror}')
        for scene in summary.scenes:
            self.get_logger().info(f'{scene.scene}: {scene.frames} frames in {scene.segments} segments')
        lost = sum(summary.lost_frames.values())
        if lost or summary.refused_frames:
            self.get_logger().warning(
                f'{lost} frames were lost on the way, {summary.refused_frames} because the disk was too slow'
            )

    def _subscribe(self) -> None:
        self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED_RECORD)
        # Raw: they are written as they came, and most of them need not become messages for that.
        for scene in self._site.scenes:
            frames, take = names.scene_frames(scene), partial(self._on_frame, scene)
            self.create_subscription(PresetFrame, frames, self._if_whole(take), FRAMES_RECORD, raw=True)
        for camera in self._site.cameras:
            states, tracks = partial(self._on_state, camera), partial(self._on_tracks, camera)
            self.create_subscription(CameraState, names.camera_state(camera), self._if_whole(states), LATCHED_RECORD, raw=True)
            self.create_subscription(TrackArray, names.camera_tracks(camera), self._if_whole(tracks), EVENTS, raw=True)

    def _if_whole(self, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Does without what can't be read, and says so."""

        def taken(data: bytes) -> None:
            try:
                take(data)
            except ValueError as error:
                # Once, whatever is in it: there may be many.
                self._say_once('a message can not be read; run the same version on all hosts, which must be little-endian')
                self.get_logger().debug(str(error))

        return taken

    def _make_keeper(self) -> Keeper:
        log = self.get_logger()
        outside = Surroundings(
            free=lambda: shutil.disk_usage(self._out).free,
            now_ns=lambda: int(self.get_clock().now().nanoseconds),
            steady_ns=time.monotonic_ns,
            say=lambda text, grave: log.error(text) if grave else log.info(text),
        )
        return Keeper(self._out, self._site.region.name, storage_limits(self._site.stitcher), outside)

    def _sequence(self, scene: str) -> RollingSequence:
        settings = sequence_settings(self._site, self._site_path, scene, self._out, self._cut)
        return RollingSequence(settings, self._keeper)

    def _on_plan(self, message: RotationPlan) -> None:
        self._window.take(plan_from_msg(message))
        data = serialize_message(message)
        self._writer.submit(len(data), partial(self._log.plan, data, time_to_ns(message.effective_at)))

    def _on_state(self, camera: str, data: bytes) -> None:
        self._writer.submit(len(data), partial(self._log.state, camera, data, read_stamp(data)))

    def _on_tracks(self, camera: str, data: bytes) -> None:
        try:
            message = deserialize_message(data, TrackArray)
        except RuntimeError as error:  # rclpy's RMWError, which it does not export
            raise ValueError(str(error)) from None
        self._writer.submit(len(data), partial(self._log.tracks, camera, data, read_stamp(data)))
        if (sequence := self._sequences.get(message.preset.scene)) is not None:
            self._writer.submit(0, partial(sequence.look, look_of(message)))

    def _on_frame(self, scene: str, data: bytes) -> None:
        wire = read_frame(data)
        header, message = wire.header, wire.header_message
        with self._lock:
            self._losses.take(header.camera, header.session, header.sequence)
        self._writer.submit(len(message), partial(self._log.header, header.camera, message, header.stamp_ns))
        if not self._window.holds(header.stamp_ns):
            return
        picture = EncodedPicture(bytes(wire.picture), wire.encoding, wire.keyframe, wire.size)
        frame = Frame(header, picture, wire.image_head, message)
        if not self._writer.submit(len(picture.data), partial(self._sequences[scene].take, frame)):
            self._say_once('the disk is too slow: frames are not recorded; see the diagnostics for how many')

    def _on_writer_error(self, error: BaseException) -> None:
        self._say_once(f'a frame could not be written: {error!r}')

    def _say_failures(self) -> None:
        for sequence in self._sequences.values():
            for failure in list(sequence.failures):
                self._say_once(failure)
        if self._log.failure:
            self._say_once(self._log.failure)

    def _say_once(self, text: str) -> None:
        with self._lock:
            if text in self._said:
                return
            self._said.add(text)
        self.get_logger().error(text)

    def _summary(self) -> RecordingSummary:
        polygons = {scene: entry.polygon or () for scene, entry in self._site.scenes.items()}
        failures = (self._log.failure,) if self._log.failure else ()
        region, refused = self._site.region.name, self._writer.refused
        counted = recording_summary(
            region, self._site_path, self._cut, self._sequences, polygons, self._losses, refused, failures
        )
        return replace(counted, resumed=self._keeper.resumed)

    def _scene_status(self, scene: str) -> diagnostics.Status:
        sequence = self._sequences[scene]
        values = {'frames': sequence.written, 'segments': len(sequence.cutter.segments), 'late': sequence.cutter.late}
        values |= {'before a keyframe': sequence.before_keyframe, **sequence.cutter.marks.values()}
        values |= {'not recorded for want of room': sequence.missed, 'wholly hidden': sequence.wholly_hidden}
        if not self._keeper.recording:
            return diagnostics.Status(diagnostics.ERROR, 'not recording: the disk is full', values)
        if failing := sequence.failing:
            return diagnostics.Status(diagnostics.ERROR, failing[-1], values)
        if sequence.cutter.marks.wrong:
            return diagnostics.Status(diagnostics.WARN, f'{sequence.cutter.marks.wrong} marks missing or contradictory', values)
        return diagnostics.Status(diagnostics.OK, 'recording' if sequence.written else 'waiting for the rotation', values)

    def _frames_status(self) -> diagnostics.Status:
        with self._lock:
            lost = self._losses.lost()
        values = {**{f'lost from {camera}': count for camera, count in lost.items()}, 'waiting bytes': self._writer.waiting_bytes}
        if self._writer.refused:
            return diagnostics.Status(
                diagnostics.ERROR, f'{self._writer.refused} frames not recorded: the disk is too slow', values
            )
        if any(lost.values()):
            return diagnostics.Status(diagnostics.WARN, f'{sum(lost.values())} frames lost on the way', values)
        return diagnostics.Status(diagnostics.OK, 'no frame lost', values)

    def _disk_status(self) -> diagnostics.Status:
        free, keeper = shutil.disk_usage(self._out).free, self._keeper
        text = f'{free / 1e9:.1f} GB free in {self._out}'
        if not keeper.recording:
            text = f'recording has stopped: {text}; make room: it goes on when {keeper.wanted / 1e9:.1f} GB are free'
            return diagnostics.Status(diagnostics.ERROR, text)
        return diagnostics.Status(diagnostics.OK if free > 1e9 else diagnostics.WARN, text)


def _cut(text: str) -> Cut:
    try:
        return Cut(text)
    except ValueError:
        raise UserError(f'stitcher: parameter cut is {text!r}; allowed: arrived, switch_start') from None


def _folder(out: str) -> Path:
    if not out:
        raise UserError('stitcher: parameter out is empty; give a folder for the recordings')
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: can't be made ({error.strerror}); give another folder with out") from None
    return folder


def main() -> int:
    """Entry point of the executable."""
    return run(Stitcher, sys.argv)
