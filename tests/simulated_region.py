# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A region without ROS and without a clock: the coordinator's core, cameras that follow plans, and a network that delays and loses.

Everything happens in events on one time line (ns), drawn from one seed, so that a failing case can be told step by step.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from collab_coordinator.core.fleet import CameraReport, Fleet
from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import Revisions, RotationError, RotationRequest
from collab_coordinator.core.takeover import Takeover
from ptz_site import NANOSECONDS as S
from ptz_site import Phase, Plan, PlanBook, Site, turn_time

START = 1_000_000 * S
#: ns from one look of the coordinator to the next; the product's is shorter.
TICK = S // 4


@dataclass
class Network:
    """Delays up to `delay` s, in any order; loses and doubles messages with the given probabilities."""

    seed: int = 0
    delay: float = 0.002
    loss: float = 0.0
    double: float = 0.0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def delays_ns(self) -> list[int]:
        """When the copies of one message arrive; empty: it is lost."""
        if self.loss and self._random.random() < self.loss:
            return []
        copies = 2 if self.double and self._random.random() < self.double else 1
        return [round(self._random.random() * self.delay * S) for _ in range(copies)]


@dataclass
class SimulatedCamera:
    """Follows the plans that reach it. alive: its driver runs; stopped: it runs, but does nothing for now; stuck: it never arrives."""

    name: str
    site: Site
    session: int = 1
    alive: bool = True
    stopped: bool = False
    stuck: bool = False
    book: PlanBook = field(default_factory=PlanBook)
    scene: str = ''
    switch_ns: int = 0
    arrives_ns: int = 0
    wakes_ns: int = 0
    told_ns: int = 0  # when its newest plan came, or when it could tell of it again

    def phase(self, now_ns: int) -> Phase:
        """Where it is on its way."""
        if not self.scene:
            return Phase.UNKNOWN
        if self.stuck and self.arrives_ns > now_ns:
            late = now_ns - self.switch_ns > self.site.region.arrival_timeout * S
            return Phase.FAULT if late else Phase.TURNING
        return Phase.IN_POSITION if now_ns >= self.arrives_ns else Phase.TURNING

    def follow(self, now_ns: int) -> bool:
        """Goes where the plan wants it; True if it switched."""
        plan = self.book.in_force(now_ns)
        goal = plan.scene(self.name, now_ns) if plan is not None else ''
        if not goal or goal == self.scene:
            return False
        before = self.site.preset(self.name, self.scene) if self.scene else None
        after = self.site.preset(self.name, goal)
        seconds = turn_time(before, after, self.site.cameras[self.name].slew) if before and after else 0.5
        self.scene, self.switch_ns = goal, now_ns
        self.arrives_ns = now_ns + 10**18 if self.stuck else now_ns + round(seconds * S)
        return True

    def report(self, now_ns: int) -> CameraReport:
        """What it says of itself."""
        newest, phase = self.book.newest, self.phase(now_ns)
        plan = self.book.in_force(now_ns)
        return CameraReport(
            self.name,
            now_ns,
            now_ns,
            self.session,
            phase,
            self.scene,
            newest.revision if newest else 0,
            fault=1 if phase is Phase.FAULT else 0,
            fault_text='does not arrive' if phase is Phase.FAULT else '',
            slot=plan.slot(now_ns) if plan else 0,
            switch_start_ns=self.switch_ns,
            arrived_ns=self.arrives_ns if phase is Phase.IN_POSITION else 0,
        )


