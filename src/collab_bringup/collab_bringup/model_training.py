# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands models train and models export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import TextColumn

from collab_bringup.terminal import progress_bar
from ptz_site import UserError

if TYPE_CHECKING:
    from ptz_perception.models.cascade.settings import CascadeRecipe


@dataclass(frozen=True)
class TrainRequest:
    """What `models train` was told; None: as the recipe says."""

    network: str
    data: Path
    out: Path
    recipe: Path | None = None
    iterations: int | None = None
    device: str | None = None
    threads: int | None = None
    resume: bool = False


def train(request: TrainRequest, console: Console) -> int:
    """Trains to the end, with a bar; what is validated stands above it."""
    _need_torch()
    from ptz_perception.datasets import read
    from ptz_perception.models.cascade.task import CascadeTask
    from ptz_perception.models.training import loop

    recipe = _recipe(request)
    task = CascadeTask(recipe, read(request.data))
    with progress_bar(console, TextColumn('loss {task.fields[loss]}')) as bar:
        row = bar.add_task('training', total=recipe.training.iterations, loss='')

        def tell(done: loop.Progress) -> None:
            bar.update(row, completed=done.iteration, loss=f'{done.loss:.3f}')
            if done.figures:
                said = '  '.join(f'{name} {value:.3f}' for name, value in done.figures.items())
                bar.console.print(f'iteration {done.iteration}: {said}', highlight=False)

        outcome = loop.train(task, recipe.training, request.out, request.resume, tell)
    said = '  '.join(f'{name} {value:.3f}' for name, value in outcome.figures.items())
    console.print(f'best: {said}', highlight=False)
    console.print(f'next: ptz-collab models export {request.out} --out MODEL.onnx', highlight=False, soft_wrap=True)
    return 0


def export(checkpoint: Path, out: Path, console: Console) -> int:
    """Writes the model and says how exactly it does what the network did."""
    _need_torch()
    from ptz_perception.models.cascade.export import export_checkpoint
    from ptz_perception.models.training import checkpoint as checkpoints

    difference = export_checkpoint(checkpoints.find(checkpoint), out, {})
    size = out.stat().st_size / 1e6
    console.print(
        f'{out}: {size:.1f} MB; its outputs differ from the network by {difference:.0e} at most', highlight=False, soft_wrap=True
    )
    return 0


def _recipe(request: TrainRequest) -> CascadeRecipe:
    from ptz_perception.models.cascade.settings import CascadeRecipe
    from ptz_perception.models.training.settings import TrainingSettings, checked, read_recipe

    recipe = CascadeRecipe() if request.recipe is None else read_recipe(request.recipe, CascadeRecipe)
    told: dict[str, Any] = {
        name: value
        for name, value in (('iterations', request.iterations), ('device', request.device), ('threads', request.threads))
        if value is not None
    }
    training = checked({**recipe.training.model_dump(), **told}, TrainingSettings, 'training')
    return recipe.model_copy(update={'training': training})


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError('trainings need PyTorch, which is not installed; run make train-env') from None
