# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the model by which the benchmark says what working together is worth: it must be right before its figures are."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'benchmarks'))

from worth import oracle
from worth.baselines import Watching, fixed, lockstep, tours, turn_times
from worth.comparison import Way, by_walking_only, compare
from worth.estimates import mean, ratio
from worth.measures import longest_gap, possible, worth_of
from worth.present import present
from worth.region import watch
from worth.scenario import Scenario, Size, site_of
from worth.views import Views, views_of
from worth.watchers import Eyes

from ptz_sim.truth import truth
from ptz_sim.walkers import Paths
from ptz_sim.world import World
from ptz_site import wrap_angle

STEPS = 300


def one_walker(side: float, cameras: int = 1, scenes: int = 1) -> Views:
    """Somebody on the first scene who stands still, is clearly seen from everywhere, and turned away from all cameras by an angle."""
    zero = np.zeros((STEPS, 1))
    paths = Paths(zero, zero, zero, zero, zero, np.array([1.75]))
    clear = np.zeros((STEPS, 1, cameras, scenes), bool)
    clear[..., 0] = True
    return Views(0.2, paths, clear, np.full((STEPS, 1, cameras), side), np.zeros((STEPS, 1), np.int8))


def always(scene: int, cameras: int = 1) -> Watching:
    where = np.full((STEPS, cameras), scene, np.int8)
    return Watching(where, where)


def test_who_faces_a_camera_all_the_time_counts_fully_and_who_looks_away_not_at_all() -> None:
    facing, away = (worth_of(one_walker(side), always(0), (0,)) for side in (0.3, 2.0))
    assert (facing.frontal_people, facing.frontal_visits, facing.target_seen, facing.target_frontal) == (1, 1, 1, 1)
    assert facing.frontal_seconds == pytest.approx(60)
    assert (away.frontal_people, away.target_seen, away.target_frontal) == (0, 1, 0)
    assert facing.angles == away.angles == 1
    assert worth_of(one_walker(0.3, scenes=2), always(1), (0,)).target_seen == 0


def test_with_one_camera_and_one_scene_all_ways_agree() -> None:
    found = compare(Scenario(Size(1, 1), 3, 5, seconds=60.0))
    assert len({(one.target_frontal, one.frontal_seconds, one.unwatched) for one in found.worth.values()}) == 1
    assert found.bound == pytest.approx(found.worth[Way.FIXED].target_frontal)


@pytest.mark.parametrize(('size', 'seed'), [(Size(2, 2), 0), (Size(3, 3), 1), (Size(6, 4), 2)])
def test_nobody_does_better_than_the_bound_and_the_same_seed_gives_the_same(size: Size, seed: int) -> None:
    scenario = Scenario(size, 10, seed, seconds=60.0)
    found = compare(scenario)
    for way, worth in found.worth.items():
        assert worth.target_frontal <= found.bound + 1e-9, way
    assert found.worth[Way.CLAIRVOYANT].target_frontal >= 0.9 * found.bound
    assert found.worth[Way.ROTATION].assigned == 1.0
    assert sum(found.lost.values()) == pytest.approx(1.0)
    assert repr(found) == repr(compare(scenario))
    assert repr(found.worth) != repr(compare(replace(scenario, seed=seed + 10)).worth)


def test_the_bound_knows_that_turning_costs_time() -> None:
    # Somebody is on two scenes by turns, each for a second; a turn takes as long, so that one camera sees half of it at best.
    views = one_walker(0.0, scenes=2)
    second = np.arange(STEPS) // 5 % 2 == 1
    views.clear[second, :, :, 0], views.clear[second, :, :, 1] = False, True
    turns = np.array([[[0.0, 5.0], [5.0, 0.0]]])
    assert possible(views).mean() == 1
    assert oracle.bound(views, turns, (0,)) == pytest.approx(0.5, abs=0.02)
    assert oracle.bound(views, turns / 1000, (0,)) == pytest.approx(1.0)
    two = replace(views, clear=np.repeat(views.clear, 2, axis=2), side=np.repeat(views.side, 2, axis=2))
    assert oracle.bound(two, np.repeat(turns, 2, axis=0), (0,)) == pytest.approx(1.0)


def test_who_knows_the_present_turns_after_a_target_and_leaves_no_scene() -> None:
    # Somebody on the first scene faces the first camera, and from step 100 on the second one, which is on the other scene by then.
    views = one_walker(0.0, cameras=2, scenes=2)
    views.side[:100, :, 1], views.side[100:, :, 0] = 3.0, 3.0
    turns = np.full((2, 2, 2), 1.0) * (1 - np.eye(2))
    found = present(views, turns, (0,))
    # A turn of five steps: those within it are lost.
    assert found.at_rest[98:106].tolist() == [[0, 1]] * 2 + [[-1, -1]] * 4 + [[1, 0]] * 2
    assert (np.sort(found.assigned, axis=1) == [0, 1]).all()
    assert worth_of(views, found, (0,)).target_frontal == pytest.approx((STEPS - 4) / STEPS)


