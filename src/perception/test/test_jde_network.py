# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the tracking network: its blocks, its losses, and that the exported model does the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only')

from ptz_perception.models.jde.backbone import SHAPES, Backbone  # noqa: E402
from ptz_perception.models.jde.batches import JdeBatch  # noqa: E402
from ptz_perception.models.jde.export import ExportedJde, export_network  # noqa: E402
from ptz_perception.models.jde.network import JdeNetwork  # noqa: E402
from ptz_perception.models.jde.objective import jde_losses  # noqa: E402
from ptz_perception.models.jde.settings import JdeRecipe, LossSettings, NetworkSettings  # noqa: E402
from ptz_perception.models.normalisation import Normalisation, NormalisedStage  # noqa: E402

torch.set_num_threads(1)
SIZE = (128, 96)
CELLS = (12, 16)


def network(identities: int = 0, **settings: object) -> JdeNetwork:
    torch.manual_seed(1)
    made = JdeNetwork(NetworkSettings(**settings), 1, identities)
    # As after some training: no normalisation is the identity any more.
    for name, value in (*made.named_parameters(), *made.named_buffers()):
        if value.ndim == 1 and value.is_floating_point() and 'uncertainties' not in name:
            torch.nn.init.uniform_(value, 0.5, 1.5)
    return made


