# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the losses against values and gradients that were worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only')

from ptz_perception.models.losses import ciou_loss, diou_loss, iou, iou_loss  # noqa: E402

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
LOSSES = [iou_loss, diou_loss, ciou_loss]


def boxes(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def gradient(loss: Loss, predicted: tuple[float, float, float, float], wanted: tuple[float, float, float, float]) -> list[float]:
    leaf = boxes(predicted).requires_grad_()
    loss(leaf, boxes(wanted)).sum().backward()
    return leaf.grad[0].tolist()


#: predicted, wanted, and by hand: IoU, squared distance by squared diagonal.
CASES = {
    'partial': ((0, 0, 2, 2), (1, 0, 2, 2), 2 / 6, 1 / 13),  # share 1 x 2 of 6; around both 3 x 2
    'no overlap': ((0, 0, 2, 2), (5, 0, 2, 2), 0.0, 25 / 53),  # around both 7 x 2
    'touching': ((0, 0, 2, 2), (2, 0, 2, 2), 0.0, 4 / 20),
    'containing': ((0, 0, 4, 4), (0.5, 0, 2, 2), 4 / 16, 0.25 / 32),
    'contained': ((0.5, 0, 2, 2), (0, 0, 4, 4), 4 / 16, 0.25 / 32),
    'equal': ((3, -1, 2, 5), (3, -1, 2, 5), 1.0, 0.0),
}


@pytest.mark.parametrize(('predicted', 'wanted', 'overlap', 'distance'), CASES.values(), ids=CASES)
def test_iou_and_diou_are_those_worked_out_by_hand(predicted: tuple, wanted: tuple, overlap: float, distance: float) -> None:
    assert iou(boxes(predicted), boxes(wanted)).item() == pytest.approx(overlap)
    assert iou_loss(boxes(predicted), boxes(wanted)).item() == pytest.approx(1 - overlap)
    assert diou_loss(boxes(predicted), boxes(wanted)).item() == pytest.approx(1 - overlap + distance)


@pytest.mark.parametrize(('predicted', 'wanted', 'overlap', 'distance'), CASES.values(), ids=CASES)
def test_ciou_is_diou_for_boxes_of_one_shape(predicted: tuple, wanted: tuple, overlap: float, distance: float) -> None:
    assert ciou_loss(boxes(predicted), boxes(wanted)).item() == pytest.approx(1 - overlap + distance)


def test_ciou_of_another_shape() -> None:
    # 2 x 2 in the middle of 4 x 2: IoU 4 / 8. The diagonals' angles are 45 degrees and arctan(4 / 2).
    shape = 4 / math.pi**2 * (math.atan(2) - math.pi / 4) ** 2
    weight = shape / (0.5 + shape)
    assert ciou_loss(boxes((0, 0, 2, 2)), boxes((0, 0, 4, 2))).item() == pytest.approx(0.5 + weight * shape)


def test_without_overlap_iou_has_no_gradient_and_diou_draws_the_box_near() -> None:
    assert gradient(iou_loss, (0, 0, 2, 2), (5, 0, 2, 2)) == [0, 0, 0, 0]
    # With the centre at x: (5 - x)^2 / ((7 - x)^2 + 4). With the width w: 25 / ((6 + w / 2)^2 + 4): growing lessens it, too.
    x, y, width, height = gradient(diou_loss, (0, 0, 2, 2), (5, 0, 2, 2))
    assert x == pytest.approx((-2 * 5 * 53 + 25 * 2 * 7) / 53**2)
    assert y == pytest.approx(0)
    assert width == pytest.approx(-25 * 7 / 53**2)
    assert height < 0


def test_of_a_box_within_another_iou_does_not_see_where_and_diou_does() -> None:
    assert gradient(iou_loss, (0.5, 0, 2, 2), (0, 0, 4, 4))[:2] == [0, 0]
    # (x - 0)^2 / 32, at x = 0.5; the IoU grows with the box: width * 2 / 16.
    x, y, width, _ = gradient(diou_loss, (0.5, 0, 2, 2), (0, 0, 4, 4))
    assert x == pytest.approx(2 * 0.5 / 32)
    assert y == 0
    assert width == pytest.approx(-2 / 16)


@pytest.mark.parametrize('loss', LOSSES)
def test_equal_boxes_are_left_alone(loss: Loss) -> None:
    assert gradient(loss, (3, -1, 2, 5), (3, -1, 2, 5)) == pytest.approx([0, 0, 0, 0], abs=1e-12)


def test_the_weight_of_the_shape_has_no_gradient() -> None:
    angle = math.atan(2) - math.pi / 4
    shape = 4 / math.pi**2 * angle**2
    weight = shape / (0.5 + shape)
    # Of the IoU: -2 / 8. Of the angle arctan(w / h): h / (w^2 + h^2) = 2 / 8.
    by_hand = -2 / 8 + weight * 8 / math.pi**2 * angle * -(2 / 8)
    assert gradient(ciou_loss, (0, 0, 2, 2), (0, 0, 4, 2))[2] == pytest.approx(by_hand)


@pytest.mark.parametrize('loss', [iou_loss, diou_loss])
def test_gradients_are_those_of_finite_differences(loss: Loss) -> None:
    predicted = boxes((0.1, 0.2, 2, 3), (0, 0, 1, 1), (0.3, 0.1, 1, 1.5), (0, 0.3, 6, 7)).requires_grad_()
    wanted = boxes((1, 0, 2.5, 2), (5, 3, 2, 1), (0, 0, 4, 4), (0.2, 0, 4, 4)).requires_grad_()
    assert torch.autograd.gradcheck(loss, (predicted, wanted))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('loss', LOSSES)
def test_losses_and_gradients_are_finite_for_whatever_boxes(loss: Loss, dtype: torch.dtype) -> None:
    sizes = [(0, 0), (0, 3), (3, 0), (1e-6, 1e-6), (2, 2), (1e4, 1e-3)]
    places = [(0, 0), (1e-7, 0), (1, 1), (-1e4, 5)]
    every = [(x, y, width, height) for x, y in places for width, height in sizes]
    predicted = torch.tensor([first for first in every for _ in every], dtype=dtype).requires_grad_()
    wanted = torch.tensor([second for _ in every for second in every], dtype=dtype).requires_grad_()
    values = loss(predicted, wanted)
    values.sum().backward()
    assert torch.isfinite(values).all()
    assert (values >= -0.01).all()  # the roundings of far, flat boxes
    assert torch.isfinite(predicted.grad).all()
    assert torch.isfinite(wanted.grad).all()


def test_no_boxes_have_no_loss() -> None:
    for loss in LOSSES:
        assert loss(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)
