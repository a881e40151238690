# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The driver node of one camera."""

from __future__ import annotations

import re
import sys
import time

from rclpy.node import Node

from ptz_collab_msgs.msg import CameraState, RotationPlan
from ptz_driver.backends import make_backend
from ptz_driver.backends.base import BackendError, CapturedFrame, Exposure
from ptz_driver.capture import Capture
from ptz_driver.clock import DriverClock
from ptz_driver.control import Control, phase_of
from ptz_driver.exposure.loop import ExposureLoop
from ptz_driver.health import Fault
from ptz_driver.manual_action import ManualAction
from ptz_driver.publishing import FramePublisher
from ptz_node import diagnostics, names
from ptz_node.convert import plan_from_msg, time_from_ns
from ptz_node.parameters import declare_camera, declare_site, describe
from ptz_node.qos import LATCHED
from ptz_node.run import run
from ptz_site import UserError

_NANOSECONDS = 1_000_000_000


class Driver(Node):
    """Three threads: this node's executor, control (moves the camera), capture (reads and publishes its frames)."""

    def __init__(self) -> None:
        super().__init__('driver')
        parameters = declare_site(self)
        site = self._site = parameters.site
        camera = self._camera = declare_camera(self, site)
        epoch = self.declare_parameter(
            'simulation_epoch',
            0,
            describe('ROS time in ns at which the simulated world and recordings begin; the same for all cameras.'),
        ).value
        self._time = DriverClock(self.get_clock())
        # Only a name, but one that no other life of the driver has: with simulated time every one would begin at the same.
        self._session = time.time_ns()
        self._backend = make_backend(site, camera, parameters.path, parameters.media, epoch, self._time)
        try:
            self._backend.open()
        except BackendError as error:
            raise UserError(f'cameras.{camera}: {error}') from None
        self._newest: CapturedFrame | None = None
        self._said, self._said_ns = '', 0
        self._publisher = FramePublisher(self, site, camera, self._session)
        self._states = self.create_publisher(CameraState, names.camera_state(camera), LATCHED)
        self._copies = self.create_publisher(RotationPlan, names.camera_plan(camera), LATCHED)
        self._publish_state_soon = self.create_guard_condition(self._publish_state)
        self._control = Control(site, camera, self._backend, self._time, self._publish_state_soon.trigger)
        self._capture = Capture(self._backend, self._time, 1.0 / site.cameras[camera].rate, self._on_frame)
        self._exposure = self._exposure_loop()
        self._manual = ManualAction(self, site, camera, self._control, self._time)
        self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED)
        self.create_timer(0.5, self._publish_state)
        self._diagnostics = diagnostics.Diagnostics(self, camera)
        self._diagnostics.add('Camera', self._camera_status)
        self._diagnostics.add('Frames', self._frames_status)
        self._diagnostics.add('Exposure', self._exposure_status)
        self._control.start()
        self._capture.start()
        if self._exposure is not None:
            self._exposure.start()

    def close(self) -> None:
        """Ends the threads and lets go of the camera."""
        self._time.end()
        self._control.join()
        self._capture.join()
        if self._exposure is not None:
            self._exposure.join()
        self._manual.close()
        self._backend.close()

    def _exposure_loop(self) -> ExposureLoop | None:
        rule, camera = self._site.cameras[self._camera].exposure, self._backend.exposure
        return None if rule is None or camera is None else ExposureLoop(rule, camera, self._time, self._control.arrivals)

    def _on_plan(self, message: RotationPlan) -> None:
        try:
            plan = plan_from_msg(message)
        except ValueError as error:
            self.get_logger().error(f'plan revision {message.revision} is not followed: {error}')
            return
        if self._control.take_plan(plan):
            # Who leads the region may die; then this is what the next one goes on from.
            self._copies.publish(message)

    def _on_frame(self, frame: CapturedFrame) -> None:
        self._newest = frame
        self._publisher.publish(frame, self._control.context(frame.stamp_ns))

    def _publish_state(self) -> None:
        now, state = self._time.now_ns(), self._control.state()
        fault, fault_text = self._capture.fault()
        message = CameraState(camera=self._camera, session=self._session, scene=state.showing.scene, preset=state.showing.preset)
        message.header.stamp = time_from_ns(now)
        message.header.frame_id = names.optical_frame(self._site.region.name, self._camera)
        message.phase = int(phase_of(state, fault))
        message.fault = int(fault if fault is not Fault.NONE else state.fault)
        message.fault_text = fault_text or state.fault_text
        message.slot = self._control.slot(now)
        message.plan_revision = state.newest_revision
        message.switch_start = time_from_ns(state.showing.switch_start_ns)
        message.arrived = time_from_ns(state.showing.arrived_ns)
        message.arrival_source = int(state.arrival_source)
        if state.position is not None and state.position.position is not None:
            position = state.position.position
            message.pan, message.tilt, message.zoom = position.pan, position.tilt, position.zoom
        exposure = self._newest.exposure if self._newest is not None else Exposure()
        message.exposure_mode, message.exposure_time, message.gain = int(exposure.mode), exposure.time, exposure.gain
        health = self._backend.health()
        message.manual = state.manual is not None or health.manual
        message.manual_exposure_possible = self._exposure is not None and self._exposure.possible
        message.stamp_source = int(self._backend.stamp_source)
        message.stamp_uncertainty = health.stamp_uncertainty
        message.clock_offset = health.clock_offset
        message.frames = self._publisher.published
        message.frames_late = self._backend.frames_late
        message.moves = state.moves
        message.reconnects = self._capture.reconnects
        self._states.publish(message)
        self._say(message.fault_text)

    def _say(self, fault_text: str) -> None:
        """Each fault once, for those who read the log."""
        # The seconds in a text change; what it is about does not.
        about = re.sub(r'[0-9.]+ s', '', fault_text)
        if about and about != self._said:
            self.get_logger().error(fault_text)
            self._said_ns = self._said_ns or self._time.now_ns()
        elif self._said and not about:
            gap = (self._time.now_ns() - self._said_ns) / _NANOSECONDS
            self.get_logger().info(f'{self._camera}: is well again, after {gap:.1f} s')
            self._said_ns = 0
        self._said = about

    def _camera_status(self) -> diagnostics.Status:
        state = self._control.state()
        health = self._backend.health()
        values = {
            **dict(health.values),
            'scene': state.showing.scene,
            'phase': state.showing.phase.name,
            'revision': state.newest_revision,
            'moves': state.moves,
        }
        if state.fault is not Fault.NONE:
            return diagnostics.Status(diagnostics.ERROR, state.fault_text, values)
        if health.notes:
            return diagnostics.Status(diagnostics.WARN, '; '.join(health.notes), values)
        return diagnostics.Status(diagnostics.OK, f'{state.showing.phase.name} on {state.showing.scene or "nothing"}', values)

    def _frames_status(self) -> diagnostics.Status:
        fault, text = self._capture.fault()
        late, published = self._backend.frames_late, self._publisher.published
        values = {'published': published, 'late': late, 'reconnects': self._capture.reconnects}
        if fault is not Fault.NONE:
            return diagnostics.Status(diagnostics.ERROR, text, values)
        if late > 0.05 * (published + late):
            return diagnostics.Status(
                diagnostics.WARN,
                f'{late} frames skipped: too slow for {self._site.cameras[self._camera].rate:g} frames/s',
                values,
            )
        return diagnostics.Status(diagnostics.OK, 'frames come', values)

    def _exposure_status(self) -> diagnostics.Status:
        if self._exposure is None:
            return diagnostics.Status(diagnostics.OK, 'as the camera is set')
        level = diagnostics.OK if self._exposure.possible else diagnostics.WARN
        return diagnostics.Status(level, self._exposure.text, self._exposure.values())


def main() -> int:
    """Entry point of the executable."""
    # The control thread must get the interpreter soon when a switch is due, also while a picture is being made.
    sys.setswitchinterval(0.0005)
    return run(Driver, sys.argv)
