# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An executor that costs a part of rclpy's: it does not build everything anew that it waits for after every callback.

rclpy 7.1 builds a new wait set in Python for every wait, and wakes itself after every callback, so that it waits twice for each. That
is what a node that gets ten messages a second spends most of its time on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rclpy.event_handler import EventHandler
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.task import Task

#: The series of rclpy whose insides this file knows: Jazzy's.
_KNOWN = '7.1.'
#: s between two waits that wait for events of connections too; nodes have timers, so that there is a wait soon.
_RARE = 1.0
_KINDS = ('subscriptions', 'guard_conditions', 'timers', 'clients', 'services', 'events')


class _Waiting:
    """Everything that some nodes wait for, kept from one wait to the next. The handles can't be destroyed before close()."""

    def __init__(self, nodes: list[Node], guards: list[Any], context: Any) -> None:
        self._pins = ExitStack()
        self._waitables = [one for node in nodes for one in node.waitables]
        self._usual = [one for one in self._waitables if not isinstance(one, EventHandler)]
        self._rare_at = 0.0
        self._timers = [one for node in nodes for one in node.timers]
        self._others = {
            'subscription': [one for node in nodes for one in node.subscriptions],
            'client': [one for node in nodes for one in node.clients],
            'service': [one for node in nodes for one in node.services],
            'guard_condition': [one for node in nodes for one in node.guards],
        }
        self._guards = [guard.handle for guard in guards]
        entities = [one for some in (self._timers, *self._others.values()) for one in some]
        for pinned in (*(one.handle for one in entities), *self._guards, *self._waitables, context.handle):
            self._pins.enter_context(pinned)
        self._set = rclpy_implementation.WaitSet(*self._counts(), context.handle)
        self._pins.enter_context(self._set)

    def wait(self, *, some_are_held: bool) -> list[tuple[Any, str]]:
        """Waits until something is ready: entities, and what kind they are.

        some_are_held: a callback that waits for something may hold a callback group; who is in it is then not waited for.
        """
        self._set.clear_entities()
        for handle in self._guards:
            self._set.add_guard_condition(handle)
        for kind, entities in (('timer', self._timers), *self._others.items()):
            add = getattr(self._set, f'add_{kind}')
            for one in entities:
                if not some_are_held or one.callback_group.can_execute(one):
                    add(one.handle)
        waitables = [one for one in self._now_due() if not some_are_held or one.callback_group.can_execute(one)]
        for one in waitables:
            one.add_to_wait_set(self._set)
        self._set.wait(-1)
        found = [(one, 'waitable') for one in waitables if one.is_ready(self._set)]
        ready = self._set.get_ready_entities('timer')
        # One that was cancelled is among the ready ones too.
        found += [(one, 'timer') for one in self._timers if one.handle.pointer in ready and one.handle.is_timer_ready()]
        for kind, entities in self._others.items():
            if ready := self._set.get_ready_entities(kind):
                found += [(one, kind) for one in entities if one.handle.pointer in ready]
        return found

    def _now_due(self) -> list[Any]:
        """Waitables, with events of connections (as that somebody asks for another QoS) only once in a while: most of what a node has."""
        now = time.monotonic()
        if now < self._rare_at:
            return self._usual
        self._rare_at = now + _RARE
        return self._waitables

    def close(self) -> None:
        """What was destroyed meanwhile may go."""
        self._pins.close()

    def _counts(self) -> list[int]:
        others = self._others
        own = (
            others['subscription'],
            (*others['guard_condition'], *self._guards),
            self._timers,
            others['client'],
            others['service'],
            (),
        )
        counts = [len(some) for some in own]
        for one in self._waitables:
            needs = one.get_num_entities()
            counts = [count + getattr(needs, f'num_{kind}') for count, kind in zip(counts, _KINDS, strict=True)]
        return counts


def make_executor() -> SingleThreadedExecutor:
    """A QuietExecutor; with a version of rclpy that it does not know, rclpy's own."""
    try:
        known = version('rclpy').startswith(_KNOWN)
    except PackageNotFoundError:
        known = False
    return QuietExecutor() if known else SingleThreadedExecutor()


class QuietExecutor(SingleThreadedExecutor):
    """Runs the callbacks of its nodes in the thread that calls spin(), in which nothing else of rclpy's executors is used."""

    def __init__(self) -> None:
        self._changed = True
        # As rclpy has them: task, entity, node.
        self._tasks: list[tuple[Task, Any, Any]] = []
        super().__init__()

    def wake(self) -> None:
        """Something that is waited for was made or destroyed."""
        self._changed = True
        super().wake()

    def add_node(self, node: Node) -> bool:
        """A node's callbacks are run from now on; False if they were already."""
        self._changed = True
        return bool(super().add_node(node))

    def remove_node(self, node: Node) -> None:
        """A node's callbacks are not run any longer."""
        self._changed = True
        super().remove_node(node)

    def spin(self) -> None:
        """Runs callbacks until it is shut down. Raises what a callback raises."""
        waiting: _Waiting | None = None
        try:
            while self._context.ok() and not self._is_shutdown:
                held = self._carry_on_tasks()
                if waiting is None or self._changed:
                    # Before the entities are asked for: what is made meanwhile counts next time.
                    self._changed = False
                    if waiting is not None:
                        waiting.close()
                    waiting = self._all()
                if waiting is None:
                    return
                for entity, kind in waiting.wait(some_are_held=held):
                    self._run(entity, getattr(self, f'_take_{kind}'))
        finally:
            if waiting is not None:
                waiting.close()

    def _all(self) -> _Waiting | None:
        with self._shutdown_lock:
            guards = [guard for guard in (self._guard, self._sigint_gc) if guard is not None]
            return None if self._is_shutdown else _Waiting(self.get_nodes(), guards, self._context)

    def _take_timer(self, timer: Any) -> Any:
        # A callback since may have cancelled it, of which rcl makes an error.
        return super()._take_timer(timer) if timer.handle.is_timer_ready() else None

    def _run(self, entity: Any, take: Callable[[Any], Any]) -> None:
        self._carry_on(Task(self._handle, (entity, take), executor=self))

    async def _handle(self, entity: Any, take: Callable[[Any], Any]) -> None:
        group = entity.callback_group
        if self._is_shutdown or not group.beginning_execution(entity):
            return
        with self._work_tracker:
            try:
                call = take(entity)
                if call is not None:
                    await call()
            finally:
                group.ending_execution(entity)

    def _carry_on(self, task: Task) -> bool:
        """Runs a task until it waits for something; whether it is over."""
        task()
        if not task.done():
            with self._tasks_lock:
                if not any(known is task for known, _, _ in self._tasks):
                    self._tasks.append((task, None, None))
            return False
        if task.exception() is not None:
            raise task.exception()
        return True

    def _carry_on_tasks(self) -> bool:
        """Goes on with those that wait, as long as that ends any of them or makes new ones; whether some are left."""
        known: set[int] = set()
        while True:
            with self._tasks_lock:
                tasks = [task for task, _, _ in self._tasks]
            ended = {id(task) for task in tasks if task.done() or task.cancelled() or self._carry_on(task)}
            with self._tasks_lock:
                self._tasks = [entry for entry in self._tasks if id(entry[0]) not in ended]
                left = {id(task) for task, _, _ in self._tasks}
            if not ended and left <= known | {id(task) for task in tasks}:
                return bool(left)
            known |= {id(task) for task in tasks}
