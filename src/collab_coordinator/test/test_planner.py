# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the planner: the worked examples literally, and what holds for any reach."""

import random
from collections.abc import Callable, Iterator
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

from collab_coordinator.planning import Schedule, TurnTimes, plan_orders, reach_of, turn_times
from collab_coordinator.planning.planner import total_turning
from ptz_site import Site, turn_time

Reach = dict[str, list[str]]


def rows(schedule: Schedule) -> list[list[str]]:
    """Slots by cameras, one slot beyond the cycle."""
    return [[order.scene(slot) for order in schedule.orders] for slot in range(schedule.slots_per_cycle + 1)]


def full(cameras: int, scenes: int) -> tuple[Reach, list[str]]:
    names = [str(scene + 1) for scene in range(scenes)]
    return {f'c{camera}': names for camera in range(cameras)}, names


def most_scenes_at_once(reach: Reach) -> int:
    """By trying every assignment."""
    return max((len(set(choice)) for choice in product(*(scenes for scenes in reach.values() if scenes))), default=0)


def pairs_without_loss(reach: Reach) -> set[tuple[str, str]]:
    """The pairs that are in some assignment that covers as many scenes as possible."""
    able = {camera: scenes for camera, scenes in reach.items() if scenes}
    most = most_scenes_at_once(reach)
    best = [choice for choice in product(*able.values()) if len(set(choice)) == most]
    return {pair for choice in best for pair in zip(able, choice, strict=True)}


@st.composite
def reaches(draw: st.DrawFn) -> tuple[Reach, list[str]]:
    scenes = [f's{i}' for i in range(draw(st.integers(1, 4)))]
    cameras = [f'c{i}' for i in range(draw(st.integers(1, 4)))]
    subsets = st.lists(st.sampled_from(scenes), unique=True)
    return {camera: draw(subsets) for camera in cameras}, scenes


def test_three_cameras_and_three_scenes_make_the_latin_square() -> None:
    assert rows(plan_orders(*full(3, 3))) == [['1', '2', '3'], ['2', '3', '1'], ['3', '1', '2'], ['1', '2', '3']]


def test_three_cameras_and_two_scenes_watch_one_scene_twice_in_turn() -> None:
    assert rows(plan_orders(*full(3, 2))) == [['1', '2', '1'], ['2', '1', '2'], ['1', '2', '1']]


