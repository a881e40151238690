# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What must always hold, over random regions, faults, networks and restarts, in simulated time.

A failing case prints its time line. The slow test goes through hundreds of thousands of slots with the same checks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulated_region import TICK, Network, SimulatedRegion

from collab_coordinator.core.handoff import HandoffRequest
from collab_coordinator.core.holds import HoldEnd, HoldRequest
from collab_coordinator.core.rotation import RotationRequest, RotationState
from ptz_site import NANOSECONDS as S
from ptz_site import Hold, Phase, Plan, PlanMode, Site

DWELL = 5
#: A camera that has had a plan for so long has told every coordinator that listens.
KNOWN_NS = 10 * S
ACTIONS = ('hold', 'hand_off', 'release', 'pause', 'kill', 'stop', 'jam', 'mend', 'kill_coordinator', 'wait')
PLACES = ((0, 30), (30, -10), (-30, -10), (25, 25), (-25, 25))


def make_site(reach: Sequence[Sequence[int]], scenes: int) -> Site:
    names = [f's{i}' for i in range(scenes)]
    return Site.model_validate(
        {
            'region': {'name': 'r', 'dwell': DWELL, 'hold': {'max_hold': 40.0}, 'clock': {'max_offset': 3.0}},
            'scenes': {name: {} for name in names},
            'cameras': {
                f'c{i}': {
                    'backend': 'simulated',
                    'pose': {'x': PLACES[i][0], 'y': PLACES[i][1], 'z': 5},
                    'slew_rate': 60,
                    'slew_acceleration': 240,
                    'presets': {names[s]: {'pan': 25.0 * s, 'tilt': -20} for s in reached},
                }
                for i, reached in enumerate(reach)
            },
        }
    )


def most_scenes(reach: Sequence[Sequence[str]]) -> int:
    """The size of a maximum matching of cameras and scenes, by augmenting paths."""
    taken: dict[str, int] = {}

    def augment(camera: int, seen: set[str]) -> bool:
        for scene in reach[camera]:
            if scene not in seen:
                seen.add(scene)
                if scene not in taken or augment(taken[scene], seen):
                    taken[scene] = camera
                    return True
        return False

    return sum(augment(camera, set()) for camera in range(len(reach)))


