# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the planner: the worked examples literally, and what holds for any reach."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_coordinator.planning import Schedule, plan_orders, reach_of

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
