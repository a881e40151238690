# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that moves the camera: at the instants of the plan, and by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ptz_driver.arrival import ArrivalSource, ArrivalWatch, PtzStatus, Verdict
from ptz_driver.backends.base import BackendError, CameraBackend
from ptz_driver.clock import DriverClock
from ptz_driver.follower import ManualStay, decide
from ptz_driver.health import Fault
from ptz_driver.marks import SegmentMarker, Showing
from ptz_site import Mark, Phase, Plan, PlanBook, PlanMode, Site

_NANOSECONDS = 1_000_000_000
_POLL_NS = 20_000_000
_IDLE_NS = _NANOSECONDS // 2
#: Nothing else is done so shortly before a switch.
_JUST_BEFORE_NS = 50_000_000
_RETRY_NS = _NANOSECONDS
_REFUSED_RETRY_NS = 30 * _NANOSECONDS
#: Faults of which a camera comes back into the plan by being sent to its scene again.
_RETRIED = (Fault.UNREACHABLE, Fault.REFUSED, Fault.MANUAL)


@dataclass(frozen=True)
class ControlState:
    """What the control thread knows; a copy."""

    showing: Showing
    arrival_source: ArrivalSource
    position: PtzStatus | None
    fault: Fault
    fault_text: str
    moves: int
    newest_revision: int
    manual: ManualStay | None


@dataclass(frozen=True)
class FrameContext:
    """What a frame's header says beside the picture."""

    showing: Showing
    marks: Mark
    slot: int
    revision: int


