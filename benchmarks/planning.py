# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long planning takes, and what the order of the slots saves: regions of growing size in which each camera reaches eight scenes."""

from __future__ import annotations

import argparse
import random
import time

import numpy as np
from report.figures import Chart, Figure, Series, Stopwatch, at_most, write_outcome
from rich.console import Console
from rich.table import Table

from collab_coordinator.planning import TurnTimes, plan_orders
from collab_coordinator.planning.planner import total_turning

SIZES = (10, 100, 1_000, 10_000)
EACH = 8
#: s that planning may take, for so many cameras.
GOALS = {1_000: 1.0, 10_000: 20.0}


def region(size: int) -> tuple[dict[str, list[str]], list[str], TurnTimes]:
    """As many scenes as cameras; presets anywhere within 180 degrees of pan and 57 of tilt, zoom 1 to 16."""
    dice, noise = random.Random(size), np.random.default_rng(size)
    scenes = [f's{k}' for k in range(size)]
    reached = [sorted(dice.sample(range(size), min(EACH, size))) for _ in range(size)]
    pairs = np.array([camera * size + scene for camera, some in enumerate(reached) for scene in some])
    turns = TurnTimes(
        {f'c{k}': k for k in range(size)},
        {name: k for k, name in enumerate(scenes)},
        pairs,
        noise.uniform(-np.pi / 2, np.pi / 2, len(pairs)),
        noise.uniform(-1, 0, len(pairs)),
        noise.uniform(0, 4, len(pairs)),
        np.full(size, 1.5),
        np.full(size, 4.5),
        np.full(size, 2.0),
    )
    return {f'c{camera}': [scenes[s] for s in some] for camera, some in enumerate(reached)}, scenes, turns


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='at most 1,000 cameras')
    quick = parser.parse_args().quick
    watch, found, saved = Stopwatch(), {}, {}
    table = Table(title=f'Planning: each camera reaches {EACH} scenes; one core', title_justify='left')
    for heading in (
        'cameras = scenes',
        'slots in a cycle',
        'planned in',
        'turning per camera and slot',
        'without ordering the slots',
    ):
        table.add_column(heading, justify='right')
    for size in SIZES[:-1] if quick else SIZES:
        reach, scenes, turns = region(size)
        begin = time.process_time()
        schedule = plan_orders(reach, scenes, turns=turns)
        seconds = time.process_time() - begin
        per = size * schedule.slots_per_cycle
        ordered, plain = (total_turning(s, turns) / per for s in (schedule, plan_orders(reach, scenes)))
        slots = str(schedule.slots_per_cycle)
        found[size], saved[size] = seconds, 100 * (1 - ordered / plain)
        table.add_row(f'{size:,}', slots, f'{seconds:.3f} s', f'{ordered:.2f} s', f'{plain:.2f} s ({ordered / plain - 1:+.0%})')
    Console(width=140).print(table)
    figures = [planned(size, seconds) for size, seconds in found.items()]
    figures += [Figure(f'less turning by the order of slots, {size:,} cameras', share, '%') for size, share in saved.items()]
    sizes = tuple(map(float, found))
    chart = Chart(
        'Planning time',
        'cameras (as many scenes, logarithmic)',
        's of one core',
        (Series('planning', sizes, tuple(found.values())),),
        log_x=True,
    )
    summary = 'How long it takes to plan who watches what when, as regions grow.'
    write_outcome('planning', watch.outcome('Planning', summary, figures, [chart], quick=quick))


def planned(size: int, seconds: float) -> Figure:
    """The planning time of a region, with its goal where it has one."""
    name = f'planning of {size:,} cameras and scenes, {EACH} scenes each'
    return at_most(name, seconds, GOALS[size], 's') if size in GOALS else Figure(name, seconds, 's')


if __name__ == '__main__':
    main()
