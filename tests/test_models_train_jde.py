# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracking network as a user makes one: train on pictures and identities, export, and look with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import FOR_EVER, ended, start_command
from drawn_identities import write_identities, write_pictures

pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

RECIPE = """
network: {width: 16, vector: 16}
data: {size: [128, 96], scales: [0.9, 1.1], least_person: 16, sheets: {heights: [44, 52]}}
training: {iterations: 12, batch: 4, warmup: 2, ema: 0.5, threads: 1}
"""


def test_what_was_trained_becomes_a_model_of_boxes_and_appearances(tmp_path: Path) -> None:
    for split, first in (('train', 0), ('val', 20)):
        write_pictures(tmp_path / 'people' / 'detection', split, 4, first)
        write_identities(tmp_path / 'people' / 'identities', split, first, 4)
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    words = ('train', 'jde', '--data', 'people', '--out', 'run', '--recipe', 'recipe.yaml')
    with ended(start_command('models', *words, cwd=tmp_path)) as command:
        code, output = command.finish(timeout=FOR_EVER)
    assert code == 0, output
    assert 'val/map' in output
    code, output = start_command('models', 'export', 'run', '--out', 'made.onnx', cwd=tmp_path).finish()
    assert code == 0, output
    picture = tmp_path / 'people' / 'detection' / 'val' / 'images' / '001.jpg'
    code, output = start_command('models', 'check', 'made.onnx', '--picture', picture, cwd=tmp_path).finish()
    assert code == 0, output
    assert 'appearances of 16 numbers' in output
    assert 'every picture to every 5th' in output


def test_a_folder_without_the_splits_gets_one_line(tmp_path: Path) -> None:
    write_pictures(tmp_path / 'people', 'train', 2, 1)
    code, output = start_command('models', 'train', 'jde', '--data', 'people', '--out', 'run', cwd=tmp_path).finish()
    assert code == 2
    assert 'nothing in the split val' in output.replace('\n', ' ')
