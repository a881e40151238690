# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Asking for a rotation over DDS when answers are lost: `up` asks again, and gets its own rotation instead of 'busy'."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import rclpy
from conftest import PATIENCE, wait_for
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

from collab_bringup import rotation_client
from collab_bringup.rotation_client import RotationClient
from collab_coordinator.core.rotation import Outcome, RotationError
from collab_coordinator.servers.rotation_action import RotationAction
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import RegionState
from ptz_node import names
from ptz_node.qos import LATCHED

BUSY = Outcome(RotationError.BUSY, 'a rotation is running already; stop it first')


class Coordinator:
    """The action server with a rotation that runs until end(); in a thread and a context of its own, as another process has."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = Node('coordinator', namespace='/yard', context=self._context)
        self._action = RotationAction(self._node, self._begin, lambda: None)
        self._node.create_publisher(RegionState, names.REGION_STATE, LATCHED).publish(RegionState())
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def _begin(self, goal: RunRotation.Goal) -> Outcome | None:
        self.begun.append(goal.client)
        return BUSY if len(self.begun) > 1 else None

    def end(self, outcome: Outcome) -> None:
        """The rotation ends."""
        self._executor.create_task(lambda: self._action.end(outcome))

    def close(self) -> None:
        """Nobody answers any more."""
        self._executor.shutdown()
        self._thread.join(PATIENCE)
        self._node.destroy_node()
        self._context.try_shutdown()


@pytest.fixture
def coordinator(ros_domain: int) -> Iterator[Coordinator]:
    server = Coordinator()
    yield server
    server.close()


def losing_answers(client: RotationClient, monkeypatch: pytest.MonkeyPatch, lost: int) -> list[Future]:
    """Lets the first answers not reach this client, as DDS does while it is being discovered. Returns the futures of every question."""
    send = client._client.send_goal_async
    sent: list[Future] = []

    def lossy(*arguments: object, **options: object) -> Future:
        sent.append(send(*arguments, **options))
        if len(sent) > lost:
            # However long it takes, the answer to this one will come.
            monkeypatch.setattr(rotation_client, '_ASK_AGAIN', PATIENCE)
        return Future() if len(sent) <= lost else sent[-1]

    monkeypatch.setattr(client._client, 'send_goal_async', lossy)
    return sent


@pytest.mark.parametrize('lost', [0, 1, 3])
def test_a_lost_answer_does_not_make_a_region_busy_with_itself(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(rotation_client, '_ASK_AGAIN', 0.5 if lost else PATIENCE)
    with RotationClient('/yard') as client:
        wait_for(client.coordinator_is_there, PATIENCE, 'the coordinator is discovered')
        sent = losing_answers(client, monkeypatch, lost)
        client.start(slots=7)

        def answered() -> bool:
            client.tick()
            return len(sent) > lost and all(one.done() for one in sent[lost:])

        wait_for(answered, PATIENCE, 'all questions are answered')
        assert len(coordinator.begun) == 1 and coordinator.begun[0]
        assert client.outcome is None
        coordinator.end(Outcome(RotationError.NONE, '', slots=7))
        wait_for(lambda: client.outcome is not None, PATIENCE, 'the outcome arrives')
        assert client.outcome is not None
        assert (client.outcome.error_code, client.outcome.slots) == (RunRotation.Result.NONE, 7)


@pytest.mark.parametrize('name', ['', 'somebody else'])
def test_somebody_else_is_told_that_it_is_busy(coordinator: Coordinator, name: str) -> None:
    with RotationClient('/yard') as client:
        wait_for(client.coordinator_is_there, PATIENCE, 'the coordinator is discovered')
        client.start(slots=0)
        wait_for(lambda: client.tick() or bool(coordinator.begun), PATIENCE, 'the rotation begins')
        other = ActionClient(client._node, RunRotation, names.RUN_ROTATION)
        goal = RunRotation.Goal(client=name)
        results: list[Future] = []

        def send() -> None:
            other.send_goal_async(goal).add_done_callback(lambda sent: results.append(sent.result().get_result_async()))

        def answered() -> bool:
            # Again and again: answers to who is being discovered are lost.
            client._executor.create_task(send)
            return any(one.done() for one in results)

        wait_for(answered, PATIENCE, 'the other is answered')
        assert next(one for one in results if one.done()).result().result.error_code == RunRotation.Result.BUSY
        coordinator.end(Outcome(RotationError.NONE, '', slots=3))
        wait_for(lambda: client.outcome is not None, PATIENCE, 'the first one goes on to its end')
        other.destroy()
