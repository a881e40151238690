# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the cascade network: which cells say what, its losses, its switches, what it is shown, and the file that it becomes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

from drawn_people import draw  # noqa: E402

from ptz_perception.models.assignment import assign  # noqa: E402
from ptz_perception.models.cascade.batches import Batch, make_batch  # noqa: E402
from ptz_perception.models.cascade.crops import Crop, cut, cut_crops  # noqa: E402
from ptz_perception.models.cascade.network import CascadeNetwork  # noqa: E402
from ptz_perception.models.cascade.objective import Wanted, cascade_losses  # noqa: E402
from ptz_perception.models.cascade.settings import DataSettings, LossWeights, NetworkSettings  # noqa: E402
from ptz_perception.models.cells import CellObjects, CellOutput, boxes_of, cell_centres  # noqa: E402
from ptz_perception.models.labels import Labels  # noqa: E402

TINY: dict[str, Any] = {'stem': 8, 'width': 16, 'context': 24, 'stages': 2}


def labels(*boxes: tuple[float, float, float, float], ignored: tuple[int, ...] = ()) -> Labels:
    return Labels(np.array(boxes, float).reshape(-1, 4), np.zeros(len(boxes), np.int64), np.isin(np.arange(len(boxes)), ignored))


def crop(*boxes: tuple[float, float, float, float], ignored: tuple[int, ...] = ()) -> Crop:
    return Crop(np.full((96, 160, 3), 90, np.uint8), labels(*boxes, ignored=ignored))


def test_sides_of_cells_are_boxes_in_pixels() -> None:
    sides = torch.zeros(1, 4, 2, 3)
    sides[0, :, 1, 2] = torch.tensor([1.0, 0.5, 2.0, 1.5])  # left, top, right, bottom, in cells, of the cell at (2.5, 1.5)
    boxes = boxes_of(CellOutput(torch.zeros(1, 1, 2, 3), sides))
    assert torch.allclose(boxes[0, 5], torch.tensor([24.0, 16.0, 24.0, 16.0]))  # 1.5..4.5 and 1..3 cells of 8 px


class TestAssignment:
    """8x4 cells of 8 px."""

    centres = cell_centres(torch.zeros(4, 8)) * 8

    def said(self, box: tuple[float, float, float, float]) -> Any:
        return torch.tensor(box).expand(1, 32, 4).clone()

    def test_cells_within_an_object_say_it_and_no_other(self) -> None:
        wanted = torch.tensor([[[16.0, 16.0, 16.0, 16.0]]])  # cells 1 and 2 across and down
        found = assign(
            torch.full((1, 32, 1), 0.1), self.said((16.0, 16.0, 16.0, 16.0)), self.centres, wanted, torch.zeros(1, 1).long()
        )
        assert torch.nonzero(found.objects[0] == 0).ravel().tolist() == [9, 10, 17, 18]
        assert found.quality[0, [9, 10, 17, 18]].tolist() == pytest.approx([1.0] * 4)
        assert float(found.quality.sum()) == pytest.approx(4.0)

    def test_an_object_smaller_than_a_cell_has_the_one_of_its_middle(self) -> None:
        wanted = torch.tensor([[[33.0, 9.0, 1.0, 3.0]]])
        found = assign(
            torch.full((1, 32, 1), 0.1), self.said((33.0, 9.0, 2.0, 3.0)), self.centres, wanted, torch.zeros(1, 1).long()
        )
        assert torch.nonzero(found.objects[0] == 0).ravel().tolist() == [12]
        assert float(found.quality[0, 12]) == pytest.approx(0.5)

    def test_what_two_objects_claim_goes_to_the_one_that_it_says_better(self) -> None:
        wanted = torch.tensor([[[16.0, 16.0, 32.0, 32.0], [20.0, 16.0, 32.0, 32.0]]])
        found = assign(
            torch.full((1, 32, 1), 0.1), self.said((20.0, 16.0, 32.0, 32.0)), self.centres, wanted, torch.zeros(1, 2).long()
        )
        assert set(found.objects[0].tolist()) == {-1, 1} or int((found.objects[0] == 1).sum()) > int(
            (found.objects[0] == 0).sum()
        )

    def test_padding_is_no_object_and_ten_cells_are_the_most(self) -> None:
        wanted = torch.tensor([[[32.0, 16.0, 64.0, 32.0], [0.0, 0.0, 0.0, 0.0]]])
        found = assign(
            torch.full((1, 32, 1), 0.1), self.said((32.0, 16.0, 64.0, 32.0)), self.centres, wanted, torch.tensor([[0, -1]])
        )
        assert int((found.objects >= 0).sum()) == 10
        assert 1 not in found.objects
        nobody = assign(
            torch.zeros(1, 32, 1), self.said((1.0, 1.0, 1.0, 1.0)), self.centres, torch.zeros(1, 0, 4), torch.zeros(1, 0).long()
        )
        assert (nobody.objects == -1).all()