@pytest.mark.parametrize(('cameras', 'scenes'), [(c, s) for c in range(1, 8) for s in range(1, 10)])
def test_with_full_reach_every_camera_visits_every_scene_and_no_scene_waits_longer_than_it_must(
    cameras: int, scenes: int
) -> None:
    schedule = plan_orders(*full(cameras, scenes))
    assert schedule.slots_per_cycle == scenes
    for order in schedule.orders:
        assert sorted(order.scenes) == sorted(str(s + 1) for s in range(scenes))
    for scene in full(cameras, scenes)[1]:
        assert schedule.longest_gap(scene) == -(-scenes // cameras) - 1
        assert len(schedule.views(scene)) == cameras


@given(reaches())
def test_every_slot_covers_as_many_scenes_as_any_assignment_could(case: tuple[Reach, list[str]]) -> None:
    reach, scenes = case
    schedule = plan_orders(reach, scenes)
    most = most_scenes_at_once(reach)
    for order in schedule.orders:
        assert len(order.scenes) == schedule.slots_per_cycle
        assert set(order.scenes) <= set(reach[order.camera])
    for row in rows(schedule)[:-1]:
        assert len(set(row)) == most
    assert {order.camera for order in schedule.orders} == {camera for camera, scenes in reach.items() if scenes}


@given(reaches())
def test_every_pair_that_costs_no_coverage_is_visited_and_the_others_are_named(case: tuple[Reach, list[str]]) -> None:
    reach, scenes = case
    schedule = plan_orders(reach, scenes)
    visited = {(order.camera, scene) for order in schedule.orders for scene in order.scenes}
    possible = pairs_without_loss(reach)
    assert visited == possible
    every = {(camera, scene) for camera, reached in reach.items() for scene in reached}
    assert set(schedule.unvisited) == every - possible
    assert schedule.slots_per_cycle <= max(1, len(possible))


@given(reaches())
def test_what_is_not_always_covered_is_named_with_its_slots_and_a_reason(case: tuple[Reach, list[str]]) -> None:
    reach, scenes = case
    schedule = plan_orders(reach, scenes)
    gaps = {s: set(range(schedule.slots_per_cycle)) - set(schedule.covered_slots(s)) for s in scenes}
    unreached = {s for s in scenes if not any(s in reached for reached in reach.values())}
    assert {u.scene for u in schedule.uncovered} == {s for s in scenes if gaps[s]} | unreached
    for uncovered in schedule.uncovered:
        assert set(uncovered.slots) == gaps[uncovered.scene]
        assert uncovered.reason
        assert (uncovered.scene in unreached) == (not schedule.views(uncovered.scene))


@given(reaches())
def test_the_same_input_gives_the_same_plan(case: tuple[Reach, list[str]]) -> None:
    assert plan_orders(*case) == plan_orders(*case)


def test_a_scene_without_a_preset_is_named_and_the_rest_is_a_latin_square() -> None:
    schedule = plan_orders({'a': ['x', 'y'], 'b': ['x', 'y']}, ['x', 'roof', 'y'])
    assert rows(schedule) == [['x', 'y'], ['y', 'x'], ['x', 'y']]
    (uncovered,) = schedule.uncovered
    assert uncovered.scene == 'roof'
    assert 'a, b' in uncovered.reason
    assert uncovered.slots == (0, 1)


def test_scenes_that_share_too_few_cameras_are_named_together_with_them() -> None:
    schedule = plan_orders({'a': ['x'], 'b': ['x', 'y', 'z']}, ['x', 'y', 'z'])
    assert rows(schedule)[:2] == [['x', 'y'], ['x', 'z']]
    assert {u.scene for u in schedule.uncovered} == {'y', 'z'}
    assert schedule.uncovered[0].reason == '2 scenes (y, z) are reached by 1 camera only (b), so they are watched in turn'
    assert schedule.unvisited == (('b', 'x'),)


def test_no_cameras_and_cameras_without_reach_give_an_empty_plan() -> None:
    for reach in ({}, {'a': []}):
        schedule = plan_orders(reach, ['x'])
        assert schedule.orders == ()
        assert schedule.slots_per_cycle == 0
        assert [u.scene for u in schedule.uncovered] == ['x']


def test_reach_follows_the_site_and_can_be_kept_to_some_cameras(make_site) -> None:  # type: ignore[no-untyped-def]
    site = make_site({'north': ['road', 'gate'], 'south': ['yard']})
    assert reach_of(site) == {'north': ('gate', 'road'), 'south': ('yard',)}
    assert reach_of(site, ['south']) == {'south': ('yard',)}


def test_a_hundred_cameras_with_partial_reach_are_planned_with_full_coverage() -> None:
    scenes = [f's{i}' for i in range(100)]
    reach = {f'c{i}': [scenes[(i + step) % 100] for step in (0, 1, 3, 7, 15, 31, 63, 90)] for i in range(100)}
    schedule = plan_orders(reach, scenes)
    assert not schedule.uncovered
    assert not schedule.unvisited
    assert schedule.slots_per_cycle == 8


def canonical(cameras: int, scenes: int) -> Iterator[NDArray[np.int_]]:
    """Every way in which cameras can reach scenes, once for each naming; everybody reaches something, and everything is reached."""
    seen = set()
    for bits in product((0, 1), repeat=cameras * scenes):
        matrix = np.array(bits).reshape(cameras, scenes)
        rows = [tuple(row) for row in matrix.tolist()]
        if rows != sorted(rows) or not matrix.any(axis=1).all() or not matrix.any(axis=0).all():
            continue
        name = min(tuple(sorted(tuple(row[p] for p in order) for row in rows)) for order in permutations(range(scenes)))
        if name not in seen:
            seen.add(name)
            yield np.array(name)


def least_gap(matrix: NDArray[np.int_]) -> int:
    """The longest wait of the best schedule there is, found among all schedules without end.

    States are how long each scene has waited; arcs are assignments that cover as many scenes as possible. A schedule that visits every
    pair for ever stays in one strongly connected component, whose arcs must hold every pair.
    """
    scenes = matrix.shape[1]
    every = list(product(*[np.flatnonzero(row).tolist() for row in matrix]))
    most = max(len(set(choice)) for choice in every)
    choices = [choice for choice in every if len(set(choice)) == most]
    pairs = {(camera, scene) for choice in choices for camera, scene in enumerate(choice)}
    for gap in range(2 * scenes):
        states = {state: k for k, state in enumerate(product(range(gap + 1), repeat=scenes))}
        arcs = [
            (at, states[after], choice)
            for state, at in states.items()
            for choice in choices
            if (after := tuple(0 if s in choice else state[s] + 1 for s in range(scenes))) in states
        ]
        if not arcs:
            continue
        tails, heads, _ = zip(*arcs, strict=True)
        graph = csr_array((np.ones(len(arcs)), (tails, heads)), shape=(len(states), len(states)))
        _, component = connected_components(graph, connection='strong')
        held: dict[int, set[tuple[int, int]]] = {}
        for tail, head, choice in arcs:
            if component[tail] == component[head]:
                held.setdefault(int(component[tail]), set()).update(enumerate(choice))
        if any(found >= pairs for found in held.values()):
            return gap
    raise AssertionError('no schedule at all')


@pytest.mark.parametrize(('cameras', 'scenes'), product(range(1, 5), repeat=2))
def test_no_schedule_of_a_small_region_covers_more_or_waits_less(cameras: int, scenes: int) -> None:
    cases = 0
    for matrix in canonical(cameras, scenes):
        names = [f's{s}' for s in range(scenes)]
        reach = {f'c{c}': [names[s] for s in np.flatnonzero(row)] for c, row in enumerate(matrix)}
        most, least = most_scenes_at_once(reach), least_gap(matrix)
        pairs = np.flatnonzero(matrix.ravel())
        for schedule in (plan_orders(reach, names), plan_orders(reach, names, turns=random_turns(cameras, scenes, pairs, cases))):
            for k in range(schedule.slots_per_cycle):
                assert len({order.scene(k) for order in schedule.orders}) == most, reach
            assert {(o.camera, s) for o in schedule.orders for s in o.scenes} == pairs_without_loss(reach), reach
            assert max(map(schedule.longest_gap, names)) == least, reach
        cases += 1
    assert cases > 0


def views(schedule: Schedule, scene: str) -> list[int]:
    """Cameras on a scene in each slot."""
    return [sum(order.scene(k) == scene for order in schedule.orders) for k in range(schedule.slots_per_cycle)]


def test_doubled_views_are_spread_evenly_over_scenes_and_time() -> None:
    schedule = plan_orders(*full(7, 3))
    assert all(set(views(schedule, scene)) <= {2, 3} for scene in '123')
    assert {sum(views(schedule, scene)) for scene in '123'} == {7}


def test_a_heavy_scene_has_two_cameras_when_there_are_enough() -> None:
    reach, names = full(4, 3)
    schedule = plan_orders(reach, names, {'2': 2})
    assert (views(schedule, '1'), views(schedule, '2'), views(schedule, '3')) == tuple(
        [count] * schedule.slots_per_cycle for count in (1, 2, 1)
    )
    assert all(set(order.scenes) == set(names) for order in schedule.orders)


def test_a_heavy_scene_has_twice_the_time_when_there_are_too_few_cameras() -> None:
    reach, names = full(1, 3)
    schedule = plan_orders(reach, names, {'2': 2})
    (order,) = schedule.orders
    assert [order.scenes.count(name) for name in names] == [1, 2, 1]
    assert schedule.longest_gap('2') == 1
    reach, names = full(2, 5)
    schedule = plan_orders(reach, names, {'1': 2})
    visits = {name: sum(views(schedule, name)) for name in names}
    assert visits['1'] >= 1.5 * min(visits.values())
    assert max(map(schedule.longest_gap, names)) == 2


@given(reaches(), st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_weights_never_cost_coverage(case: tuple[Reach, list[str]], weights: list[int]) -> None:
    reach, scenes = case
    schedule = plan_orders(reach, scenes, dict(zip(scenes, weights, strict=False)))
    for k in range(schedule.slots_per_cycle):
        assert len({order.scene(k) for order in schedule.orders}) == most_scenes_at_once(reach)


def random_turns(cameras: int, scenes: int, pairs: NDArray[np.intp], seed: int) -> TurnTimes:
    pan, tilt, octaves = np.random.default_rng(seed).uniform(-1, 1, (3, len(pairs)))
    limits = [np.full(cameras, value) for value in (1.0, 3.0, 1.0)]
    names = {f'c{c}': c for c in range(cameras)}, {f's{s}': s for s in range(scenes)}
    return TurnTimes(*names, pairs, pan, tilt, octaves, *limits)


def random_region(size: int, each: int, seed: int) -> tuple[Reach, list[str], TurnTimes]:
    dice = random.Random(seed)
    names = [f's{s}' for s in range(size)]
    reached = [sorted(dice.sample(range(size), each)) for _ in range(size)]
    pairs = np.array([camera * size + scene for camera, scenes in enumerate(reached) for scene in scenes])
    return {f'c{c}': [names[s] for s in scenes] for c, scenes in enumerate(reached)}, names, random_turns(size, size, pairs, seed)


def test_a_large_region_is_covered_wherever_a_matching_is_and_turns_less_in_the_chosen_order() -> None:
    reach, names, turns = random_region(300, 6, 3)
    plain, ordered = plan_orders(reach, names), plan_orders(reach, names, turns=turns)
    graph = csr_array([[scene in set(reach[camera]) for scene in names] for camera in reach])
    most = int((maximum_bipartite_matching(graph, perm_type='column') >= 0).sum())
    for schedule in (plain, ordered):
        for k in range(schedule.slots_per_cycle):
            assert len({order.scene(k) for order in schedule.orders}) == most
    assert total_turning(ordered, turns) < 0.97 * total_turning(plain, turns)
    assert {(o.camera, s) for o in plain.orders for s in o.scenes} == {(o.camera, s) for o in ordered.orders for s in o.scenes}
    assert max(map(plain.longest_gap, names)) == max(map(ordered.longest_gap, names))
    assert plan_orders(reach, names, turns=turns) == ordered


def test_the_turn_times_are_those_of_the_drive(make_site: Callable[..., Site]) -> None:
    site = make_site()
    turns = turn_times(site)
    seconds = turns.between_slots(np.array([0]), np.array([[0], [1], [2]]))
    limits = site.cameras['north'].slew
    for i, one in enumerate(site.scenes):
        for j, other in enumerate(site.scenes):
            start, end = site.preset('north', one), site.preset('north', other)
            assert start is not None
            assert end is not None
            assert seconds[i, j] == pytest.approx(turn_time(start, end, limits))


def test_with_full_reach_the_scenes_are_gone_through_on_a_short_way(make_site: Callable[..., Site]) -> None:
    scenes = ['a', 'b', 'c', 'd', 'e']
    site = make_site({f'c{i}': scenes for i in range(5)}, scenes)
    # Presets are 30 degrees apart in the site's order; visited in a mixed order the way is longer.
    mixed = ['a', 'd', 'b', 'e', 'c']
    plain = plan_orders(reach_of(site), mixed)
    short = plan_orders(reach_of(site), mixed, turns=turn_times(site))
    assert total_turning(short, turn_times(site)) < total_turning(plain, turn_times(site))
    assert all(sorted(order.scenes) == scenes for order in short.orders)
    assert all(len({order.scene(k) for order in short.orders}) == 5 for k in range(5))
