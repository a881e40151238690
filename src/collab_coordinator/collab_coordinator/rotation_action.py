# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The RunRotation action: carries one rotation from its goal to its result. Everything runs in the node's one executor thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from collab_coordinator.coverage import CoverageMeter, SceneCoverage
from collab_coordinator.examination import examine
from collab_coordinator.protocol import CameraFact, RevisionCounter, Rotation, RotationRequest, Stage
from ptz_collab_msgs.action import RunRotation
from ptz_collab_msgs.msg import SceneCoverage as SceneCoverageMsg
from ptz_collab_msgs.msg import SlotAssignment
from ptz_node import names
from ptz_node.convert import duration_from_ns, duration_to_ns, time_to_ns
from ptz_site import Plan, Site

NANOSECONDS = 1_000_000_000
#: s beyond the slowest turn from the first plan to slot 0: for the plan to reach everybody.
_LEAD = 1.0
_STATES = {
    Stage.WAITING_FOR_CAMERAS: RunRotation.Feedback.STATE_WAITING,
    Stage.WAITING_FOR_START: RunRotation.Feedback.STATE_WAITING,
    Stage.RUNNING: RunRotation.Feedback.STATE_RUNNING,
    Stage.ENDED: RunRotation.Feedback.STATE_RUNNING,
}


