# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The worked examples of the design, replayed literally in simulated time, and the particular cases of hold and handoff."""

from __future__ import annotations

import math

import pytest
from simulated_region import START, Network, SimulatedRegion

from collab_coordinator.core.handoff import Handoff, HandoffError, HandoffOutcome, HandoffRequest
from collab_coordinator.core.holds import HoldEnd, HoldError, HoldRequest
from collab_coordinator.core.rotation import RotationError, RotationRequest
from ptz_site import NANOSECONDS as S
from ptz_site import Hold, PlanMode, Site

#: m; camera a stands north of the scenes, b south-east, c south-west.
PLACES = {'a': (0, 30), 'b': (30, -20), 'c': (-30, -20)}


def make_site(scenes: str = '123', cameras: str = 'abc', reach: dict[str, str] | None = None, **hold: float) -> Site:
    reached = {camera: (reach or {}).get(camera, scenes) for camera in cameras}
    return Site.model_validate(
        {
            'region': {'name': 'r', 'dwell': 10.0, 'hold': hold},
            'scenes': {f's{scene}': {} for scene in scenes},
            'cameras': {
                camera: {
                    'backend': 'simulated',
                    'pose': {'x': PLACES[camera][0], 'y': PLACES[camera][1], 'z': 5},
                    'presets': {f's{scene}': {'pan': 20 * int(scene), 'tilt': -20} for scene in scenes},
                }
                for camera, scenes in reached.items()
            },
        }
    )


def begun(site: Site, seconds: float = 0.0, network: Network | None = None) -> SimulatedRegion:
    """A region so many seconds after the beginning of slot 0."""
    region = SimulatedRegion(site, RotationRequest(10 * S), network)
    region.run(1)
    assert region.rotation is not None
    assert region.rotation.plan is not None
    region.run((region.rotation.plan.slot_start_ns - region.now_ns) / S + seconds)
    return region


def watching(region: SimulatedRegion) -> tuple[int, ...]:
    """The scenes that the cameras are on, by number."""
    return tuple(int(camera.scene[1:]) for camera in region.cameras.values())


def hold(region: SimulatedRegion, camera: str, **more: object) -> Hold:
    held = region.act(lambda r: r.hold(HoldRequest(camera, region.cameras[camera].scene, 'target', **more), region.now_ns))  # type: ignore[arg-type]
    assert isinstance(held, Hold)
    return held


def run_held(region: SimulatedRegion, held: Hold, seconds: int) -> None:
    """Goes on while the holder says that it is there."""
    for _ in range(seconds):
        region.run(1)
        region.act(lambda r: r.keep_alive(held.hold_id, region.now_ns))


def hand_off(region: SimulatedRegion, held: Hold, towards: str) -> Handoff | HandoffOutcome:
    """The target, in the middle of the region, walks towards a camera."""
    x, y = PLACES[towards]
    request = HandoffRequest(held.hold_id, math.atan2(y, x), (0.0, 0.0), feature=(0.6, 0.8))
    begun = region.act(lambda r: r.hand_off(request, region.now_ns))
    assert isinstance(begun, Handoff | HandoffOutcome)
    return begun


def test_three_cameras_and_three_scenes() -> None:
    region = begun(make_site(), 5)
    seen = []
    for _ in range(4):
        seen.append(watching(region))
        region.run(10)
    assert seen == [(1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 2, 3)]


def test_three_cameras_and_two_scenes() -> None:
    region = begun(make_site('12'), 5)
    seen = []
    for _ in range(3):
        seen.append(watching(region))
        region.run(10)
    assert seen == [(1, 2, 1), (2, 1, 2), (1, 2, 1)]


def test_a_swap_and_the_slots_after_it() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'a')
    handoff = hand_off(region, held, 'b')
    run_held(region, held, 8)
    assert watching(region) == (2, 1, 3)
    assert isinstance(handoff, Handoff)
    assert handoff.outcome is not None
    assert (handoff.outcome.error, handoff.outcome.camera, handoff.outcome.scene) == (HandoffError.NONE, 'b', 's2')
    region.act(lambda r: r.release(held.hold_id, HoldEnd.CANCELED, region.now_ns))
    seen = []
    for _ in range(3):
        region.run(7)
        seen.append(watching(region))
        region.run(3)
    assert seen == [(3, 2, 1), (1, 3, 2), (2, 1, 3)]


