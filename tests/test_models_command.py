# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab models check, as a user calls it: what it understood, what it drew, and one line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import start_command
from onnx_models import write_constant_model


def run(folder: Path, *words: object) -> tuple[int, str]:
    return start_command('models', 'check', *words, cwd=folder).finish()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of two classes that finds a goat, whatever the picture."""
    raw = np.zeros((1, 6, 126), np.float32)
    raw[0, :4, 5], raw[0, 5, 5] = (48, 32, 30, 20), 0.9
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output0': raw}, metadata={'names': "{0: 'person', 1: 'goat'}"})
    cv2.imwrite(str(tmp_path / 'yard.png'), np.full((128, 192, 3), 60, np.uint8))
    return tmp_path / 'made.onnx'


def test_it_says_what_it_understood_and_draws_what_it_found(model: Path, tmp_path: Path) -> None:
    code, output = run(tmp_path, model.name, '--picture', 'yard.png', '--out', 'found.png')
    assert code == 0, output
    for part in ('layout yolov8', 'input 96x64 px', '2 classes: person, goat', 'runs on', 'goat', '0.90', '96, 64', '60 x 40'):
        assert part in output
    drawn = cv2.imread(str(tmp_path / 'found.png'))
    assert drawn.shape == (128, 192, 3)
    changed = np.argwhere((drawn != 60).any(axis=2))
    assert changed[:, 1].min() < 70 < 120 < changed[:, 1].max()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('nowhere.onnx',), 'no file'),
        (('yard.png',), 'is not an ONNX model that can be run'),
        (('made.onnx', '--picture', 'nowhere.png'), "nowhere.png can't be read as a picture"),
        (('made.onnx', '--picture', 'made.onnx'), "made.onnx can't be read as a picture"),
        (('made.onnx', '--layout', 'guess'), 'layout: guess found'),
        (('made.onnx', '--layout', 'detr'), 'that is not of the layout detr'),
        (('made.onnx', '--picture', 'yard.png', '--out', 'found.txt'), "found.txt can't be written"),
    ],
)
def test_what_is_wrong_is_one_line(model: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert model.is_file()
    code, output = run(tmp_path, *words)
    assert code == 2, output
    assert said in output.splitlines()[-1] and 'Traceback' not in output
