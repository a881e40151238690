# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The facing network as a user makes one: train on pictures of people, and export."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
from conftest import FOR_EVER, ended, start_command
from drawn_identities import write_identities
from simulated_people import write_portraits

pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

RECIPE = """
network: {widths: [8, 12, 16], hidden: 16}
data: {size: [24, 48]}
training: {iterations: 12, batch: 8, warmup: 2, ema: 0.5, threads: 1}
"""


def test_what_was_trained_becomes_a_model(tmp_path: Path) -> None:
    for split in ('train', 'val'):
        write_portraits(tmp_path / 'people' / 'identities', split, 12)
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    words = ('train', 'facing', '--data', 'people', '--out', 'run', '--recipe', 'recipe.yaml')
    with ended(start_command('models', *words, cwd=tmp_path)) as command:
        code, output = command.finish(timeout=FOR_EVER)
    assert code == 0, output
    assert 'best: val/within_45' in output
    code, output = start_command('models', 'export', 'run', '--out', 'made.onnx', cwd=tmp_path).finish()
    assert code == 0, output
    model = onnxruntime.InferenceSession(str(tmp_path / 'made.onnx'), providers=['CPUExecutionProvider'])
    assert model.get_modelmeta().custom_metadata_map['model'] == 'facing'


def test_data_that_does_not_say_where_people_look_gets_one_line(tmp_path: Path) -> None:
    for split in ('train', 'val'):
        write_identities(tmp_path / 'people' / 'identities', split, 0, 2)
    code, output = start_command('models', 'train', 'facing', '--data', 'people', '--out', 'run', cwd=tmp_path).finish()
    assert code == 2
    assert 'says of no picture where the person looks' in output.replace('\n', ' ')
