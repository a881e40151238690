# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The Handoff action server: one goal for each hold at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from collab_coordinator.core.handoff import Handoff, HandoffOutcome, HandoffRequest
from collab_coordinator.messages import handoff_request_from_goal
from ptz_collab_msgs.action import Handoff as HandoffMsg
from ptz_node import names
from ptz_node.convert import duration_from_ns


@dataclass
class _Goal:
    handle: ServerGoalHandle
    handoff: Handoff
    ended: Future


class HandoffAction:
    """begin: starts a handoff, or says how it ended at once; cancel: ends the one of a hold. tick() is called several times a second."""

    def __init__(
        self, node: Node, begin: Callable[[HandoffRequest], Handoff | HandoffOutcome], cancel: Callable[[str], object]
    ) -> None:
        self._node, self._begin, self._cancel = node, begin, cancel
        self._goals: list[_Goal] = []
        self._server = ActionServer(
            node,
            HandoffMsg,
            names.HANDOFF,
            execute_callback=self._execute,
            goal_callback=lambda _goal: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
        )

    def tick(self, now_ns: int) -> None:
        """Answers clients whose handoff has ended, and tells the others how it goes."""
        for goal in self._goals:
            if goal.handoff.outcome is not None:
                if not goal.ended.done():
                    goal.ended.set_result(goal.handoff.outcome)
            elif goal.handle.is_active:
                feedback = HandoffMsg.Feedback(
                    state=HandoffMsg.Feedback.STATE_TURNING if goal.handoff.candidate else HandoffMsg.Feedback.STATE_CHOOSING,
                    elapsed=duration_from_ns(max(0, now_ns - goal.handoff.begun_ns)),
                    candidate=goal.handoff.candidate,
                )
                goal.handle.publish_feedback(feedback)

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        for goal in self._goals:
            if bytes(goal.handle.goal_id.uuid) == bytes(handle.goal_id.uuid):
                self._cancel(goal.handoff.hold_id)
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> HandoffMsg.Result:
        begun = self._begin(handoff_request_from_goal(handle.request))
        if isinstance(begun, HandoffOutcome):
            outcome = begun
        else:
            goal = _Goal(handle, begun, Future(executor=self._node.executor))
            self._goals.append(goal)
            outcome = await goal.ended
            self._goals.remove(goal)
        if handle.is_cancel_requested:
            handle.canceled()
        elif outcome.error:
            handle.abort()
        else:
            handle.succeed()
        return HandoffMsg.Result(
            error_code=int(outcome.error),
            error_msg=outcome.message,
            camera=outcome.camera,
            scene=outcome.scene,
            plan_revision=outcome.plan_revision,
        )
