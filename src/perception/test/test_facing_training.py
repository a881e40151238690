# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the facing network's training: what it is shown, what it learns, and the file that it becomes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

from simulated_people import portrait, write_portraits  # noqa: E402

from ptz_perception.models.facing.batches import Sample, make_batch, mirrored, varied  # noqa: E402
from ptz_perception.models.facing.data import read_facing  # noqa: E402
from ptz_perception.models.facing.evaluation import errors, figures_of  # noqa: E402
from ptz_perception.models.facing.export import export_checkpoint  # noqa: E402
from ptz_perception.models.facing.settings import DataSettings, FacingRecipe  # noqa: E402
from ptz_perception.models.facing.task import FacingTask  # noqa: E402
from ptz_perception.models.training.loop import Outcome, train  # noqa: E402
from ptz_site import UserError  # noqa: E402

torch.set_num_threads(1)
RECIPE = FacingRecipe.model_validate(
    {
        'network': {'widths': [8, 12, 16], 'hidden': 16},
        'data': {'size': (24, 48), 'least_height': 40},
        'training': {
            'iterations': 40, 'batch': 24, 'learning_rate': 4e-3, 'warmup': 5, 'ema': 0.9, 'validate_every': 40,
            'checkpoint_every': 40, 'log_every': 10, 'threads': 1,
        },
    }
)  # fmt: skip


@pytest.fixture(scope='module')
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('people')
    for split in ('train', 'val'):
        write_portraits(folder / 'identities', split, 24)
    return folder


@pytest.fixture(scope='module')
def task(people: Path) -> FacingTask:
    return FacingTask(RECIPE, *(read_facing(people, split) for split in ('train', 'val')))


@pytest.fixture(scope='module')
def trained(task: FacingTask, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return train(task, RECIPE.training, tmp_path_factory.mktemp('run'))


def test_what_is_wanted_is_cosine_and_sine_and_a_mirrored_person_looks_to_the_other_side() -> None:
    sample = Sample(portrait(1.0, 3), 1.0)
    other = mirrored(sample)
    batch = make_batch([sample, other], (24, 48))
    assert batch.wanted.numpy() == pytest.approx(np.array([[math.cos(1), math.sin(1)], [math.cos(1), -math.sin(1)]]), abs=1e-6)
    assert np.array_equal(other.picture, sample.picture[:, ::-1])
    assert batch.pictures.shape == (2, 3, 48, 24)
    # Of the simulator: whoever looks to the right in one picture looks to the left in the other, as it would draw them.
    assert np.array_equal(mirrored(other).picture, sample.picture) and mirrored(other).facing == 1.0


def test_pictures_are_prepared_as_they_are_at_work() -> None:
    picture = np.full((60, 30, 3), (0, 128, 255), np.uint8)  # blue, green, red
    values = make_batch([Sample(picture, 0.0)], (24, 48)).pictures[0, :, 20, 10].tolist()
    assert values == pytest.approx([(1.0 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, -0.406 / 0.225], abs=1e-4)


def test_variations_turn_nobody_but_by_mirroring() -> None:
    sample = Sample(portrait(2.0, 5), 2.0)
    made = [varied(sample, DataSettings(), np.random.default_rng(seed)) for seed in range(40)]
    assert {one.facing for one in made} == {2.0, -2.0}
    high, wide = sample.picture.shape[:2]
    assert all(one.picture.shape[0] <= 1.21 * high and one.picture.shape[1] <= 1.21 * wide for one in made)
    assert min(one.picture.shape[0] for one in made) < 0.5 * high
    plain = DataSettings(moved=0.0, light=0.0, least_height=400, grey=0.0)
    found = next(one for one in (varied(sample, plain, np.random.default_rng(seed)) for seed in range(40)) if one.facing < 0)
    assert np.array_equal(found.picture[:70], sample.picture[:70, ::-1])


def test_a_batch_is_the_same_for_the_same_iteration(task: FacingTask) -> None:
    first, again, other = task.batch(3), task.batch(3), task.batch(4)
    assert torch.equal(first.pictures, again.pictures) and torch.equal(first.wanted, again.wanted)
    assert not torch.equal(first.pictures, other.pictures)


def test_it_learns_and_becomes_a_model_of_directions_and_how_sure_they_are(trained: Outcome, tmp_path: Path) -> None:
    assert trained.last_loss < 0.8 * trained.first_loss
    assert next(iter(trained.figures)) == 'val/within_45' and trained.figures['val/within_45'] > 0.4
    out = tmp_path / 'made.onnx'
    assert export_checkpoint(trained.best, out, {}) < 1e-4
    session = onnxruntime.InferenceSession(str(out), providers=['CPUExecutionProvider'])
    (given,), (told,) = session.get_inputs(), session.get_outputs()
    assert (given.shape[1:], told.name, told.shape[1:]) == ([3, 48, 24], 'facing', [2])
    assert session.get_modelmeta().custom_metadata_map['model'] == 'facing'
    found = session.run(None, {given.name: 3 * np.random.default_rng(1).normal(size=(5, 3, 48, 24)).astype(np.float32)})[0]
    assert found.shape == (5, 2) and (np.linalg.norm(found, axis=1) <= 1.0).all()


def test_figures_say_how_far_off_directions_are() -> None:
    def units(*degrees: float) -> np.ndarray:
        return np.stack((np.cos(np.radians(degrees)), np.sin(np.radians(degrees))), 1)

    found, wanted = units(10, 170, -90, 0), units(0, -170, 90, 44)
    assert errors(found, wanted) == pytest.approx([10, 20, 180, 44])
    figures = figures_of(found * np.array([[0.9], [0.6], [0.2], [0.4]]), wanted)
    assert (figures.within_45, figures.sure, figures.those_sure, figures.flipped) == (0.75, 0.5, 1.0, 0.25)
    assert figures.median == pytest.approx(32)
    assert math.isnan(figures_of(np.zeros((0, 2)), np.zeros((0, 2))).median)


def test_data_that_does_not_say_where_people_look_gets_one_line(people: Path, tmp_path: Path) -> None:
    write_portraits(tmp_path, 'train', 24, signed=False)
    with pytest.raises(UserError, match=r'no "facing" is below 0'):
        read_facing(tmp_path, 'train')
    (tmp_path / 'train' / 'identities.json').unlink()
    with pytest.raises(UserError, match=r'identities.json says of no picture .*simulate DIR --kinds identities'):
        read_facing(tmp_path, 'train')
    with pytest.raises(UserError, match='no folder'):
        read_facing(people, 'test')