def test_the_time_that_was_left_is_left_after_the_hold() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'b')
    run_held(region, held, 30)
    region.act(lambda r: r.release(held.hold_id, HoldEnd.CANCELED, region.now_ns))
    resumed = region.plans[-1]
    assert (resumed.mode, resumed.effective_at_ns) == (PlanMode.RUNNING, region.now_ns + S)
    # 4 of 10 seconds had passed: all cameras switch together 6 seconds after the rotation goes on.
    region.run(6.9)
    assert watching(region) == (1, 2, 3)
    region.run(0.2)
    assert watching(region) == (2, 3, 1)
    assert len({camera.switch_ns for camera in region.cameras.values()}) == 1


@pytest.mark.parametrize(('silent', 'why', 'after'), [(True, HoldEnd.SILENCE, 5), (False, HoldEnd.TIME_LIMIT, 20)])
def test_a_hold_ends_by_silence_and_by_its_time_limit(silent: bool, why: HoldEnd, after: int) -> None:
    region = begun(make_site(max_hold=20.0), 4)
    held = hold(region, 'a')
    begin = region.now_ns
    ended = []
    for _ in range(300):
        region.run(0.1)
        if not silent:
            region.act(lambda r: r.keep_alive(held.hold_id, region.now_ns))
        assert region.rotation is not None
        ended += region.rotation.take_ended_holds()
    (one,) = ended
    assert one.why is why
    assert after * S <= one.at_ns - begin <= (after + 0.5) * S
    assert region.plans[-1].mode is PlanMode.RUNNING


def test_the_rotation_goes_on_when_the_last_of_several_holds_ends() -> None:
    region = begun(make_site(), 4)
    first, second = hold(region, 'a'), hold(region, 'c')
    region.act(lambda r: r.release(first.hold_id, HoldEnd.CANCELED, region.now_ns))
    assert region.plans[-1].mode is PlanMode.HELD
    assert [h.hold_id for h in region.plans[-1].holds] == [second.hold_id]
    region.act(lambda r: r.release(second.hold_id, HoldEnd.CANCELED, region.now_ns))
    assert region.plans[-1].mode is PlanMode.RUNNING


def test_a_hold_that_comes_just_after_a_switch_brings_the_cameras_back() -> None:
    region = begun(make_site(), 10.5)
    assert watching(region) == (2, 3, 1)
    held = region.act(lambda r: r.hold(HoldRequest('a', 's1', 'target'), region.now_ns))
    assert isinstance(held, Hold)
    run_held(region, held, 3)
    assert watching(region) == (1, 2, 3)
    region.act(lambda r: r.release(held.hold_id, HoldEnd.CANCELED, region.now_ns))
    region.run(1.1)
    assert watching(region) == (2, 3, 1)


def test_a_hold_for_a_scene_that_the_camera_is_not_on_is_refused() -> None:
    region = begun(make_site(), 5)
    for request, error in (
        (HoldRequest('a', 's3'), HoldError.NOT_ON_SCENE),
        (HoldRequest('x', 's3'), HoldError.UNKNOWN_CAMERA),
        (HoldRequest('a', 'x'), HoldError.UNKNOWN_SCENE),
        (HoldRequest('a', 's1', hold_id='hold-99'), HoldError.UNKNOWN_HOLD),
    ):
        refused = region.act(lambda r, request=request: r.hold(request, region.now_ns))  # type: ignore[misc]
        assert isinstance(refused, tuple)
        assert refused[0] is error
    assert len(region.plans) == 1


def test_the_new_camera_owns_the_hold_and_may_hand_off_again() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'a', mark_colour='#ff0000', mark_shape='triangle')
    hand_off(region, held, 'b')
    run_held(region, held, 4)
    assert region.rotation is not None
    (now,) = region.rotation.holds
    assert (now.camera, now.scene, now.mark_colour, now.mark_shape) == ('b', 's1', '#ff0000', 'triangle')
    assert now.feature == pytest.approx((0.6, 0.8))
    assert now.taken_over_ns > held.since_ns
    handed = [e for e in region.rotation.take_ended_holds() if e.why is HoldEnd.HANDED_OFF]
    assert [e.hold.camera for e in handed] == ['a']
    hand_off(region, held, 'c')
    run_held(region, held, 4)
    assert region.rotation.holds[0].camera == 'c'
    assert watching(region) == (2, 3, 1)


def test_handoffs_do_not_flap() -> None:
    region = begun(make_site(handoff_interval=3.0, handoff_margin=20.0), 4)
    held = hold(region, 'a')
    # Half way between a and b, a little nearer to b: not enough to move.
    angle = (math.atan2(30, 0) + math.atan2(-20, 30)) / 2 - math.radians(5)
    refused = region.act(lambda r: r.hand_off(HandoffRequest(held.hold_id, angle, (0.0, 0.0)), region.now_ns))
    assert isinstance(refused, HandoffOutcome)
    assert refused.error is HandoffError.NO_BETTER_CAMERA
    hand_off(region, held, 'b')
    again = hand_off(region, held, 'c')
    assert isinstance(again, HandoffOutcome)
    assert again.error is HandoffError.BUSY
    run_held(region, held, 2)
    back = hand_off(region, held, 'a')
    assert isinstance(back, HandoffOutcome)
    assert back.error is HandoffError.TOO_SOON
    run_held(region, held, 3)
    assert isinstance(hand_off(region, held, 'a'), Handoff)


