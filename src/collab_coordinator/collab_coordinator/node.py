# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The coordinator's node: camera states and requests in, the plan out. What to do is decided in protocol.py."""

from __future__ import annotations

import socket
import sys
import uuid
from functools import partial

from rclpy.node import Node

from collab_coordinator.core.auto_dwell import AutoDwell
from collab_coordinator.core.fleet import Fleet, Health, Level
from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest
from collab_coordinator.core.holds import HoldEnd, HoldError, HoldRequest
from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import Outcome, Revisions, RotationError, RotationRequest, RotationState
from collab_coordinator.core.start import first_dwell_ns
from collab_coordinator.core.takeover import Instance, Takeover, gives_way
from collab_coordinator.messages import report_from_msg, request_from_goal
from collab_coordinator.planning import plan_orders, reach_of
from collab_coordinator.region_state import region_state
from collab_coordinator.servers.handoff_action import HandoffAction
from collab_coordinator.servers.hold_action import HoldAction
from collab_coordinator.servers.operator_services import OperatorServices
from collab_coordinator.servers.rotation_action import RotationAction
from collab_coordinator.status import camera_status, rotation_status
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import CameraState, HoldKeepAlive, RegionState, RotationPlan, TrackArray
from ptz_collab_msgs.msg import Track as TrackMsg
from ptz_node import names
from ptz_node.convert import plan_from_msg, plan_to_msg, time_from_ns, time_to_ns
from ptz_node.diagnostics import Diagnostics, Status
from ptz_node.parameters import declare_site, describe
from ptz_node.qos import EVENTS, LATCHED
from ptz_node.run import run
from ptz_site import NANOSECONDS, Hold, Plan, PlanMode, UserError

#: s; how late the end of the last slot, a silent camera or the end of a hold may be noticed. Slots are switched by the drivers' clocks.
_TICK = 0.1
_TELL = 0.5
#: From one tick to the next: if it takes longer, this process stood still, and what was said meanwhile has not been heard yet.
_STOOD_STILL_NS = NANOSECONDS


