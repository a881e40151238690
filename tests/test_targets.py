# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One walker of the demo's yard is on the watchlist: the cameras find, hold and hand over, as the simulator's truth says they should."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

import pytest
from conftest import Command
from demo_run import TARGET, WALKER, DemoRun
from faults import most_without, shown_in, span
from recordings import read_bag
from sequences import cues
from target_region import IN_POSITION, is_clear

from ptz_node.convert import time_to_ns
from ptz_sim.walkers import Walker

#: All of them wait for one run.
pytestmark = pytest.mark.timeout(1800)

S = 1_000_000_000


def holds_of(plan: object) -> list:  # type: ignore[type-arg]
    return [one for one in plan.holds if one.target == TARGET]  # type: ignore[attr-defined]


def test_the_camera_that_holds_sees_the_target(demo_run: DemoRun) -> None:
    begun = [plan for plan in demo_run.plans() if plan.reason.startswith('hold:') and holds_of(plan)]
    assert begun
    for plan in begun:
        (hold,) = holds_of(plan)
        # It was seen in some of the pictures in which it was found; it may have gone behind somebody meanwhile.
        at = time_to_ns(plan.effective_at)
        found = sorted(
            time_to_ns(array.header.stamp)
            for _, array in read_bag(demo_run.folder / 'region', '/tracks')
            if (array.preset.camera, array.preset.scene) == (hold.camera, hold.scene)
            and time_to_ns(array.header.stamp) <= at
            and any(track.target == TARGET for track in array.tracks)
        )
        seen = [demo_run.walker(WALKER, hold.camera, hold.scene, stamp) for stamp in found[-8:]]
        assert any(one is not None and one.completeness > 0.8 and one.occluded < 0.5 for one in seen)
        assert hold.mark_shape == 'triangle' and hold.mark_colour.startswith('#') and len(hold.feature) > 0


def test_the_cues_of_the_videos_name_the_target(demo_run: DemoRun) -> None:
    told = [(start, cue) for path in demo_run.folder.glob('*.vtt') for start, _, cue in cues(path) if cue['targets']]
    assert told
    for _, cue in told:
        assert cue['targets'] == [TARGET]
    # Where they name it there is somebody to be seen.
    seen = [demo_run.walker(WALKER, cue['camera'], cue['scene'], cue['stamp_ns']) for _, cue in told]
    assert sum(one is not None for one in seen) > 0.8 * len(told)


def test_it_is_held_soon_after_it_is_seen_clearly(demo_run: DemoRun) -> None:
    held_ns = min(time_to_ns(hold.since) for plan in demo_run.plans() for hold in holds_of(plan))
    looks = [
        (time_to_ns(array.header.stamp), array.preset.camera)
        for _, array in read_bag(demo_run.folder / 'region', '/tracks')
        if array.preset.phase == IN_POSITION
        and demo_run.listed_ns <= time_to_ns(array.header.stamp) < held_ns
        and is_clear(demo_run.walker(WALKER, array.preset.camera, array.preset.scene, time_to_ns(array.header.stamp)))
    ]
    # Mostly four. In frames that were looked at: how many a busy machine manages in a second is not the question here, and one
    # walker may just be passing somebody. benchmarks/targets.py measures the time, by all walkers: mostly within 1 s.
    assert len(looks) <= 60, looks


