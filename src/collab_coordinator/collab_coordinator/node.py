# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The coordinator node: wires the plan to topics, the action, and diagnostics."""

from __future__ import annotations

import sys
import uuid
from functools import partial

from rclpy.node import Node
from std_srvs.srv import Trigger

from collab_coordinator.protocol import CameraFact, RevisionCounter
from collab_coordinator.rotation_action import NANOSECONDS, RotationRunner
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import CameraState, PresetHeader, RotationPlan
from ptz_node import diagnostics, names
from ptz_node.convert import plan_to_msg
from ptz_node.parameters import declare_site, describe
from ptz_node.qos import LATCHED
from ptz_node.run import run
from ptz_site import Plan

_TICK = 0.1


class Coordinator(Node):
    """Publishes the plan, and runs the rotation."""

    def __init__(self) -> None:
        super().__init__('coordinator')
        self._site = declare_site(self).site
        autostart = self.declare_parameter('autostart', False, describe('Start the rotation by itself, without an end.')).value
        self._id = uuid.uuid4().hex[:12]
        self._facts: dict[str, CameraFact] = {}
        self._revisions = RevisionCounter()
        self._plans = self.create_publisher(RotationPlan, names.PLAN, LATCHED)
        self._own_plans = self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED)
        self._states = [
            self.create_subscription(CameraState, names.camera_state(camera), partial(self._on_state, camera), LATCHED)
            for camera in self._site.cameras
        ]
        self._runner = RotationRunner(self, self._site, self._id, self._facts, self._revisions, self._publish)
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_timer(_TICK, self._runner.tick)
        self._diagnostics = diagnostics.Diagnostics(self, self._site.region.name)
        self._diagnostics.add('Rotation', self._rotation_status)
        for camera in self._site.cameras:
            self._diagnostics.add(f'camera {camera}', partial(self._camera_status, camera))
        if autostart:
            self._runner.start(self._runner.request(RunRotation.Goal()))

    def close(self) -> None:
        """Cameras go on by the plan that they have."""
        self._runner.abandon()

    def _publish(self, plan: Plan) -> None:
        self._plans.publish(plan_to_msg(plan))
        self.get_logger().info(f'plan revision {plan.revision}: {plan.reason}')

    def _on_plan(self, message: RotationPlan) -> None:
        self._revisions.seen(message.revision)

    def _on_state(self, camera: str, message: CameraState) -> None:
        self._revisions.seen(message.plan_revision)
        fact = CameraFact(
            camera=camera,
            heard_ns=self._now(),
            plan_revision=message.plan_revision,
            scene=message.scene,
            in_position=message.phase == PresetHeader.PHASE_IN_POSITION,
            fault_text=message.fault_text,
        )
        self._facts[camera] = fact
        self._runner.take_state(fact)

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._runner.stop('stopped by an operator', RunRotation.Result.CANCELED)
        response.message = 'stopped; every camera stays where it is' if response.success else 'no rotation is running'
        return response

    def _rotation_status(self) -> diagnostics.Status:
        rotation = self._runner.rotation
        if rotation is None:
            return diagnostics.Status(diagnostics.OK, 'no rotation')
        waiting = rotation.waiting_for(self._facts.values())
        values = {'stage': rotation.stage.value, 'revision': rotation.plan.revision if rotation.plan else 0}
        if waiting and rotation.plan is None:
            return diagnostics.Status(diagnostics.WARN, f'waiting for {", ".join(waiting)}', values)
        return diagnostics.Status(diagnostics.OK, rotation.stage.value, values)

    def _camera_status(self, camera: str) -> diagnostics.Status:
        fact = self._facts.get(camera)
        if fact is None:
            return diagnostics.Status(diagnostics.WARN, f'{camera} has not reported yet')
        silent = (self._now() - fact.heard_ns) / NANOSECONDS
        values = {'scene': fact.scene, 'follows revision': fact.plan_revision, 'silent for s': f'{silent:.1f}'}
        if silent > self._site.region.silence_timeout:
            return diagnostics.Status(diagnostics.ERROR, f'{camera} is silent for {silent:.0f} s', values)
        if fact.fault_text:
            return diagnostics.Status(diagnostics.ERROR, fact.fault_text, values)
        rotation = self._runner.rotation
        if rotation is not None and rotation.plan is not None and camera in rotation.waiting_for(self._facts.values()):
            return diagnostics.Status(diagnostics.WARN, f'{camera} does not follow revision {rotation.plan.revision}', values)
        return diagnostics.Status(diagnostics.OK, f'on {fact.scene}' if fact.scene else 'idle', values)

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def main() -> int:
    """Entry point of the executable."""
    return run(Coordinator, sys.argv)
