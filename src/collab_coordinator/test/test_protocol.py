# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the life of a rotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from collab_coordinator.core.fleet import CameraReport, Fleet, Level
from collab_coordinator.core.holds import HoldEnd, HoldRequest
from collab_coordinator.core.protocol import Rotation
from collab_coordinator.core.rotation import Outcome, Revisions, RotationError, RotationRequest, RotationState
from ptz_site import Hold, Phase, Plan, PlanBook, PlanMode, PtzPosition, Site

S = 1_000_000_000
START = 1_000 * S
CAMERAS = ('north', 'south', 'west')
SiteMaker = Callable[..., Site]


@dataclass
class Region:
    """Cameras that follow the plans they are given, at instants that the test chooses; a switch takes half a second."""

    site: Site
    request: RotationRequest = field(default_factory=lambda: RotationRequest(5 * S))
    revisions: Revisions = field(default_factory=lambda: Revisions('me'))
    now_ns: int = START
    alive: set[str] = field(default_factory=lambda: set(CAMERAS))
    deaf: set[str] = field(default_factory=set)
    plans: list[Plan] = field(default_factory=list)
    changes: dict[str, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fleet = Fleet(self.site.cameras, 3 * S)
        self.rotation = Rotation(self.site, self.request, self.revisions)
        self.books = {camera: PlanBook() for camera in self.site.cameras}
        self.switched: dict[str, tuple[str, int]] = dict.fromkeys(self.site.cameras, ('', 0))

    def run(self, seconds: float) -> None:
        end = self.now_ns + round(seconds * S)
        while self.now_ns < end:
            self.now_ns += S // 10
            for camera in self.alive:
                self.report(camera, **self.changes.get(camera, {}))
            self.rotation.advance(self.now_ns, self.fleet)
            self.publish()

    def publish(self) -> None:
        for plan in self.rotation.take_plans():
            if not self.plans or plan.revision > self.plans[-1].revision:
                self.plans.append(plan)
            for camera in self.alive - self.deaf:
                self.books[camera].take(plan)

    def report(self, camera: str, **changes: object) -> None:
        plan = self.books[camera].in_force(self.now_ns)
        scene = plan.scene(camera, self.now_ns) if plan else ''
        if scene and scene != self.switched[camera][0]:
            self.switched[camera] = (scene, self.now_ns)
        shown, switch = self.switched[camera]
        arrived = switch + S // 2 if shown and switch + S // 2 <= self.now_ns else 0
        phase = Phase.IN_POSITION if arrived else Phase.TURNING if shown else Phase.UNKNOWN
        newest = self.books[camera].newest
        one = CameraReport(
            camera,
            self.now_ns,
            self.now_ns,
            1,
            phase,
            shown,
            newest.revision if newest else 0,
            switch_start_ns=switch,
            arrived_ns=arrived,
        )
        one = replace(one, **changes)  # type: ignore[arg-type]
        if self.fleet.take(one):
            self.revisions.saw(one.plan_revision)
            self.rotation.take(one)

    @property
    def outcome(self) -> Outcome:
        assert self.rotation.outcome is not None
        return self.rotation.outcome


def test_a_rotation_of_two_cycles_from_start_to_end(make_site: SiteMaker) -> None:
    region = Region(make_site(), RotationRequest(5 * S, cycles=2))
    region.run(0.1)
    (plan,) = region.plans
    assert (plan.revision, plan.mode, plan.coordinator, plan.end_slot) == (1, PlanMode.RUNNING, 'me', 6)
    assert plan.effective_at_ns == region.now_ns
    # Slowest turn: 60 degrees at 60 degrees/s and 240 degrees/s^2 take 1.25 s; and one second for the plan to arrive.
    assert plan.slot_start_ns - region.now_ns == pytest.approx(2.25 * S, abs=2)
    region.run(2)
    assert not region.rotation.progress(region.now_ns, region.fleet).running
    region.run(10)
    progress = region.rotation.progress(region.now_ns, region.fleet)
    assert progress.running
    assert (progress.slot, progress.slots, progress.waiting_for, progress.uncovered) == (1, 6, (), ())
    assert progress.assignments == (('north', 'road'), ('south', 'yard'), ('west', 'gate'))
    region.run(25)
    assert region.plans[-1].mode is PlanMode.STOPPED
    assert region.plans[-1].revision == 2
    assert (region.outcome.error, region.outcome.slots) == (RotationError.NONE, 6)
    for coverage in region.outcome.coverage:
        assert coverage.longest_gap_ns < S // 5
        assert coverage.assigned_ns == pytest.approx(30 * S, abs=S)
        assert coverage.watched_ns == pytest.approx((30 - 5 * 0.5) * S, abs=S)
        assert coverage.cameras == CAMERAS


def test_a_rotation_without_end_goes_on_until_it_is_stopped(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(1000)
    assert region.rotation.outcome is None
    region.rotation.stop(region.now_ns, RotationError.CANCELED, 'enough')
    (stopped,) = region.rotation.take_plans()
    assert (stopped.mode, stopped.revision, stopped.effective_at_ns) == (PlanMode.STOPPED, 2, region.now_ns)
    assert stopped.first_slot == 199
    assert (region.outcome.error, region.outcome.slots) == (RotationError.CANCELED, 199)
    region.rotation.stop(region.now_ns, RotationError.CANCELED, 'again')
    assert not region.rotation.take_plans()


def test_revisions_start_above_every_number_that_was_ever_seen(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.revisions.saw(17)
    region.report('south', plan_revision=41)
    region.run(0.1)
    assert region.plans[0].revision == 42


def test_a_camera_that_comes_late_with_a_newer_revision_makes_the_plan_be_numbered_above_it(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(20)
    region.report('west', plan_revision=9)
    region.run(0.1)
    assert [plan.revision for plan in region.plans] == [1, 10]
    assert region.plans[1].slot_begins_ns(100) == region.plans[0].slot_begins_ns(100)
    assert region.plans[1].orders == region.plans[0].orders


def test_it_waits_for_missing_cameras_and_then_starts_without_them(make_site: SiteMaker) -> None:
    region = Region(make_site(start_timeout=10))
    region.alive = {'north', 'west'}
    region.run(9)
    assert not region.plans
    assert region.rotation.progress(region.now_ns, region.fleet).waiting_for == ('south',)
    region.run(2)
    (plan,) = region.plans
    assert plan.out == ('south',)
    assert region.rotation.out == {'south': 'has not reported'}
    assert len(region.rotation.progress(region.now_ns + 10 * S, region.fleet).uncovered) == 1
    region.alive.add('south')
    region.books['south'].take(plan)
    region.run(10)
    assert region.plans[-1].out == ()
    assert region.plans[-1].orders == plan.orders
    assert region.rotation.progress(region.now_ns, region.fleet).uncovered == ()


def test_it_waits_for_a_camera_that_has_no_pictures_yet_unless_it_says_why(make_site: SiteMaker) -> None:
    region = Region(make_site(start_timeout=10))
    region.changes['south'] = {'filming': False}
    region.run(5)
    assert not region.plans
    assert region.rotation.progress(region.now_ns, region.fleet).waiting_for == ('south',)
    region.changes['south'] = {'filming': False, 'fault': 3}
    region.run(1)
    assert region.plans[-1].out == ('south',)


def test_without_any_camera_it_ends_with_their_names(make_site: SiteMaker) -> None:
    region = Region(make_site(start_timeout=10), alive=set())
    region.run(29)
    assert region.rotation.outcome is None
    region.run(2)
    assert region.outcome.error is RotationError.NO_CAMERAS
    assert all(camera in region.outcome.message for camera in CAMERAS)
    assert not region.plans
    assert region.rotation.state is RotationState.ENDED


def test_a_dwell_not_longer_than_the_slowest_turn_is_refused_at_once_with_the_number(make_site: SiteMaker) -> None:
    for dwell, fits in ((1.25, False), (1.26, True)):
        rotation = Rotation(make_site(), RotationRequest(round(dwell * S)), Revisions('me'))
        assert (rotation.outcome is None) == fits
        if rotation.outcome is not None:
            assert rotation.outcome.error is RotationError.BAD_DWELL
            assert '1.25 s' in rotation.outcome.message
            assert 'north' in rotation.outcome.message


def test_a_clock_that_is_off_stops_the_start_unless_the_site_allows_it(make_site: SiteMaker) -> None:
    for allowed in (False, True):
        region = Region(make_site(clock={'max_offset': 0.5, 'allow_beyond': allowed}), alive={'north', 'west'})
        region.report('south', clock_offset=-0.7)
        region.run(0.1)
        assert bool(region.plans) == allowed
        if not allowed:
            assert region.outcome.error is RotationError.CLOCK_OFFSET
            assert 'south' in region.outcome.message
            assert '-0.700 s' in region.outcome.message


def test_a_start_time_is_kept_and_the_plan_is_out_before(make_site: SiteMaker) -> None:
    region = Region(make_site(), RotationRequest(5 * S, start_ns=START + 60 * S, slots=1))
    region.run(1)
    assert region.plans[0].slot_start_ns == START + 60 * S
    region.run(64.5)
    assert (region.outcome.error, region.outcome.slots) == (RotationError.NONE, 1)


@pytest.mark.parametrize(('site_start', 'kept'), [('1970-01-01T00:20:00Z', True), ('1970-01-01T00:10:00Z', False)])
def test_the_sites_start_time_is_kept_while_it_lies_ahead(make_site: SiteMaker, site_start: str, kept: bool) -> None:
    region = Region(make_site(start=site_start))
    region.run(0.1)
    assert (region.plans[0].slot_start_ns == 1200 * S) == kept


def test_slot_0_waits_for_a_camera_that_is_far_away(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.report('west', position=PtzPosition(-3.0, 0.0, 1.0))
    region.alive.discard('west')
    region.run(0.1)
    # 60 + 172 degrees at 60 degrees/s, 0.25 s for the ramps, and one second.
    assert region.plans[0].slot_start_ns - region.now_ns == pytest.approx((231.9 / 60 + 1.25) * S, rel=1e-3)


def test_a_stop_while_waiting_publishes_nothing(make_site: SiteMaker) -> None:
    region = Region(make_site(), alive={'north'})
    region.run(1)
    region.rotation.stop(region.now_ns, RotationError.CANCELED, 'no more')
    assert not region.rotation.take_plans()
    assert region.outcome == Outcome(RotationError.CANCELED, 'no more')


def test_leaving_settles_the_outcome_and_publishes_nothing(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(12.5)
    outcome = region.rotation.leave(region.now_ns, RotationError.SHUTDOWN, 'bye')
    assert (outcome.error, outcome.slots, len(outcome.coverage)) == (RotationError.SHUTDOWN, 2, 3)
    assert len(region.plans) == 1


def test_a_camera_that_does_not_follow_is_named_and_then_counted_out(make_site: SiteMaker) -> None:
    region = Region(make_site(), deaf={'south'})
    region.run(3)
    south = region.fleet.health('south', region.now_ns, region.rotation.plan, region.rotation.plan_since_ns)
    assert (south.level, south.text) == (Level.WARN, 'does not follow revision 1 (follows none)')
    assert region.rotation.progress(region.now_ns, region.fleet).waiting_for == ('south',)
    region.run(4)
    assert region.rotation.out == {'south': 'does not follow revision 1'}


def test_silence_and_faults_are_noticed_by_name(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(10)
    region.alive -= {'north', 'west'}
    region.run(3.5)
    region.report('west', fault=2, fault_text='does not answer; check its cable')
    region.rotation.advance(region.now_ns, region.fleet)
    assert region.rotation.out == {'north': 'is silent for 4 s', 'west': 'does not answer; check its cable'}
    plan, since = region.rotation.plan, region.rotation.plan_since_ns
    assert region.fleet.health('west', region.now_ns, plan, since).level is Level.ERROR
    assert plan is not None
    assert plan.out == ('north', 'west')
    assert len(region.rotation.progress(region.now_ns, region.fleet).uncovered) == 2


def test_a_coordinator_that_stood_still_blames_nobody_for_what_it_could_not_hear(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(10)
    region.rotation.hold(HoldRequest('north', region.switched['north'][0]), region.now_ns)
    region.run(1)
    region.now_ns += 20 * S
    region.fleet.listen_anew(region.now_ns)
    region.rotation.listen_anew(region.now_ns)
    region.rotation.advance(region.now_ns, region.fleet)
    assert not region.rotation.out and region.rotation.holds
    region.alive -= {'south'}
    region.run(3.5)
    assert set(region.rotation.out) == {'south'}
    region.run(20)
    assert not region.rotation.holds, 'its holder is silent'


def test_late_doubled_and_reordered_reports_change_nothing(make_site: SiteMaker) -> None:
    region = Region(make_site())
    region.run(5)
    newest = region.fleet.newest('north')
    assert newest is not None
    late = replace(newest, stamp_ns=newest.stamp_ns - S, phase=Phase.FAULT)
    assert not region.fleet.take(late)
    assert not region.fleet.take(replace(late, session=0, stamp_ns=newest.stamp_ns + S))
    assert not region.fleet.take(replace(newest, camera='stranger'))
    assert region.fleet.newest('north') == newest
    # An earlier life that goes on when the later one is silent.
    earlier = replace(newest, session=0, stamp_ns=newest.stamp_ns + 4 * S, received_ns=newest.received_ns + 4 * S)
    assert region.fleet.take(earlier)
    assert region.fleet.take(replace(newest, session=1, stamp_ns=earlier.stamp_ns, received_ns=earlier.received_ns))


@pytest.mark.parametrize('adopted', [False, True])
def test_cameras_that_no_scene_needs_watch_a_target_too_and_go_back(make_site: SiteMaker, adopted: bool) -> None:
    # Three cameras for two scenes: one scene has two of them.
    two = make_site({camera: ['gate', 'road'] for camera in CAMERAS}, ['gate', 'road'])
    region = Region(two, RotationRequest(5 * S))
    region.run(8)
    before = region.plans[-1]
    slot = before.slot(region.now_ns)
    watching = {order.camera: order.scene(slot) for order in before.orders}
    alone = next(camera for camera, scene in watching.items() if list(watching.values()).count(scene) == 1)
    hold = region.rotation.hold(HoldRequest(alone, '', target='anna'), region.now_ns)
    assert isinstance(hold, Hold)
    region.publish()
    held = region.plans[-1]
    crews = [held.scene(order.camera, region.now_ns) for order in held.orders]
    assert crews.count(watching[alone]) == 2
    assert set(crews) == set(watching.values())
    rotation = region.rotation
    if adopted:
        rotation = Rotation.adopt(two, held, region.revisions, region.fleet, region.now_ns)
    assert rotation.release(hold.hold_id, HoldEnd.CANCELED, region.now_ns)
    assert rotation.take_plans()[-1].orders == before.orders


def test_an_operators_hold_leaves_everybody_where_they_are(make_site: SiteMaker) -> None:
    two = make_site({camera: ['gate', 'road'] for camera in CAMERAS}, ['gate', 'road'])
    region = Region(two, RotationRequest(5 * S))
    region.run(8)
    before = region.plans[-1]
    assert isinstance(region.rotation.hold(HoldRequest('', 'gate', kept_alive=False), region.now_ns), Hold)
    region.publish()
    assert region.plans[-1].orders == before.orders
