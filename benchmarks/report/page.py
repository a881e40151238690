# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The report of all benchmarks: report.html, one file that holds everything it shows, and report.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup
from pydantic import ConfigDict, TypeAdapter

from report import charts
from report.figures import Figure, Machine, Outcome, replacing


@dataclass(frozen=True)
class Goal:
    """A figure with a goal, and the benchmark that measured it."""

    name: str
    quick: bool
    figure: Figure


@dataclass(frozen=True)
class Report:
    """All that is known. outcomes: by benchmark, in the order of the page; troubles: benchmarks that failed, and why; empty: never
    measured.
    """

    outcomes: dict[str, Outcome]
    troubles: tuple[tuple[str, str], ...]
    command: str
    machine: Machine
    quick: bool = False
    made: str = ''

    __pydantic_config__ = ConfigDict(ser_json_inf_nan='strings')

    @property
    def goals(self) -> list[Goal]:
        """Those that were missed come first, then those that could not be judged."""
        found = [Goal(name, one.quick, figure) for name, one in self.outcomes.items() for figure in one.figures if figure.goal]
        return sorted(found, key=lambda goal: {False: 0, None: 1, True: 2}[goal.figure.reached])


def gather(
    order: Sequence[str],
    outcomes: Mapping[str, Outcome],
    quick: Mapping[str, Outcome],
    failed: Mapping[str, str],
    command: str,
    machine: Machine,
    *,
    was_quick: bool = False,
) -> Report:
    """A report of what was measured, now or earlier.

    outcomes: of full runs, which are preferred; quick: of quick ones, shown where there is no other. failed: benchmarks that did not give
    figures in this run, with the reason.
    """
    names = [*order, *sorted((outcomes.keys() | quick.keys()) - set(order))]
    shown = {name: outcomes.get(name, quick.get(name)) for name in names}
    troubles = []
    for name in names:
        one = shown[name]
        if name in failed:
            earlier = f'; shown is what was measured {one.finished[:10]}' if one is not None else ''
            troubles.append((name, failed[name] + earlier))
        elif one is None:
            troubles.append((name, ''))
    made = datetime.now(UTC).isoformat(timespec='seconds')
    found = {name: one for name, one in shown.items() if one is not None}
    return Report(found, tuple(troubles), command, machine, was_quick, made)


def write(report: Report, folder: Path) -> Path:
    """Writes both files at once or not at all; returns that of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ('report.json', TypeAdapter(Report).dump_json(report, indent=2)),
        ('report.html', render(report).encode()),
    ):
        with replacing(folder / name) as draft:
            draft.write_bytes(content)
    return folder / 'report.html'


def render(report: Report) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        # The style is that of the reports of runs.
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(Path(__file__).parent / 'templates'), jinja2.PackageLoader('ptz_stitcher.report')]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        'value': value_text,
        'compared': compared_text,
        'bound': lambda bound: '' if bound is None else charts.number(bound),
        'reached': _reached,
        'duration': duration_text,
        'legend': charts.legend,
        'draw': lambda chart: Markup(charts.draw(chart)),
    }
    return environment.get_template('bench.html.j2').render(
        made=report.made[:16].replace('T', ' ') + ' UTC',
        command=report.command,
        machine=report.machine,
        quick=report.quick,
        troubles=report.troubles,
        goals=report.goals,
        sections=list(report.outcomes.items()),
    )


def value_text(figure: Figure) -> str:
    """With its unit."""
    if figure.value is None or math.isnan(figure.value):
        return 'not measured'
    return _with_unit(figure.value, figure.unit)


def compared_text(figure: Figure) -> str:
    """What it is compared with, and that one's value."""
    if not figure.compared:
        return ''
    return (
        figure.compared
        if figure.compared_value is None
        else f'{figure.compared}: {_with_unit(figure.compared_value, figure.unit)}'
    )


def duration_text(seconds: float) -> str:
    """Of about this length."""
    return f'{seconds:.0f} s' if seconds < 120 else f'{seconds / 60:.0f} min'


def _with_unit(value: float, unit: str) -> str:
    return f'{charts.number(value)} {unit}'.strip()


def _reached(figure: Figure) -> Markup:
    style, text = {True: ('reached', 'reached'), False: ('missed', 'not reached'), None: ('open', 'not judged')}[figure.reached]
    return Markup('<span class="{}">{}</span>').format(style, text)
