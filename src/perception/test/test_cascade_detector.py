# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the detector that looks coarse, then fine: with a model that sees red, and only in cells that are red enough."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx_models import write_constant_model

from ptz_perception.detections import Detections
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.cascade_detector import CascadeDetector, CascadeOptions, with_less_sure_pieces
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

SIZE = (1280, 720)


class RedModel:
    """Says an object of 16x64 px for each cell of 8 px that is red by more than 0.6; the density follows the red, however little."""

    path, provider = Path('red.onnx'), 'cpu'

    def __init__(self, maps: tuple[str, ...] = ('structure', 'density'), high: float = 64.0) -> None:
        self.outputs = [SimpleNamespace(name=name) for name in ('boxes', 'scores', *maps)]
        self._high = high
        self.metadata = {'model': 'cascade', 'names': "{0: 'person'}"}
        self.seen: list[tuple[int, int]] = []

    def kind(self, _index: int) -> type[np.generic]:
        return np.float32

    def describe(self) -> str:
        return 'outputs of red'

    def run(self, tensor: np.ndarray) -> list[np.ndarray]:
        _, _, height, width = tensor.shape
        assert height % 16 == width % 16 == 0
        self.seen.append((width, height))
        red = (tensor[0, 0] - tensor[0, 2]).reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
        rows, columns = np.mgrid[: height // 8, : width // 8]
        boxes = np.stack((columns * 8 + 4.0, rows * 8 + 4.0, np.full(red.shape, 16.0), np.full(red.shape, self._high)), -1)
        outputs = {
            'boxes': boxes.reshape(1, -1, 4),
            'scores': (red > 0.6).reshape(1, -1, 1) * 0.9,
            'structure': (red > 0.05)[None].astype(float),
            'density': red[None] * 0.1,
        }
        return [outputs[end.name].astype(np.float32) for end in self.outputs]


def looker(model: Any, **options: Any) -> CascadeDetector:
    return CascadeDetector(model, CascadeOptions(**options))


def picture(*spots: tuple[int, int, int]) -> np.ndarray:
    """Black, with red squares: left, top, side."""
    made = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for left, top, side in spots:
        made[top : top + side, left : left + side, 2] = 255
    return made


def test_what_is_too_small_in_the_reduced_picture_is_found_by_the_second_look() -> None:
    shown = picture((960, 480, 10))
    assert len(looker(RedModel(), second_look=0.0).detect(shown)) == 0
    found = looker(RedModel()).detect(shown)
    assert len(found) == 1
    x, y = found.boxes[0, :2]
    assert 956 <= x <= 974
    assert 476 <= y <= 494


def test_what_is_seen_well_is_not_looked_at_again() -> None:
    model = RedModel(high=80.0)
    found = looker(model).detect(picture((320, 360, 16)))
    assert len(found) == 1
    assert np.allclose(found.boxes[0], (328, 368, 32, 80 * 720 / 352), atol=8)
    assert len(model.seen) == 1


def test_the_second_look_keeps_to_its_share_of_the_pixels() -> None:
    rng = np.random.default_rng(1)
    crowd = picture(*((int(x), int(y), 10) for x, y in rng.uniform((0, 0), (1260, 700), (150, 2))))
    for share in (0.05, 0.1, 0.25, 0.5):
        model = RedModel()
        detector = looker(model, second_look=share)
        few = len(detector.detect(crowd))
        again = sum(width * height for width, height in model.seen[1:]) / (SIZE[0] * SIZE[1])
        # Parts are padded to whole cells.
        assert detector.looked_at <= 640 * 368 / (1280 * 720) + share
        assert 0 < again <= share * 1.25
        assert few > 0
    assert len(looker(RedModel(), second_look=0.5).detect(crowd)) > len(looker(RedModel(), second_look=0.05).detect(crowd))


def test_a_picture_that_is_not_reduced_is_looked_at_once() -> None:
    model = RedModel()
    detector = looker(model, width=1280)
    assert len(detector.detect(picture((960, 480, 10)))) == 1
    assert model.seen == [(1280, 720)]
    assert detector.looked_at == 1.0


@pytest.mark.parametrize('maps', [('structure',), ('density',)])
def test_one_heat_map_is_enough_to_look_again(maps: tuple[str, ...]) -> None:
    assert len(looker(RedModel(maps)).detect(picture((960, 480, 10)))) == 1


def test_without_heat_maps_there_is_one_look() -> None:
    model = RedModel(())
    assert len(looker(model).detect(picture((960, 480, 10)))) == 0
    assert len(model.seen) == 1


def test_a_part_that_is_no_multiple_of_the_cells_is_padded_and_its_boxes_stay_inside() -> None:
    found = looker(RedModel(), width=2000).detect(np.full((90, 130, 3), (0, 0, 255), np.uint8))
    assert len(found)
    assert (found.boxes[:, :2] + found.boxes[:, 2:] / 2 <= (130, 90)).all()
    assert (found.boxes[:, :2] - found.boxes[:, 2:] / 2 >= 0).all()


def settings(**more: Any) -> PerceptionSettings:
    return PerceptionSettings.model_validate({'detector': 'made.onnx', **more})


def write(folder: Path, names: str = "{0: 'person'}", first: str = 'boxes') -> None:
    outputs = {first: np.zeros((1, 8, 4), np.float32), 'scores': np.zeros((1, 8, 1), np.float32)}
    write_constant_model(folder / 'made.onnx', (1, 3, 'h', 'w'), outputs, metadata={'model': 'cascade', 'names': names})


def test_a_model_that_says_it_is_one_is_run_as_one(tmp_path: Path) -> None:
    write(tmp_path)
    detector = make_detector(settings(), tmp_path)
    assert isinstance(detector, CascadeDetector)
    assert len(detector.detect(picture())) == 0


@pytest.mark.parametrize(
    ('made', 'more', 'message'),
    [
        ({'names': ''}, {}, 'made.onnx says that it is a cascade model, but has inputs images'),
        ({'first': 'logits'}, {}, 'made.onnx says that it is a cascade model, but has'),
        ({}, {'classes': ['cat']}, 'perception.classes: cat found; made.onnx knows person'),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, made: dict[str, str], more: dict[str, Any], message: str) -> None:
    write(tmp_path, **made)
    with pytest.raises(UserError, match=message):
        make_detector(settings(**more), tmp_path)


def test_a_trunk_that_a_closer_look_takes_for_somebody_is_less_sure() -> None:
    def scores(*rows: tuple[float, float, float, float, float]) -> list[float]:
        boxes = np.array([row[:4] for row in rows])
        found = Detections.of(boxes, np.array([row[4] for row in rows]), np.zeros(len(rows), np.int64), ('person',))
        return [round(score, 3) for score in with_less_sure_pieces(found).scores.tolist()]

    whole = (100.0, 100.0, 40.0, 100.0, 0.9)
    assert scores(whole, (100.0, 85.0, 24.0, 50.0, 0.5)) == [0.9, 0.15]
    assert scores(whole, (100.0, 85.0, 24.0, 50.0, 0.85)) == [0.9, 0.85], 'as sure: somebody before somebody'
    assert scores(whole, (118.0, 85.0, 24.0, 50.0, 0.5)) == [0.9, 0.5], 'half beside: somebody else'
    assert scores(whole, (100.0, 85.0, 8.0, 20.0, 0.5)) == [0.9, 0.5], 'tiny: somebody far away'
