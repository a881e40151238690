# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the coordinator's decisions cost as regions grow: simulated cameras report every second, turn, and one of them dies.

Its core without ROS, in simulated time: `tests/simulated_region.py`. Each camera reaches eight scenes; there are as many scenes as
cameras.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
from pathlib import Path

import yaml
from report.figures import Chart, Figure, Series, Stopwatch, at_most, write_outcome
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

SIZES, EACH = (16, 64, 250, 1000), 8
#: s of simulated time, until a camera dies and in all.
FIRST, LENGTH = 15.0, 30.0
SUMMARY = 'What the coordinator costs a core as regions grow: every camera reports once a second, all turn every 5 s, and one of them dies.'


def site_text(size: int) -> str:
    """Cameras and scenes in a ring; each camera reaches the next eight scenes."""
    scenes = {f's{k}': {} for k in range(size)}
    cameras = {}
    for k in range(size):
        presets = {f's{(k + step) % size}': {'pan': 20.0 * step - 70, 'tilt': -15.0, 'zoom': 1.0} for step in range(EACH)}
        cameras[f'c{k}'] = {'backend': 'recorded', 'video': 'none.mp4', 'slew_rate': 120.0, 'presets': presets}
    return yaml.safe_dump({'region': {'name': 'big', 'dwell': 5.0}, 'scenes': scenes, 'cameras': cameras})


def one(size: int) -> dict[str, float]:
    """In a process of its own: ms of processor time for each second, the longest step (ms), and MiB of memory."""
    from simulated_region import SimulatedRegion
    from whole_graph.timers import StageTimers

    from collab_coordinator.core.fleet import Fleet
    from collab_coordinator.core.protocol import Rotation
    from collab_coordinator.core.rotation import RotationRequest
    from ptz_site.schema import Site

    text = site_text(size)
    before = memory()
    site = Site.model_validate(yaml.load(text, getattr(yaml, 'CSafeLoader', yaml.SafeLoader)))
    timers = StageTimers()
    timers.around(Rotation, 'advance', 'advance')
    timers.around(Rotation, 'take', 'reports')
    timers.around(Fleet, 'take', 'reports')
    region = SimulatedRegion(site, RotationRequest(5_000_000_000))
    region.run(FIRST)
    steady = sum(timers.seconds.values())
    region.kill('c0')
    region.run(LENGTH - FIRST)
    total = sum(timers.seconds.values())
    first, second = 1000 * steady / FIRST, 1000 * (total - steady) / (LENGTH - FIRST)
    return {'start': first, 'death': second, 'memory': memory() - before}


def memory() -> float:
    """MiB of this process now."""
    gc.collect()
    return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize() / 2**20


def main() -> int:
    """Measures, and says it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='at most 64 cameras')
    parser.add_argument('--one', type=int, help='only this many cameras; prints a line of JSON')
    arguments = parser.parse_args()
    if arguments.one:
        sys.stdout.write(json.dumps(one(arguments.one)) + '\n')
        return 0
    watch, console, found = Stopwatch(), Console(width=120, highlight=False), {}
    for size in SIZES[:2] if arguments.quick else SIZES:
        said = subprocess.run(
            [sys.executable, __file__, '--one', str(size)], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        found[size] = json.loads(said.splitlines()[-1])
        console.print(f'{size} cameras: ' + ', '.join(f'{name} {value:.1f}' for name, value in found[size].items()))
    sizes = tuple(map(float, found))
    times = tuple(Series(text, sizes, tuple(one[key] for one in found.values())) for key, text in
                  (('start', 'with the start'), ('death', 'with a camera that dies')))  # fmt: skip
    memory = Series('core, site and simulated cameras', sizes, tuple(one['memory'] for one in found.values()))
    charts = [
        Chart('Coordinator', 'cameras', 'ms of processor time a second', times),
        Chart('Memory', 'cameras', 'MiB', (memory,)),
    ]
    write_outcome('growth', watch.outcome('Growth of the coordinator', SUMMARY, figures_of(found), charts, quick=arguments.quick))
    return 0


def figures_of(found: dict[int, dict[str, float]]) -> list[Figure]:
    """For the report. Linear or better: a camera of the largest region costs at most a little more than one of the smallest."""
    first, last = min(found), max(found)
    figures = [Figure(f'coordinator of {size:,} cameras, one of which dies', one['death'], 'ms/s') for size, one in found.items()]
    kinds = (
        ('start', 'ms/s', 'processor time, with the start,'),
        ('death', 'ms/s', 'processor time, with a camera that dies,'),
        ('memory', 'MiB', 'memory'),
    )
    for key, unit, what in kinds:
        each, before = found[last][key] / last, found[first][key] / first
        compared = {'compared': f'for each of {first}', 'compared_value': before}
        figures.append(at_most(f'{what} for each of {last:,} cameras', each, round(1.2 * before, 3), unit, **compared))
    return figures


if __name__ == '__main__':
    sys.exit(main())
