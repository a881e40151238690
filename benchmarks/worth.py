# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What it is worth that cameras work together: regions in simulated time, watched in every way, by the truth of the simulator.

People come, stop, turn and leave in regions with buildings; cameras are fixed, tour by themselves, all look at the same scene, or do what
the product does: its own coordinator and holders, without ROS and without a clock. The upper bound is that of cameras that know the future.
--graph runs the demo's region over DDS besides, and compares it with the model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence

from report.figures import Figure, Stopwatch, write_outcome
from rich.console import Console
from rich.progress import track
from worth import telling
from worth.comparison import Result, compare
from worth.scenario import DENSITIES, SIZES, Scenario, Size, scenarios

TITLE = 'What it is worth'
SUMMARY = 'How much more is seen of people, and of targets, by cameras that work together than by cameras that each do their own.'
NOTES = (
    'Frontal: within 45 degrees, the whole person at least 80 px high, hardly hidden, the camera at rest. One of ten people is a target.',
    'A target is recognised once a camera at rest has seen it clearly for 1 s. Where it looks is known by where it walks, and by pictures '
    'as wrongly as by the facing model that comes with perception.',
    'The bound lets all cameras leave their scenes for a target; the product keeps every scene watched.',
)


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help='few and small regions')
    parser.add_argument('--seeds', type=int, default=12, help='regions of each size and density (default: 12)')
    parser.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    parser.add_argument('--graph', action='store_true', help='compare the model with the whole graph too, for a minute')
    arguments = parser.parse_args()
    watch, console = Stopwatch(), Console(width=160)
    wanted = list(
        scenarios((Size(2, 2), Size(4, 4)), (3, 10), 2, 60.0)
        if arguments.quick
        else scenarios(SIZES, DENSITIES, arguments.seeds, 180.0)
    )
    results = list(track(_compared(wanted, arguments.jobs), 'regions', len(wanted), console=console))
    console.print(telling.table(results))
    figures = [*telling.figures(results), speed(results)]
    if arguments.graph:
        from worth import graph

        figures += graph.confirmed()
    for one in figures:
        console.print(f'{one.name}: {one.value:.3f} {one.unit} {one.goal and f"(goal: {one.goal})"}', markup=False)
    write_outcome('worth', watch.outcome(TITLE, SUMMARY, figures, telling.charts(results), NOTES, quick=arguments.quick))
    return 0


def _compared(wanted: Sequence[Scenario], jobs: int) -> Iterator[Result]:
    if jobs <= 1:
        yield from map(compare, wanted)
        return
    with multiprocessing.get_context('spawn').Pool(jobs) as pool:
        yield from pool.imap(compare, wanted)


def speed(results: Sequence[Result]) -> Figure:
    """How fast regions are watched: all ways of each count. By processor time: the machine may have other things to do."""
    minutes = sum(one.scenario.seconds * len(one.worth) for one in results) / 60
    used = os.times()
    seconds = used.user + used.system + used.children_user + used.children_system
    return Figure('regions watched in simulated time, minutes per minute of one core', 60 * minutes / seconds)


if __name__ == '__main__':
    sys.exit(main())