def test_the_target_goes_to_a_camera_that_it_looks_at(demo_run: DemoRun) -> None:
    ordered = [
        (time_to_ns(plan.effective_at), hold.camera, hold.candidate)
        for plan in demo_run.plans()
        if plan.reason.startswith('handoff:')
        for hold in holds_of(plan)
        if hold.candidate
    ]
    assert ordered

    def gained(at: int, old: str, new: str) -> float:
        # Where it looks was measured over the last seconds in which it was seen.
        walker, seen_ns = followed(demo_run, old, at)
        times = [seen_ns - back * S // 4 for back in range(13)]
        gains = [
            demo_run.turned(walker, old, then) - demo_run.turned(walker, new, then)
            for then in times
            if there(demo_run, walker, then)
        ]
        return max(gains)

    # Now and then a box is torn between two people who pass each other, and so is what is known of it; and of an angle that is just
    # enough by what is measured, some is error.
    enough = math.radians(demo_run.site.region.hold.handoff_margin) / 2
    right = [gained(*one) > enough for one in ordered]
    assert sum(right) >= max(1, len(right) - 1 - len(right) // 5), ordered


def followed(demo_run: DemoRun, camera: str, at_ns: int) -> tuple[int, int]:
    """Who stood where a camera last saw the target, and when; whether that is the right one is asked by another test."""
    stamp, place = max(
        (time_to_ns(array.header.stamp), (track.ground.x, track.ground.y))
        for _, array in read_bag(demo_run.folder / 'region', '/tracks')
        if array.preset.camera == camera and time_to_ns(array.header.stamp) <= at_ns
        for track in array.tracks
        if track.target == TARGET and track.source == track.SOURCE_DETECTED
    )
    return min(walkers(demo_run, stamp), key=lambda one: math.dist((one.x, one.y), place)).id, stamp


def there(demo_run: DemoRun, walker: int, at_ns: int) -> bool:
    return any(one.id == walker for one in walkers(demo_run, at_ns))


def walkers(demo_run: DemoRun, at_ns: int) -> Sequence[Walker]:
    return demo_run.world.state((at_ns - demo_run.epoch_ns) / S).walkers


def test_the_new_camera_goes_on_with_the_same_target_and_mark(demo_run: DemoRun) -> None:
    taken = [plan for plan in demo_run.plans() if 'takes over' in plan.reason]
    assert taken
    (hold,) = holds_of(taken[0])
    tracks = [
        (time_to_ns(array.header.stamp), array.preset.camera, track)
        for _, array in read_bag(demo_run.folder / 'region', '/tracks')
        for track in array.tracks
        if track.target == TARGET
    ]
    assert {track.mark_shape for _, _, track in tracks} == {'triangle'}
    assert {track.mark_colour for _, _, track in tracks} == {hold.mark_colour}
    assert all(track.has_ground and track.good_frames >= 3 for _, _, track in tracks)


def test_whoever_is_told_to_be_the_target_is_it(demo_run: DemoRun) -> None:
    """The places of tracks that were told to be the target, against the truth."""
    errors = []
    for _, array in read_bag(demo_run.folder / 'region', '/tracks'):
        at = time_to_ns(array.header.stamp)
        (walker,) = [one for one in walkers(demo_run, at) if one.id == WALKER] or [None]
        for track in array.tracks:
            if track.target == TARGET and track.source == track.SOURCE_DETECTED:
                away = math.inf if walker is None else math.hypot(walker.x - track.ground.x, walker.y - track.ground.y)
                errors.append(away)
    assert len(errors) >= 10
    # Now and then a box is torn between two people who pass each other.
    assert sum(error < 1.5 for error in errors) / len(errors) > 0.75, 'somebody else was taken for the target'


def test_no_scene_was_unwatched(demo_run: DemoRun) -> None:
    begin, end = span(demo_run.folder)
    shown = shown_in(demo_run.folder)
    for scene in demo_run.site.scenes:
        # In pictures that all cameras took meanwhile, as many as in 4 s: nobody is to blame that the machine stood still.
        rate = max(camera.rate for camera in demo_run.site.cameras.values())
        assert most_without(shown, scene, begin, end, demo_run.site.cameras) < 4 * rate, scene


def test_after_the_swap_each_camera_goes_on_by_the_others_order(demo_run: DemoRun) -> None:
    plans = demo_run.plans()
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


def test_every_change_of_the_watchlist_is_logged(demo_run: DemoRun) -> None:
    lines = [json.loads(line) for line in (demo_run.folder.parent / 'watchlist.json.log').read_text().splitlines()]
    assert [(line['action'], line['target']) for line in lines] == [('add', TARGET), ('remove', TARGET)]
    assert all(line['who'] and line['time'] for line in lines)


def test_without_a_region_the_watchlist_commands_say_so(ptz_collab: Callable[..., Command]) -> None:
    code, output = ptz_collab('watch', 'list').finish()
    assert code == 2 and output.strip().startswith('no region is running here')
