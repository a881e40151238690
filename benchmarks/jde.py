# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracking network with each normalisation, trained in some conditions and tested in others; and DIoU against IoU as loss of boxes.

    python benchmarks/jde.py --data DIR [--again DIR2] [--iterations N] [--trained summer,day] [--only NAME ...]

DIR is what `ptz-collab dataset simulate DIR --conditions summer,day winter,dusk` makes, with enough scenes for the splits train, val and
test. Every network is trained on the same pictures for the same number of iterations, with scenes that have all keywords of --trained,
and tested on scenes never trained on, in single pictures and in sequences: those with the keywords (same), and those that lack one (other).
--again DIR2 is a second data set of the same scenes and people in other conditions, made with the same seed and for example --conditions
summer,dusk winter,day: people of the one are then asked for in the other (across). What was trained before is kept in out/bench/jde/.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jde_tracks import Case, Followed, results, scored
from report.figures import Figure as Told
from report.figures import Stopwatch, at_least, at_most, write_outcome
from rich.console import Console
from rich.table import Table

from ptz_perception.appearance_scale import SAME
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.models.evaluation import precision
from ptz_perception.models.jde.appearance import pictured
from ptz_perception.models.jde.data import Conditions, JdeData, read_split
from ptz_perception.models.jde.export import export_checkpoint, load_network
from ptz_perception.models.jde.identities import IdentityPicture
from ptz_perception.models.jde.looking import look
from ptz_perception.models.jde.network import JdeNetwork
from ptz_perception.models.jde.retrieval import Retrieval, retrieval
from ptz_perception.models.jde.settings import JdeRecipe
from ptz_perception.models.jde.task import JdeTask
from ptz_perception.models.training.loop import Progress, train
from ptz_perception.relatedness import instance_normalised

TITLE = 'Tracking network'
SUMMARY = 'Whether people are found again in seasons and light that the network was not trained on, by kind of normalisation.'
OUT = Path(__file__).resolve().parents[1] / 'out' / 'bench' / 'jde'
CLASSES = ('person',)
#: Of the figures of a training's course, how many there are.
STEPS = 8
#: px, width and height of what is looked at in tests, as perception does by default; how many at once when the time is measured.
LOOKED_AT = (640, 352)
AT_ONCE = 10


