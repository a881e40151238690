# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Training as a user does it: train, kill, go on, export, check, evaluate; with a network that is small enough for a test."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import onnx
import pytest
from conftest import FOR_EVER, ended, start_command
from drawn_people import write_coco

pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

RECIPE = """
network: {stem: 8, width: 16, context: 24, stages: 2}
data: {size: [160, 96], scales: [0.5, 1.0]}
training: {iterations: 160, batch: 8, warmup: 20, validate_every: 80, checkpoint_every: 40, learning_rate: 0.005, ema: 0.95, threads: 1}
"""


def run(folder: Path, *words: object) -> tuple[int, str]:
    # A training takes as long as it takes: what else runs has the processor too.
    with ended(start_command('models', *words, cwd=folder)) as command:
        return command.finish(timeout=FOR_EVER)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp('training')
    write_coco(made / 'bars', 24)
    (made / 'recipe.yaml').write_text(RECIPE)
    return made


@pytest.fixture(scope='module')
def trained(folder: Path) -> str:
    """The output of a training that went on after it had ended half way."""
    words = ('train', 'cascade', '--data', 'bars', '--out', 'run', '--recipe', 'recipe.yaml')
    code, output = run(folder, *words, '--iterations', 80)
    assert code == 0, output
    code, output = run(folder, *words, '--resume')
    assert code == 0, output
    return output


def test_it_lowers_the_loss_and_says_how_good_it_is(trained: str, folder: Path) -> None:
    assert 'best: val/ap 0.' in trained
    with (folder / 'run' / 'log.csv').open(newline='') as stream:
        loss = [float(row['value']) for row in csv.DictReader(stream) if row['name'] == 'loss']
    assert loss[-1] < 0.5 * loss[0]


def test_what_was_trained_becomes_a_model_that_finds_them(trained: str, folder: Path) -> None:
    code, output = run(folder, 'export', 'run', '--out', 'made.onnx')
    assert code == 0, output
    code, output = run(folder, 'evaluate', 'made.onnx', '--data', 'bars', '--split', 'val', '--width', '320')
    assert code == 0, output
    figures = next(line for line in output.splitlines() if line.startswith('│')).split('│')
    assert float(figures[2]) > 0.4, output
    code, output = run(folder, 'check', 'made.onnx', '--picture', 'bars/val/images/0.png', '--out', 'found.png')
    assert code == 0, output
    assert 'cascade: boxes, scores, structure, density' in output
    assert cv2.imread(str(folder / 'found.png')) is not None


def test_in_int8_it_finds_as_many(trained: str, folder: Path) -> None:
    assert run(folder, 'export', 'run', '--out', 'whole.onnx')[0] == 0
    code, output = run(folder, 'quantise', 'whole.onnx', '--data', 'bars', '--width', '320', '--out', 'small.onnx')
    assert code == 0, output
    kinds = {tensor.data_type for tensor in onnx.load(str(folder / 'small.onnx')).graph.initializer if len(tensor.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT}, 'all weights but those of the last convolutions'
    words = ('--data', 'bars', '--split', 'val', '--width', '320')
    figures = []
    for model in ('whole.onnx', 'small.onnx'):
        code, output = run(folder, 'evaluate', model, *words)
        assert code == 0, output
        figures.append(float(next(line for line in output.splitlines() if line.startswith('│')).split('│')[2]))
    assert figures[1] > figures[0] - 0.1


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('train', 'cascade', '--data', 'nowhere', '--out', 'x'), 'nowhere'),
        (('train', 'cascade', '--data', 'bars', '--out', 'run'), 'run holds a training already'),
        (('train', 'cascade', '--data', 'bars', '--out', 'x', '--iterations', '0'), 'iterations'),
        (('export', 'nowhere', '--out', 'x.onnx'), 'no checkpoint nowhere'),
        (('quantise', 'recipe.yaml', '--data', 'bars', '--out', 'x.onnx'), 'recipe.yaml is not an ONNX model'),
        (('evaluate', 'hog', '--data', 'bars', '--split', 'test'), 'no split test'),
        (('evaluate', 'hog', '--data', 'bars', '--split', 'val', '--classes', 'cat'), 'cat found; the data set has person'),
    ],
)
def test_what_is_wrong_is_said_in_a_line(trained: str, folder: Path, words: tuple[str, ...], message: str) -> None:
    code, output = run(folder, *words)
    assert code == 2, output
    assert message in output
    assert 'Traceback' not in output
