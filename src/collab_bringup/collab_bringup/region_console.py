# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A connection to a region that runs, for people and scripts: what it does now, and the few things that may be asked of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from std_srvs.srv import Trigger

from ptz_collab_msgs.action import GoToPreset
from ptz_collab_msgs.msg import CameraState, RegionState, Watchlist
from ptz_collab_msgs.srv import HoldRotation, ReleaseHold
from ptz_node import names
from ptz_node.convert import duration_from_ns
from ptz_node.qos import LATCHED
from ptz_site import NANOSECONDS, UserError

#: s; how long it may take to discover a region.
DISCOVERY = 10.0
#: s; how long one that is there may take to answer. A question is followed although nobody waits for the answer any longer.
_ANSWER = 30.0
_POLL = 0.02


class RegionConsole:
    """Talks to one region, in a ROS context of its own, so that other nodes of the process are not touched. Context manager.

    region empty: the only one there is. discovery (s): how long it may take to be found.
    Raises UserError if there is no such region, more than one to choose from, or no answer.
    """

    def __init__(self, region: str = '', discovery: float = DISCOVERY) -> None:
        self._discovery, self._patience = discovery, max(discovery, _ANSWER)
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('ptz_collab_console', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name='console', daemon=True)
        self._thread.start()
        self._state: RegionState | None = None
        try:
            self.region = self._find(region)
            # Before the state is asked for: see wait_until_known.
            self._services = {
                name: self._node.create_client(kind, self._name(f'{names.COORDINATOR}/{name}'))
                for name, kind in (('hold', HoldRotation), ('release', ReleaseHold), ('stop', Trigger))
            }
            self._node.create_subscription(RegionState, self._name(names.REGION_STATE), self._on_state, LATCHED)
            self._wait(lambda: self._state is not None, self._patience, 'its coordinator does not tell how it does')
        except UserError:
            self.close()
            raise

    def __enter__(self) -> RegionConsole:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._executor.shutdown(timeout_sec=2.0)
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    @property
    def node(self) -> Node:
        """The node that talks, for what this class has no words for; it is spun already."""
        return self._node

    @property
    def state(self) -> RegionState:
        """The newest state of the region."""
        assert self._state is not None
        return self._state

    def hold(self, scene: str = '', camera: str = '', seconds: float = 0.0, reason: str = '') -> HoldRotation.Response:
        """Holds a scene, or everything as it is; seconds 0: until it is released."""
        request = HoldRotation.Request(scene=scene, camera=camera, reason=reason)
        request.duration = duration_from_ns(round(seconds * NANOSECONDS))
        return self._call('hold', request)

    def release(self, hold_id: str = '') -> ReleaseHold.Response:
        """Ends a hold, or all of them."""
        return self._call('release', ReleaseHold.Request(hold_id=hold_id))

    def stop(self) -> Trigger.Response:
        """Ends the rotation; every camera stays where it is."""
        return self._call('stop', Trigger.Request())

    def ask_perception(self, kind: Any, name: str, request: Any) -> Any:
        """Calls a service of the region's perception."""
        client = self._node.create_client(kind, self._name(name))
        problem = f'nobody serves {name}; does its perception run?'
        self._wait(client.service_is_ready, self._discovery, problem)  # a region may have no perception
        self.wait_until_known(Watchlist, names.WATCHLIST, problem)
        return self._answer(client.call_async(request))

    def go_to(self, camera: str, scene: str, seconds: float, tell: Callable[[GoToPreset.Feedback], None]) -> GoToPreset.Result:
        """Sends a camera to a scene for some seconds; returns when it goes back into the plan. KeyboardInterrupt sends it back at once."""
        client = ActionClient(self._node, GoToPreset, self._name(names.go_to_preset(camera)))
        problem = f'no driver of {camera} answers; is it running?'
        self._wait(client.server_is_ready, self._discovery, problem)
        self.wait_until_known(CameraState, names.camera_state(camera), problem)
        goal = GoToPreset.Goal(scene=scene, stay=duration_from_ns(round(seconds * NANOSECONDS)))
        handle = self._answer(self.send_goal(client, goal, lambda message: tell(message.feedback)))
        result = self.result_of(handle)
        try:
            while not result.done():
                time.sleep(_POLL)
        except KeyboardInterrupt:
            self._answer(handle.cancel_goal_async())
            raise
        return result.result().result

    def send_goal(self, client: ActionClient, goal: Any, tell: Callable[[Any], None] | None = None) -> Future:
        """Sends an action's goal, in the executor's thread: rclpy loses an answer that comes before the question is noted.

        tell: is called with feedback messages. The future's result is the goal's handle.
        """
        sent = self._executor.create_task(lambda: client.send_goal_async(goal, feedback_callback=tell))
        return self._answer(sent)

    def result_of(self, handle: ClientGoalHandle) -> Future:
        """The result of a goal that was accepted, asked for in the executor's thread: a goal may be over at once."""
        return self._answer(self._executor.create_task(handle.get_result_async))

    def wait_for(self, condition: Callable[[RegionState], bool], seconds: float) -> bool:
        """Waits until the region's state fulfils a condition; False if it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition(self.state):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def wait_until_known(self, kind: Any, latched: str, problem: str) -> None:
        """Waits until a node knows where to send answers: one that has not yet discovered who asks would send them to nobody.

        Discovery tells in order. So who sends the newest message of a topic, subscribed now, has discovered all that was made before.
        """
        told = threading.Event()
        subscription = self._node.create_subscription(kind, self._name(latched), lambda _message: told.set(), LATCHED)
        self._wait(told.is_set, self._patience, problem)
        self._node.destroy_subscription(subscription)

    def _name(self, relative: str) -> str:
        return f'/{self.region}/{relative}'

    def _on_state(self, message: RegionState) -> None:
        self._state = message

    def _find(self, wanted: str) -> str:
        """The region's name, once it is discovered."""
        deadline = time.monotonic() + self._discovery
        found: list[str] = []
        while time.monotonic() < deadline:
            ending = f'/{names.REGION_STATE}'
            topics = [
                name for name, types in self._node.get_topic_names_and_types() if 'ptz_collab_msgs/msg/RegionState' in types
            ]
            found = [name[1 : -len(ending)] for name in topics if name.endswith(ending)]
            if wanted in found:
                return wanted
            if not wanted and len(found) == 1:
                return found[0]
            time.sleep(_POLL)
        if wanted:
            there = f'running: {", ".join(found)}' if found else 'none is running'
            raise UserError(f'no region {wanted} is running ({there}); check its name and ROS_DOMAIN_ID')
        if found:
            raise UserError(f'several regions are running: {", ".join(found)}; choose one with --region')
        raise UserError('no region is running here; start one with ptz-collab up, or check ROS_DOMAIN_ID')

    def _call(self, service: str, request: Any) -> Any:
        client = self._services[service]
        self._wait(client.service_is_ready, self._patience, 'its coordinator does not answer')
        return self._answer(client.call_async(request))

    def _answer(self, future: Future) -> Any:
        self._wait(future.done, self._patience, f'no answer within {self._patience:g} s')
        return future.result()

    def _wait(self, condition: Callable[[], bool], seconds: float, problem: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise UserError(f'region {self.region}: {problem}')
            time.sleep(_POLL)
