# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The executor does what rclpy's does: with real nodes, over DDS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import rclpy
from conftest import PATIENCE
from rclpy.action import ActionClient, ActionServer
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from rclpy.timer import Timer
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ptz_collab_msgs.action import GoToPreset
from ptz_node import executor
from ptz_node.executor import QuietExecutor, make_executor


class Spinning:
    """A node whose callbacks run in a thread of their own."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.executor = QuietExecutor()
        self.executor.add_node(node)
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

    def _spin(self) -> None:
        try:
            self.executor.spin()
        except BaseException as error:
            self.failure = error

    def end(self) -> bool:
        """Whether its thread ends when it is told to."""
        self.executor.shutdown()
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()

    def do(self, action: Callable[[], object]) -> object:
        """In the executor's thread."""
        done, found = threading.Event(), []

        def run() -> None:
            found.append(action())
            done.set()

        self.executor.create_task(run)
        assert done.wait(PATIENCE)
        return found[0]


@pytest.fixture
def context(ros_domain: int) -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def spinning(context: None) -> Iterator[Spinning]:
    node = rclpy.create_node('executor')
    found = Spinning(node)
    yield found
    assert found.end()
    node.destroy_node()


def happens(event: threading.Event) -> bool:
    return event.wait(PATIENCE)


def test_timers_and_messages_of_entities_that_are_made_while_it_spins(spinning):
    came, ticked = threading.Event(), threading.Event()
    node = spinning.node
    node.create_subscription(String, 'words', lambda _: came.set(), 10)
    publisher = node.create_publisher(String, 'words', 10)
    node.create_timer(0.01, lambda: (publisher.publish(String(data='x')), ticked.set()))
    assert happens(ticked) and happens(came)


def test_what_is_destroyed_while_it_spins_is_not_called_any_longer(spinning):
    node, again = spinning.node, threading.Event()
    calls: list[int] = []
    timer = node.create_timer(0.01, lambda: (calls.append(1), again.set()))
    assert happens(again)
    spinning.do(lambda: node.destroy_timer(timer))
    counted = len(calls)
    later = threading.Event()
    node.create_timer(0.05, later.set)
    assert happens(later) and len(calls) == counted


def test_a_cancelled_timer_rests_until_it_is_reset(spinning):
    node, called, other = spinning.node, threading.Event(), threading.Event()

    def make() -> Timer:
        timer = node.create_timer(0.01, called.set)
        timer.cancel()
        return timer

    # Where it can't be called before it is cancelled.
    timer = spinning.do(make)
    node.create_timer(0.05, other.set)
    assert happens(other) and not called.is_set()
    spinning.do(timer.reset)
    assert happens(called)


def test_a_timer_that_another_ready_one_cancels_rests(spinning):
    node, later = spinning.node, threading.Event()
    calls: list[str] = []

    def make() -> None:
        def call(name: str) -> None:
            calls.append(name)
            for timer in timers:
                timer.cancel()

        timers = [node.create_timer(0.0, lambda name=name: call(name)) for name in ('one', 'other')]

    spinning.do(make)
    node.create_timer(0.05, later.set)
    assert happens(later) and len(calls) == 1
    assert spinning.failure is None


def test_a_callback_that_waits_for_a_service_of_the_same_node_gets_its_answer(spinning):
    from rclpy.callback_groups import MutuallyExclusiveCallbackGroup

    node, answered = spinning.node, threading.Event()
    node.create_service(Trigger, 'ask', lambda _, answer: setattr(answer, 'message', 'yes') or answer)
    client = node.create_client(Trigger, 'ask', callback_group=MutuallyExclusiveCallbackGroup())
    said: list[str] = []

    async def ask() -> None:
        said.append((await client.call_async(Trigger.Request())).message)
        answered.set()

    assert client.wait_for_service(PATIENCE)
    spinning.executor.create_task(ask)
    assert happens(answered) and said == ['yes']


def test_while_a_callback_waits_its_group_rests_and_others_go_on(spinning):
    from rclpy.callback_groups import MutuallyExclusiveCallbackGroup

    node, future, began, both, after = spinning.node, Future(), threading.Event(), threading.Event(), threading.Event()
    group = MutuallyExclusiveCallbackGroup()
    held: list[str] = []
    timers: list[Timer] = []

    async def hold() -> None:
        timers[0].cancel()
        began.set()
        await future
        held.append('over')

    def same() -> None:
        held.append('same group')
        after.set()

    # Where it is not called before it is among them.
    spinning.do(lambda: timers.append(node.create_timer(0.01, hold, callback_group=group)))
    assert happens(began)
    node.create_timer(0.01, same, callback_group=group)
    node.create_timer(0.1, both.set, callback_group=MutuallyExclusiveCallbackGroup())
    assert happens(both) and held == []
    future.set_executor(spinning.executor) if hasattr(future, 'set_executor') else None
    spinning.do(lambda: future.set_result(None))
    assert happens(after) and held[:2] == ['over', 'same group']


def test_an_action_with_feedback_and_result(spinning):
    node, got = spinning.node, threading.Event()
    results: list[int] = []

    async def execute(goal):
        goal.publish_feedback(GoToPreset.Feedback())
        goal.succeed()
        return GoToPreset.Result(error_msg='there')

    server = ActionServer(node, GoToPreset, 'go', execute)
    client = ActionClient(node, GoToPreset, 'go')
    fed = threading.Event()

    def accepted(future):
        future.result().get_result_async().add_done_callback(
            lambda done: (results.append(done.result().result.error_msg), got.set())
        )

    assert client.wait_for_server(PATIENCE)
    # In the executor's thread: rclpy loses an answer that comes before the question is noted.
    spinning.do(lambda: client.send_goal_async(GoToPreset.Goal(), lambda _: fed.set()).add_done_callback(accepted))
    assert happens(got) and results == ['there'] and happens(fed)
    spinning.do(lambda: (client.destroy(), server.destroy()))


def test_a_guard_condition_and_a_task_from_another_thread_wake_it(spinning):
    guarded = threading.Event()
    condition = spinning.do(lambda: spinning.node.create_guard_condition(guarded.set))
    condition.trigger()
    assert happens(guarded)
    assert spinning.do(lambda: 7) == 7


def test_a_task_that_a_callback_makes_is_run_although_nothing_else_happens(spinning):
    done = threading.Event()
    spinning.do(lambda: spinning.executor.create_task(lambda: spinning.executor.create_task(done.set)))
    assert happens(done)


def test_what_a_callback_raises_ends_it(spinning):
    def fail() -> None:
        raise KeyError('lost')

    spinning.node.create_timer(0.01, fail)
    spinning.thread.join(PATIENCE)
    assert isinstance(spinning.failure, KeyError)


def test_it_ends_when_ros_does():
    rclpy.init()
    executor = QuietExecutor()
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    rclpy.shutdown()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(('known', 'kind'), [('7.1.', QuietExecutor), ('9.', SingleThreadedExecutor)])
def test_an_rclpy_that_is_not_known_has_its_own(
    context: None, monkeypatch: pytest.MonkeyPatch, known: str, kind: type[SingleThreadedExecutor]
) -> None:
    monkeypatch.setattr(executor, '_KNOWN', known)
    made = make_executor()
    assert type(made) is kind
    made.shutdown()
