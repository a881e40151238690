# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of how related scenes are, and of which pictures are instance-normalised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_perception.relatedness import Sparsity, instance_normalised, overlap, relatedness

WORDS = st.frozensets(st.sampled_from(['winter', 'summer', 'dusk', 'fog', 'paving']))
SUMMER = [('summer', 'day', 'grass'), ('summer', 'dusk', 'paving')]


def test_of_10_pictures_factor_5_takes_2_and_factor_2_takes_5() -> None:
    assert instance_normalised(10, 5).sum() == 2
    assert instance_normalised(10, 2).sum() == 5
    assert instance_normalised(10, 1).all()
    assert np.flatnonzero(instance_normalised(10, 5)).tolist() == [4, 9]


def test_a_factor_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match='at least 1'):
        instance_normalised(10, 0)


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 7))
def test_pictures_are_the_same_ones_however_they_come_in_batches(sizes: list[int], factor: int) -> None:
    before = np.cumsum([0, *sizes])
    parts = [instance_normalised(size, factor, int(start)) for size, start in zip(sizes, before[:-1], strict=True)]
    whole = instance_normalised(sum(sizes), factor)
    assert np.concatenate([np.zeros(0, bool), *parts]).tolist() == whole.tolist()
    assert whole.sum() == sum(sizes) // factor


def test_overlap_is_the_share_of_the_live_keywords() -> None:
    assert overlap(['winter', 'dusk'], ['dusk', 'paving', 'crowded']) == 0.5
    assert overlap([' Winter '], ['winter']) == 1
    assert overlap([], ['winter']) == 0


def test_relatedness_is_that_to_the_most_similar_scene() -> None:
    assert relatedness(['summer', 'dusk'], SUMMER) == 1
    assert relatedness(['winter', 'dusk'], SUMMER) == 0.5
    # Each word was seen, but never both of them.
    assert relatedness(['dusk', 'grass'], SUMMER) == 0.5
    assert relatedness(['winter'], SUMMER) == 0
    assert relatedness(['winter'], []) == 0


def test_another_measure_can_take_its_place() -> None:
    assert relatedness(['winter'], SUMMER, lambda live, trained: 0.25 * (len(trained) - len(live))) == 0.5


def test_related_scenes_have_a_large_factor_and_others_a_small_one() -> None:
    sparsity = Sparsity(least=2, most=5)
    assert [sparsity.factor(related) for related in (0, 0.34, 0.67, 1)] == [2, 3, 4, 5]
    assert sparsity.factor(-1) == 2
    assert sparsity.factor(7) == 5
    with pytest.raises(ValueError, match='at least 1'):
        Sparsity(0, 5)
    with pytest.raises(ValueError, match='at most the greatest'):
        Sparsity(3, 2)


@given(WORDS, WORDS, st.lists(WORDS, max_size=4))
def test_a_scene_that_was_trained_on_has_the_greatest_factor_and_more_scenes_never_lessen_it(
    live: frozenset[str], more: frozenset[str], trained: list[frozenset[str]]
) -> None:
    sparsity = Sparsity()
    assert sparsity.factor(relatedness(live, trained)) <= sparsity.factor(relatedness(live, [*trained, more]))
    if live:
        assert sparsity.factor(relatedness(live, [*trained, live])) == sparsity.most
