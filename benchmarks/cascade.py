# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The cascade detector against a plain one of the same compute, and against itself without each of its parts; on scenes never trained on.

    python benchmarks/cascade.py --data DIR [--iterations N] [--only NAME ...]

DIR is a data set with the splits train, val and test, such as the folder detection/ of what `ptz-collab dataset simulate` makes.
Every network is trained on the same pictures for the same number of iterations. What was trained before is kept in out/bench/cascade/.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from report.figures import Figure, Stopwatch, at_least, at_most, write_outcome
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from collab_bringup.model_evaluation import Evaluated, EvaluateRequest, measure
from ptz_perception.datasets import read
from ptz_perception.models.cascade.export import export_checkpoint
from ptz_perception.models.cascade.network import CascadeNetwork
from ptz_perception.models.cascade.settings import CascadeRecipe, NetworkSettings
from ptz_perception.models.cascade.task import CascadeTask
from ptz_perception.models.training.loop import train

TITLE = 'Cascade detector'
SUMMARY = (
    'How many small people the detector finds on scenes never trained on, and how much of the picture it has to look at for it.'
)
OUT = Path(__file__).resolve().parents[1] / 'out' / 'bench' / 'cascade'
#: A little wider, so that the plain one has the compute of the whole one.
PLAIN: dict[str, Any] = {**dict.fromkeys(('structure', 'density', 'cascade', 'attention'), False), 'width': 52}
VARIANTS: dict[str, dict[str, Any]] = {
    'cascade': {},
    'plain': PLAIN,
    'no density branch': {'density': False},
    'no pyramid pooling': {'pyramid': False},
    'no cascade': {'cascade': False},
    'no attention': {'attention': False},
}
#: px of the first look, and the side of the tiles that cover everything.
WIDTH, TILE = 512, 512
#: px; of a wider first look, and of one of about as many pixels as both looks of the cascade together.
WIDER, SAME_PIXELS = 640, 736
#: The one of these that is compared with tiles.
CLOSER = f'cascade, width {WIDER}, 50 %'


@dataclass(frozen=True)
class Row:
    """A detector's figures. macs: of the network for the first look, in 10^9; trained: seconds."""

    name: str
    macs: float
    trained: float
    figures: Evaluated


def main() -> None:
    """Trains what is not trained yet, evaluates everything, prints and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--iterations', type=int, default=2500)
    parser.add_argument('--precision', default='float32', choices=['float32', 'bfloat16'], help='of the trainings')
    parser.add_argument('--only', nargs='*', default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument('--most', type=int, default=240, help='pictures to evaluate on')
    arguments = parser.parse_args()
    watch, console = Stopwatch(), Console(width=170)
    training = {
        'iterations': arguments.iterations,
        'validate_every': arguments.iterations,
        'precision': arguments.precision,
        'threads': 1,
    }
    trained = {name: trained_model(name, arguments.data, training, console) for name in arguments.only}
    rows = []
    for name, (model, seconds) in trained.items():
        request = EvaluateRequest(str(model), arguments.data, most=arguments.most, width=WIDTH)
        for title, asked in looks(name, request):
            rows.append(Row(title, gigamacs(VARIANTS[name]), seconds, measure(asked, console)))
            console.print(f'{title}: AP small {rows[-1].figures.ap_small:.3f}', highlight=False)
    console.print(table(rows))
    (OUT / f'figures-{arguments.iterations}.json').write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if figures := figures_of(rows):
        write_outcome(
            'cascade', watch.outcome(TITLE, SUMMARY, figures, notes=[f'Trained for {arguments.iterations} iterations.'])
        )


def figures_of(rows: Sequence[Row]) -> list[Figure]:
    """For the report; nothing if there is nothing to compare with."""
    found = {row.name: row.figures for row in rows}
    if not {'cascade', CLOSER, 'plain', 'plain in tiles'} <= set(found):
        return []
    ours, closer, plain, tiles = found['cascade'], found[CLOSER], found['plain'], found['plain in tiles']
    figures = [
        at_least(
            'points of AP below 32x32 px more than a plain network of the same compute',
            100 * (ours.ap_small - plain.ap_small), 5.0, 'points', compared='AP of the plain one', compared_value=100 * plain.ap_small,
        ),
        at_least(
            f'small targets found by {CLOSER}', 100 * closer.recall_small_50, round(100 * tiles.recall_small_50, 1), '%',
            compared='the plain one in tiles', compared_value=100 * tiles.recall_small_50,
        ),
        at_most(f'pixels that {CLOSER}, looks at, of those of tiles', closer.pixels / tiles.pixels, 0.333),
    ]  # fmt: skip
    return figures + [Figure(f'AP below 32x32 px: {row.name}', 100 * row.figures.ap_small, '%') for row in rows]


def looks(name: str, request: EvaluateRequest) -> list[tuple[str, EvaluateRequest]]:
    """How a network is run: the whole one also without its second look and with more pixels, the plain one also with more and in tiles."""
    if name == 'cascade':
        closer = replace(request, width=WIDER, second_look=0.5)
        return [(name, request), (CLOSER, closer), ('no second look', replace(request, second_look=0.0))]
    if name == 'plain':
        wider = [(f'plain, width {width}', replace(request, width=width)) for width in (WIDER, SAME_PIXELS)]
        return [('plain', request), *wider, ('plain in tiles', replace(request, tile=TILE))]
    return [(name, request)]


def trained_model(name: str, data: Path, training: dict[str, Any], console: Console) -> tuple[Path, float]:
    """The exported model of a variant, and how long its training took, s."""
    folder = OUT / f'{name.replace(" ", "-")}-{training["iterations"]}'
    model, said = folder / 'model.onnx', folder / 'trained.json'
    if not said.exists():
        recipe = CascadeRecipe(network=NetworkSettings(**VARIANTS[name]))
        settings = recipe.training.model_copy(update=training)
        recipe = recipe.model_copy(update={'training': settings})
        begin = time.monotonic()
        outcome = train(CascadeTask(recipe, read(data)), settings, folder, (folder / 'last.pt').exists())
        export_checkpoint(outcome.best, model, {})
        said.write_text(json.dumps({'seconds': time.monotonic() - begin, **outcome.figures}))
        console.print(f'{name}: trained for {time.monotonic() - begin:.0f} s, {dict(outcome.figures)}', highlight=False)
    return model, float(json.loads(said.read_text())['seconds'])


def gigamacs(options: dict[str, Any]) -> float:
    """Multiplications of a network for a picture of the first look's size."""
    network = CascadeNetwork(NetworkSettings(**options), 1).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, WIDTH * 9 // 16, WIDTH))
    return float(counter.get_total_flops()) / 2e9


def table(rows: list[Row]) -> Table:
    """For people."""
    shown = Table(title='On scenes never trained on', title_justify='left')
    for heading in ('', '10^9 MAC', 'trained, s', 'AP', 'AP small', 'AP small at 0.5', 'recall small', 'pixels', 'ms'):
        shown.add_column(heading, justify='right' if heading else 'left')
    for row in rows:
        found = row.figures
        shares = (found.ap, found.ap_small, found.ap_small_50, found.recall_small_50)
        shown.add_row(
            row.name, f'{row.macs:.2f}', f'{row.trained:.0f}', *(f'{100 * share:.1f}' for share in shares),
            f'{found.pixels:.2f}', f'{found.milliseconds:.0f}',
        )  # fmt: skip
    return shown


if __name__ == '__main__':
    main()