@dataclass
class Invariants:
    """Looks at a region after every instant at which something happened."""

    region: SimulatedRegion
    plans_seen: int = 0
    contents: dict[int, Plan] = field(default_factory=dict)
    ill_since: dict[str, int] = field(default_factory=dict)
    established: set[str] = field(default_factory=set)
    coordinator_since: int = 0

    def __call__(self) -> None:
        region = self.region
        for plan in region.plans[self.plans_seen :]:
            self.check_plan(plan)
        self.plans_seen = len(region.plans)
        self.check_cameras()
        if region.rotation is not None and region.rotation.state is RotationState.STARTED:
            self.coordinator_since = self.coordinator_since or region.now_ns
            self.check_holds()
            self.check_faults_are_noticed()
        else:
            self.coordinator_since = 0
        self.check_targets_are_watched()

    def check_plan(self, plan: Plan) -> None:
        if (
            plan.reason == 'start'
            and plan.revision == 1
            and all(c.book.newest is None for c in self.region.cameras.values() if c.alive)
        ):
            self.contents.clear()  # nobody is left who knows of an earlier plan
        before = self.contents.get(plan.revision, plan)
        if before != plan:
            assert plan.effective_at_ns > before.effective_at_ns, 'of two plans with one number the later one must win'
            able = [c for c in self.region.cameras.values() if c.alive and not c.stopped and c.book.newest == before]
            knew = [c.name for c in able if self.region.now_ns - c.told_ns > KNOWN_NS]
            assert not knew, f'revision {plan.revision} was used twice, although {knew} could tell of it'
        self.contents[plan.revision] = plan
        assert len({order.camera for order in plan.orders}) == len(plan.orders), 'a camera has two orders'
        site = self.region.site
        able = [order for order in plan.orders if order.camera not in plan.out]
        for order in plan.orders:
            assert set(order.scenes) <= set(site.reach(order.camera)), f'{order.camera} is sent where it does not reach'
        if plan.mode is PlanMode.STOPPED:
            return
        # Who holds a target stays, and so does who takes it over; the others do what is possible beside them.
        bound = {hold.camera: [hold.scene] for hold in plan.holds} | {hold.candidate: [hold.scene] for hold in plan.holds}
        most = most_scenes([bound.get(order.camera) or site.reach(order.camera) for order in able])
        cycle = max((len(order.scenes) for order in plan.orders), default=0)
        for k in range(cycle) if plan.mode is PlanMode.RUNNING else [plan.first_slot]:
            watched = {order.scene(k) for order in able}
            assert len(watched) == most, f'slot {k} of revision {plan.revision} covers {watched}, {most} scenes are possible'

    def check_cameras(self) -> None:
        """Cameras that follow one plan are where it says, and so cover what it covers, at every instant."""
        region = self.region
        newest = max(self.contents.values(), key=lambda plan: plan.revision, default=None)
        cameras = region.cameras.values()
        if newest is None or newest.mode is PlanMode.STOPPED or newest.effective_at_ns > region.now_ns:
            return
        if all(c.alive and not c.stopped and c.book.in_force(region.now_ns) == newest for c in cameras):
            for camera in cameras:
                assert camera.scene == newest.scene(camera.name, region.now_ns), f'{camera.name} is on {camera.scene}'

    def check_holds(self) -> None:
        rotation, now = self.region.rotation, self.region.now_ns
        assert rotation is not None and rotation.plan is not None
        for hold in rotation.holds:
            assert not hold.until_ns or now <= hold.until_ns + TICK, f'{hold.hold_id} goes on after its time limit'
        if not rotation.holds:
            assert rotation.plan.mode is not PlanMode.HELD, 'held by nobody'
            delay = round(self.region.site.region.hold.resume_delay * S)
            assert rotation.plan.effective_at_ns <= now + delay, 'resumes too late'

    def check_faults_are_noticed(self) -> None:
        region = self.region
        assert region.rotation is not None
        for camera in region.cameras.values():
            if camera.alive and not camera.stopped and camera.phase(region.now_ns) is not Phase.FAULT:
                self.ill_since.pop(camera.name, None)
                continue
            since = max(self.ill_since.setdefault(camera.name, region.now_ns), self.coordinator_since)
            # The last state may be on its way for as long as the network delays, and a lost one comes again after a second.
            limit = 3 + region.network.delay + (8 if region.network.loss else 1)
            if region.now_ns - since > limit * S:
                assert camera.name in region.rotation.out, f'{camera.name} is ill, and nobody noticed'

    def check_targets_are_watched(self) -> None:
        """From when the holder stands on its scene, some camera does at every instant until the hold ends, unless cameras fail."""
        region = self.region
        if region.rotation is None or self.ill_since:
            self.established.clear()
            return
        on = {hold.hold_id: hold for hold in region.rotation.holds if hold.camera}
        self.established &= set(on)
        for hold in on.values():
            standing = {
                c.name for c in region.cameras.values() if c.scene == hold.scene and c.phase(region.now_ns) is Phase.IN_POSITION
            }
            if hold.hold_id in self.established:
                assert standing, f'{hold.scene} is unwatched while {hold.hold_id} is on'
            elif hold.camera in standing and self.everybody_holds(hold):
                # Before, another camera may stand there by chance, and be wanted elsewhere.
                self.established.add(hold.hold_id)

    def everybody_holds(self, hold: Hold) -> bool:
        plans = [camera.book.in_force(self.region.now_ns) for camera in self.region.cameras.values()]
        return all(plan is not None and any(h.hold_id == hold.hold_id for h in plan.holds) for plan in plans)


@dataclass
class Case:
    """One region and what happens to it."""

    reach: list[list[int]]
    scenes: int
    network: Network
    seed: int
    steps: int

    def run(self) -> int:
        """Runs it; returns the slots that passed."""
        region = SimulatedRegion(make_site(self.reach, self.scenes), RotationRequest(DWELL * S), self.network)
        region.watch = Invariants(region)
        try:
            self.play(region)
        except AssertionError as error:
            lines = '\n'.join(region.timeline[-80:])
            raise AssertionError(f'at {(region.now_ns - 10**15) / S:.3f} s: {error}\n{self}\n{lines}') from None
        return len(region.plans) and (region.now_ns - 10**15) // (DWELL * S)

    def play(self, region: SimulatedRegion) -> None:
        dice = random.Random(self.seed)
        region.run(10)
        alive_until: dict[str, int] = {}
        for _ in range(self.steps):
            act(region, dice, alive_until)
            for _ in range(dice.choice((1, 2, 4, 16))):
                region.run(dice.choice((0.1, 0.9, 1.0, 2.3)))
                keep_alive(region, alive_until)
        self.settle(region)

    def settle(self, region: SimulatedRegion) -> None:
        """When nothing happens any more, everything is as it should be after a while."""
        if region.rotation is None:
            region.start_coordinator()
        for camera in tuple(region.cameras.values()):
            mend(region, camera.name)
        region.run(60)
        rotation = region.rotation
        assert rotation is not None and rotation.plan is not None
        assert not rotation.holds, 'a hold never ended'
        lossy = region.network.loss > 0
        assert lossy or not rotation.out, f'{rotation.out} did not rejoin'
        assert rotation.plan.mode is PlanMode.RUNNING
        assert lossy or all(c.book.newest == rotation.plan for c in region.cameras.values()), 'somebody does not follow'