class Coordinator(Node):
    """Runs the rotation of one region."""

    def __init__(self) -> None:
        super().__init__(names.COORDINATOR)
        self._site = declare_site(self).site
        text = 'Start a rotation without end as soon as the cameras are there.'
        self._autostart = bool(self.declare_parameter('autostart', False, describe(text)).value)
        region = self._site.region
        self._revisions = Revisions(f'{socket.gethostname()}-{uuid.uuid4().hex[:8]}')
        self._since_ns = self._ticked_ns = self._now()
        self._fleet = Fleet(self._site.cameras, round(region.silence_timeout * NANOSECONDS))
        self._takeover: Takeover | None = Takeover()
        self._asked: RotationRequest | None = None
        self._adopted = False
        self._rotation: Rotation | None = None
        self._auto_dwell = AutoDwell(self._site) if region.dwell == 'auto' else None
        self._known_health: dict[str, Level] = {}
        self._told_revision = 0
        self._concluded: Outcome | None = None
        self._plans = self.create_publisher(RotationPlan, names.PLAN, LATCHED)
        self._states = self.create_publisher(RegionState, names.REGION_STATE, LATCHED)
        self.create_subscription(RotationPlan, names.PLAN, self._on_plan, LATCHED)
        self.create_subscription(RegionState, names.REGION_STATE, self._on_region_state, LATCHED)
        self.create_subscription(HoldKeepAlive, names.HOLD_KEEP_ALIVE, self._on_keep_alive, EVENTS)
        for camera in self._site.cameras:
            self.create_subscription(CameraState, names.camera_state(camera), partial(self._on_state, camera), LATCHED)
            self.create_subscription(RotationPlan, names.camera_plan(camera), self._on_plan, LATCHED)
            if self._auto_dwell is not None:
                self.create_subscription(TrackArray, names.camera_tracks(camera), self._on_tracks, EVENTS)
        self._run_action = RotationAction(self, self._begin, partial(self._stop, 'canceled by the client'))
        self._hold_action = HoldAction(self, self.begin_hold, self.release_hold)
        self._handoff_action = HandoffAction(self, self._begin_handoff, self._cancel_handoff)
        self._operator = OperatorServices(self, self, self._stop_for_good)
        self.create_timer(_TICK, self._tick)
        self.create_timer(_TELL, self._tell)
        self._diagnostics = Diagnostics(self, region.name)
        self._diagnostics.add(
            'Rotation', lambda: rotation_status(self._rotation, self._now(), self._fleet, self._revisions.coordinator)
        )
        for camera in self._site.cameras:
            self._diagnostics.add(f'Camera {camera}', partial(self._camera_status, camera))

    async def farewell(self) -> None:
        """Called in the executor before the node ends: clients get their results. The cameras go on by the plan they have."""
        reason = 'the coordinator was shut down; cameras go on by the plan they have'
        if self._rotation is None or self._rotation.outcome is not None:
            return
        outcome = self._rotation.leave(self._now(), RotationError.SHUTDOWN, reason)
        self._hold_action.leave(reason)
        self._handoff_action.tick(self._now())
        answered = self._run_action.end(outcome)
        if answered is not None:
            await answered

    # Holds and handoffs, for actions and services

    def begin_hold(self, request: HoldRequest) -> Hold | tuple[HoldError, str]:
        """Holds the rotation, or says why not."""
        if self._rotation is None:
            return HoldError.NOT_RUNNING, 'no rotation is running; there is nothing to hold'
        hold = self._rotation.hold(request, self._now())
        self._flush()
        return hold

    def release_hold(self, hold_id: str, why: HoldEnd) -> bool:
        """Ends a hold; False if it is not on."""
        released = self._rotation is not None and self._rotation.release(hold_id, why, self._now())
        self._flush()
        return released

    def holds_on(self) -> tuple[Hold, ...]:
        """The holds that are on."""
        return self._rotation.holds if self._rotation is not None else ()

    def newest_revision(self) -> int:
        """The newest plan revision; 0: none."""
        return self._rotation.plan.revision if self._rotation is not None and self._rotation.plan is not None else 0

    def resume_at_ns(self) -> int:
        """When the rotation goes on; 0 while it is held, or without one."""
        plan = self._rotation.plan if self._rotation is not None else None
        return plan.effective_at_ns if plan is not None and plan.mode is PlanMode.RUNNING else 0

    def _begin_handoff(self, request: HandoffRequest) -> Handoff | HandoffOutcome:
        if self._rotation is None:
            return HandoffOutcome(HandoffError.NO_HOLD, 'no rotation is running')
        begun = self._rotation.hand_off(request, self._now())
        self._flush()
        return begun

    def _cancel_handoff(self, hold_id: str) -> None:
        if self._rotation is not None:
            self._rotation.cancel_handoff(hold_id, self._now())
            self._flush()

    # The life of the rotation

    @property
    def _under_way(self) -> bool:
        return self._rotation is not None and self._rotation.state is not RotationState.ENDED

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _begin(self, goal: RunRotation.Goal) -> Outcome | None:
        try:
            request = request_from_goal(goal, self._own_request().dwell_ns, self._now())
        except ValueError as error:
            return Outcome(RotationError.BAD_GOAL, str(error))
        if self._takeover is not None:
            if self._asked is not None:
                return Outcome(RotationError.BUSY, 'somebody has asked for a rotation already; it is about to begin')
            self._asked = request
            return None
        if self._under_way and self._rotation is not None:
            return self._join(self._rotation, request)
        rotation = Rotation(self._site, request, self._revisions)
        if rotation.outcome is None:
            self._rotation, self._adopted = rotation, False
        return rotation.outcome

    def _join(self, rotation: Rotation, request: RotationRequest) -> Outcome | None:
        """A goal meets a rotation that is under way: it becomes its client if the rotation has lost its own."""
        orphan = self._adopted and not self._run_action.has_client
        if orphan and (rotation.dwell_ns == request.dwell_ns or self._auto_dwell is not None):
            return None
        return Outcome(RotationError.BUSY, 'a rotation is running already; stop it first')

    def _stop(self, reason: str) -> None:
        self._asked = None
        if self._rotation is not None:
            self._rotation.stop(self._now(), RotationError.CANCELED, reason)
            self._flush()
        else:
            self._run_action.end(Outcome(RotationError.CANCELED, reason))

    def _stop_for_good(self) -> bool:
        running, self._autostart = self._under_way, False
        if running:
            self._stop('stopped by an operator')
        return running

    def _tick(self) -> None:
        now = self._now()
        if now == 0:
            return  # simulated time has not begun
        if now - self._ticked_ns > _STOOD_STILL_NS:
            self._fleet.listen_anew(now)
            if self._rotation is not None:
                self._rotation.listen_anew(now)
        self._ticked_ns = now
        if self._takeover is not None and self._takeover.is_ready(now, self._fleet):
            self._settle_in(self._takeover.plan(now))
        if self._takeover is not None:
            return
        if self._autostart and not self._under_way:
            self._rotation = Rotation(self._site, self._own_request(), self._revisions)
        if self._under_way and self._rotation is not None:
            self._rotation.advance(now, self._fleet)
            if self._auto_dwell is not None:
                self._auto_dwell.look(self._rotation, self._rotation.progress(now, self._fleet).slot, now)
        self._flush()

    def _own_request(self) -> RotationRequest:
        weights = {name: scene.weight for name, scene in self._site.scenes.items()}
        orders = plan_orders(reach_of(self._site), tuple(self._site.scenes), weights).orders
        return RotationRequest(first_dwell_ns(self._site, orders))

    def _settle_in(self, plan: Plan | None) -> None:
        """Listening is over: goes on with the plan that the cameras follow, or begins what was asked for."""
        self._takeover = None
        request, self._asked = self._asked, None
        if plan is None:
            self._revisions.leave_room()
            if request is not None:
                self._rotation = Rotation(self._site, request, self._revisions)
            return
        self._rotation = Rotation.adopt(self._site, plan, self._revisions, self._fleet, self._now())
        self._adopted = True
        self.get_logger().warning(f'goes on with revision {plan.revision} of {plan.coordinator}, which the cameras follow')
        if request is not None and request.dwell_ns != plan.dwell_ns and self._auto_dwell is None:
            self._run_action.end(Outcome(RotationError.BUSY, 'a rotation with another dwell is running already; stop it first'))

    def _flush(self) -> None:
        """Publishes and answers what the rotation has decided."""
        rotation = self._rotation
        if rotation is None:
            return
        for plan in rotation.take_plans():
            self._publish(rotation, plan)
        for ended in rotation.take_ended_holds():
            self._hold_action.end(ended, self.resume_at_ns())
            self.get_logger().info(f'{ended.hold.hold_id} of {ended.hold.camera or "an operator"}: {ended.why.name.lower()}')
        self._handoff_action.tick(self._now())
        if rotation.outcome is not None:
            self._conclude(rotation.outcome)

    def _publish(self, rotation: Rotation, plan: Plan) -> None:
        self._plans.publish(plan_to_msg(plan))
        if plan.revision <= self._told_revision:
            return  # it was sent again
        self._told_revision = plan.revision
        self.get_logger().info(f'plan revision {plan.revision}: {plan.mode.name.lower()}, {plan.reason}')
        if plan.reason == 'start':
            for reason in dict.fromkeys(uncovered.reason for uncovered in rotation.schedule.uncovered):
                scenes = ', '.join(u.scene for u in rotation.schedule.uncovered if u.reason == reason)
                self.get_logger().warning(f'not always covered: {scenes}: {reason}')
        self._publish_state()

    def _conclude(self, outcome: Outcome) -> None:
        if outcome is self._concluded:
            return
        self._concluded = outcome
        self._run_action.end(outcome)
        if outcome.error in (RotationError.NONE, RotationError.CANCELED):
            self.get_logger().info(f'rotation ended after {outcome.slots} slots {outcome.message}'.rstrip())
            return
        self.get_logger().error(outcome.message)
        # Cameras may come and clocks may be set; what is wrong in the site stays wrong.
        self._autostart = self._autostart and outcome.error in (RotationError.NO_CAMERAS, RotationError.CLOCK_OFFSET)

    # What comes in

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
        if self._takeover is None:
            return
        try:
            self._takeover.saw(plan_from_msg(message))
        except ValueError as error:
            self.get_logger().warning(f'plan revision {message.revision} can not be gone on with: {error}')

    def _on_tracks(self, message: TrackArray) -> None:
        assert self._auto_dwell is not None
        header = message.preset
        tracks = [track.track_id for track in message.tracks if track.source == TrackMsg.SOURCE_DETECTED]
        stamp, switch = time_to_ns(message.header.stamp), time_to_ns(header.switch_start)
        self._auto_dwell.observer.take(header.camera, header.scene, header.session, switch, stamp, tracks)

    def _on_keep_alive(self, message: HoldKeepAlive) -> None:
        if message.released:
            self.release_hold(message.hold_id, HoldEnd.CANCELED)
        elif self._rotation is not None:
            self._rotation.keep_alive(message.hold_id, self._now())

    def _on_region_state(self, message: RegionState) -> None:
        own = Instance(self._revisions.coordinator, self._since_ns, self.newest_revision())
        other = Instance(message.coordinator, time_to_ns(message.coordinator_since), message.plan_revision)
        if gives_way(own, other):
            if self._rotation is not None and self._rotation.outcome is None:
                self._rotation.leave(self._now(), RotationError.SUPERSEDED, f'another coordinator ({other.name}) runs the region')
            raise UserError(
                f'another coordinator ({other.name}) runs region {self._site.region.name}, so this one ends; '
                'stop that one first, or give this region another name or ROS_DOMAIN_ID'
            )

    # What goes out

    def _tell(self) -> None:
        self._publish_state()
        rotation, now = self._rotation, self._now()
        if rotation is None or not self._under_way:
            return
        progress = rotation.progress(now, self._fleet)
        self._run_action.publish(progress)
        if rotation.plan is not None:
            self._hold_action.publish(now, rotation.plan, self._fleet.behind(rotation.plan))
        if rotation.state is RotationState.STARTED:
            self._log_health()

    def _publish_state(self) -> None:
        if self._now() == 0:
            return
        health = {camera: self._health(camera) for camera in self._fleet.cameras}
        message = region_state(self._now(), self._rotation, self._fleet, health)
        if self._takeover is not None:
            message.state, message.text = RegionState.STATE_LISTENING, 'learns what is going on'
        message.coordinator, message.coordinator_since = self._revisions.coordinator, time_from_ns(self._since_ns)
        self._states.publish(message)

    def _log_health(self) -> None:
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
                    log.error(f'{camera} {health.text}')
            self._known_health[camera] = health.level

    def _health(self, camera: str) -> Health:
        rotation = self._rotation if self._rotation is not None and self._rotation.state is RotationState.STARTED else None
        if rotation is None:
            return self._fleet.health(camera, self._now(), None, 0)
        return self._fleet.health(camera, self._now(), rotation.plan, rotation.plan_since_ns, rotation.out.get(camera, ''))

    def _camera_status(self, camera: str) -> Status:
        return camera_status(camera, self._health(camera), self._fleet)


def main() -> int:
    """Entry point of the executable."""
    return run(Coordinator, sys.argv)
