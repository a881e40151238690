# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of density maps and hot regions: nobody is counted twice or lost, and no more is looked at than may be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ptz_perception.density import FixedBandwidth, NeighbourBandwidth, PictureHeats, SizeBandwidth, density_map, hot_regions

SHAPE = (90, 160)

few = settings(max_examples=60, deadline=None)


@st.composite
def annotated(draw):
    """Points anywhere in a picture, also on its edges, and the sizes of boxes around them."""
    count = draw(st.integers(0, 12))
    unit = st.floats(0, 1)
    points = [(draw(unit) * SHAPE[1], draw(unit) * SHAPE[0]) for _ in range(count)]
    sizes = [(draw(st.floats(0, 200)), draw(st.floats(0, 200))) for _ in range(count)]
    return np.array(points).reshape(-1, 2), np.array(sizes).reshape(-1, 2)


@few
@given(
    annotated(),
    st.integers(1, 40),
    st.sampled_from([FixedBandwidth(3.0), FixedBandwidth(0.0), SizeBandwidth(), NeighbourBandwidth()]),
)
def test_the_sum_is_the_number_of_points_at_any_stride(data, stride, bandwidth):
    points, sizes = data
    heat = density_map(points, sizes, SHAPE, stride, bandwidth)
    assert heat.shape == (-(-SHAPE[0] // stride), -(-SHAPE[1] // stride))
    assert heat.dtype == np.float32
    assert heat.sum() == pytest.approx(len(points), rel=1e-4, abs=1e-4)
    assert (heat >= 0).all()


@few
@given(annotated(), st.sampled_from([2, 5, 10]))
def test_a_coarse_map_is_the_fine_one_summed(data, stride):
    points, sizes = data
    fine, coarse = density_map(points, sizes, SHAPE, 1), density_map(points, sizes, SHAPE, stride)
    rows, columns = coarse.shape
    assert fine.reshape(rows, stride, columns, stride).sum(axis=(1, 3)) == pytest.approx(coarse, abs=1e-4)


def test_a_point_is_spread_as_a_gaussian():
    heat = density_map(np.array([(80.5, 45.5)]), None, SHAPE, 1, FixedBandwidth(4.0))
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    assert (x, y) == (80, 45)
    rows, columns = np.indices(SHAPE) + 0.5
    expected = np.exp(-((columns - 80.5) ** 2 + (rows - 45.5) ** 2) / 32) / (2 * np.pi * 16)
    assert heat == pytest.approx(expected, abs=1e-4)


def test_half_of_a_gaussian_at_an_edge_is_given_back():
    at_edge = density_map(np.array([(0.0, 45.0)]), None, SHAPE, 1, FixedBandwidth(4.0))
    inside = density_map(np.array([(80.0, 45.0)]), None, SHAPE, 1, FixedBandwidth(4.0))
    assert at_edge[:, 0] == pytest.approx(2 * inside[:, 80], rel=1e-3)


def test_bandwidth_by_size_is_a_share_of_the_box():
    points, sizes = np.array([(50.0, 50.0), (60.0, 50.0)]), np.array([(20.0, 80.0), (0.1, 0.1)])
    assert SizeBandwidth(0.25)(points, sizes).tolist() == [10.0, 1.0]
    with pytest.raises(ValueError, match='needs sizes'):
        SizeBandwidth()(points, None)


def test_bandwidth_by_neighbours_follows_the_distance_to_the_nearest():
    crowd = np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 20.0), (30.0, 0.0), (1000.0, 0.0)])
    rule = NeighbourBandwidth(share=0.3, neighbours=3, most=100.0)
    found = rule(crowd, None)
    assert found[0] == pytest.approx(0.3 * (10 + 20 + 30) / 3)
    assert found[4] == 100.0
    assert rule(crowd[:1], None).tolist() == [100.0]
    assert rule(crowd[[0, 0]], None).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ('points', 'sizes', 'stride', 'says'),
    [
        ([(161.0, 5.0)], None, 1, 'leave out'),
        ([(float('nan'), 5.0)], None, 1, 'leave out'),
        ([(1.0, 5.0)], [(1.0, 2.0)] * 2, 1, 'as many sizes'),
        ([(1.0, 5.0)], None, 0, 'no cells'),
    ],
)
def test_what_can_not_be_a_map_is_refused(points, sizes, stride, says):
    with pytest.raises(ValueError, match=says):
        density_map(np.array(points), None if sizes is None else np.array(sizes), SHAPE, stride)