class SimulatedRegion:
    """Runs until any instant; between the events nothing changes. `watch` is called after each instant at which something happened."""

    def __init__(self, site: Site, request: RotationRequest, network: Network | None = None, tick_ns: int = TICK) -> None:
        self.site, self.request, self.network = site, request, network or Network()
        self.now_ns = START
        self._tick_ns = tick_ns
        self.timeline: list[str] = []
        self.plans: list[Plan] = []
        self.watch: Callable[[], None] = lambda: None
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._lives = itertools.count(1)
        self.cameras = {name: SimulatedCamera(name, site) for name in site.cameras}
        self.fleet = Fleet(site.cameras, 0)
        self.rotation: Rotation | None = None
        self._takeover: Takeover | None = None
        self.start_coordinator(listen=False)
        for camera in self.cameras.values():
            self._beat(camera, camera.session)

    # What tests do

    def run(self, seconds: float) -> None:
        """Goes on by some seconds."""
        end = self.now_ns + round(seconds * S)
        while self._events and self._events[0][0] <= end:
            self.now_ns = self._events[0][0]
            while self._events and self._events[0][0] <= self.now_ns:
                heapq.heappop(self._events)[2]()
            self.watch()
        self.now_ns = end

    def note(self, text: str) -> None:
        """Writes a line into the time line."""
        self.timeline.append(f'{(self.now_ns - START) / S:10.3f} {text}')

    def act(self, action: Callable[[Rotation], object]) -> object:
        """Does something with the rotation, and publishes what comes of it; None while there is no coordinator."""
        if self.rotation is None:
            return None
        result = action(self.rotation)
        self._publish()
        return result

    def kill_coordinator(self) -> None:
        """The coordinator is gone at once."""
        self.note('coordinator dies')
        self.rotation, self._takeover = None, None
        self._life = 0

    def start_coordinator(self, listen: bool = True) -> None:
        """A new coordinator; it knows nothing but what cameras tell it."""
        self._life = next(self._lives)
        self.revisions = Revisions(f'coordinator-{self._life}')
        self.fleet = Fleet(self.site.cameras, round(self.site.region.silence_timeout * S))
        self.rotation, self._takeover = None, Takeover()
        self.note(f'coordinator {self._life} starts')
        for camera in self.cameras.values():
            # What is latched reaches a newcomer.
            if camera.alive:
                self._send_state(camera)
                self._send_copy(camera)
        if not listen:
            self.rotation, self._takeover = Rotation(self.site, self.request, self.revisions), None
        self._tick(self._life)

    def kill(self, name: str) -> None:
        """A driver is gone at once; the camera stays where it is."""
        self.note(f'{name} dies')
        self.cameras[name].alive = False

    def revive(self, name: str) -> None:
        """A driver starts again; it gets the plan that is latched, if there is a coordinator."""
        old = self.cameras[name]
        camera = self.cameras[name] = SimulatedCamera(name, self.site, session=old.session + 1, scene='', stuck=False)
        self.note(f'{name} starts again')
        if self.rotation is not None and self.rotation.plan is not None:
            self._send_plan(camera, self.rotation.plan)
        self._beat(camera, camera.session)

    def pause(self, name: str, stopped: bool) -> None:
        """A driver is stopped, or goes on."""
        self.note(f'{name} {"is stopped" if stopped else "goes on"}')
        self.cameras[name].stopped, self.cameras[name].told_ns = stopped, self.now_ns
        if not stopped:
            self._wake(self.cameras[name])

    def unjam(self, name: str) -> None:
        """A stuck camera turns again: it arrives where it was sent."""
        camera = self.cameras[name]
        camera.stuck = False
        self.note(f'{name} turns again')
        if camera.arrives_ns > self.now_ns:
            camera.arrives_ns = self.now_ns + S
            self._at(camera.arrives_ns, lambda: self._changed(camera))

    # The coordinator

    def _tick(self, life: int) -> None:
        if life != self._life:
            return
        if self._takeover is not None and self._takeover.is_ready(self.now_ns, self.fleet):
            plan, self._takeover = self._takeover.plan(self.now_ns), None
            if plan is not None:
                self.rotation = Rotation.adopt(self.site, plan, self.revisions, self.fleet, self.now_ns)
            else:
                self.revisions.leave_room()
                self.rotation = Rotation(self.site, self.request, self.revisions)
        if self.rotation is not None:
            self.rotation.advance(self.now_ns, self.fleet)
            self._publish()
            if self.rotation.outcome is not None and self.rotation.outcome.error is RotationError.NO_CAMERAS:
                self.rotation = Rotation(self.site, self.request, self.revisions)
        self._at(self.now_ns + self._tick_ns, lambda: self._tick(life))

    def _publish(self) -> None:
        assert self.rotation is not None
        for plan in self.rotation.take_plans():
            self.plans.append(plan)
            orders = ' '.join(f'{o.camera}:{plan.scene(o.camera, plan.effective_at_ns)}' for o in plan.orders)
            self.note(f'revision {plan.revision} {plan.mode.name} slot {plan.first_slot} out {plan.out} [{orders}] {plan.reason}')
            for camera in self.cameras.values():
                self._send_plan(camera, plan)

    def _send_plan(self, camera: SimulatedCamera, plan: Plan) -> None:
        session = camera.session
        for delay in self.network.delays_ns():
            self._at(self.now_ns + delay, lambda: self._take_plan(camera.name, session, plan))

    def _take_plan(self, name: str, session: int, plan: Plan) -> None:
        camera = self.cameras[name]
        if not camera.alive or camera.session != session:
            return
        if camera.stopped:
            self._at(self.now_ns + S // 10, lambda: self._take_plan(name, session, plan))
        elif camera.book.take(plan):
            camera.told_ns = self.now_ns
            self._send_copy(camera)
            self._wake(camera)
            self._send_state(camera)

    # The cameras

    def _beat(self, camera: SimulatedCamera, session: int) -> None:
        if self.cameras[camera.name] is not camera or not camera.alive or camera.session != session:
            return
        if not camera.stopped:
            self._wake(camera)
            self._send_state(camera)
        self._at(self.now_ns + S, lambda: self._beat(camera, session))

    def _wake(self, camera: SimulatedCamera) -> None:
        if not camera.alive or camera.stopped or self.cameras[camera.name] is not camera:
            return
        if camera.follow(self.now_ns):
            self._send_state(camera)
            if not camera.stuck:
                self._at(camera.arrives_ns, lambda: self._changed(camera))
        following = camera.book.next_change_ns(self.now_ns)
        if following is not None and following != camera.wakes_ns:
            camera.wakes_ns = following
            self._at(following, lambda: self._wake(camera))

    def _changed(self, camera: SimulatedCamera) -> None:
        if camera.alive and not camera.stopped and self.cameras[camera.name] is camera:
            self._send_state(camera)

    def _send_state(self, camera: SimulatedCamera) -> None:
        report = camera.report(self.now_ns)
        for delay in self.network.delays_ns():
            self._at(self.now_ns + delay, lambda life=self._life: self._take_report(report, life))

    def _take_report(self, report: CameraReport, life: int) -> None:
        if life != self._life or not life:
            return
        received = replace(report, received_ns=self.now_ns)
        if self.fleet.take(received):
            self.revisions.saw(received.plan_revision)
            if self.rotation is not None:
                self.rotation.take(received)

    def _send_copy(self, camera: SimulatedCamera) -> None:
        plan, life = camera.book.newest, self._life
        if plan is None:
            return

        def arrives() -> None:
            if life == self._life and self._takeover is not None:
                self._takeover.saw(plan)

        # Latched and reliable: late at worst.
        for delay in self.network.delays_ns() or [2 * S]:
            self._at(self.now_ns + delay, arrives)

    def _at(self, at_ns: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(at_ns, self.now_ns), next(self._number), event))
