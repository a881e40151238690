# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Asks the coordinator of a region to run the rotation, and follows how it goes."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import rclpy
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import RegionState, StayStatistics
from ptz_node import names
from ptz_node.convert import duration_from_ns, duration_to_ns
from ptz_node.qos import LATCHED

NANOSECONDS = 1_000_000_000
#: s without an answer after which a goal is sent again: one that went to a coordinator which had just died is lost, for example.
_ASK_AGAIN = 2.0
#: s in which a running region on this network is discovered.
_DISCOVERY = 1.5


@dataclass(frozen=True)
class RotationProgress:
    """The newest feedback, as plain values; times in seconds."""

    state: int
    elapsed: float
    slot: int
    slots: int
    assignments: tuple[tuple[str, str], ...]
    uncovered: tuple[str, ...]
    waiting_for: tuple[str, ...]


@dataclass(frozen=True)
class RotationOutcome:
    """How the rotation ended. error_code 0 is success, others as in RunRotation.action. stays: how equal they were, for people."""

    error_code: int
    error_msg: str
    slots: int
    stays: str = ''


class RotationClient:
    """An action client in a thread of its own. Context manager: rclpy is up inside it."""

    def __init__(self, namespace: str) -> None:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('ptz_collab_up', namespace=namespace)
        self._client = ActionClient(self._node, RunRotation, names.RUN_ROTATION)
        # After the client: discovery tells in order, so that a coordinator whose state comes knows where to send its answers.
        self._told = threading.Event()
        self._node.create_subscription(RegionState, names.REGION_STATE, lambda _state: self._told.set(), LATCHED)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name='rotation client', daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._handle: ClientGoalHandle | None = None
        self._progress: RotationProgress | None = None
        self._outcome: RotationOutcome | None = None
        self._slots: int | None = None
        self._asked_at = 0.0
        self._asked = self._answered = 0
        self._name = f'ptz-collab up {uuid.uuid4()}'

    def __enter__(self) -> RotationClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._executor.shutdown(timeout_sec=2.0)
        self._thread.join(timeout=2.0)
        self._client.destroy()
        self._node.destroy_node()
        rclpy.try_shutdown()

    @property
    def progress(self) -> RotationProgress | None:
        """The newest feedback."""
        with self._lock:
            return self._progress

    @property
    def outcome(self) -> RotationOutcome | None:
        """How the rotation ended; None while it has not."""
        with self._lock:
            return self._outcome

    def region_runs(self) -> bool:
        """Whether somebody coordinates this region already; takes the second that discovery takes."""
        deadline = time.monotonic() + _DISCOVERY
        while time.monotonic() < deadline:
            if self._node.count_publishers(names.REGION_STATE):
                return True
            time.sleep(0.05)
        return False

    def coordinator_is_there(self) -> bool:
        """Whether the action server has been discovered, and has discovered us."""
        return self._told.is_set() and bool(self._client.server_is_ready())

    def recorder_is_there(self, scenes: Iterable[str]) -> bool:
        """Whether somebody listens to the frames of every scene."""
        return all(self._node.count_subscribers(names.scene_frames(scene)) > 0 for scene in scenes)

    def start(self, slots: int) -> None:
        """Asks for a rotation of so many slots; 0: without end."""
        self._slots = slots
        self._ask()

    def lost_coordinator(self) -> None:
        """The coordinator died: its successor is to be asked again, and takes up the rotation that the cameras go on with."""
        with self._lock:
            self._handle = None
        self._asked_at = time.monotonic()

    def tick(self) -> None:
        """Asks again while nobody has accepted. Called several times a second."""
        with self._lock:
            waiting = self._slots is not None and self._handle is None and self._outcome is None
        if waiting and time.monotonic() - self._asked_at > _ASK_AGAIN:
            self._ask()

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        # In the executor's thread: rclpy loses an answer that comes before the question is noted, and the goal would run without us.
        self._executor.create_task(self._send)

    def _send(self) -> None:
        goal = RunRotation.Goal(dwell=duration_from_ns(0), slots=self._slots, client=self._name)
        self._asked += 1
        sent = self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        sent.add_done_callback(partial(self._on_accepted, self._asked))

    def cancel(self) -> None:
        """Asks the coordinator to stop the rotation."""
        with self._lock:
            handle = self._handle
        if handle is not None:
            handle.cancel_goal_async()

    def _on_accepted(self, asked: int, future: Future) -> None:
        handle = future.result()
        if asked < self._answered:
            return  # a later question was answered before
        self._answered = asked
        with self._lock:
            self._handle = handle
            if not handle.accepted:
                self._outcome = RotationOutcome(RunRotation.Result.BUSY, 'the coordinator refused', 0)
                return
        handle.get_result_async().add_done_callback(partial(self._on_result, handle))

    def _on_feedback(self, message: RunRotation.Impl.FeedbackMessage) -> None:
        feedback = message.feedback
        with self._lock:
            self._progress = RotationProgress(
                state=feedback.state,
                elapsed=duration_to_ns(feedback.elapsed) / NANOSECONDS,
                slot=feedback.slot,
                slots=feedback.slots,
                assignments=tuple((a.camera, a.scene) for a in feedback.assignments),
                uncovered=tuple(feedback.uncovered),
                waiting_for=tuple(feedback.waiting_for),
            )

    def _on_result(self, handle: ClientGoalHandle, future: Future) -> None:
        answer = future.result()
        result = answer.result
        if result.error_code == RunRotation.Result.ASKED_AGAIN:
            return  # a later question has taken its place
        code = result.error_code
        if code == RunRotation.Result.NONE and answer.status != GoalStatus.STATUS_SUCCEEDED:
            code = RunRotation.Result.SHUTDOWN
        with self._lock:
            if handle is self._handle:
                self._outcome = RotationOutcome(code, result.error_msg, result.slots, _stays_text(result.stays))


def _stays_text(stays: StayStatistics) -> str:
    if not stays.stays:
        return ''

    def milliseconds(duration: Duration) -> str:
        return f'{duration_to_ns(duration) / 1e6:.1f} ms'

    return (
        f'{stays.stays} stays: between cameras they differ by up to {milliseconds(stays.cameras_max)} '
        f'(99 %: {milliseconds(stays.cameras_p99)}), between scenes by up to {milliseconds(stays.scenes_max)} '
        f'(99 %: {milliseconds(stays.scenes_p99)})'
    )
