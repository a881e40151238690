# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Prints what follows from a site file: the plan, the coverage, and what can't be covered."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collab_coordinator.examination import Examination, examine
from ptz_site import Site, UserError, load_site


def main(argv: Sequence[str]) -> int:
    """Exit code 0: all is well; 1: the site is valid, but something can't be covered or can't work; 2: it can't be used."""
    parser = argparse.ArgumentParser(prog='check', description='Shows the plan of a site.')
    parser.add_argument('site')
    parser.add_argument('--media', default='')
    arguments = parser.parse_args(argv)
    try:
        site = load_site(arguments.site, arguments.media or None)
    except UserError as error:
        Console(stderr=True).print(escape(str(error)), soft_wrap=True, highlight=False)
        return error.exit_code
    examination = examine(site)
    console = Console()
    console.print(
        f'{escape(arguments.site)}: region {site.region.name}, {len(site.cameras)} cameras, {len(site.scenes)} scenes',
        soft_wrap=True,
    )
    console.print(plan_table(site, examination))
    console.print(coverage_table(site, examination))
    problems = [f"scene {open_.scene} can't be covered: {open_.reason}" for open_ in examination.schedule.uncovered]
    for problem in [*problems, *examination.errors]:
        console.print(f'[red]{escape(problem)}[/]', soft_wrap=True)
    return 1 if problems or examination.errors else 0


def plan_table(site: Site, examination: Examination) -> Table:
    """Slots by cameras."""
    table = Table(title=f'Plan: one cycle of {examination.schedule.slots} slots of {site.region.dwell:g} s', title_justify='left')
    table.add_column('slot')
    for order in examination.schedule.orders:
        table.add_column(order.camera)
    for slot in range(examination.schedule.slots):
        table.add_row(str(slot), *(order.scene(slot) or '-' for order in examination.schedule.orders))
    turns = (f'{turn.seconds:.1f} s' if turn.seconds is not None else 'unknown' for turn in examination.turns)
    table.add_section()
    table.add_row('slowest turn', *turns)
    return table


def coverage_table(site: Site, examination: Examination) -> Table:
    """What each scene gets out of a cycle."""
    schedule = examination.schedule
    table = Table(title='Coverage', title_justify='left')
    for heading in ('scene', 'watched in', 'longest gap', 'views'):
        table.add_column(heading)
    for scene in schedule.scenes:
        watched = sum(bool(schedule.watchers(scene, slot)) for slot in range(schedule.slots))
        gap = schedule.longest_gap(scene)
        views = schedule.views(scene)
        table.add_row(
            scene,
            f'{watched} of {schedule.slots} slots',
            f'{gap * site.region.dwell:g} s' if views else 'always',
            f'{len(views)}: {", ".join(views)}' if views else '[red]none[/]',
        )
    return table


def command() -> int:
    """Entry point of the executable."""
    return main(sys.argv[1:])
