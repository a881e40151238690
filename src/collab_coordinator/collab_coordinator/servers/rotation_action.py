# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The RunRotation action server. The rotation itself goes on in the node's timers; a goal only waits for its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from collab_coordinator.core.rotation import Outcome, Progress, RotationError
from collab_coordinator.messages import feedback_to_msg, result_to_msg
from ptz_collab_msgs.action import RunRotation
from ptz_node import names


@dataclass(frozen=True)
class _Waiting:
    """A goal that waits for the rotation's outcome. answered: done when its result is out."""

    handle: ServerGoalHandle
    outcome: Future = field(default_factory=Future)
    answered: Future = field(default_factory=Future)

    def is_of(self, client: str) -> bool:
        """Whether this client asked; nobody without a name is known again."""
        return bool(client) and client == self.handle.request.client


class RotationAction:
    """Serves one goal at a time.

    begin: takes a goal's request; returns None when the rotation is under way, or the outcome of a goal that is refused.
    cancel: ends the rotation that a goal began; end() with its outcome is called meanwhile.
    Every goal is accepted first, because only a result can say why it is refused. A client whose goal's answer was lost (DDS loses
    answers to clients that are still being discovered) sends it again under its name: the new goal takes the earlier one's place.
    """

    def __init__(self, node: Node, begin: Callable[[RunRotation.Goal], Outcome | None], cancel: Callable[[], None]) -> None:
        self._begin = begin
        self._cancel = cancel
        self._waiting: _Waiting | None = None
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
        return self._waiting is not None

    def publish(self, progress: Progress) -> None:
        """Tells the client how the rotation goes, if a client began it."""
        if self._waiting is not None and self._waiting.handle.is_active:
            self._waiting.handle.publish_feedback(feedback_to_msg(progress))

    def end(self, outcome: Outcome) -> Future | None:
        """Answers the client, if a client began the rotation. Returns what is done when the answer is out."""
        if self._waiting is None:
            return None
        if not self._waiting.outcome.done():
            self._waiting.outcome.set_result(outcome)
        return self._waiting.answered

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        if self._waiting is not None and handle is self._waiting.handle:
            self._cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> RunRotation.Result:
        if handle.is_cancel_requested:
            handle.canceled()
            return result_to_msg(Outcome(RotationError.CANCELED, 'canceled before it began'))
        earlier = self._waiting
        if earlier is not None and not earlier.outcome.done() and earlier.is_of(handle.request.client):
            earlier.outcome.set_result(Outcome(RotationError.ASKED_AGAIN, 'the same client asked again'))
        elif (refusal := self._begin(handle.request)) is not None:
            handle.abort()
            return result_to_msg(refusal)
        mine = self._waiting = _Waiting(handle)
        outcome: Outcome = await mine.outcome
        if self._waiting is mine:
            self._waiting = None
        if handle.is_cancel_requested:
            handle.canceled()
        elif outcome.error is RotationError.NONE:
            handle.succeed()
        else:
            handle.abort()
        # Whoever waits for this goes on only after rclpy has sent the result, in the same step as this return.
        mine.answered.set_result(None)
        return result_to_msg(outcome)
