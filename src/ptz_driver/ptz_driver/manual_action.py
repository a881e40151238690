# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The GoToPreset action: somebody moves the camera by hand; afterwards it goes back into the plan."""

from __future__ import annotations

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from ptz_collab_msgs.action import GoToPreset
from ptz_driver.clock import DriverClock
from ptz_driver.control import Control
from ptz_driver.follower import ManualStay
from ptz_driver.health import Fault
from ptz_node import names
from ptz_node.convert import duration_from_ns, duration_to_ns
from ptz_site import Phase, Site

#: Later than any clock says.
_FOREVER_NS = 2**63 - 1
#: s between two looks at a goal.
_PERIOD = 0.1


class ManualAction:
    """Serves one goal at a time; a newer one takes the place of the present one."""

    def __init__(self, node: Node, site: Site, camera: str, control: Control, clock: DriverClock) -> None:
        self._node, self._site, self._camera, self._control, self._clock = node, site, camera, control, clock
        self._handle: ServerGoalHandle | None = None
        self._done: Future | None = None
        self._scene = ''
        self._asked_ns = self._arrived_ns = 0
        self._server = ActionServer(
            node,
            GoToPreset,
            names.go_to_preset(camera),
            execute_callback=self._execute,
            goal_callback=lambda _goal: GoalResponse.ACCEPT,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
        )
        # Only while there is a goal: every call of a timer costs.
        self._timer = node.create_timer(_PERIOD, self._tick)
        self._timer.cancel()

    def _tick(self) -> None:
        handle = self._handle
        if handle is None or self._done is None or self._done.done():
            self._timer.cancel()
            return
        now, state = self._clock.now_ns(), self._control.state()
        if handle.is_cancel_requested:
            self._end(GoToPreset.Result.CANCELED, 'canceled')
            return
        there = state.showing.scene == self._scene and state.showing.phase is Phase.IN_POSITION
        # Before the turn begins, a fault is of what was before.
        if state.fault is not Fault.NONE and state.showing.scene == self._scene:
            code = GoToPreset.Result.NOT_ARRIVED if state.fault is Fault.NOT_ARRIVED else GoToPreset.Result.UNREACHABLE
            self._end(code, state.fault_text)
            return
        if there and not self._arrived_ns:
            self._arrived_ns = max(self._asked_ns, state.showing.arrived_ns)
        if there and now >= self._arrived_ns + duration_to_ns(handle.request.stay):
            self._end(GoToPreset.Result.NONE, '')
            return
        feedback = GoToPreset.Feedback(state=GoToPreset.Feedback.STATE_STAYING if there else GoToPreset.Feedback.STATE_TURNING)
        feedback.elapsed = duration_from_ns(now - self._asked_ns)
        if state.position is not None and state.position.position is not None:
            position = state.position.position
            feedback.pan, feedback.tilt, feedback.zoom = position.pan, position.tilt, position.zoom
        handle.publish_feedback(feedback)

    def close(self) -> None:
        """The driver ends."""
        self._server.destroy()

    async def _execute(self, handle: ServerGoalHandle) -> GoToPreset.Result:
        goal = handle.request
        scene = goal.scene or self._scene_of_preset(goal.preset)
        if scene not in self._site.reach(self._camera):
            handle.abort()
            known = ', '.join(self._site.reach(self._camera))
            wanted = goal.scene or goal.preset
            message = f'{self._camera} has no preset {wanted!r}; it has {known}'
            return GoToPreset.Result(error_code=GoToPreset.Result.PRESET_NOT_FOUND, error_msg=message)
        if self._done is not None and not self._done.done():
            self._end(GoToPreset.Result.PREEMPTED, 'a newer goal took its place')
        self._handle, self._scene = handle, scene
        self._asked_ns, self._arrived_ns = self._clock.now_ns(), 0
        done = self._done = Future(executor=self._node.executor)
        self._timer.reset()
        self._control.stay(ManualStay(scene, _FOREVER_NS, min(max(goal.speed, 0.0), 1.0)))
        result = await done
        if result.error_code == GoToPreset.Result.NONE:
            handle.succeed()
        elif result.error_code == GoToPreset.Result.CANCELED:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _end(self, code: int, message: str) -> None:
        assert self._done is not None
        state = self._control.state()
        self._control.stay(None)
        turn_ns = max(0, self._arrived_ns - self._asked_ns) if self._arrived_ns else 0
        result = GoToPreset.Result(error_code=code, error_msg=message, arrival_source=int(state.arrival_source))
        result.turn_time = duration_from_ns(turn_ns)
        self._done.set_result(result)

    def _scene_of_preset(self, preset: str) -> str:
        names_of = {self._site.preset_name(self._camera, scene): scene for scene in self._site.reach(self._camera)}
        return names_of.get(preset, '')