def test_a_heading_is_known_as_the_products_filter_knows_it() -> None:
    scenario = Scenario(Size(2, 2), 3, 1, seconds=60.0)
    site = site_of(scenario)
    views = views_of(site, World.of_site(site), scenario.times)
    middle = np.mean(next(iter(site.scenes.values())).polygon or (), axis=0)
    # Somebody walks north for 4 s, and stands from then on; seen clearly all the time.
    north = np.minimum(np.arange(len(scenario.times)) * 0.2, 4.0) * 1.3 - 2.6
    paths = replace(views.paths, x=np.full_like(views.paths.x, middle[0]), y=np.tile(middle[1] + north[:, None], (1, 3)))
    paths = replace(paths, speed=np.where(paths.y < 2.5 + middle[1], 1.3, 0.0), facing=np.full_like(paths.x, 1.2))
    views = replace(views, paths=paths, clear=np.ones_like(views.clear))

    def look(eyes: Eyes) -> list:  # type: ignore[type-arg]
        return [eyes.look(k, 0, 1, 10**12 + k * 2 * 10**8) for k in range(60)]

    looks = look(Eyes(by_walking_only(site), 0, views, (0,)))
    assert [len(seen) for seen in looks[:5]] == [0, 0, 0, 1, 1], 'three good frames, and one for the tracker'
    headings = [seen[0].heading for seen in looks[8:20]]
    assert all(heading is not None and abs(heading - math.pi / 2) < 0.7 for heading in headings)
    assert len(set(headings)) == len(headings), 'no two looks are equally wrong'
    assert [seen[0].heading for seen in looks[30:]].count(None) > 25
    told = [seen[0].heading for seen in look(Eyes(site, 0, views, (0,)))[30:]]
    errors = [abs(wrap_angle(heading - 1.2)) for heading in told if heading is not None]
    assert len(errors) > 25, 'pictures tell where somebody looks who stands'
    assert 0.02 < float(np.median(errors)) < 0.5, 'not quite rightly'
    knowing = look(Eyes(site, 0, views, (0,), knows_facing=True))
    assert knowing[3][0].heading == 1.2


def test_views_are_those_of_the_simulators_truth() -> None:
    scenario = Scenario(Size(2, 2), 10, 3, seconds=60.0)
    site = site_of(scenario)
    world = World.of_site(site)
    views = views_of(site, world, scenario.times)
    same = []
    for k in range(0, len(scenario.times), 30):
        for c, (name, camera) in enumerate(site.cameras.items()):
            for s, scene in enumerate(site.scenes):
                position = site.preset(name, scene)
                assert position is not None
                projection = camera.projection(position)
                assert projection is not None
                shown = {one.walker: one for one in truth(world, projection, camera.resolution, float(scenario.times[k]))}
                for person in np.flatnonzero(views.paths.present[k]).tolist():
                    one = shown.get(person)
                    clear = one is not None and one.completeness > 0.95 and one.occluded < 0.2 and one.box[3] >= 80
                    same.append(clear == views.clear[k, person, c, s])
                    if one is not None:
                        assert abs(one.facing - abs(views.side[k, person, c])) < 1e-6
    # Bodies are boxes in the model and balls in the truth.
    assert np.mean(same) > 0.97


def test_baselines_look_where_they_should() -> None:
    scenario = Scenario(Size(3, 3), 3, 1, seconds=60.0)
    site, steps = site_of(scenario), len(scenario.times)
    assert set(fixed(site, steps).at_rest[0]) == {0, 1, 2}
    together = lockstep(site, steps, 0.2, 5.0, np.random.default_rng(1))
    assert (together.assigned == together.assigned[:, :1]).all()
    alone = tours(site, steps, 0.2, 5.0, np.random.default_rng(1))
    assert all(set(alone.assigned[:, c]) == {0, 1, 2} for c in range(3))
    for watching in (together, alone):
        moving = watching.at_rest < 0
        assert 0 < moving.mean() < 0.5
        assert (watching.at_rest[~moving] == watching.assigned[~moving]).all()
    assert turn_times(site).max() < 5


def test_a_hold_stops_the_rotation_while_the_target_is_seen() -> None:
    scenario = Scenario(Size(2, 2), 3, 1, seconds=60.0)
    site = site_of(scenario)
    views = views_of(site, World.of_site(site), scenario.times)
    turning, held = (watch(site, views, scenario.targets, 12.0, hold=hold) for hold in (False, True))
    switches = [int((np.diff(one.watching.assigned, axis=0) != 0).sum()) for one in (turning, held)]
    assert held.counts['holds'] > 0
    assert switches[1] < switches[0]


def test_estimates_and_gaps() -> None:
    assert mean([1.0, 1.0, math.nan]).value == 1.0
    found = ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    assert math.isnan(mean([math.nan]).value)
    assert [longest_gap(np.array(row, bool)) for row in ([1, 1], [0, 0], [1, 0, 0, 1], [0, 1, 0])] == [0, 2, 2, 1]
