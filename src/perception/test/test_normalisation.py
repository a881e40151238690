# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of batch and instance normalisation side by side, against the formulas."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only')

from ptz_perception.models.normalisation import Normalisation, NormalisedStage  # noqa: E402

EPS = 1e-5


def stage(normalisation: Normalisation, channels: int = 6) -> NormalisedStage:
    torch.manual_seed(1)
    made = NormalisedStage(4, channels, normalisation)
    for name, parameter in made.named_parameters():
        if 'convolution' not in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return made


def pictures(count: int = 5) -> torch.Tensor:
    return torch.randn(count, 4, 7, 9, generator=torch.Generator().manual_seed(2)) * 3 + 1


def batch_normalised(features: np.ndarray, layer: torch.nn.BatchNorm2d) -> np.ndarray:
    mean, variance = features.mean((0, 2, 3), keepdims=True), features.var((0, 2, 3), keepdims=True)
    weight, bias = (value.detach().numpy()[None, :, None, None] for value in (layer.weight, layer.bias))
    return (features - mean) / np.sqrt(variance + EPS) * weight + bias


def instance_normalised(features: np.ndarray, scale: torch.Tensor, shift: torch.Tensor) -> np.ndarray:
    mean, variance = features.mean((2, 3), keepdims=True), features.var((2, 3), keepdims=True)
    weight, bias = (value.detach().numpy()[None, :, None, None] for value in (scale, shift))
    return (features - mean) / np.sqrt(variance + EPS) * weight + bias


def test_side_by_side_the_first_half_is_instance_normalised_and_the_second_batch_normalised() -> None:
    made, given = stage(Normalisation.BOTH), pictures()
    found = made(given, torch.ones(5, dtype=torch.bool)).detach().numpy()
    features = made.convolution(given).detach().numpy()
    by_instance = instance_normalised(features[:, :3], made.scale, made.shift)
    by_batch = batch_normalised(features, made.batch)
    assert found[:, :3] == pytest.approx(np.maximum(by_instance, 0), abs=1e-4)
    assert found[:, 3:] == pytest.approx(np.maximum(by_batch[:, 3:], 0), abs=1e-4)


def test_a_picture_that_is_not_chosen_is_batch_normalised_in_all_channels() -> None:
    made, given = stage(Normalisation.BOTH), pictures()
    mask = torch.tensor([False, True, False, False, True])
    found = made(given, mask).detach().numpy()
    features = made.convolution(given).detach().numpy()
    wanted = batch_normalised(features, made.batch)
    wanted[[1, 4], :3] = instance_normalised(features[[1, 4], :3], made.scale, made.shift)
    assert found == pytest.approx(np.maximum(wanted, 0), abs=1e-4)


def test_alone_each_normalises_all_channels_whatever_the_mask() -> None:
    given = pictures()
    for mask in (torch.ones(5, dtype=torch.bool), torch.zeros(5, dtype=torch.bool)):
        by_batch, by_instance = stage(Normalisation.BATCH), stage(Normalisation.INSTANCE)
        features = by_batch.convolution(given).detach().numpy()
        wanted = np.maximum(batch_normalised(features, by_batch.batch), 0)
        assert by_batch(given, mask).detach().numpy() == pytest.approx(wanted, abs=1e-4)
        features = by_instance.convolution(given).detach().numpy()
        wanted = np.maximum(instance_normalised(features, by_instance.scale, by_instance.shift), 0)
        assert by_instance(given, mask).detach().numpy() == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize('mask', [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 1]])
def test_once_trained_it_is_the_same_with_the_means_that_were_learnt(mask: list[int]) -> None:
    made, given, chosen = stage(Normalisation.BOTH), pictures(), torch.tensor(mask, dtype=torch.bool)
    for _ in range(3):
        made(pictures(9), torch.ones(9, dtype=torch.bool))
    made.eval()
    with torch.no_grad():
        features = made.convolution(given)
        wanted = made.batch(features)
        own = torch.from_numpy(instance_normalised(features[:, :3].numpy(), made.scale, made.shift))
        wanted[chosen, :3] = own[chosen]
        assert torch.allclose(made(given, chosen), wanted.relu(), atol=1e-4)
        if chosen.all() or not chosen.any():
            assert torch.allclose(made(given, bool(chosen.all())), wanted.relu(), atol=1e-4)


def test_what_light_and_contrast_do_to_a_picture_goes_with_instance_normalisation() -> None:
    made, given = stage(Normalisation.BOTH).eval(), pictures(1)
    darker = 0.4 * given
    chosen, others = torch.ones(1, dtype=torch.bool), torch.zeros(1, dtype=torch.bool)
    with torch.no_grad():
        assert torch.allclose(made(given, chosen)[:, :3], made(darker, chosen)[:, :3], atol=1e-3)
        assert not torch.allclose(made(given, others)[:, :3], made(darker, others)[:, :3], atol=0.1)


def test_a_training_needs_a_mask() -> None:
    with pytest.raises(ValueError, match='trainings need a mask'):
        stage(Normalisation.BOTH)(pictures(), True)


def test_gradients_reach_both_normalisations() -> None:
    made = stage(Normalisation.BOTH)
    made(pictures(), torch.tensor([True, False, False, True, False])).square().sum().backward()
    for parameter in made.parameters():
        assert torch.isfinite(parameter.grad).all()
        assert (parameter.grad != 0).any()