heats = arrays(
    np.float32, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.floats(0, 1, width=32), fill=st.just(0.0)
)


@few
@given(heats, st.integers(40, 700), st.integers(40, 700), st.floats(0, 1), st.integers(1, 200), st.integers(0, 60))
def test_regions_keep_the_budget_and_the_picture_and_come_in_order(heat, width, height, budget, least, margin):
    found = hot_regions(heat, (width, height), budget, least=(least, least), margin=margin)
    assert sum(region.part.area for region in found) <= budget * width * height
    for region in found:
        part = region.part
        assert 0 <= part.left < part.right <= width
        assert 0 <= part.top < part.bottom <= height
        assert part.right - part.left >= min(least, width)
        assert part.bottom - part.top >= min(least, height)
        assert region.heat > 0
    for better, worse in itertools.pairwise(found):
        assert better.density >= worse.density
    assert found == hot_regions(heat, (width, height), budget, least=(least, least), margin=margin)


@few
@given(heats, st.integers(40, 700), st.integers(40, 700))
def test_with_the_whole_picture_to_spend_every_hot_cell_is_looked_at(heat, width, height):
    found = hot_regions(heat, (width, height), 1.0, share=0.5, least=(1, 1), margin=0)
    seen = np.zeros((height, width), bool)
    for region in found:
        seen[region.part.top : region.part.bottom, region.part.left : region.part.right] = True
    rows, columns = np.nonzero(heat > 0.5 * heat.max())
    x, y = (columns + 0.5) * width / heat.shape[1], (rows + 0.5) * height / heat.shape[0]
    assert seen[y.astype(int), x.astype(int)].all()


def two_groups() -> np.ndarray:
    """Four people close together on the left, one on the right."""
    points = np.array([(200, 300), (220, 310), (240, 300), (210, 320), (1000, 400)], float)
    return density_map(points, np.full((5, 2), (20.0, 50.0)), (720, 1280), 8)


def test_the_region_with_more_people_comes_first_and_has_their_number():
    crowd, one = hot_regions(two_groups(), (1280, 720), 0.2)
    assert crowd.part.left < 200 < 240 < crowd.part.right
    assert one.part.left < 1000 < one.part.right
    assert crowd.heat == pytest.approx(4, abs=0.1)
    assert one.heat == pytest.approx(1, abs=0.05)


def test_a_small_budget_takes_the_best_and_cuts_what_is_too_large():
    whole = hot_regions(two_groups(), (1280, 720), 1.0)
    best, *_ = hot_regions(two_groups(), (1280, 720), whole[0].part.area / (1280 * 720))
    assert best == whole[0]
    cut = hot_regions(np.ones((9, 16)), (1280, 720), 0.3, least=(160, 160), margin=0)
    assert 0.2 < sum(region.part.area for region in cut) / (1280 * 720) <= 0.3


def test_nothing_is_hot_below_the_threshold():
    assert hot_regions(two_groups(), (1280, 720), 0.5, threshold=1.0) == ()
    assert hot_regions(np.zeros((9, 16)), (1280, 720), 1.0) == ()


@pytest.mark.parametrize(
    ('heat', 'budget', 'says'), [([[-1.0]], 0.5, 'below 0'), ([[np.nan]], 0.5, 'finite'), ([[1.0]], 1.5, 'budget')]
)
def test_what_can_not_be_a_heat_map_is_refused(heat, budget, says):
    with pytest.raises(ValueError, match=says):
        hot_regions(np.array(heat), (64, 64), budget)


def test_the_heat_of_a_preset_is_of_its_scene_alone_and_finds_where_somebody_is():
    heats, size = PictureHeats(stride=16), (1280, 720)
    box = np.array([(200.0, 300.0, 20.0, 50.0), (1300.0, 300.0, 60.0, 50.0)])
    for number in range(10):
        heats.take('gate', number * 200_000_000, box, size)
    heats.take('road', 0, np.empty((0, 4)), size)
    [region] = hot_regions(heats.heat('gate', size), size, 0.1)
    assert region.part.left < 200 < region.part.right
    assert region.heat == pytest.approx(1, abs=0.05)
    assert hot_regions(heats.heat('road', size), size, 0.1) == ()
    assert heats.heat('gate', (640, 360)) is None
