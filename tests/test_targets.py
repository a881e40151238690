# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One walker of the demo's yard is on the watchlist: the cameras find, hold and hand over, as the simulator's truth says they should."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable

import pytest
from conftest import Command, ended, own_domain, start_command, wait_for
from faults import longest_without, node_pid, shown_in, span
from recordings import read_bag
from target_region import Run, S, say, simulation_epoch_ns, write_picture, write_site

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import RegionState, RotationPlan
from ptz_node.convert import time_to_ns
from ptz_node.qos import LATCHED
from ptz_sim.world import World
from ptz_site import load_site

#: All of them wait for one run.
pytestmark = pytest.mark.timeout(600)

PATIENCE = 60.0
#: Walks to and fro in the scene `road` for the first 40 s, and looks like nobody else.
WALKER, SCENE, TARGET = 0, 'road', 'walker_0'


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo's region until the target was held, handed over and let go, with an operator's picture of it."""
    folder = tmp_path_factory.mktemp('targets')
    site_path = write_site(folder)
    site = load_site(site_path)
    write_picture(site, WALKER, SCENE, folder / 'walker.png')
    with own_domain(), ended(start_command('up', site_path, '--out', folder / 'run', cwd=folder)) as command:
        for name in ('driver_north', 'region_perception'):
            wait_for(lambda name=name: node_pid(name, os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, f'{name} starts')
        epoch_ns = simulation_epoch_ns()
        say(folder, 'watch', 'add', TARGET, '--picture', folder / 'walker.png', '--label', 'Walker', '--shape', 'triangle')
        with RegionConsole('demo', discovery=PATIENCE) as console:
            assert console.wait_for(lambda s: any(one.target == TARGET for one in s.holds), PATIENCE), 'it is never held'
            reasons: list[str] = []
            console.node.create_subscription(RotationPlan, '/demo/plan', lambda plan: reasons.append(plan.reason), LATCHED)
            # It goes from scene to scene for some minutes: somewhere it walks away from who holds it.
            wait_for(lambda: any('takes over' in reason for reason in reasons), 3 * PATIENCE, 'it is handed over')
            assert console.wait_for(lambda s: not s.holds and s.state == RegionState.STATE_RUNNING, 2 * PATIENCE), 'held for ever'
        listed = say(folder, 'watch', 'list')
        assert TARGET in listed and 'triangle' in listed
        say(folder, 'watch', 'remove', TARGET)
        assert 'nobody is on the watchlist' in say(folder, 'watch', 'list')
        command.interrupt()
        code, output = command.finish()
        assert code == 0, output
        assert 'Traceback' not in output
    return Run(folder / 'run', site, World.of_site(site), epoch_ns)


def holds_of(plan: object) -> list:  # type: ignore[type-arg]
    return [one for one in plan.holds if one.target == TARGET]  # type: ignore[attr-defined]


def test_the_camera_that_holds_sees_the_target(run: Run) -> None:
    begun = [plan for plan in run.plans() if plan.reason.startswith('hold:') and holds_of(plan)]
    assert begun
    for plan in begun:
        (hold,) = holds_of(plan)
        # It was seen in some frames before; it may have gone behind somebody meanwhile.
        at = time_to_ns(plan.effective_at)
        seen = [run.walker(WALKER, hold.camera, hold.scene, at - back * S // 4) for back in range(8)]
        assert any(one is not None and one.completeness > 0.8 and one.occluded < 0.5 for one in seen)
        assert hold.mark_shape == 'triangle' and hold.mark_colour.startswith('#') and len(hold.feature) > 0


def test_the_target_goes_to_a_camera_that_it_walks_towards(run: Run) -> None:
    plans = run.plans()
    ordered = [
        (time_to_ns(plan.effective_at), hold.camera, hold.candidate)
        for plan in plans
        if plan.reason.startswith('handoff:')
        for hold in holds_of(plan)
        if hold.candidate
    ]
    assert ordered
    for at, old, new in ordered:
        # The heading was measured over the last second or two.
        gained = [run.turned(WALKER, old, at - back * S // 4) - run.turned(WALKER, new, at - back * S // 4) for back in range(9)]
        assert max(gained) > math.radians(20), f'the truth says that it walked towards {old} and not {new}'


def test_the_new_camera_goes_on_with_the_same_target_and_mark(run: Run) -> None:
    taken = [plan for plan in run.plans() if 'takes over' in plan.reason]
    assert taken
    (hold,) = holds_of(taken[0])
    tracks = [
        (time_to_ns(array.header.stamp), array.preset.camera, track)
        for _, array in read_bag(run.folder / 'region', '/tracks')
        for track in array.tracks
        if track.target == TARGET
    ]
    assert {track.mark_shape for _, _, track in tracks} == {'triangle'}
    assert {track.mark_colour for _, _, track in tracks} == {hold.mark_colour}
    assert all(track.has_ground and track.good_frames >= 3 for _, _, track in tracks)


def test_whoever_is_told_to_be_the_target_is_it(run: Run) -> None:
    """The places of tracks that were told to be the target, against the truth."""
    errors = []
    for _, array in read_bag(run.folder / 'region', '/tracks'):
        at = time_to_ns(array.header.stamp)
        (walker,) = [one for one in run.world.state((at - run.epoch_ns) / S).walkers if one.id == WALKER] or [None]
        for track in array.tracks:
            if track.target == TARGET and track.source == track.SOURCE_DETECTED:
                away = math.inf if walker is None else math.hypot(walker.x - track.ground.x, walker.y - track.ground.y)
                errors.append(away)
    assert len(errors) >= 10
    # Now and then a box is torn between two people who pass each other.
    assert sum(error < 1.5 for error in errors) / len(errors) > 0.75, 'somebody else was taken for the target'


def test_no_scene_was_unwatched(run: Run) -> None:
    begin, end = span(run.folder)
    shown = shown_in(run.folder)
    for scene in run.site.scenes:
        assert longest_without(shown, scene, begin, end) < 4.0, scene


def test_after_the_swap_each_camera_goes_on_by_the_others_order(run: Run) -> None:
    plans = run.plans()
    swaps = [k for k, plan in enumerate(plans) if 'takes over' in plan.reason]
    # The revision that sends the candidate changes its order for the time being.
    before = next(plan for plan in reversed(plans[: swaps[0]]) if not any(hold.candidate for hold in plan.holds))
    after = plans[swaps[0]]
    (old,), (new,) = holds_of(before), holds_of(after)
    orders = [{order.camera: list(order.scenes) for order in plan.orders} for plan in (before, after)]
    assert old.camera != new.camera
    assert orders[1][new.camera] == orders[0][old.camera] and orders[1][old.camera] == orders[0][new.camera]
    others = set(orders[0]) - {old.camera, new.camera}
    assert all(orders[0][camera] == orders[1][camera] for camera in others)


def test_every_change_of_the_watchlist_is_logged(run: Run) -> None:
    lines = [json.loads(line) for line in (run.folder.parent / 'watchlist.json.log').read_text().splitlines()]
    assert [(line['action'], line['target']) for line in lines] == [('add', TARGET), ('remove', TARGET)]
    assert all(line['who'] and line['time'] for line in lines)


def test_without_a_region_the_watchlist_commands_say_so(ptz_collab: Callable[..., Command]) -> None:
    code, output = ptz_collab('watch', 'list').finish()
    assert code == 2 and output.strip().startswith('no region is running here')
