# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands models train, models export and models quantise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import TextColumn

from collab_bringup.terminal import progress_bar
from ptz_node.images import decode
from ptz_site import UserError

if TYPE_CHECKING:
    from ptz_perception.models.training.settings import Recipe, TrainingSettings
    from ptz_perception.models.training.task import Task


#: Pictures that the scales of int8 are found on.
_CALIBRATED = 64


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
    from ptz_perception.models.training import loop

    task, settings = {'cascade': _cascade, 'jde': _jde, 'facing': _facing}[request.network](request)
    with progress_bar(console, TextColumn('loss {task.fields[loss]}')) as bar:
        row = bar.add_task('training', total=settings.iterations, loss='')

        def tell(done: loop.Progress) -> None:
            bar.update(row, completed=done.iteration, loss=f'{done.loss:.3f}')
            if done.figures:
                said = '  '.join(f'{name} {value:.3f}' for name, value in done.figures.items())
                bar.console.print(f'iteration {done.iteration}: {said}', highlight=False)

        outcome = loop.train(task, settings, request.out, request.resume, tell)
    said = '  '.join(f'{name} {value:.3f}' for name, value in outcome.figures.items())
    console.print(f'best: {said}', highlight=False)
    console.print(f'next: ptz-collab models export {request.out} --out MODEL.onnx', highlight=False, soft_wrap=True)
    return 0


def export(checkpoint: Path, out: Path, console: Console) -> int:
    """Writes the model and says how exactly it does what the network did."""
    _need_torch()
    from ptz_perception.detectors.jde_model import KIND as JDE
    from ptz_perception.facing.model import KIND as FACING
    from ptz_perception.models.cascade import export as cascade
    from ptz_perception.models.facing import export as facing
    from ptz_perception.models.jde import export as jde
    from ptz_perception.models.training import checkpoint as checkpoints

    found = checkpoints.find(checkpoint)
    exported = {JDE: jde.export_checkpoint, FACING: facing.export_checkpoint}
    export_checkpoint = exported.get(checkpoints.load(found)['recipe'].get('model'), cascade.export_checkpoint)
    difference = export_checkpoint(found, out, {})
    size = out.stat().st_size / 1e6
    console.print(
        f'{out}: {size:.1f} MB; its outputs differ from the network by {difference:.0e} at most', highlight=False, soft_wrap=True
    )
    return 0


def _cascade(request: TrainRequest) -> tuple[Task, TrainingSettings]:
    from ptz_perception.datasets import read
    from ptz_perception.models.cascade.settings import CascadeRecipe
    from ptz_perception.models.cascade.task import CascadeTask

    recipe, settings = _recipe(request, CascadeRecipe)
    recipe = recipe.model_copy(update={'training': settings})
    return CascadeTask(recipe, read(request.data)), settings


def _jde(request: TrainRequest) -> tuple[Task, TrainingSettings]:
    from ptz_perception.models.jde.data import read_split
    from ptz_perception.models.jde.settings import JdeRecipe
    from ptz_perception.models.jde.task import JdeTask

    recipe, settings = _recipe(request, JdeRecipe)
    recipe = recipe.model_copy(update={'training': settings})
    trained, validated = (read_split(request.data, split, recipe.data.classes) for split in ('train', 'val'))
    return JdeTask(recipe, trained, validated), settings


def _facing(request: TrainRequest) -> tuple[Task, TrainingSettings]:
    from ptz_perception.models.facing.data import read_facing
    from ptz_perception.models.facing.settings import FacingRecipe
    from ptz_perception.models.facing.task import FacingTask

    recipe, settings = _recipe(request, FacingRecipe)
    recipe = recipe.model_copy(update={'training': settings})
    trained, validated = (read_facing(request.data, split) for split in ('train', 'val'))
    return FacingTask(recipe, trained, validated), settings


def quantise(model: Path, data: Path, width: int, out: Path, console: Console) -> int:
    """Writes the model in int8."""
    _need_torch()
    from ptz_perception.datasets import read
    from ptz_perception.models.quantising import quantise

    pictures = list(read(data).split('val'))
    chosen = pictures[:: max(1, len(pictures) // _CALIBRATED)]
    quantise(model, (decode(picture.path.read_bytes()) for picture in chosen), width, out)
    before, after = model.stat().st_size / 1e6, out.stat().st_size / 1e6
    console.print(f'{out}: {after:.1f} MB, from {before:.1f} MB', highlight=False, soft_wrap=True)
    console.print(f'next: ptz-collab models evaluate {out} --data {data}', highlight=False, soft_wrap=True)
    return 0


def _recipe(request: TrainRequest, kind: type[Recipe]) -> tuple[Recipe, TrainingSettings]:
    """The recipe, and how to train by it as far as the command did not say otherwise."""
    from ptz_perception.models.training.settings import TrainingSettings, checked, read_recipe

    recipe = checked({}, kind, 'recipe') if request.recipe is None else read_recipe(request.recipe, kind)
    told: dict[str, Any] = {
        name: value
        for name, value in (('iterations', request.iterations), ('device', request.device), ('threads', request.threads))
        if value is not None
    }
    by_recipe = recipe.model_dump()['training']
    return recipe, checked({**by_recipe, **told}, TrainingSettings, 'training')


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError('trainings need PyTorch, which is not installed; run make train-env') from None
