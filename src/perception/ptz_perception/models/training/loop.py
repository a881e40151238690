# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The loop: batches in, weights out. It ends at the iterations it was told, can be killed, and goes on where it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ptz_perception.models.training import checkpoint
from ptz_perception.models.training.average import AveragedWeights
from ptz_perception.models.training.log import TrainingLog
from ptz_perception.models.training.schedule import learning_rate
from ptz_perception.models.training.settings import TrainingSettings
from ptz_perception.models.training.task import Task
from ptz_site import UserError

#: Batches that are made while the network works on one.
_AHEAD = 3


@dataclass(frozen=True)
class Progress:
    """After an iteration; figures: what was validated now, empty if nothing was."""

    iteration: int
    loss: float
    seconds: float
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a training ended with: the figures of the best checkpoint and where it lies."""

    best: Path
    figures: Mapping[str, float]
    first_loss: float
    last_loss: float


def train(
    task: Task, settings: TrainingSettings, out: Path, resume: bool = False, tell: Callable[[Progress], None] = lambda _: None
) -> Outcome:
    """Trains to the end. out: folder of checkpoints and log; it must be empty, or hold a training to go on with.

    Raises UserError if there is something in it and nothing was said of going on, or nothing to go on with.
    """
    device = _device(settings)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    run = _Run(task, settings, out, device)
    if resume:
        run.restore(checkpoint.load(out / checkpoint.LAST))
    elif (out / checkpoint.LAST).exists():
        raise UserError(f'{out} holds a training already; go on with it (--resume) or give another folder')
    out.mkdir(parents=True, exist_ok=True)
    return run.to_the_end(TrainingLog(out / 'log.csv', run.iteration), tell)


class _Run:
    def __init__(self, task: Task, settings: TrainingSettings, out: Path, device: torch.device) -> None:
        self._task, self._settings, self._out, self._device = task, settings, out, device
        # Channels last is how convolutions like it: a third less time on processors.
        self._network = task.network().to(device, memory_format=torch.channels_last)
        self._average = AveragedWeights(self._network, settings.ema)
        self._optimiser = torch.optim.AdamW(_groups(self._network, settings.weight_decay), lr=settings.learning_rate)
        self._figures: dict[str, float] = {}
        self._losses: list[float] = []
        self.iteration = 0

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on with a checkpoint."""
        if _lasting(state['recipe']) != _lasting(self._task.recipe):
            raise UserError(f'{self._out} was trained with another recipe; go on with that one, or give another folder')
        self._network.load_state_dict(state['network'])
        self._average.restore(state['average'])
        self._optimiser.load_state_dict(state['optimiser'])
        self.iteration, self._figures = int(state['iteration']), dict(state['figures'])
        self._losses = list(state['losses'])

    def to_the_end(self, log: TrainingLog, tell: Callable[[Progress], None]) -> Outcome:
        settings = self._settings
        begin = time.perf_counter()
        for batch in _ahead(self._task, self.iteration, settings.iterations):
            parts = self._step(batch.to(self._device))
            done, last = self.iteration, self.iteration == settings.iterations
            if done % settings.log_every == 0 or last or done == 1:
                log.add(done, {**parts, 'learning_rate': learning_rate(done - 1, settings)})
            figures: Mapping[str, float] = {}
            if done % settings.validate_every == 0 or last:
                figures = self._validate()
                log.add(done, figures)
            if done % settings.checkpoint_every == 0 or last:
                checkpoint.save(self._out / checkpoint.LAST, self._state(self._network))
            tell(Progress(done, self._losses[-1], time.perf_counter() - begin, figures))
        tenth = max(1, len(self._losses) // 10)
        first, end = self._losses[:tenth], self._losses[-tenth:]
        return Outcome(self._out / checkpoint.BEST, self._figures, sum(first) / len(first), sum(end) / len(end))

    def _step(self, batch: Any) -> dict[str, float]:
        for group in self._optimiser.param_groups:
            group['lr'] = learning_rate(self.iteration, self._settings)
        self._network.train()
        half = self._settings.precision == 'bfloat16'
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            parts = self._task.losses(self._network, batch)
        total = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(total):
            raise UserError(f'the loss is {float(total.detach())} in iteration {self.iteration + 1}; try a smaller learning_rate')
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.clip)
        self._optimiser.step()
        self._average.update(self._network)
        self.iteration += 1
        self._losses.append(float(total.detach()))
        return {'loss': self._losses[-1], **{f'loss/{name}': float(part.detach()) for name, part in parts.items()}}

    def _validate(self) -> Mapping[str, float]:
        network = self._average.model if self._settings.ema else self._network.eval()
        with torch.inference_mode():
            figures = self._task.validate(network)
        name = next(iter(figures))
        if figures[name] >= self._figures.get(name, float('-inf')):
            self._figures = dict(figures)
            checkpoint.save(self._out / checkpoint.BEST, {**self._state(network), 'optimiser': None})
        return figures

    def _state(self, network: nn.Module) -> dict[str, Any]:
        return {
            'recipe': self._task.recipe,
            'iteration': self.iteration,
            'network': network.state_dict(),
            'average': self._average.state(),
            'optimiser': self._optimiser.state_dict(),
            'figures': self._figures,
            'losses': self._losses,
        }


def _device(settings: TrainingSettings) -> torch.device:
    there = torch.cuda.is_available()
    if settings.device == 'cuda' and not there:
        raise UserError('device: cuda found, but PyTorch sees no such device here; give cpu')
    return torch.device('cuda' if there and settings.device != 'cpu' else 'cpu')


def _lasting(recipe: dict[str, Any]) -> dict[str, Any]:
    """What of a recipe must stay the same; how long and how fast it is trained may change on the way."""
    return {name: value for name, value in recipe.items() if name != 'training'}


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights decay; what has one dimension (biases, normalisations) doesn't."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {'params': [p for p in parameters if p.ndim > 1], 'weight_decay': decay},
        {'params': [p for p in parameters if p.ndim <= 1], 'weight_decay': 0.0},
    ]


def _ahead(task: Task, first: int, end: int) -> Iterator[Any]:
    """The batches of iterations, made by a thread while the network works: OpenCV and torch leave Python's lock alone."""
    stopped = threading.Event()

    def make(iteration: int) -> Any:
        return None if stopped.is_set() else task.batch(iteration)

    with ThreadPoolExecutor(1) as maker:
        try:
            waiting = [maker.submit(make, iteration) for iteration in range(first, min(first + _AHEAD, end))]
            for iteration in range(first, end):
                batch = waiting.pop(0).result()
                if iteration + _AHEAD < end:
                    waiting.append(maker.submit(make, iteration + _AHEAD))
                yield batch
        finally:
            stopped.set()