class RotationRunner:
    """Runs at most one rotation at a time; tick() is called several times a second."""

    def __init__(
        self,
        node: Node,
        site: Site,
        coordinator: str,
        facts: Mapping[str, CameraFact],
        revisions: RevisionCounter,
        publish: Callable[[Plan], None],
    ) -> None:
        self._node = node
        self._site = site
        self._coordinator = coordinator
        self._facts = facts
        self._revisions = revisions
        self._publish = publish
        self._rotation: Rotation | None = None
        self._meter: CoverageMeter | None = None
        self._handle: ServerGoalHandle | None = None
        self._done: Future | None = None
        self._last_feedback_ns = 0
        self._server = ActionServer(
            node,
            RunRotation,
            names.RUN_ROTATION,
            execute_callback=self._execute,
            goal_callback=lambda _goal: GoalResponse.ACCEPT,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
        )

    @property
    def rotation(self) -> Rotation | None:
        """The rotation that is under way."""
        return self._rotation

    def start(self, request: RotationRequest) -> None:
        """Begins a rotation without an action client."""
        self._rotation = Rotation(
            region=self._site.region.name,
            coordinator=self._coordinator,
            request=request,
            cameras=tuple(self._site.cameras),
            revisions=self._revisions,
            asked_ns=self._now(),
        )
        self._meter = None

    def request(self, goal: RunRotation.Goal) -> RotationRequest:
        """The goal with the site's values where it leaves them open. Raises ValueError for one that can't be run."""
        dwell_ns = duration_to_ns(goal.dwell) or round(self._site.region.dwell * NANOSECONDS)
        if dwell_ns < 0:
            raise ValueError(f"dwell of {dwell_ns / NANOSECONDS:g} s; give a positive one, or none for the site's")
        start_ns = time_to_ns(goal.start_time)
        if start_ns and start_ns < self._now():
            raise ValueError('start_time has passed; give a later one, or none to start at once')
        if not start_ns and self._site.region.start is not None:
            start_ns = round(self._site.region.start.timestamp() * NANOSECONDS)
        schedule = examine(self._site).schedule
        return RotationRequest(dwell_ns, goal.slots or goal.cycles * schedule.slots, start_ns)

    def take_state(self, fact: CameraFact) -> None:
        """A camera reported."""
        if self._meter is not None:
            self._meter.take(fact.camera, fact.scene, fact.in_position, fact.heard_ns)

    def tick(self) -> None:
        """Carries the rotation on."""
        rotation, now = self._rotation, self._now()
        if rotation is None:
            return
        if self._handle is not None and self._handle.is_cancel_requested:
            self.stop('canceled', RunRotation.Result.CANCELED)
            return
        if rotation.stage is Stage.WAITING_FOR_CAMERAS:
            self._try_to_begin(rotation, now)
        if rotation.advance(now) is Stage.ENDED:
            self._finish(RunRotation.Result.NONE, '', 'all slots were run')
        elif now - self._last_feedback_ns >= NANOSECONDS // 2:
            self._last_feedback_ns = now
            self._give_feedback(rotation, now)

    def stop(self, reason: str, error_code: int) -> bool:
        """Ends the rotation at once; False if there is none."""
        if self._rotation is None:
            return False
        self._finish(error_code, reason, reason)
        return True

    def abandon(self) -> None:
        """The node ends: the cameras go on by the plan that they have, the client is told."""
        if self._handle is not None and self._handle.is_active:
            self._handle.abort()
        self._server.destroy()

    def _try_to_begin(self, rotation: Rotation, now: int) -> None:
        missing = rotation.waiting_for(self._facts.values())
        if missing and now - rotation.asked_ns < self._site.region.start_timeout * NANOSECONDS:
            return
        there = frozenset(self._facts)
        if not there:
            self._finish(
                RunRotation.Result.NO_CAMERAS,
                f'no camera reported within {self._site.region.start_timeout:g} s: {", ".join(missing)}',
            )
            return
        if missing:
            self._node.get_logger().warning(
                f'starting without {", ".join(missing)}: no state within {self._site.region.start_timeout:g} s'
            )
        examination = examine(self._site, there)
        if not examination.schedule.slots:
            self._finish(RunRotation.Result.NOTHING_TO_WATCH, 'no camera that is there can watch any scene')
            return
        slowest = examination.slowest_turn
        if slowest * NANOSECONDS >= rotation.request.dwell_ns:
            dwell = rotation.request.dwell_ns / NANOSECONDS
            self._finish(
                RunRotation.Result.BAD_DWELL, f'dwell of {dwell:g} s is not longer than the slowest turn, {slowest:.1f} s'
            )
            return
        for uncovered in examination.schedule.uncovered:
            self._node.get_logger().warning(f"scene {uncovered.scene} can't be covered: {uncovered.reason}")
        lead_ns = round((_LEAD + slowest) * NANOSECONDS)
        plan = rotation.begin(examination.schedule.orders, now, lead_ns)
        self._publish(plan)
        self._meter = CoverageMeter(tuple(self._site.scenes), plan.slot_start_ns)
        for fact in self._facts.values():
            self.take_state(fact)

    def _finish(self, error_code: int, error_msg: str, reason: str = '') -> None:
        rotation, now = self._rotation, self._now()
        assert rotation is not None
        result = RunRotation.Result(error_code=error_code, error_msg=error_msg)
        ended = rotation.plan.ends_ns() if rotation.plan is not None else None
        result.slots = rotation.slots_run(now)
        if self._meter is not None:
            result.coverage = [_coverage_msg(scene) for scene in self._meter.result(now if ended is None else min(now, ended))]
        stopped = rotation.stop(now, reason or error_msg)
        if stopped is not None:
            self._publish(stopped)
        self._rotation = self._meter = None
        if error_code not in (RunRotation.Result.NONE, RunRotation.Result.CANCELED):
            self._node.get_logger().error(error_msg)
        if self._done is not None:
            self._done.set_result(result)

    async def _execute(self, handle: ServerGoalHandle) -> RunRotation.Result:
        if self._rotation is not None:
            handle.abort()
            return RunRotation.Result(
                error_code=RunRotation.Result.BUSY, error_msg='a rotation is running already; cancel it first'
            )
        try:
            request = self.request(handle.request)
        except ValueError as error:
            handle.abort()
            return RunRotation.Result(error_code=RunRotation.Result.BAD_GOAL, error_msg=str(error))
        self._handle, self._done = handle, Future(executor=self._node.executor)
        self.start(request)
        result = await self._done
        self._handle = self._done = None
        if result.error_code == RunRotation.Result.NONE:
            handle.succeed()
        elif result.error_code == RunRotation.Result.CANCELED and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _give_feedback(self, rotation: Rotation, now: int) -> None:
        if self._handle is None or not self._handle.is_active:
            return
        feedback = RunRotation.Feedback(state=_STATES[rotation.stage], slots=rotation.request.slots)
        feedback.waiting_for = list(rotation.waiting_for(self._facts.values()))
        plan = rotation.plan
        if plan is not None:
            feedback.elapsed = duration_from_ns(max(0, now - plan.slot_start_ns))
            feedback.slot = plan.slot(now)
            feedback.plan_revision = plan.revision
            feedback.assignments = [SlotAssignment(camera=o.camera, scene=plan.scene(o.camera, now)) for o in plan.orders]
            watched = {assignment.scene for assignment in feedback.assignments}
            feedback.uncovered = [scene for scene in self._site.scenes if scene not in watched]
        self._handle.publish_feedback(feedback)

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def _coverage_msg(coverage: SceneCoverage) -> SceneCoverageMsg:
    return SceneCoverageMsg(
        scene=coverage.scene,
        assigned=duration_from_ns(coverage.assigned_ns),
        watched=duration_from_ns(coverage.watched_ns),
        longest_gap=duration_from_ns(coverage.longest_gap_ns),
        cameras=list(coverage.cameras),
    )
