# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the loop that trainings share: it learns, ends when told, goes on where it was, and keeps the best."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip('torch', reason='PyTorch is for training only: make train-env')

from ptz_perception.models.training import checkpoint  # noqa: E402
from ptz_perception.models.training.loop import Outcome, train  # noqa: E402
from ptz_perception.models.training.schedule import learning_rate  # noqa: E402
from ptz_perception.models.training.settings import TrainingSettings, read_recipe  # noqa: E402
from ptz_site import UserError  # noqa: E402


@dataclass(frozen=True)
class Line:
    """Points of y = 3 x - 1."""

    x: Any

    def to(self, device: Any) -> Line:
        return Line(self.x.to(device))


class LineTask:
    """Learns a line; validated worse and worse after an iteration, if told so. stop_at: raises there, as a kill would."""

    def __init__(self, stop_at: int = -1, good_until: int = 1000) -> None:
        self.recipe = {'line': 1}
        self.validated, self._stop_at, self._good_until = 0, stop_at, good_until

    def network(self) -> Any:
        return torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Linear(4, 1))

    def batch(self, iteration: int) -> Line:
        if iteration == self._stop_at:
            raise KeyboardInterrupt
        return Line(torch.rand(8, 1, generator=torch.Generator().manual_seed(iteration)))

    def losses(self, network: Any, batch: Line) -> Mapping[str, Any]:
        return {'square': (network(batch.x) - (3 * batch.x - 1)).square().mean()}

    def validate(self, _network: Any) -> Mapping[str, float]:
        self.validated += 1
        return {'val/good': float(self.validated if self.validated <= self._good_until else -self.validated)}


def settings(**more: Any) -> TrainingSettings:
    given = {'iterations': 120, 'learning_rate': 0.02, 'warmup': 10, 'validate_every': 30, 'checkpoint_every': 20, 'threads': 1}
    return TrainingSettings.model_validate({**given, **more})


def weights(out: Path, name: str = checkpoint.LAST) -> list[float]:
    state = checkpoint.load(out / name)
    return [float(value) for tensor in state['network'].values() for value in tensor.ravel()]


def lines(out: Path) -> list[list[str]]:
    with (out / 'log.csv').open(newline='') as stream:
        return list(csv.reader(stream))


def test_it_learns_and_ends(tmp_path: Path) -> None:
    task = LineTask()
    outcome: Outcome = train(task, settings(), tmp_path / 'run')
    assert outcome.last_loss < 0.1 * outcome.first_loss
    assert task.validated == 4
    logged = lines(tmp_path / 'run')
    assert logged[0] == ['iteration', 'name', 'value']
    assert {row[1] for row in logged[1:]} == {'loss', 'loss/square', 'learning_rate', 'val/good'}
    assert logged[-1] == ['120', 'val/good', '4']


def test_a_training_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    train(LineTask(), settings(), tmp_path / 'whole')
    with pytest.raises(KeyboardInterrupt):
        train(LineTask(stop_at=75), settings(), tmp_path / 'cut')
    assert checkpoint.load(tmp_path / 'cut' / checkpoint.LAST)['iteration'] == 60
    with pytest.raises(UserError, match='holds a training already'):
        train(LineTask(), settings(), tmp_path / 'cut')
    train(LineTask(), settings(), tmp_path / 'cut', resume=True)
    assert weights(tmp_path / 'cut') == weights(tmp_path / 'whole')
    loss = [row for row in lines(tmp_path / 'whole') if row[1].startswith('l')]
    assert [row for row in lines(tmp_path / 'cut') if row[1].startswith('l')] == loss


def test_the_best_is_kept_and_holds_the_averaged_weights(tmp_path: Path) -> None:
    outcome = train(LineTask(good_until=2), settings(ema=0.9), tmp_path / 'run')
    assert outcome.figures == {'val/good': 2.0}
    assert checkpoint.load(outcome.best)['iteration'] == 60
    assert checkpoint.find(tmp_path / 'run') == outcome.best
    assert weights(tmp_path / 'run', checkpoint.BEST) != weights(tmp_path / 'run')


def test_going_on_needs_a_checkpoint_of_the_same_recipe(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no checkpoint'):
        train(LineTask(), settings(), tmp_path / 'run', resume=True)
    train(LineTask(), settings(iterations=20), tmp_path / 'run')
    other = LineTask()
    other.recipe = {'line': 2}
    with pytest.raises(UserError, match='another recipe'):
        train(other, settings(), tmp_path / 'run', resume=True)
    (tmp_path / 'run' / checkpoint.LAST).write_bytes(b'nothing')
    with pytest.raises(UserError, match='is not a checkpoint'):
        train(LineTask(), settings(), tmp_path / 'run', resume=True)


def test_a_loss_that_is_no_number_ends_it_with_advice(tmp_path: Path) -> None:
    class Broken(LineTask):
        def losses(self, network: Any, batch: Line) -> Mapping[str, Any]:
            return {'square': network(batch.x).sum() * float('nan')}

    with pytest.raises(UserError, match='the loss is nan in iteration 1; try a smaller learning_rate'):
        train(Broken(), settings(), tmp_path / 'run')


def test_the_learning_rate_rises_then_falls() -> None:
    given = settings(iterations=110, learning_rate=1.0, final_rate=0.1)
    assert [learning_rate(k, given) for k in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert learning_rate(60, given) == pytest.approx(0.55)  # half of the way down
    assert learning_rate(110, given) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('iterations: 0', 'iterations: 0 found; input should be greater than or equal to 1'),
        ('iteration: 5', 'iteration: 5 found'),
        ('[1', "can't be read as YAML"),
    ],
)
def test_a_recipe_that_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'recipe.yaml').write_text(text)
    with pytest.raises(UserError, match=message):
        read_recipe(tmp_path / 'recipe.yaml', TrainingSettings)
