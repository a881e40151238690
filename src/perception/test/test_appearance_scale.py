# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the common scale of appearances, and of the threshold that a model's training finds for it."""

from __future__ import annotations

import numpy as np
import pytest

from ptz_perception.appearance_scale import SAME, on_common_scale
from ptz_perception.models.jde.retrieval import Pictured, likeness_of_others


def at_angle(cosine: float) -> np.ndarray:
    """Two unit vectors (2, 3) with that cosine."""
    return np.array([[1, 0, 0], [cosine, np.sqrt(1 - cosine**2), 0]], np.float32)


@pytest.mark.parametrize('same', [-0.2, 0.3, 0.5, 0.8])
def test_the_threshold_of_every_model_comes_to_lie_in_one_place(same: float) -> None:
    first, second = on_common_scale(at_angle(same), same)
    assert float(first @ second) == pytest.approx(SAME, abs=1e-6)
    assert float(first @ first) == pytest.approx(1.0, abs=1e-6)
    likeness = [float(np.prod(on_common_scale(at_angle(cosine), same), axis=0).sum()) for cosine in (-1.0, -0.5, same, 0.9, 1.0)]
    assert likeness == sorted(likeness), 'who is more alike stays so'


def test_a_model_that_says_no_threshold_or_a_high_one_is_left_as_it_is() -> None:
    for same in (SAME, 0.9, 1.0):
        first, second = on_common_scale(at_angle(0.4), same)
        assert float(first @ second) == pytest.approx(0.4, abs=1e-6)


def test_the_threshold_is_the_cosine_that_few_pairs_of_different_people_exceed() -> None:
    rng = np.random.default_rng(1)
    people = rng.normal(size=(40, 16))
    vectors = np.repeat(people, 5, axis=0) + rng.normal(0, 0.2, (200, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    identities = [str(row // 5) for row in range(200)]
    views = [f'c{row % 5}' for row in range(200)]
    same = likeness_of_others(Pictured(vectors, identities, views), 0.01)
    cosines = vectors @ vectors.T
    different = np.array(identities)[:, None] != np.array(identities)[None]
    apart = different & (np.array(views)[:, None] != np.array(views)[None])
    assert (cosines[apart] > same).mean() == pytest.approx(0.01, abs=0.001)
    assert (cosines[~different] > same).mean() > 0.95
    assert np.isnan(likeness_of_others(Pictured(vectors[:5], identities[:5], views[:5]), 0.01)), 'one person alone'
