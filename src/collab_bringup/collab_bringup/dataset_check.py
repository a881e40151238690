# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""`ptz-collab dataset check`: what is in data sets, and everything that is wrong with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collab_bringup.terminal import progress_bar
from ptz_perception.datasets import DataSet, DataSetKind, Fault, FaultKind, find, read
from ptz_perception.datasets.checking import Checker, SplitFacts
from ptz_site import UserError

#: Faults of one kind that are shown unless all are wanted.
_SHOWN = 20


@dataclass(frozen=True)
class CheckRequest:
    """What `dataset check` was told. kind None: each data set's own."""

    paths: tuple[Path, ...]
    kind: DataSetKind | None = None
    every_fault: bool = False


class FaultLog:
    """Counts faults, and keeps as many of each kind as are shown."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._kept: dict[FaultKind, list[Fault]] = defaultdict(list)
        self._counts: Counter[FaultKind] = Counter()

    def __call__(self, fault: Fault) -> None:
        """Hears of a fault."""
        self._counts[fault.kind] += 1
        if self._most is None or self._counts[fault.kind] <= self._most:
            self._kept[fault.kind].append(fault)

    def __len__(self) -> int:
        return self._counts.total()

    def show(self, console: Console) -> None:
        """Kind by kind, each fault in one line."""
        for kind in FaultKind:
            kept, count = self._kept[kind], self._counts[kind]
            if not count:
                continue
            console.print(f'\n[bold red]{kind}[/]: {count}', highlight=False)
            for fault in kept:
                console.print(escape(str(fault)), soft_wrap=True, highlight=False)
            if len(kept) < count:
                console.print(f'... and {count - len(kept)} more; --all shows them', highlight=False)


def check(request: CheckRequest, console: Console) -> int:
    """Checks data sets; 0: nothing is wrong, 1: something is. Raises UserError for what is no data set."""
    for path in request.paths:
        if not path.exists():
            raise UserError(f'{path} is not there; check the path')
    faults = FaultLog(None if request.every_fault else _SHOWN)
    for path in request.paths:
        _check(path, request.kind, faults, console)
    if not len(faults):
        console.print('[green]nothing is wrong[/]', highlight=False)
        return 0
    faults.show(console)
    console.print(f'\n[red]{len(faults)} fault{"s" * (len(faults) != 1)}[/]', highlight=False)
    return 1


def _check(path: Path, kind: DataSetKind | None, faults: FaultLog, console: Console) -> None:
    """What is at one path is used together: its splits must not share scenes or pictures."""
    found = find(path) if kind is None else [(kind, path)]
    if not found:
        raise UserError(
            f'{path}: no data set in COCO, MOTChallenge or YOLO format; say which with --format to hear what is missing'
        )
    checker = Checker(faults)
    for one, where in found:
        with progress_bar(console) as progress:
            task = progress.add_task(f'reading {where.name}', total=None)
            data = read(where, one, faults)
            progress.update(task, description=f'checking {where.name}', total=sum(split.count for split in data.splits))
            facts = checker.check(data, lambda progress=progress, task=task: progress.advance(task))  # type: ignore[misc]
        console.print(_table(data, facts))
        console.print(_classes(data, facts), soft_wrap=True, highlight=False)


def _table(data: DataSet, facts: Sequence[SplitFacts]) -> Table:
    # Without lines, so that it fits into 80 columns.
    title, caption = f'{escape(str(data.path))} ({data.kind.upper()})', 'small: below 32 x 32 px, large: from 96 x 96 px on'
    table = Table(title=title, title_justify='left', caption=caption, caption_justify='left', box=None, pad_edge=False)
    table.add_column('split')
    for heading in ('scenes', 'pictures', 'empty', 'boxes', 'small', 'medium', 'large', 'ignored', 'tracks'):
        table.add_column(heading, justify='right', no_wrap=True)
    for one in facts:
        numbers = (len(one.scenes), one.pictures, one.empty, one.boxes, one.small, one.medium, one.large, one.ignored, one.tracks)
        table.add_row(escape(one.name), *(str(number) if number else '-' for number in numbers))
    return table


def _classes(data: DataSet, facts: Sequence[SplitFacts]) -> str:
    """How many boxes of each class are in each split; classes of MOTChallenge that nobody used are left out."""
    counts = {name: [one.classes[name] for one in facts] for name in data.names}
    shown = {name: numbers for name, numbers in counts.items() if any(numbers) or data.kind is not DataSetKind.MOT}
    each = '; '.join(f'{escape(name)} {", ".join(map(str, numbers))}' for name, numbers in shown.items())
    return f'classes ({", ".join(escape(one.name) for one in facts)}): {each or "none"}'
