# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What people may ask of the coordinator: ~/hold, ~/release and ~/stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rclpy.node import Node
from std_srvs.srv import Trigger

from collab_coordinator.core.holds import HoldEnd, HoldError, HoldRequest
from ptz_collab_msgs.srv import HoldRotation, ReleaseHold
from ptz_node.convert import duration_to_ns, time_from_ns
from ptz_site import Hold


class Operated(Protocol):
    """What the services need of the node."""

    def begin_hold(self, request: HoldRequest) -> Hold | tuple[HoldError, str]:
        """Holds, or says why not."""

    def release_hold(self, hold_id: str, why: HoldEnd) -> bool:
        """Ends a hold; False if it is not on."""

    def holds_on(self) -> tuple[Hold, ...]:
        """The holds that are on."""

    def newest_revision(self) -> int:
        """The newest plan revision."""

    def resume_at_ns(self) -> int:
        """When the rotation goes on; 0 while it is held."""


class OperatorServices:
    """stop: ends the rotation; returns whether one was running."""

    def __init__(self, node: Node, operated: Operated, stop: Callable[[], bool]) -> None:
        self._operated, self._stop = operated, stop
        node.create_service(HoldRotation, '~/hold', self._on_hold)
        node.create_service(ReleaseHold, '~/release', self._on_release)
        node.create_service(Trigger, '~/stop', self._on_stop)

    def _on_hold(self, request: HoldRotation.Request, response: HoldRotation.Response) -> HoldRotation.Response:
        hold = self._operated.begin_hold(
            HoldRequest(
                request.camera,
                request.scene,
                reason=request.reason or 'an operator',
                limit_ns=max(0, duration_to_ns(request.duration)),
                kept_alive=False,
            )
        )
        if isinstance(hold, Hold):
            response.hold_id, response.plan_revision = hold.hold_id, self._operated.newest_revision()
        else:
            response.error_code, response.error_msg = int(hold[0]), hold[1]
        return response

    def _on_release(self, request: ReleaseHold.Request, response: ReleaseHold.Response) -> ReleaseHold.Response:
        wanted = [hold.hold_id for hold in self._operated.holds_on() if request.hold_id in ('', hold.hold_id)]
        response.released = [hold_id for hold_id in wanted if self._operated.release_hold(hold_id, HoldEnd.OPERATOR)]
        if not response.released:
            response.error_code = int(HoldError.UNKNOWN_HOLD)
            response.error_msg = f'there is no hold {request.hold_id}' if request.hold_id else 'nothing holds the rotation'
        response.resume_at = time_from_ns(self._operated.resume_at_ns())
        return response

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._stop()
        response.message = 'stopped; every camera stays where it is' if response.success else 'no rotation is running'
        return response
