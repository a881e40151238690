# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The HoldScene action server: any number of goals, each of which waits for its hold to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from collab_coordinator.core.holds import EndedHold, HoldEnd, HoldError, HoldRequest
from collab_coordinator.messages import hold_request_from_goal
from ptz_collab_msgs.action import HoldScene
from ptz_node import names
from ptz_node.convert import duration_from_ns, time_from_ns
from ptz_site import Hold, Plan


@dataclass
class _Goal:
    handle: ServerGoalHandle
    hold: Hold
    ended: Future


class HoldAction:
    """Accepts every goal at once, because only a result can say why one is refused.

    begin: makes a request a hold, or says why not; release: lets a hold go that its client canceled.
    """

    def __init__(
        self,
        node: Node,
        begin: Callable[[HoldRequest], Hold | tuple[HoldError, str]],
        release: Callable[[str, HoldEnd], object],
    ) -> None:
        self._node, self._begin, self._release = node, begin, release
        self._goals: list[_Goal] = []
        self._server = ActionServer(
            node,
            HoldScene,
            names.HOLD_SCENE,
            execute_callback=self._execute,
            goal_callback=lambda _goal: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
        )

    def publish(self, now_ns: int, plan: Plan, missing: Iterable[str]) -> None:
        """Tells every client how far its hold is; missing: the cameras that do not follow the newest revision."""
        behind = tuple(missing)
        followers = [order.camera for order in plan.orders if order.camera not in behind]
        for goal in self._goals:
            if not goal.handle.is_active:
                continue
            feedback = HoldScene.Feedback(
                state=HoldScene.Feedback.STATE_WAITING if behind else HoldScene.Feedback.STATE_HELD,
                elapsed=duration_from_ns(max(0, now_ns - goal.hold.since_ns)),
                hold_id=goal.hold.hold_id,
                plan_revision=plan.revision,
                acknowledged=followers,
                missing=list(behind),
            )
            goal.handle.publish_feedback(feedback)

    def end(self, ended: EndedHold, resume_at_ns: int) -> None:
        """A hold ended or changed hands; resume_at_ns: when the rotation goes on, 0: it is held by others."""
        result = HoldScene.Result(
            hold_id=ended.hold.hold_id,
            ended=int(ended.why),
            ended_at=time_from_ns(ended.at_ns),
            resume_at=time_from_ns(resume_at_ns),
        )
        for goal in self._goals:
            if goal.hold.hold_id == ended.hold.hold_id and not goal.ended.done():
                goal.ended.set_result(result)

    def leave(self, reason: str) -> None:
        """The coordinator ends; the holds stay."""
        for goal in self._goals:
            if not goal.ended.done():
                goal.ended.set_result(
                    HoldScene.Result(error_code=int(HoldError.SHUTDOWN), error_msg=reason, hold_id=goal.hold.hold_id)
                )

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        for goal in self._goals:
            # Compared by id: rclpy hands out another object for the same goal.
            if bytes(goal.handle.goal_id.uuid) == bytes(handle.goal_id.uuid):
                self._release(goal.hold.hold_id, HoldEnd.CANCELED)
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> HoldScene.Result:
        hold = self._begin(hold_request_from_goal(handle.request))
        if not isinstance(hold, Hold):
            handle.abort()
            return HoldScene.Result(error_code=int(hold[0]), error_msg=hold[1])
        goal = _Goal(handle, hold, Future(executor=self._node.executor))
        self._goals.append(goal)
        if handle.is_cancel_requested:
            self._release(hold.hold_id, HoldEnd.CANCELED)
        result: HoldScene.Result = await goal.ended
        self._goals.remove(goal)
        if handle.is_cancel_requested:
            handle.canceled()
        elif result.error_code:
            handle.abort()
        else:
            handle.succeed()
        return result