def test_a_camera_that_does_not_arrive_is_given_up_and_the_next_best_is_tried() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'a')
    region.cameras['b'].stuck = True
    # Between b and c, nearer to b.
    request = HandoffRequest(held.hold_id, -math.pi / 2 + 0.2, (0.0, 0.0))
    handoff = region.act(lambda r: r.hand_off(request, region.now_ns))
    assert isinstance(handoff, Handoff)
    for _ in range(30):
        run_held(region, held, 1)
        assert any(camera.scene == 's1' and camera.name in 'ac' for camera in region.cameras.values())
    assert handoff.outcome is not None
    assert (handoff.outcome.error, handoff.outcome.camera, handoff.tried) == (HandoffError.NONE, 'c', ['b'])


def test_without_anybody_who_arrives_the_old_camera_stays() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'a')
    region.cameras['b'].stuck = region.cameras['c'].stuck = True
    request = HandoffRequest(held.hold_id, -math.pi / 2 + 0.2, (0.0, 0.0))
    handoff = region.act(lambda r: r.hand_off(request, region.now_ns))
    run_held(region, held, 40)
    assert isinstance(handoff, Handoff)
    assert handoff.outcome is not None
    assert handoff.outcome.error is HandoffError.NOT_ARRIVED
    assert region.rotation is not None
    assert region.rotation.holds[0].camera == 'a'
    assert region.cameras['a'].scene == 's1'


def test_a_camera_that_can_not_take_the_others_scene_in_turn_is_not_asked() -> None:
    # b would leave s2, and a does not reach it: nobody would watch s2.
    region = begun(make_site(reach={'a': '13'}), 4)
    held = next(h for c in 'abc' if region.cameras[c].scene == 's1' for h in [hold(region, c)])
    assert held.camera == 'a'
    left = {camera.name: camera.scene for camera in region.cameras.values()}
    taker = next(name for name, scene in left.items() if scene == 's2')
    refused = hand_off(region, held, taker)
    assert isinstance(refused, HandoffOutcome)
    assert refused.error is HandoffError.NO_BETTER_CAMERA


def test_a_lost_camera_changes_no_others_order_and_comes_back_into_its_own() -> None:
    region = begun(make_site(), 5)
    first = region.plans[-1]
    region.kill('b')
    region.run(5)
    assert region.plans[-1].out == ('b',)
    assert region.plans[-1].orders == first.orders
    region.revive('b')
    region.run(15)
    assert region.plans[-1].out == ()
    assert region.plans[-1].orders == first.orders
    assert sorted(watching(region)) == [1, 2, 3]


def test_a_scene_that_loses_its_camera_is_covered_by_one_that_was_doubled() -> None:
    region = begun(make_site('12'), 5)
    assert watching(region) == (1, 2, 1)
    region.kill('b')
    region.run(5)
    left = {camera.scene for camera in region.cameras.values() if camera.alive}
    assert left == {'s1', 's2'}


def test_a_coordinator_that_comes_back_moves_nothing_and_goes_on_with_the_hold() -> None:
    region = begun(make_site(), 4)
    held = hold(region, 'a')
    region.run(1)
    region.kill_coordinator()
    region.run(3)
    before = {name: camera.switch_ns for name, camera in region.cameras.items()}
    region.start_coordinator()
    region.run(4)
    assert region.rotation is not None
    assert [h.hold_id for h in region.rotation.holds] == [held.hold_id]
    assert {name: camera.switch_ns for name, camera in region.cameras.items()} == before
    assert len({plan.revision for plan in region.plans}) == 2
    # The holder is silent: the hold ends, and the rotation goes on with a number that was never used.
    region.run(8)
    assert region.plans[-1].mode is PlanMode.RUNNING
    assert region.plans[-1].revision > 100


def test_stays_are_equal_and_their_differences_are_reported() -> None:
    region = begun(make_site())
    region.run(100)
    assert region.rotation is not None
    region.act(lambda r: r.stop(region.now_ns, RotationError.CANCELED, 'enough'))
    assert region.rotation.outcome is not None
    stays = region.rotation.outcome.stays
    assert stays.stays >= 24
    assert (stays.cameras_max_ns, stays.scenes_max_ns) == (0, 0)
    assert region.now_ns > START
