# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A short training of the tracking network: it learns, can be killed, is exported, and finds people and tells them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only')
pytest.importorskip('pycocotools', reason='for training only')

from drawn_identities import write_identities, write_pictures, write_sequence  # noqa: E402

from ptz_perception.models.jde.data import read_split  # noqa: E402
from ptz_perception.models.jde.export import export_checkpoint, load_network  # noqa: E402
from ptz_perception.models.jde.settings import JdeRecipe  # noqa: E402
from ptz_perception.models.jde.task import JdeTask  # noqa: E402
from ptz_perception.models.training.loop import train  # noqa: E402

torch.set_num_threads(1)
RECIPE = JdeRecipe.model_validate(
    {
        'network': {'width': 24, 'vector': 16},
        'data': {'size': (128, 96), 'scales': (0.9, 1.1), 'least_person': 16, 'sheets': {'heights': (44, 52), 'light': 0.3}},
        'loss': {'factors': [1, 2]},
        'training': {
            'iterations': 60, 'batch': 6, 'learning_rate': 4e-3, 'warmup': 5, 'ema': 0.9, 'validate_every': 1000,
            'checkpoint_every': 30, 'log_every': 5, 'threads': 1,
        },
    }
)  # fmt: skip


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('people')
    for split, count, first in (('train', 24, 0), ('val', 6, 200)):
        write_pictures(folder / 'detection', split, count, first)
        write_identities(folder / 'identities', split, first, 12)
    write_sequence(folder / 'tracking', 'train', 'yard-north', 3)
    return folder


@pytest.fixture(scope='module')
def task(data: Path) -> JdeTask:
    return JdeTask(RECIPE, *(read_split(data, split, ['person']) for split in ('train', 'val')))


def test_a_batch_has_pictures_and_sheets_and_is_the_same_for_the_same_iteration(task: JdeTask) -> None:
    first, again, other = task.batch(3), task.batch(3), task.batch(4)
    assert all(torch.equal(one, two) for one, two in zip(vars(first).values(), vars(again).values(), strict=True))
    assert not torch.equal(first.pictures, other.pictures)
    assert first.finds.sum() == 3
    # Everybody on sheets is known, in single pictures nobody.
    assert (first.identities[~first.finds] >= 0).any(dim=1).all()
    # Factors in turn: every picture of an even iteration, every second one of an odd one.
    assert (other.mask.sum(), first.mask.sum()) == (6, 3)


def test_a_short_training_learns_to_find_people_and_to_tell_them_apart(task: JdeTask, tmp_path: Path) -> None:
    outcome = train(task, RECIPE.training, tmp_path / 'run')
    assert outcome.last_loss < 0.6 * outcome.first_loss
    assert outcome.figures['val/ap_50'] > 0.3
    # To tell people apart takes longer, but it has begun.
    logged = [line.split(',') for line in (tmp_path / 'run' / 'log.csv').read_text().splitlines()]
    identity = [float(value) for _, name, value in logged if name == 'loss/identity']
    assert identity[-1] < 0.95 * identity[0]
    assert 0 < outcome.figures['val/map'] <= 1
    network, recipe, said = load_network(outcome.best)
    assert recipe == RECIPE
    assert said['keywords'] == [['summer']]
    model = tmp_path / 'jde.onnx'
    assert export_checkpoint(outcome.best, model, {}) < 1e-4
    assert np.isfinite(network.directions.detach().numpy()).all()


def test_a_training_goes_on_where_it_was(task: JdeTask, tmp_path: Path) -> None:
    short = RECIPE.training.model_copy(update={'iterations': 6, 'checkpoint_every': 3, 'ema': 0.0})
    straight = train(task, short, tmp_path / 'straight')
    train(task, short.model_copy(update={'iterations': 3}), tmp_path / 'halted')
    resumed = train(task, short, tmp_path / 'halted', resume=True)
    assert resumed.figures.keys() == straight.figures.keys()
