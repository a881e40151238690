# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Whether anything grows: the demo's region at full rate for a long time, with a look at every process every few seconds.

    python benchmarks/soak.py [--minutes M]

Memory, open files and threads of every process; at the end frames lost and how far apart the cameras switched, from the recordings. A slope
is Theil and Sen's (the median of the slopes of all pairs), with the interval that holds it with 95 % confidence (Sen 1968), after the first
fifth of the time, in which caches fill. Something grows if the whole interval lies above what is allowed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from report.figures import Chart, Figure, Series, Stopwatch, at_most, write_outcome
from rich.console import Console
from scipy.stats import theilslopes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from faults import node_pid  # noqa: E402

from collab_bringup.graph import GraphOptions, region_graph  # noqa: E402
from ptz_site import load_site  # noqa: E402

SITE = ROOT / 'config' / 'demo.yaml'
#: s; that a region may take to start, and between two looks at the least.
PATIENCE, PERIOD = 120.0, 2.0
WARM = 0.2
#: In an hour: of MiB, open files, threads.
ALLOWED = {'memory': 5.0, 'files': 1.0, 'threads': 1.0}
UNITS = {'memory': 'MiB', 'files': 'files', 'threads': 'threads'}
#: The stitcher keeps the tables of its videos, which grow with every frame until the files are closed: a few tens of MiB an hour.
STITCHER_MEMORY = 60.0
SKEW = 20.0
SUMMARY = (
    'The demo region at full rate for a long time: memory, open files, threads, lost frames, and how exactly cameras switch.'
)


@dataclass(frozen=True)
class Slope:
    """Of something of a process, in an hour, with the interval that holds it with 95 % confidence."""

    process: str
    what: str
    each_hour: float
    low: float
    high: float


def look(pid: int) -> dict[str, float]:
    """Memory (MiB that only this process has), open files and threads."""
    folder = Path(f'/proc/{pid}')
    private = sum(
        int(line.split()[1]) for line in (folder / 'smaps_rollup').read_text().splitlines() if line.startswith('Private_')
    )
    return {
        'memory': private / 1024,
        'files': float(len(list((folder / 'fd').iterdir()))),
        'threads': float(len(list((folder / 'task').iterdir()))),
    }


def slope(process: str, what: str, times: Sequence[float], values: Sequence[float]) -> Slope:
    """times: s."""
    hours = np.array(times) / 3600
    found = theilslopes(values, hours, 0.95)
    return Slope(process, what, *(float(one) for one in (found[0], found[2], found[3])))


def watch_processes(pids: Mapping[str, int], seconds: float) -> tuple[list[float], dict[str, list[dict[str, float]]]]:
    """Looks at them for some time: when (s), and what was seen by process. SystemExit if one of them ends."""
    begin, period = time.monotonic(), max(PERIOD, seconds / 400)
    times: list[float] = []
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in pids}
    while (now := time.monotonic() - begin) < seconds:
        for name, pid in pids.items():
            try:
                seen[name].append(look(pid))
            except OSError:
                sys.exit(f'{name} ended {now:.0f} s after the begin')
        times.append(now)
        time.sleep(max(0.1, period - (time.monotonic() - begin - now)))
    return times, seen


def main() -> int:
    """Measures, and says it; 1 if a process ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60.0)
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_DOMAIN_ID', str(60 + os.getpid() % 40))
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    watch, console = Stopwatch(), Console(width=140, highlight=False)
    (ROOT / 'out').mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / 'out') as folder:
        times, seen, told = soak(Path(folder), arguments.minutes * 60)
    kept = [place for place, at in enumerate(times) if at >= WARM * times[-1]]
    slopes = [
        slope(name, what, [times[k] for k in kept], [looks[k][what] for k in kept])
        for name, looks in seen.items()
        for what in ALLOWED
    ]
    figures = figures_of(slopes, told)
    for figure in figures:
        console.print(f'{figure.name}: {figure.value:.2f} {figure.unit} ({figure.low} to {figure.high}) {figure.goal}')
    charts = [chart(what, times, seen) for what in ALLOWED]
    notes = [f'{arguments.minutes:g} minutes; slopes in so short a time as a few minutes are uncertain, as their intervals show.']
    write_outcome('soak', watch.outcome('Soak', SUMMARY, figures, charts, notes))
    return 0


def soak(folder: Path, seconds: float) -> tuple[list[float], dict[str, list[dict[str, float]]], dict[str, float]]:
    """Runs the region: what was seen of its processes, and what the recordings say: frames, lost, skew (ms)."""
    site = load_site(str(SITE))
    nodes = [node.name for node in region_graph(site, GraphOptions(str(SITE), out='out'))]
    command = [sys.executable, '-m', 'collab_bringup.cli', 'up', str(SITE), '--out', str(folder / 'run')]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while None in (found := [node_pid(name, os.environ['ROS_DOMAIN_ID']) for name in nodes]):
            if time.monotonic() > deadline:
                sys.exit('the region does not start')
            time.sleep(0.5)
        time.sleep(10.0)
        pids = {name: pid for name, pid in zip(nodes, found, strict=True) if pid is not None}
        times, seen = watch_processes(pids, seconds)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    report = json.loads((folder / 'run' / 'report.json').read_text())
    frames, lost = (sum(camera[key] for camera in report['cameras']) for key in ('frames', 'lost'))
    spreads = [switch['spread_ns'] / 1e6 for switch in report['switches']] or [float('nan')]
    told = {'frames': frames, 'lost': lost, 'skew': max(spreads), 'median skew': float(np.median(spreads))}
    return times, seen, told


def figures_of(slopes: Sequence[Slope], told: Mapping[str, float]) -> list[Figure]:
    """For the report. That something grows is said only if its whole interval lies above what is allowed."""
    figures = []
    for one in slopes:
        allowed = STITCHER_MEMORY if (one.process, one.what) == ('stitcher', 'memory') else ALLOWED[one.what]
        grows = one.low > allowed
        figures.append(
            Figure(f'{one.what} of {one.process}', one.each_hour, f'{UNITS[one.what]}/h', f'not surely above {allowed:g} an hour',
                   not grows, low=one.low, high=one.high)
        )  # fmt: skip
    figures.append(at_most(f'frames lost, of {told["frames"]:.0f}', told['lost'], 0))
    figures.append(
        at_most('cameras switch apart, the farthest', told['skew'], SKEW, 'ms', low=told['median skew'], high=told['skew'])
    )
    return figures


def chart(what: str, times: Sequence[float], seen: Mapping[str, Sequence[Mapping[str, float]]]) -> Chart:
    """Of all processes, over time."""
    minutes = tuple(at / 60 for at in times)
    lines = tuple(Series(name, minutes, tuple(look[what] for look in looks)) for name, looks in seen.items())
    return Chart(what.capitalize(), 'minutes', UNITS[what], lines)


if __name__ == '__main__':
    sys.exit(main())
