# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a site file and shows the plan that follows from it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collab_coordinator.plan_report import PlanExamination, examine
from ptz_site import DwellSuggestion, Site, StayTimes, UserError, load_site

#: Slots shown of a long cycle.
_MOST_SLOTS = 40


def main(argv: Sequence[str] | None = None, stays: StayTimes | None = None) -> int:
    """Entry point; returns the exit code: 0 the region can run, 1 something can't be covered or run, 2 the file can't be used.

    stays: what was seen of people in earlier runs, for a suggested dwell.
    """
    parser = argparse.ArgumentParser(prog='check', description="Validates a site file, shows its plan and what can't be covered.")
    parser.add_argument('site', type=Path, metavar='SITE', help='site file')
    parser.add_argument(
        '--media', default='', metavar='DIR', help="folder of recorded cameras' videos (default: the site file's)"
    )
    arguments = parser.parse_args(argv)
    try:
        site = load_site(arguments.site, arguments.media or None)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    # Off a terminal nothing knows how wide lines may be; wide enough, so that tables are not folded.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    examination = examine(site, stays)
    show(site, examination, console)
    return 1 if examination.problems else 0


def show(site: Site, examination: PlanExamination, console: Console) -> None:
    """Prints the plan, the coverage, the turns, and what was found."""
    cameras, scenes = len(site.cameras), len(site.scenes)
    console.print(
        f'region [bold]{site.region.name}[/]: {cameras} camera{"s" * (cameras != 1)}, {scenes} scene{"s" * (scenes != 1)}, '
        f'dwell {examination.dwell:g} s, cycle {examination.schedule.slots_per_cycle * examination.dwell:g} s',
        soft_wrap=True,
        highlight=False,
    )
    if examination.schedule.orders:
        console.print(_plan_table(examination))
    console.print(_coverage_table(examination))
    if examination.turns:
        console.print(_turn_table(examination))
    if examination.suggestion is not None:
        console.print(
            _suggestion(site, examination.suggestion, examination.schedule.slots_per_cycle), soft_wrap=True, highlight=False
        )
    for note in (*site.recording_notes, *examination.notes):
        console.print(f'[yellow]note:[/] {escape(note)}', soft_wrap=True, highlight=False)
    for problem in examination.problems:
        console.print(f'[red]problem:[/] {escape(problem)}', soft_wrap=True, highlight=False)
    if not examination.problems and not examination.notes:
        console.print('[green]every scene is covered in every slot[/]', highlight=False)


def _suggestion(site: Site, suggestion: DwellSuggestion, slots: int) -> str:
    why = 'as short as the turns allow' if suggestion.limited else f'a cycle of {slots} slots then fits into such a stay'
    text = f'dwell: half of the people stay for {suggestion.median:.1f} s or less; {suggestion.dwell:g} s would suit ({why})'
    return text if site.region.dwell == 'auto' else f'{text}; dwell: auto follows it'


def _plan_table(examination: PlanExamination) -> Table:
    schedule = examination.schedule
    table = Table(title='Plan', title_justify='left')
    table.add_column('slot', justify='right')
    table.add_column('from', justify='right')
    for order in schedule.orders:
        table.add_column(order.camera)
    shown = min(schedule.slots_per_cycle, _MOST_SLOTS)
    for slot in range(shown):
        table.add_row(str(slot), f'{slot * examination.dwell:g} s', *(order.scene(slot) for order in schedule.orders))
    if shown < schedule.slots_per_cycle:
        table.caption = f'{schedule.slots_per_cycle - shown} more slots'
    return table


def _coverage_table(examination: PlanExamination) -> Table:
    slots = examination.schedule.slots_per_cycle
    table = Table(title='Coverage', title_justify='left')
    for heading in ('scene', 'covered', 'longest gap', 'views', 'by'):
        table.add_column(heading)
    for cover in examination.scenes:
        covered = 'always' if slots and cover.covered_slots == slots else f'{cover.covered_slots} of {slots} slots'
        if not cover.views:
            covered, gap = '[red]never[/]', 'always'
        else:
            gap = f'{cover.longest_gap * examination.dwell:g} s' if cover.longest_gap else 'none'
        table.add_row(cover.scene, covered, gap, str(len(cover.views)), ', '.join(cover.views))
    return table


def _turn_table(examination: PlanExamination) -> Table:
    table = Table(title='Slowest turns', title_justify='left')
    for heading in ('camera', 'from', 'to'):
        table.add_column(heading)
    table.add_column('takes', justify='right')
    table.add_column('of the dwell', justify='right')
    for turn in examination.turns:
        table.add_row(turn.camera, turn.origin, turn.goal, f'{turn.seconds:.2f} s', f'{turn.seconds / examination.dwell:.0%}')
    return table


if __name__ == '__main__':
    sys.exit(main())
