# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of heat over time and on the ground."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptz_site.heat import GroundGrid, RunningHeat, SceneHeat, grid_density

S = 1_000_000_000
FULL, EMPTY = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
SURE = np.diag([0.01, 0.01])


def looked(half_life: float, looks: list[tuple[float, np.ndarray]], source: str = 'north') -> RunningHeat:
    heat = RunningHeat(half_life)
    for seconds, seen in looks:
        heat.take(source, S + round(seconds * S), seen)
    return heat


def test_weights_count():
    edges = np.arange(11.0)
    heat = grid_density(np.array([(2.0, 3.0), (7.0, 7.0)]), np.ones(2), edges, edges, np.array([0.25, 2.0]))
    assert heat.sum() == pytest.approx(2.25)


def test_after_a_half_life_what_was_counts_for_half():
    # Full for long, then empty for one half-life: what is left of a mean that starts at 1 is 1/2.
    looks = [(at / 5, FULL if at < 500 else EMPTY) for at in range(550)]
    assert looked(10.0, looks).mean == pytest.approx(0.5, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.floats(0.5, 30))
def test_how_often_it_is_looked_does_not_matter(rate, other, half_life):
    """Half of the time somebody is there, in turns of 3 s."""
    means = []
    for frames in (rate, other):
        looks = [(n / frames, FULL if n / frames % 6 < 3 else EMPTY) for n in range(60 * frames)]
        means.append(looked(half_life, looks).mean)
    assert means[0] == pytest.approx(means[1], abs=0.5 / half_life + 0.02)


def test_without_forgetting_it_is_the_plain_mean():
    assert looked(math.inf, [(n / 2, FULL if n % 4 == 0 else EMPTY) for n in range(400)]).mean == pytest.approx(0.25, abs=0.005)


def test_while_nobody_looks_nothing_changes_and_what_comes_then_counts_fully():
    heat = looked(10.0, [(n / 5, FULL) for n in range(50)])
    before = heat.mean
    heat.take('north', 10_000 * S, EMPTY)
    assert before == pytest.approx(1.0)
    assert heat.mean == pytest.approx(0.0, abs=1e-6)
    assert heat.take('north', 30_000 * S, FULL) is None
    assert np.isfinite(heat.mean).all()


def test_two_cameras_at_once_do_not_count_twice_and_may_be_a_little_out_of_order():
    heat = RunningHeat(10.0)
    for n in range(100):
        heat.take('north', S + n * S // 5, FULL)
        heat.take('south', S + n * S // 5 - S // 10, FULL)
    assert heat.mean == pytest.approx(1.0)


def test_a_mean_that_was_given_does_not_change():
    heat = looked(1.0, [(0, FULL)])
    mean = heat.mean
    heat.take('north', 3 * S, EMPTY)
    assert mean == pytest.approx(1.0)


def test_what_can_not_be_is_refused():
    with pytest.raises(ValueError, match='half-life'):
        RunningHeat(0)
    with pytest.raises(ValueError, match='shape'):
        looked(1.0, [(0, FULL), (1, np.zeros((3, 3), np.float32))])


def test_the_grid_covers_the_polygon_and_knows_what_is_inside():
    grid = GroundGrid.over([(2.0, 1.0), (12.0, 1.0), (2.0, 6.0)], cell=0.5)
    assert (grid.x_edges[0], grid.x_edges[-1], grid.y_edges[0], grid.y_edges[-1]) == (2, 12, 1, 6)
    assert grid.inside.mean() == pytest.approx(0.5, abs=0.03)
    assert grid.inside[0, 0]
    assert not grid.inside[-1, -1]


@given(st.floats(0.3, 5000), st.floats(0.3, 5000))
def test_a_grid_has_cells_that_can_be_told_apart(width, height):
    grid = GroundGrid.over([(0, 0), (width, 0), (width, height), (0, height)])
    assert max(grid.inside.shape) <= 65
    assert grid.x_edges[-1] >= width - 1e-6
    assert grid.y_edges[-1] >= height - 1e-6
    assert grid.cell >= 0.25


def test_somebody_in_a_scene_is_where_he_stands_and_one_on_its_ground():
    heat = SceneHeat(SQUARE, 10.0)
    assert heat.per_square_metre is None
    for n in range(20):
        heat.take('north', n * S // 5, np.array([(2.0, 7.0), (30.0, 7.0)]), [SURE, SURE])
    found = heat.per_square_metre
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (heat.grid.x_edges[column], heat.grid.y_edges[row]) == pytest.approx((2.0, 7.0), abs=0.3)
    assert found.sum() * heat.grid.cell**2 == pytest.approx(1.0, rel=1e-3)


def test_a_place_that_is_not_well_known_is_spread():
    sure, unsure = SceneHeat(SQUARE, 10.0), SceneHeat(SQUARE, 10.0)
    sure.take('north', 0, np.array([(5.0, 5.0)]), [SURE])
    unsure.take('north', 0, np.array([(5.0, 5.0)]), [np.diag([4.0, 1.0])])
    assert unsure.per_square_metre.max() < sure.per_square_metre.max() / 4


def test_nobody_is_a_look_too():
    heat = SceneHeat(SQUARE, 10.0)
    heat.take('north', 0, np.empty((0, 2)), [])
    assert heat.per_square_metre.max() == 0