class TestBatches:
    """Of parts of 160x96 px: 20x12 cells."""

    def test_what_is_wanted_of_the_maps(self) -> None:
        batch = make_batch([crop((84, 44, 16, 32)), crop()])
        assert batch.pictures.shape == (2, 3, 96, 160)
        assert batch.wanted.objects.classes.tolist() == [[0], [-1]]
        assert float(batch.wanted.density[0].sum()) == pytest.approx(1.0, abs=1e-4)
        assert float(batch.wanted.density[1].sum()) == 0.0
        # The oval of 2x4 cells around (10.5, 5.5): its middle cell, those beside it half a radius away, above and below to 1.5 cells.
        rows, columns = torch.nonzero(batch.wanted.structure[0], as_tuple=True)
        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(4, 10), (5, 10), (6, 10)}
        assert not batch.wanted.objects.ignored.any()

    def test_what_is_ignored_is_neither_object_nor_background(self) -> None:
        batch = make_batch([crop((84, 44, 16, 32), ignored=(0,))])
        assert batch.wanted.objects.boxes.shape == (1, 0, 4)
        assert batch.wanted.objects.ignored[0, 5, 10]
        assert not batch.wanted.structure.any()
        assert float(batch.wanted.density.sum()) == 0.0

    def test_losses_say_nothing_of_ignored_cells(self) -> None:
        torch.manual_seed(1)
        network = CascadeNetwork(NetworkSettings(**TINY), 1).eval()
        batch = make_batch([crop((80, 48, 200, 120), ignored=(0,))])
        output = network(batch.inputs())
        losses = cascade_losses(output, batch.wanted, LossWeights())
        assert {name: float(value.detach()) for name, value in losses.items()} == dict.fromkeys(losses, 0.0)


def test_class_loss_by_hand() -> None:
    """One cell says one object of the right box; all others background."""
    logits = torch.full((1, 1, 2, 2), -2.0)
    logits[0, 0, 0, 0] = 3.0
    sides = torch.full((1, 4, 2, 2), 0.5)
    nowhere = torch.zeros(1, 2, 2, dtype=torch.bool)
    objects = CellObjects(torch.tensor([[[4.0, 4.0, 8.0, 8.0]]]), torch.zeros(1, 1).long(), nowhere)
    wanted = Wanted(objects, nowhere, torch.zeros(1, 2, 2))
    from ptz_perception.models.cascade.network import CascadeOutput

    losses = cascade_losses(CascadeOutput(CellOutput(logits, sides), (), None, None), wanted, LossWeights(classes=1, boxes=2))
    background = math.log(1 + math.exp(-2.0))
    assert float(losses['class']) == pytest.approx(math.log(1 + math.exp(-3.0)) + 3 * background, rel=1e-5)
    assert float(losses['box']) == pytest.approx(0.0, abs=1e-6)


