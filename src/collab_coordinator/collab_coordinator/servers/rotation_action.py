# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The RunRotation action server. The rotation itself goes on in the node's timers; a goal only waits for its outcome."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from collab_coordinator.core.rotation import Outcome, Progress, RotationError
from collab_coordinator.messages import feedback_to_msg, result_to_msg
from ptz_collab_msgs.action import RunRotation
from ptz_node import names


class RotationAction:
    """Serves one goal at a time.

    begin: takes a goal's request; returns None when the rotation is under way, or the outcome of a goal that is refused.
    cancel: ends the rotation that a goal began; end() with its outcome is called meanwhile.
    Every goal is accepted first, because only a result can say why it is refused.
    """

    def __init__(self, node: Node, begin: Callable[[RunRotation.Goal], Outcome | None], cancel: Callable[[], None]) -> None:
        self._begin = begin
        self._cancel = cancel
        self._handle: ServerGoalHandle | None = None
        self._outcome: Future | None = None
        self._answered: Future | None = None
        self._server = ActionServer(
            node,
            RunRotation,
            names.RUN_ROTATION,
            execute_callback=self._execute,
            goal_callback=lambda _goal: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
        )

    @property
    def has_client(self) -> bool:
        """Whether a client waits for the end of the rotation."""
        return self._handle is not None

    def publish(self, progress: Progress) -> None:
        """Tells the client how the rotation goes, if a client began it."""
        if self._handle is not None and self._handle.is_active:
            self._handle.publish_feedback(feedback_to_msg(progress))

    def end(self, outcome: Outcome) -> Future | None:
        """Answers the client, if a client began the rotation. Returns what is done when the answer is out."""
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)
        return self._answered

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        if handle is self._handle:
            self._cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> RunRotation.Result:
        if handle.is_cancel_requested:
            handle.canceled()
            return result_to_msg(Outcome(RotationError.CANCELED, 'canceled before it began'))
        refusal = self._begin(handle.request)
        if refusal is not None:
            handle.abort()
            return result_to_msg(refusal)
        self._handle, self._outcome, self._answered = handle, Future(), Future()
        outcome: Outcome = await self._outcome
        answered = self._answered
        self._handle = self._outcome = self._answered = None
        if handle.is_cancel_requested:
            handle.canceled()
        elif outcome.error is RotationError.NONE:
            handle.succeed()
        else:
            handle.abort()
        # Whoever waits for this goes on only after rclpy has sent the result, in the same step as this return.
        answered.set_result(None)
        return result_to_msg(outcome)
