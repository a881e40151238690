# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The coordinator's node: camera states in, the plan out, the RunRotation action, ~/stop and diagnostics."""

from __future__ import annotations

import socket
import sys
import uuid
from functools import partial

from rclpy.node import Node
from std_srvs.srv import Trigger

from collab_coordinator.fleet import Fleet, Health, Level
from collab_coordinator.messages import report_from_msg, request_from_goal
from collab_coordinator.protocol import NANOSECONDS, Outcome, Revisions, Rotation, RotationError, RotationRequest, RotationState
from collab_coordinator.rotation_action import RotationAction
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import CameraState, RotationPlan
from ptz_node import names
from ptz_node.convert import plan_from_msg, plan_to_msg
from ptz_node.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from ptz_node.parameters import declare_site, describe
from ptz_node.qos import LATCHED
from ptz_node.run import run
from ptz_site import Plan

#: s; how late the end of the last slot may be noticed. Slots themselves are switched by the drivers' clocks.
_TICK = 0.1
_FEEDBACK = 0.5
_LEVELS = {Level.OK: OK, Level.WARN: WARN, Level.ERROR: ERROR}


class Coordinator(Node):
    """Runs the rotation of one region."""

    def __init__(self) -> None:
        super().__init__('coordinator')
        self._site = declare_site(self).site
        text = 'Start a rotation without end as soon as the cameras are there.'
        self._autostart = bool(self.declare_parameter('autostart', False, describe(text)).value)
        region = self._site.region
        self._revisions = Revisions(f'{socket.gethostname()}-{uuid.uuid4().hex[:8]}')
        self._fleet = Fleet(self._site.cameras, round(region.silence_timeout * NANOSECONDS))
        self._rotation: Rotation | None = None
        self._known_health: dict[str, Level] = {}
        self._plans = self.create_publisher(RotationPlan, names.PLAN, LATCHED)
        self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED)
        for camera in self._site.cameras:
            self.create_subscription(CameraState, names.camera_state(camera), partial(self._on_state, camera), LATCHED)
        self._action = RotationAction(self, self._begin, partial(self._stop, 'canceled by the client'))
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_timer(_TICK, self._tick)
        self.create_timer(_FEEDBACK, self._tell)
        self._diagnostics = Diagnostics(self, region.name)
        self._diagnostics.add('Rotation', self._rotation_status)
        for camera in self._site.cameras:
            self._diagnostics.add(f'Camera {camera}', partial(self._camera_status, camera))

    async def farewell(self) -> None:
        """Called in the executor before the node ends: the client gets its result. The cameras go on by the plan they have."""
        if self._rotation is not None and self._rotation.outcome is None:
            reason = 'the coordinator was shut down; cameras go on by the plan they have'
            answered = self._action.end(self._rotation.leave(self._now(), RotationError.SHUTDOWN, reason))
            if answered is not None:
                await answered

    @property
    def _under_way(self) -> bool:
        return self._rotation is not None and self._rotation.state is not RotationState.ENDED

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_state(self, camera: str, message: CameraState) -> None:
        try:
            report = report_from_msg(message, self._now())
        except ValueError as error:
            self.get_logger().warning(f'state of {camera} is not understood: {error}', throttle_duration_sec=10.0)
            return
        if self._fleet.take(report):
            self._revisions.saw(report.plan_revision)
            if self._rotation is not None:
                self._rotation.take(report)

    def _on_plan(self, message: RotationPlan) -> None:
        self._revisions.saw(message.revision)
        try:
            plan = plan_from_msg(message)
        except ValueError:
            return  # from somebody else: its number was noted, and nothing else of it matters
        if self._rotation is not None and not self._rotation.rival:
            self._rotation.saw_plan(plan)
            if self._rotation.rival:
                self.get_logger().error(
                    f'another coordinator ({self._rotation.rival}) published revision {plan.revision}; stop one of the two'
                )

    def _begin(self, goal: RunRotation.Goal) -> Outcome | None:
        if self._under_way:
            return Outcome(RotationError.BUSY, 'a rotation is running already; stop it first')
        try:
            request = request_from_goal(goal, self._site.region.dwell, self._now())
        except ValueError as error:
            return Outcome(RotationError.BAD_GOAL, str(error))
        rotation = Rotation(self._site, request, self._revisions)
        if rotation.outcome is None:
            self._rotation = rotation
        return rotation.outcome

    def _stop(self, reason: str) -> None:
        if self._rotation is not None:
            self._publish(self._rotation.stop(self._now(), RotationError.CANCELED, reason))
            self._conclude(self._rotation)

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._under_way
        response.message = 'stopped; every camera stays where it is' if response.success else 'no rotation is running'
        if response.success:
            self._autostart = False
            self._stop('stopped by ~/stop')
        return response

    def _tick(self) -> None:
        now = self._now()
        if now == 0:
            return  # simulated time has not begun
        if self._autostart and not self._under_way:
            self._rotation = Rotation(self._site, RotationRequest(round(self._site.region.dwell * NANOSECONDS)), self._revisions)
        if self._under_way and self._rotation is not None:
            self._publish(self._rotation.advance(now, self._fleet))
            self._conclude(self._rotation)

    def _publish(self, plan: Plan | None) -> None:
        if plan is None:
            return
        self._plans.publish(plan_to_msg(plan))
        self.get_logger().info(f'plan revision {plan.revision}: {plan.mode.name.lower()}, {plan.reason}')
        schedule = self._rotation.schedule if self._rotation is not None else None
        if plan.reason == 'start' and schedule is not None:
            for reason in dict.fromkeys(uncovered.reason for uncovered in schedule.uncovered):
                scenes = ', '.join(uncovered.scene for uncovered in schedule.uncovered if uncovered.reason == reason)
                self.get_logger().warning(f'not always covered: {scenes}: {reason}')

    def _conclude(self, rotation: Rotation) -> None:
        outcome = rotation.outcome
        if outcome is None:
            return
        self._action.end(outcome)
        if outcome.error in (RotationError.NONE, RotationError.CANCELED):
            self.get_logger().info(f'rotation ended after {outcome.slots} slots {outcome.message}'.rstrip())
            return
        self.get_logger().error(outcome.message)
        # Cameras may come and clocks may be set; what is wrong in the site stays wrong.
        self._autostart = self._autostart and outcome.error in (RotationError.NO_CAMERAS, RotationError.CLOCK_OFFSET)

    def _tell(self) -> None:
        rotation = self._rotation
        if rotation is None or not self._under_way:
            return
        self._action.publish(rotation.progress(self._now(), self._fleet))
        if rotation.state is not RotationState.STARTED:
            return
        for camera in self._fleet.cameras:
            health = self._health(camera)
            if health.level is not self._known_health.get(camera, Level.OK):
                log = self.get_logger()
                # One call for each severity: rclpy binds the severity to the place of the call.
                if health.level is Level.OK:
                    log.info(f'{camera} is well again: {health.text}')
                elif health.level is Level.WARN:
                    log.warning(f'{camera} {health.text}')
                else:
                    log.error(f'{camera}: {health.text}')
            self._known_health[camera] = health.level

    def _health(self, camera: str) -> Health:
        started = self._rotation if self._rotation is not None and self._rotation.state is RotationState.STARTED else None
        plan = started.plan if started is not None else None
        return self._fleet.health(camera, self._now(), plan, started.plan_since_ns if started is not None else 0)

    def _rotation_status(self) -> Status:
        rotation = self._rotation
        if rotation is None:
            return Status(OK, 'no rotation')
        values = {'revision': rotation.plan.revision if rotation.plan else 0, 'coordinator': self._revisions.coordinator}
        if rotation.outcome is not None:
            bad = rotation.outcome.error not in (RotationError.NONE, RotationError.CANCELED)
            return Status(ERROR if bad else OK, f'ended: {rotation.outcome.message or "all slots were run"}', values)
        if rotation.rival:
            return Status(ERROR, f'another coordinator ({rotation.rival}) publishes plans; stop one of the two', values)
        progress = rotation.progress(self._now(), self._fleet)
        if rotation.plan is None:
            return Status(WARN, f'waits for {", ".join(progress.waiting_for)}', values)
        values |= {'slot': progress.slot, 'slots': progress.slots or 'without end'}
        if progress.uncovered:
            return Status(WARN, f'no camera on {", ".join(progress.uncovered)}', values)
        return Status(OK, f'slot {progress.slot}' if progress.running else 'starts soon', values)

    def _camera_status(self, camera: str) -> Status:
        health, report = self._health(camera), self._fleet.newest(camera)
        text = f'{camera}: {health.text}'
        if report is None:
            return Status(_LEVELS[health.level], text)
        values = {
            'scene': report.scene,
            'phase': report.phase.name,
            'slot': report.slot,
            'follows revision': report.plan_revision,
        }
        return Status(_LEVELS[health.level], text, values)


def main() -> int:
    """Entry point of the executable."""
    return run(Coordinator, sys.argv)