class TestCrops:
    settings = DataSettings(size=(160, 96))

    def picture(self) -> np.ndarray:
        made = np.full((720, 1280, 3), 90, np.uint8)
        made[300:420, 600:650] = (0, 0, 255)
        return made

    def test_boxes_are_where_the_pixels_are(self) -> None:
        for scale in (0.4, 0.7, 1.0):
            found = cut(self.picture(), labels((625, 360, 50, 120)), (640.0, 350.0), scale, self.settings)
            red = np.argwhere(found.picture[..., 2].astype(int) - found.picture[..., 0] > 120)
            (x, y, width, height) = found.labels.boxes[0]
            assert (red[:, 1].min(), red[:, 1].max() + 1) == pytest.approx((x - width / 2, x + width / 2), abs=1.6)
            assert (red[:, 0].min(), red[:, 0].max() + 1) == pytest.approx(
                (max(0, y - height / 2), min(96, y + height / 2)), abs=1.6
            )

    def test_what_is_mostly_cut_off_or_too_small_is_ignored(self) -> None:
        shown = labels((625, 360, 50, 120), (700, 350, 2, 2), (705, 350, 30, 60))
        found = cut(self.picture(), shown, (640.0, 440.0), 1.0, self.settings)
        assert found.labels.ignored.tolist() == [True]  # 28 of 120 px of height are left of the one, nothing of the others
        found = cut(self.picture(), shown, (680.0, 350.0), 1.0, self.settings)
        assert found.labels.ignored.tolist() == [False, True, False]

    def test_the_same_seed_gives_the_same_parts_and_most_show_somebody(self) -> None:
        picture, boxes = draw(np.random.default_rng(3), (1280, 720), (12, 20), 2)
        shown = labels(*((x + w / 2, y + h / 2, w, h) for x, y, w, h in boxes))
        first, second = (
            cut_crops(picture, shown, DataSettings(size=(160, 96), crops=40), np.random.default_rng(5)) for _ in range(2)
        )
        assert all(
            (a.picture == b.picture).all() and (a.labels.boxes == b.labels.boxes).all()
            for a, b in zip(first, second, strict=True)
        )
        assert sum(len(part.labels.boxes) > 0 for part in first) > 20


SWITCHES = ['structure', 'density', 'pyramid', 'cascade', 'attention']


@pytest.mark.parametrize('off', [(), *((name,) for name in SWITCHES), tuple(SWITCHES)])
def test_every_variant_learns_and_gives_what_it_says(off: tuple[str, ...]) -> None:
    torch.manual_seed(1)
    settings = NetworkSettings(**TINY, **dict.fromkeys(off, False))
    network = CascadeNetwork(settings, 2)
    batch = make_batch([crop((84, 44, 16, 32)), crop((30, 50, 20, 60), (120, 30, 10, 20))])
    output = network(batch.inputs())
    assert output.head.classes.shape == (2, 2, 12, 20)
    assert len(output.stages) == (0 if 'cascade' in off else 2)
    assert (output.structure is None, output.density is None) == ('structure' in off, 'density' in off)
    losses = cascade_losses(output, batch.wanted, LossWeights())
    torch.stack(list(losses.values())).sum().backward()
    without = [
        name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert without == [], 'everything has a part in the loss'


def test_what_is_computed_in_bfloat16_gives_the_losses_of_float32() -> None:
    torch.manual_seed(1)
    network = CascadeNetwork(NetworkSettings(**TINY), 2)
    batch = make_batch([crop((84, 44, 16, 32)), crop((30, 50, 20, 60), (120, 30, 10, 20))])
    whole, half = (losses_in(half, network, batch) for half in (False, True))
    assert half != whole
    assert half == pytest.approx(whole, rel=0.05)


def losses_in(half: bool, network: CascadeNetwork, batch: Batch) -> dict[str, float]:
    network.zero_grad()
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        losses = cascade_losses(network(batch.inputs()), batch.wanted, LossWeights())
    torch.stack(list(losses.values())).sum().backward()
    assert all(part.dtype == torch.float32 for part in losses.values())
    assert all(parameter.grad.dtype == torch.float32 for parameter in network.parameters())
    return {name: float(part.detach()) for name, part in losses.items()}