@dataclass(frozen=True)
class Variant:
    """What a network is trained with, and the sparsity factors that it is tested with."""

    normalisation: str
    factors: tuple[int, ...] = (1,)
    tested: tuple[int, ...] = (1,)
    box: str = 'diou'

    def recipe(self, iterations: int, batch: int, seed: int, precision: str) -> JdeRecipe:
        """The small network's, for so many iterations."""
        training = {
            'iterations': iterations,
            'batch': batch,
            'validate_every': max(1, iterations // STEPS),
            'threads': 1,
            'precision': precision,
            'seed': seed,
        }
        network, loss = {'normalisation': self.normalisation}, {'factors': self.factors, 'box': self.box}
        return JdeRecipe.model_validate({'network': network, 'loss': loss, 'training': training})


VARIANTS = {
    'batch': Variant('batch'),
    'instance': Variant('instance'),
    'both': Variant('both'),
    'sparse 2': Variant('both', (2,), (2,)),
    'sparse 3': Variant('both', (3,), (3,)),
    'sparse 5': Variant('both', (5,), (5,)),
    'any factor': Variant('both', (1, 2, 3, 4, 5), (1, 2, 5)),
    'both, IoU': Variant('both', box='iou'),
}


@dataclass(frozen=True)
class Figures:
    """Shares from 0 to 1. people: single pictures of them, from other cameras; sequences: seen in whole pictures, by other cameras;

    watched: single pictures asked for in whole ones.
    """

    ap: float
    people_rank_1: float
    people_map: float
    sequences_rank_1: float
    sequences_map: float
    watched_rank_1: float


@dataclass(frozen=True)
class Row:
    """A network with a factor. trained: s; milliseconds: of one picture on one core; across: NaN without a second data set."""

    name: str
    factor: int
    trained: float
    milliseconds: float
    same: Figures
    other: Figures
    across: Retrieval


def main() -> None:
    """Trains what is not trained yet, tests everything, prints and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--again', type=Path)
    parser.add_argument('--iterations', type=int, default=3000)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--precision', default='float32', choices=['float32', 'bfloat16'], help='of the trainings')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--trained', default='summer,day', help='keywords of the scenes to train on')
    parser.add_argument('--only', nargs='*', default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument('--most', type=int, default=200, help='pictures and sequences to test on, of each kind')
    arguments = parser.parse_args()
    words = frozenset(arguments.trained.split(','))
    same = Conditions(wanted=words)
    watch, console = Stopwatch(), Console(width=170)
    torch.set_num_threads(1)
    data = tuple(read_split(arguments.data, split, CLASSES, same) for split in ('train', 'val'))
    tests = {'same': read_split(arguments.data, 'test', CLASSES, same), 'other': _others(arguments.data, words)}
    again = read_split(arguments.again, 'test', CLASSES).people if arguments.again else ()
    rows: list[Row] = []
    tracks: dict[str, Any] = {}
    for name in arguments.only:
        variant = VARIANTS[name]
        folder = OUT / f'{name.replace(" ", "-").replace(",", "")}-{arguments.iterations}-{arguments.seed}'
        seconds = trained(
            variant.recipe(arguments.iterations, arguments.batch, arguments.seed, arguments.precision),
            data[0],
            data[1],
            folder,
            console,
        )
        network, recipe, said = load_network(folder / 'last.pt' if not (folder / 'best.pt').exists() else folder / 'best.pt')
        for factor in variant.tested:
            took = milliseconds(folder / 'model.onnx', factor)
            found = {key: figures(network, test, recipe, factor, arguments.most) for key, test in tests.items()}
            found_again = across(network, (*tests['same'].people, *tests['other'].people), again, recipe, factor)
            for key, test in tests.items():
                case = Case(f'{name}, factor {factor}, {key}', test.pictures, factor, float(said.get('same', SAME)))
                tracks |= results(network, case, CLASSES, LOOKED_AT[0])
            rows.append(Row(name, factor, seconds, took, found['same'], found['other'], found_again))
            console.print(f'{name}, factor {factor}: {found}', highlight=False)
    console.print(table(rows))
    followed = scored(tracks, OUT / f'tracks-{arguments.iterations}-{arguments.seed}.npz')
    console.print(following(followed))
    console.print(course(arguments.only, arguments.iterations, arguments.seed))
    (OUT / f'figures-{arguments.iterations}-{arguments.seed}.json').write_text(
        json.dumps(
            {'networks': [asdict(row) for row in rows], 'tracks': {name: asdict(of) for name, of in followed.items()}}, indent=1
        )
    )
    notes = [f'Trained for {arguments.iterations} iterations, with scenes of {arguments.trained}.']
    write_outcome('jde', watch.outcome(TITLE, SUMMARY, figures_of(rows), notes=notes))


def figures_of(rows: Sequence[Row]) -> list[Told]:
    """For the report: people found again in conditions that were not trained on."""
    plain = next((row for row in rows if row.name == 'batch'), None)
    figures = []
    for row in rows:
        named = f'people found again across conditions, first guess: {row.name}, factor {row.factor}'
        share = 100 * row.other.people_rank_1
        if plain is None or row is plain or row.name == 'instance':
            figures.append(Told(named, share, '%'))
        else:
            limit = round(100 * plain.other.people_rank_1, 1)
            figures.append(at_least(named, share, limit, '%', compared='batch normalisation', compared_value=limit))
        figures.append(Told(f'one picture: {row.name}, factor {row.factor}', row.milliseconds, 'ms'))
    whole = next((row for row in rows if row.name == 'both'), None)
    sparse = [row for row in rows if row.factor > 1]
    if plain is not None and whole is not None and sparse:
        best = max(sparse, key=lambda row: row.other.people_rank_1)
        gain, kept = (row.other.people_rank_1 - plain.other.people_rank_1 for row in (whole, best))
        figures.append(
            at_least('share of the gain that the sparse variant keeps', 100 * kept / gain if gain > 0 else None, 50.0, '%')
        )
        figures.append(at_most('time of the sparse variant, of the whole one', best.milliseconds / whole.milliseconds, 1.0))
    return figures


def _others(folder: Path, words: frozenset[str]) -> JdeData:
    """The test's scenes that lack one of the keywords."""
    parts = [read_split(folder, 'test', CLASSES, Conditions(unwanted=frozenset({word}))) for word in sorted(words)]
    pictures = {one.path: one for part in parts for one in part.pictures}
    people = {one.path: one for part in parts for one in part.people}
    keywords = {words for part in parts for words in part.keywords}
    return JdeData(tuple(pictures.values()), tuple(people.values()), tuple(sorted(keywords)))


def trained(recipe: JdeRecipe, data: JdeData, validated: JdeData, folder: Path, console: Console) -> float:
    """Trains and exports, unless that was done; how long the training took, s."""
    said = folder / 'trained.json'
    if not said.exists():
        begin = time.monotonic()

        def tell(progress: Progress) -> None:
            if progress.figures:
                shown = '  '.join(f'{name} {value:.3f}' for name, value in progress.figures.items())
                console.print(f'{folder.name}, {progress.iteration}: loss {progress.loss:.3f}  {shown}', highlight=False)

        outcome = train(JdeTask(recipe, data, validated), recipe.training, folder, (folder / 'last.pt').exists(), tell)
        export_checkpoint(outcome.best, folder / 'model.onnx', {})
        said.write_text(json.dumps({'seconds': time.monotonic() - begin}))
    return float(json.loads(said.read_text())['seconds'])


def figures(network: JdeNetwork, test: JdeData, recipe: JdeRecipe, factor: int, most: int) -> Figures:
    """On scenes never trained on."""
    single = _spread([one for one in test.pictures if not one.sequence], most)
    # Neighbouring frames show the same.
    filmed = _spread([one for one in test.pictures if one.sequence], most)
    alone, filming = (look(network, pictures, CLASSES, LOOKED_AT[0], factor) for pictures in (single, filmed))
    people = pictured(network, test.people, recipe.data.size, factor)
    found = [retrieval(people), retrieval(filming.people), retrieval(people, filming.people)]
    return Figures(
        precision([*alone.found, *filming.found], [*alone.wanted, *filming.wanted], CLASSES).ap,
        found[0].rank_1,
        found[0].mean_ap,
        found[1].rank_1,
        found[1].mean_ap,
        found[2].rank_1,
    )


def across(
    network: JdeNetwork, people: Sequence[IdentityPicture], again: Sequence[IdentityPicture], recipe: JdeRecipe, factor: int
) -> Retrieval:
    """People asked for in other conditions, and in other cameras."""
    if not again:
        return Retrieval(float('nan'), float('nan'), 0)
    return retrieval(*(pictured(network, some, recipe.data.size, factor) for some in (people, again)))


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    return list(items) if len(items) <= most else [items[number * len(items) // most] for number in range(most)]


def milliseconds(path: Path, factor: int) -> float:
    """Of a picture on one core, by ONNX Runtime; the median of several passes of ten pictures."""
    model = OnnxModel(path, 'cpu')
    width, height = LOOKED_AT
    given: list[Any] = [np.random.default_rng(1).uniform(0, 1, (AT_ONCE, 3, height, width)).astype(np.float32)]
    if len(model.inputs) == 2:
        given.append(instance_normalised(AT_ONCE, factor))
    spent = []
    for _ in range(8):
        begin = time.process_time()
        model.run(*given)
        spent.append(1000 * (time.process_time() - begin) / AT_ONCE)
    return float(np.median(spent[2:]))


def table(rows: Sequence[Row]) -> Table:
    """For people."""
    shown = Table(
        title='On scenes never trained on: in the conditions of the training / in others; shares in %', title_justify='left'
    )
    columns = (
        '',
        'factor',
        'trained, s',
        'ms',
        'AP',
        'people rank 1',
        'people mAP',
        'sequences rank 1',
        'sequences mAP',
        'watched rank 1',
        'across rank 1',
        'across mAP',
    )
    for heading in columns:
        shown.add_column(heading, justify='right' if heading else 'left')
    for row in rows:
        pairs = zip(asdict(row.same).values(), asdict(row.other).values(), strict=True)
        cells = [f'{100 * same:.1f} / {100 * other:.1f}' for same, other in pairs]
        cells += [f'{100 * share:.1f}' for share in (row.across.rank_1, row.across.mean_ap)]
        shown.add_row(row.name, str(row.factor), f'{row.trained:.0f}', f'{row.milliseconds:.1f}', *cells)
    return shown


def following(followed: Mapping[str, Followed]) -> Table:
    """For people."""
    shown = Table(title='Tracks, every frame of the sequences, 5 frames/s; TrackEval', title_justify='left')
    for heading in ('', 'HOTA', 'MOTA', 'IDF1', 'exchanges'):
        shown.add_column(heading, justify='right' if heading else 'left')
    for name, of in followed.items():
        shown.add_row(name, f'{of.hota:.1f}', f'{of.mota:.1f}', f'{of.idf1:.1f}', str(of.switches))
    return shown


def course(names: Sequence[str], iterations: int, seed: int) -> Table:
    """Average precision and loss of boxes in the course of the trainings: how fast each converges."""
    shown = Table(title='AP in validation after so many iterations, in %', title_justify='left')

    shown.add_column('')
    steps = [max(1, iterations // STEPS) * (number + 1) for number in range(STEPS)]
    for step in steps:
        shown.add_column(str(step), justify='right')
    for name in names:
        log = OUT / f'{name.replace(" ", "-").replace(",", "")}-{iterations}-{seed}' / 'log.csv'
        lines = [line.split(',') for line in log.read_text().splitlines()[1:]]
        precise = {int(at): float(value) for at, key, value in lines if key == 'val/ap'}
        cells = [f'{100 * precise[step]:.1f}' if step in precise else '' for step in steps]
        shown.add_row(name, *cells)
    return shown


if __name__ == '__main__':
    main()