def pictures(count: int = 3, size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.rand(count, 3, size[1], size[0], generator=torch.Generator().manual_seed(3))


def test_only_the_first_stage_of_each_block_has_instance_normalisation() -> None:
    backbone = Backbone(SHAPES['resnet50'], Normalisation.BOTH)
    assert [len(blocks) for blocks in backbone.levels] == [3, 4, 6, 3]
    assert sum(isinstance(module, NormalisedStage) for module in backbone.modules()) == 16
    # Of ResNet-50's 53 convolutions all are batch-normalised, too.
    assert sum(isinstance(module, torch.nn.Conv2d) for module in backbone.modules()) == 53
    assert sum(isinstance(module, torch.nn.BatchNorm2d) for module in backbone.modules()) == 53


@pytest.mark.parametrize('normalisation', ['batch', 'instance', 'both'])
def test_each_cell_has_a_box_a_score_and_an_appearance_of_length_1(normalisation: str) -> None:
    made = network(normalisation=normalisation).eval()
    with torch.no_grad():
        boxes, scores, vectors = ExportedJde(made)(pictures(), torch.tensor([True, False, True]))
    cells = CELLS[0] * CELLS[1]
    assert (boxes.shape, scores.shape, vectors.shape) == ((3, cells, 4), (3, cells, 1), (3, cells, 64))
    assert (boxes[..., 2:] > 0).all()
    assert torch.allclose(vectors.norm(dim=2), torch.ones(3, cells), atol=1e-4)


def test_the_mask_chooses_pictures_one_by_one() -> None:
    made, given = network().eval(), pictures()
    with torch.no_grad():
        none, second = (made(given, torch.tensor(mask)).vectors for mask in ([False] * 3, [False, True, False]))
    assert torch.allclose(none[[0, 2]], second[[0, 2]], atol=1e-5)
    assert (none[1] - second[1]).abs().max() > 0.01


# Losses


def batch(identity: int = 1, finds: bool = True) -> JdeBatch:
    """A picture with one person, of 16 x 32 px at (20, 28), that is, in the third cell of the fourth row; one without any."""
    return JdeBatch(
        (pictures(2) * 255).to(torch.uint8),
        torch.tensor([True, False]),
        torch.tensor([finds, finds]),
        torch.tensor([[[20.0, 28.0, 16.0, 32.0]], [[0.0, 0.0, 0.0, 0.0]]]),
        torch.tensor([[0], [-1]]),
        torch.tensor([[identity], [-1]]),
        torch.zeros(2, *CELLS, dtype=torch.bool),
        torch.full((2, 1, 2), 3 * 16 + 2),
    )


def test_identity_loss_is_the_cross_entropy_of_scaled_similarities() -> None:
    made, settings = network(5).eval(), LossSettings(identities=1.0)
    with torch.no_grad():
        found = jde_losses(made, batch(), settings)['identity'].item()
        vector = made(batch().inputs(), batch().mask).vectors[0, :, 3, 2].numpy()
    directions = made.directions.detach().numpy()
    logits = math.sqrt(2) * math.log(4) * (directions / np.linalg.norm(directions, axis=1, keepdims=True)) @ vector
    likely = logits - np.log(np.exp(logits).sum())
    # A tenth of the certainty is spread over all five.
    assert found == pytest.approx(-(0.9 * likely[1] + 0.1 * likely.mean()), rel=1e-4)


def test_who_is_not_known_and_where_not_everybody_has_a_box_is_not_learnt() -> None:
    made = network(5)
    parts = jde_losses(made, batch(identity=-1), LossSettings())
    assert parts['identity'].item() == 0
    parts = jde_losses(made, batch(finds=False), LossSettings())
    assert parts['class'].item() == parts['box'].item() == 0
    sum(parts.values()).backward()
    assert made.head.classes.weight.grad.abs().max() == 0
    assert made.vector.weight.grad.abs().max() > 0


def test_cells_that_nothing_is_said_of_have_no_part_in_the_loss() -> None:
    made, given = network().eval(), batch()
    all_ignored = JdeBatch(
        **{**vars(given), 'ignored': torch.ones(2, *CELLS, dtype=torch.bool), 'classes': torch.full((2, 1), -1)}
    )
    with torch.no_grad():
        assert jde_losses(made, given, LossSettings())['class'] > 0
        assert jde_losses(made, all_ignored, LossSettings())['class'] == 0


def test_the_box_loss_can_be_chosen() -> None:
    made = network().eval()
    with torch.no_grad():
        by_iou, by_diou = (jde_losses(made, batch(), LossSettings(box=box))['box'].item() for box in ('iou', 'diou'))
    assert by_diou > by_iou > 0


def test_uncertainties_weigh_the_tasks() -> None:
    made = network(5).eval()
    with torch.no_grad():
        made.uncertainties.copy_(torch.tensor([0.0, 1.0]))
        plain = jde_losses(made, batch(), LossSettings())
        weighed = jde_losses(made, batch(), LossSettings(uncertainty=True))
    assert weighed['class'].item() == pytest.approx(0.5 * plain['class'].item())
    assert weighed['identity'].item() == pytest.approx(0.5 * math.exp(-1) * plain['identity'].item())
    assert weighed['uncertainty'].item() == pytest.approx(0.5)


# Export


@pytest.mark.parametrize('normalisation', ['batch', 'instance', 'both'])
def test_the_exported_model_does_the_same_for_any_number_and_size_of_pictures(normalisation: str, tmp_path: Path) -> None:
    recipe = JdeRecipe.model_validate({'network': {'normalisation': normalisation}, 'data': {'size': SIZE}})
    made = network(7, normalisation=normalisation).eval()
    path = tmp_path / 'jde.onnx'
    assert export_network(made, recipe, {'keywords': [['winter', 'dusk']]}, path) < 1e-4
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    for count, size in ((1, SIZE), (4, SIZE), (2, (192, 64))):
        for chosen in ([True] * count, [False] * count, [number % 2 == 0 for number in range(count)]):
            given, mask = pictures(count, size), torch.tensor(chosen)
            inputs = {'pictures': given.numpy(), 'mask': mask.numpy()}
            found = session.run(None, {end.name: inputs[end.name] for end in session.get_inputs()})
            with torch.no_grad():
                wanted = ExportedJde(made)(given, mask)
            for there, here in zip(found, wanted, strict=True):
                assert there == pytest.approx(here.numpy(), rel=1e-4, abs=1e-4)


def test_the_exported_model_says_what_it_is_and_is_small(tmp_path: Path) -> None:
    path = tmp_path / 'jde.onnx'
    export_network(network(7), JdeRecipe.model_validate({'data': {'size': SIZE}}), {'keywords': [['winter', 'dusk']]}, path)
    model = onnx.load(path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said['model'] == 'jde'
    assert said['names'] == "{0: 'person'}"
    assert json.loads(said['keywords']) == [['winter', 'dusk']]
    assert json.loads(said['vector']) == 64
    assert [end.name for end in model.graph.input] == ['pictures', 'mask']
    assert path.stat().st_size < 2.5e6
