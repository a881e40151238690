# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of learning what tells identities apart."""

from __future__ import annotations

import numpy as np
import pytest

from ptz_perception.recognition.discriminant import fit_discriminant


def people(seed: int, count: int, views: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Features that say in three of twelve numbers who it is, and in the others loudly what the light is like."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(count), views)
    who = rng.normal(0, 1, (count, 3))[identities]
    light = rng.normal(0, 3, (len(identities), 9))
    # Mixed, so that no single number is either.
    mixing, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))
    return np.hstack((who, light)) @ mixing, identities


def apart(features: np.ndarray, identities: np.ndarray) -> float:
    """Share of the pairs of one identity that are more alike than 95 % of the others."""
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = np.triu_indices(len(units), 1)
    alike, same = (units @ units.T)[pairs], (identities[:, None] == identities[None])[pairs]
    return float((alike[same] >= np.quantile(alike[~same], 0.95)).mean())


def test_what_varies_within_identities_counts_less_for_identities_that_were_never_seen() -> None:
    learnt = fit_discriminant(*people(1, 60), dimensions=3, ridge=0.01)
    others, names = people(2, 20)
    assert learnt.shape == (12, 3)
    assert apart(others, names) < 0.2
    assert apart(others @ learnt, names) > 0.9


def test_a_great_ridge_keeps_the_variation_within_identities() -> None:
    others, names = people(2, 20)
    little, great = (fit_discriminant(*people(1, 60), dimensions=12, ridge=ridge) for ridge in (0.01, 1000.0))
    assert apart(others @ great, names) == pytest.approx(apart(others, names), abs=0.02)
    assert apart(others @ little, names) > 2 * apart(others @ great, names)


def test_names_and_order_of_identities_do_not_matter() -> None:
    features, identities = people(3, 10)
    order = np.random.default_rng(4).permutation(len(features))
    first = fit_discriminant(features, identities, 3, 0.1)
    second = fit_discriminant(features[order], 100 - 7 * identities[order], 3, 0.1)
    assert np.allclose(features @ first @ first.T, features @ second @ second.T)


@pytest.mark.parametrize(
    ('identities', 'dimensions', 'said'),
    [([0, 0, 1, 1], 3, 'of 2 identities'), ([0, 1, 2, 3], 5, 'in 4 numbers'), ([0, 1, 2, 3], 2, 'no identity has two')],
)
def test_too_little_to_learn_from_is_an_error(identities: list[int], dimensions: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_discriminant(np.eye(4), np.array(identities), dimensions, 1.0)