class Control:
    """Commands the camera at the very instant that the plan names, and watches it arrive. All methods may be called from any thread."""

    def __init__(self, site: Site, camera: str, backend: CameraBackend, clock: DriverClock, changed: Callable[[], None]) -> None:
        self._site, self._camera, self._backend, self._clock = site, camera, backend, clock
        self._changed = changed
        self._wake = threading.Condition()
        self._book = PlanBook()
        self._marker = SegmentMarker()
        self._watch: ArrivalWatch | None = None
        self._source = ArrivalSource.NONE
        self._status: PtzStatus | None = None
        self._fault, self._fault_text = Fault.NONE, ''
        self._moves = self._arrivals = 0
        self._frame_slot = 0
        self._manual: ManualStay | None = None
        self._retry_at_ns = 0
        #: When the rotation begins; a recording from there on needs a picture that can be decoded by itself.
        self._begins_ns = 0
        self._thread = threading.Thread(target=self._run, name='control', daemon=True)

    def start(self) -> None:
        """Starts the thread; the backend is open."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the thread, after the clock has ended."""
        with self._wake:
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def take_plan(self, plan: Plan) -> bool:
        """A plan revision came; False if it is not newer than what is there."""
        with self._wake:
            taken = self._book.take(plan)
            if taken and plan.mode is PlanMode.RUNNING:
                self._begins_ns = plan.slot_start_ns
            self._book.forget_before(self._clock.now_ns() - 60 * _NANOSECONDS)
            self._wake.notify_all()
        self._changed()
        return taken

    def stay(self, manual: ManualStay | None) -> None:
        """Sends the camera to a scene by hand, or back into the plan."""
        with self._wake:
            self._manual = manual
            self._wake.notify_all()

    def arrivals(self) -> int:
        """How often the camera has arrived at a preset."""
        return self._arrivals

    def state(self) -> ControlState:
        """A copy of what is known now."""
        with self._wake:
            newest = self._book.newest
            return ControlState(
                self._marker.newest,
                self._source,
                self._status,
                self._fault,
                self._fault_text,
                self._moves,
                newest.revision if newest else 0,
                self._manual,
            )

    def context(self, stamp_ns: int) -> FrameContext:
        """What the header of a frame says that was captured at an instant; asked once for each frame, in order."""
        with self._wake:
            showing, marks = self._marker.mark(stamp_ns)
            plan = self._book.in_force(stamp_ns)
            # A frame between the slot's boundary and the command a moment later still belongs to the slot before.
            if plan is not None and plan.scene(self._camera, stamp_ns) in ('', showing.scene):
                self._frame_slot = plan.slot(stamp_ns)
            return FrameContext(showing, marks, self._frame_slot, plan.revision if plan else 0)

    def slot(self, at_ns: int) -> int:
        """The slot of the plan in force."""
        with self._wake:
            plan = self._book.in_force(at_ns)
            return plan.slot(at_ns) if plan else 0

    def _run(self) -> None:
        while not self._clock.ended:
            with self._wake:
                now = self._clock.now_ns()
                decision = decide(self._book, self._camera, now, self._manual)
                scene = decision.scene if self._is_due(decision.scene, now) else ''
                watched = self._watch is not None
                begins, self._begins_ns = 0 < self._begins_ns <= now, 0 if self._begins_ns <= now else self._begins_ns
                again = scene == self._marker.newest.scene
                if scene and not again:
                    self._mark_turn(scene, now)
            if begins:
                self._backend.want_keyframe()
            # The camera is spoken to without the lock: a slow answer must not hold up the frames.
            if scene and self._command(scene, now, decision.speed) and again:
                with self._wake:
                    self._mark_turn(scene, now)
            if self._watch is not None:
                self._look()
            elif not watched and not scene:
                self._check(now)
            with self._wake:
                self._wait(decision.next_ns)

    def _is_due(self, scene: str, now: int) -> bool:
        if not scene or scene != self._marker.newest.scene:
            return bool(scene)
        return self._fault in _RETRIED and now >= self._retry_at_ns

    def _wait(self, next_ns: int | None) -> None:
        now = self._clock.now_ns()
        if next_ns is not None and next_ns <= now:
            return
        until = now + (_POLL_NS if self._watch is not None else _IDLE_NS)
        # A turn that could not be begun is tried again.
        candidates = [t for t in (next_ns, self._retry_at_ns, self._begins_ns) if t is not None and t > now]
        until = min([until, *candidates])
        if next_ns is not None and next_ns - until < _JUST_BEFORE_NS:
            # Who wakes a moment before the switch, and late, is late for the switch.
            until = next_ns
        while (now := self._clock.now_ns()) < until and not self._clock.ended:
            # All cameras switch together; whatever else there is to do may be some milliseconds late.
            if self._wake.wait(self._clock.slice(until, punctual=until == next_ns)):
                return  # A plan or a manual command came.

    def _mark_turn(self, scene: str, now: int) -> None:
        self._watch = ArrivalWatch(now, self._backend.goal(scene), round(self._site.region.arrival_timeout * _NANOSECONDS))
        self._source = ArrivalSource.NONE
        self._marker.switch_commanded(now, scene, self._site.preset_name(self._camera, scene))
        self._fault, self._fault_text = Fault.NONE, ''
        self._moves += 1

    def _command(self, scene: str, now: int, speed: float) -> bool:
        """Has a turn begun; whether the camera took the command."""
        try:
            self._backend.go_to(scene, now, speed)
            self._backend.want_keyframe()
        except BackendError as error:
            with self._wake:
                self._fail(error, now)
            self._changed()
            return False
        return True

    def _check(self, now: int) -> None:
        """While the camera rests."""
        try:
            self._backend.check()
        except BackendError as error:
            with self._wake:
                self._fail(error, now)
            self._changed()

    def _look(self) -> None:
        watch = self._watch
        now = self._clock.now_ns()
        try:
            status = self._backend.status(now)
        except BackendError as error:
            with self._wake:
                self._fail(error, now)
            self._changed()
            return
        with self._wake:
            self._status = status
            verdict = watch.look(status) if watch is not None else Verdict.TURNING
            if watch is not None and verdict is Verdict.ARRIVED:
                self._marker.arrived(status.at_ns)
                self._source, self._watch = watch.source, None
                self._arrivals += 1
            elif watch is not None and verdict is Verdict.TOO_LATE and self._fault is Fault.NONE:
                scene = self._marker.newest.scene
                self._fault = Fault.NOT_ARRIVED
                limit = f'{self._site.region.arrival_timeout:g} s'
                self._fault_text = (
                    f'{self._camera} did not arrive at {scene} within {limit}; check that it turns, or raise arrival_timeout'
                )
                self._marker.failed(status.at_ns)
        if verdict is Verdict.ARRIVED:
            self._backend.want_keyframe()
        self._changed()

    def _fail(self, error: BackendError, now: int) -> None:
        self._fault, self._fault_text = error.fault, str(error)
        self._marker.failed(now)
        self._watch = None
        self._retry_at_ns = now + (_REFUSED_RETRY_NS if error.fault is Fault.REFUSED else _RETRY_NS)


def phase_of(state: ControlState, picture_fault: Fault) -> Phase:
    """The phase to report: a camera without pictures is in FAULT whatever its drive says."""
    return Phase.FAULT if picture_fault is not Fault.NONE or state.fault is not Fault.NONE else state.showing.phase
