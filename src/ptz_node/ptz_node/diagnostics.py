# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes the state of a node's parts on /diagnostics, once a second and at once when a level changes.

The same messages as diagnostic_updater makes; that package has no wheel on PyPI, so it can't be relied on everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from ptz_node.qos import EVENTS

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
STALE = DiagnosticStatus.STALE


@dataclass(frozen=True)
class Status:
    """How one part is doing: level (OK, WARN, ERROR, STALE), one sentence, and figures."""

    level: bytes
    message: str
    values: Mapping[str, object] = field(default_factory=dict)


class Diagnostics:
    """Asks every registered part for its Status and publishes them."""

    def __init__(self, node: Node, hardware_id: str, period: float = 1.0) -> None:
        self._node = node
        self._hardware_id = hardware_id
        self._parts: dict[str, Callable[[], Status]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', EVENTS)
        self._timer = node.create_timer(period, self.publish)

    def add(self, name: str, ask: Callable[[], Status]) -> None:
        """Registers a part; ask is called in the node's executor."""
        self._parts[name] = ask

    def publish(self) -> None:
        """Publishes all parts now."""
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        array.status = [self._message(name, ask()) for name, ask in self._parts.items()]
        self._publisher.publish(array)

    def _message(self, name: str, status: Status) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=status.level,
            name=f'{self._node.get_fully_qualified_name().lstrip("/")}: {name}',
            message=status.message,
            hardware_id=self._hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
        )
