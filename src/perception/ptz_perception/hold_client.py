# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Takes a holder's requests to the coordinator, and its answers back. All in the node's executor."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import Point
from rclpy.action import ActionClient
from rclpy.node import Node

from ptz_collab_msgs.action import Handoff, HoldScene
from ptz_collab_msgs.msg import HoldKeepAlive
from ptz_node import names
from ptz_node.qos import EVENTS
from ptz_perception.holding.holder import AskHandoff, BeginHold, EndHold, HoldEnd, Holder, KeepAlive, Request

#: s until a handoff is asked for again, by how the last one ended.
_AGAIN = {Handoff.Result.NO_BETTER_CAMERA: 1.0, Handoff.Result.TOO_SOON: 0.5, Handoff.Result.BUSY: 1.0}
_AGAIN_OTHERWISE = 5.0
_REFUSED = (HoldScene.Result.NOT_RUNNING, HoldScene.Result.NOT_ON_SCENE, HoldScene.Result.UNKNOWN_HOLD)
_OVER = (HoldScene.Result.ENDED_TIME_LIMIT, HoldScene.Result.ENDED_OPERATOR, HoldScene.Result.ENDED_STOPPED)


class HoldClient:
    """Sends what a Holder asks for."""

    def __init__(self, node: Node, holder: Holder) -> None:
        self._node, self._holder = node, holder
        self._holds = ActionClient(node, HoldScene, names.HOLD_SCENE)
        self._handoffs = ActionClient(node, Handoff, names.HANDOFF)
        self._alive = node.create_publisher(HoldKeepAlive, names.HOLD_KEEP_ALIVE, EVENTS)
        self._goals: dict[str, Any] = {}
        #: The newest problem, for the diagnostics.
        self.problem = ''

    def send(self, request: Request) -> None:
        """Sends one request."""
        match request:
            case BeginHold():
                self._begin(request)
            case KeepAlive():
                self._say(request.hold_id, released=False)
            case EndHold():
                self._end(request)
            case AskHandoff():
                self._hand_off(request)

    def _begin(self, request: BeginHold) -> None:
        target = request.target
        if not self._holds.server_is_ready():
            self.problem = f'no coordinator to hold for {target}'
            self._holder.ended(target, HoldEnd.COORDINATOR_GONE, self._now_ns())
            return
        goal = HoldScene.Goal(
            camera=self._holder.camera,
            scene=request.scene,
            target=target,
            mark_colour=request.mark_colour,
            mark_shape=request.mark_shape,
            reason=f'{self._holder.camera} sees {target}',
            feature=list(request.feature),
            hold_id=request.hold_id,
        )
        future = self._holds.send_goal_async(
            goal, feedback_callback=lambda message: self._on_name(target, message.feedback.hold_id)
        )
        future.add_done_callback(lambda done: self._on_goal(target, done.result()))

    def _on_goal(self, target: str, handle: Any) -> None:
        if handle is None or not handle.accepted:
            self._holder.ended(target, HoldEnd.REFUSED, self._now_ns())
            return
        self._goals[target] = handle
        handle.get_result_async().add_done_callback(lambda done: self._on_result(target, handle, done.result()))

    def _on_name(self, target: str, hold_id: str) -> None:
        if not self._holder.held(target, hold_id) and target in self._goals:
            # It left the view before the hold had a name.
            self._goals[target].cancel_goal_async()

    def _on_result(self, target: str, handle: Any, answer: Any) -> None:
        if self._goals.get(target) is handle:
            del self._goals[target]
        result = answer.result if answer is not None else HoldScene.Result(error_code=HoldScene.Result.SHUTDOWN)
        if result.error_code == HoldScene.Result.SHUTDOWN:
            end = HoldEnd.COORDINATOR_GONE
        elif result.error_code:
            end = HoldEnd.REFUSED if result.error_code in _REFUSED else HoldEnd.OVER
            self.problem = f'hold for {target}: {result.error_msg}'
        else:
            end = HoldEnd.OVER if result.ended in _OVER else HoldEnd.LET_GO
            self.problem = ''
        self._holder.ended(target, end, self._now_ns())

    def _end(self, request: EndHold) -> None:
        handle = self._goals.get(request.target)
        if handle is not None:
            handle.cancel_goal_async()
        if request.hold_id:
            # The coordinator that took the goal may be gone; the topic reaches any.
            self._say(request.hold_id, released=True)

    def _hand_off(self, request: AskHandoff) -> None:
        if not self._handoffs.server_is_ready():
            self._holder.handoff_ended(request.target, _AGAIN_OTHERWISE, self._now_ns())
            return
        goal = Handoff.Goal(
            hold_id=request.hold_id,
            camera=self._holder.camera,
            target=request.target,
            feature=list(request.feature),
            heading=request.heading,
            ground=Point(x=request.ground[0], y=request.ground[1], z=0.0),
        )
        future = self._handoffs.send_goal_async(goal)
        future.add_done_callback(lambda done: self._on_handoff(request.target, done.result()))

    def _on_handoff(self, target: str, handle: Any) -> None:
        if handle is None or not handle.accepted:
            self._holder.handoff_ended(target, _AGAIN_OTHERWISE, self._now_ns())
            return
        handle.get_result_async().add_done_callback(lambda done: self._on_handed(target, done.result()))

    def _on_handed(self, target: str, answer: Any) -> None:
        code = answer.result.error_code if answer is not None else Handoff.Result.SHUTDOWN
        no_better = code == Handoff.Result.NO_BETTER_CAMERA
        self._holder.handoff_ended(target, _AGAIN.get(code, _AGAIN_OTHERWISE), self._now_ns(), or_turned=no_better)

    def _say(self, hold_id: str, *, released: bool) -> None:
        message = HoldKeepAlive(hold_id=hold_id, camera=self._holder.camera, released=released)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._alive.publish(message)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