def act(region: SimulatedRegion, dice: random.Random, alive_until: dict[str, int]) -> None:
    camera = dice.choice(list(region.cameras.values()))
    action = dice.choice(ACTIONS)
    rotation, now = region.rotation, region.now_ns
    if action == 'hold':
        held = region.act(lambda r: r.hold(HoldRequest(camera.name, camera.scene, 'target', reason='target'), now))
        region.note(f'hold by {camera.name} on {camera.scene}: {held}')
        if isinstance(held, Hold):
            alive_until[held.hold_id] = now + dice.choice((0, 6, 30, 90)) * S
    elif action == 'pause':
        region.act(lambda r: r.hold(HoldRequest('', '', reason='operator', limit_ns=20 * S, kept_alive=False), now))
    elif action == 'hand_off' and rotation is not None and rotation.holds:
        hold = dice.choice(rotation.holds)
        region.note(f'handoff of {hold.hold_id} asked for')
        region.act(lambda r: r.hand_off(HandoffRequest(hold.hold_id, dice.uniform(-3.1, 3.1), (0.0, 0.0)), now))
    elif action == 'release' and rotation is not None and rotation.holds:
        hold = dice.choice(rotation.holds)
        region.act(lambda r: r.release(hold.hold_id, HoldEnd.CANCELED, now))
    elif action == 'kill' and camera.alive:
        region.kill(camera.name)
    elif action == 'stop':
        region.pause(camera.name, True)
    elif action == 'jam' and camera.alive and camera.phase(now) is Phase.IN_POSITION:
        camera.stuck = True
        region.note(f'{camera.name} is stuck')
    elif action == 'mend':
        mend(region, camera.name)
    elif action == 'kill_coordinator':
        if rotation is not None:
            region.kill_coordinator()
        else:
            region.start_coordinator()


def mend(region: SimulatedRegion, name: str) -> None:
    camera = region.cameras[name]
    if not camera.alive:
        region.revive(name)
        return
    if camera.stuck:
        region.unjam(name)
    if camera.stopped:
        region.pause(name, False)


def keep_alive(region: SimulatedRegion, alive_until: dict[str, int]) -> None:
    for hold_id, until in alive_until.items():
        if region.now_ns < until and region.rotation is not None:
            region.rotation.keep_alive(hold_id, region.now_ns)


@st.composite
def cases(draw: st.DrawFn, steps: int = 12) -> Case:
    scenes = draw(st.integers(1, 5))
    whole = list(range(scenes))
    reach = draw(
        st.lists(
            st.one_of(st.just(whole), st.lists(st.integers(0, scenes - 1), min_size=1, unique=True).map(sorted)),
            min_size=1,
            max_size=5,
        )
    )
    seed = draw(st.integers(0, 2**32 - 1))
    network = Network(
        seed, draw(st.sampled_from((0.002, 0.3, 2.0))), draw(st.sampled_from((0.0, 0.0, 0.1))), draw(st.sampled_from((0.0, 0.2)))
    )
    return Case(reach, scenes, network, seed, steps)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cases())
def test_the_invariants_hold_whatever_happens(case: Case) -> None:
    assert case.run() > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_invariants_hold_over_hundreds_of_thousands_of_slots() -> None:
    dice = random.Random(20)
    slots = 0
    while slots < 300_000:
        scenes = dice.randint(1, 5)
        reach = [sorted(dice.sample(range(scenes), dice.randint(1, scenes))) for _ in range(dice.randint(1, 5))]
        network = Network(
            dice.randrange(2**32), dice.choice((0.002, 0.3, 2.0)), dice.choice((0.0, 0.0, 0.1)), dice.choice((0.0, 0.2))
        )
        slots += Case(reach, scenes, network, dice.randrange(2**32), 400).run()
    assert slots >= 300_000
