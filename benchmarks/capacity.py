# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How many cameras this machine looks after, where their processor time goes, and what the same costs without ROS.

    python benchmarks/capacity.py [--seconds S] [--cameras N ...]

The whole graph over DDS with more cameras each time, 1280x720 at 10 frames/s, until something is late. The cameras show pictures that
were drawn before, so that drawing costs nothing here. The same frames then go through one plain process: the same detector, tracker,
selection and files without messages. What is compared is processor time, which others on the machine disturb least.
Writes out/bench/capacity.json beside the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from report.figures import Chart, ChartKind, Figure, Series, Stopwatch, at_most, write_outcome
from rich.console import Console
from rich.table import Table
from whole_graph.region import Measured, measure, own_network, run_plain, write_site
from whole_graph.timers import Spent

from ptz_site import load_site

ROOT = Path(__file__).resolve().parents[1]
#: How many times the processor time of the plain process the graph may cost.
GOAL = 1.25
#: s from capture to the message with tracks, 99 of 100, above which it is late; share of the frames to be looked at that may be skipped.
LATE, SKIPPED = 1.0, 0.5
STAGES = ('capture', 'publish', 'decode', 'detect', 'track', 'select', 'track message', 'stitch', 'record', 'log')
#: What is shown together.
SHOWN = {
    'capture and publish': ('capture', 'publish'),
    'decode': ('decode',),
    'detect': ('detect',),
    'track': ('track', 'track message'),
    'select': ('select',),
    'stitch and record': ('stitch', 'record', 'log'),
}
REST = 'receiving, waiting, threads of DDS'
SUMMARY = (
    'How many cameras of 1280x720 at 10 frames/s this machine looks after, where the processor time goes, how late tracks and recordings '
    'are, and how much of it is the price of ROS: beside one plain process that does the same to the same pictures.'
)


@dataclass(frozen=True)
class Step:
    """So many cameras: the graph, and the plain process. share: of the frames of cameras at rest those that should be looked at."""

    cameras: int
    graph: Measured
    plain: Spent
    share: float

    @property
    def seconds(self) -> float:
        """How long it was measured."""
        return self.graph.end - self.graph.begin

    @property
    def ratio(self) -> float:
        """Processor time of the graph over that of the plain process."""
        return self.graph.cpu / self.plain.cpu

    @property
    def skipped(self) -> float:
        """Share of the frames of cameras at rest that should have been looked at and were not, because a newer one came."""
        resting = sum(frame.mark.phase == 2 for frame in self.graph.frames)
        wanted = resting * self.share
        return max(0.0, 1 - sum(frame.looked_at for frame in self.graph.frames) / max(1.0, wanted))

    def late(self, what: str, share: float) -> float:
        """S from capture, by percentile."""
        delays = self.graph.delays.get(what) or [float('nan')]
        return float(np.percentile(delays, share))

    @property
    def trouble(self) -> str:
        """What is late or lost; empty: nothing."""
        if self.graph.lost:
            return f'{self.graph.lost} frames were lost'
        if self.late('tracks', 99) > LATE:
            return f'tracks came {self.late("tracks", 99):.1f} s after the capture'
        return f'{self.skipped:.0%} of the frames were not looked at' if self.skipped > SKIPPED else ''

    def milliseconds(self, stage: str) -> float:
        """Ms of processor time of a stage in each second."""
        return 1000 * self.graph.stage(stage) / self.seconds

    @property
    def rest(self) -> float:
        """Ms in each second in no stage."""
        return 1000 * sum(one.rest for one in self.graph.spent.values()) / self.seconds


def main() -> int:
    """Measures, and says it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=30.0, help='that each number of cameras is measured for')
    parser.add_argument('--cameras', type=int, nargs='*', default=[1, 2, 3, 4, 6, 8], help='numbers of them, in this order')
    arguments = parser.parse_args()
    watch, console, steps = Stopwatch(), Console(width=150), []
    with own_network():
        for cameras in arguments.cameras:
            steps.append(step(cameras, arguments.seconds))
            console.print(f'{cameras} cameras: {1000 * steps[-1].graph.cpu / steps[-1].seconds:.0f} ms of processor time each second, ',
                          f'{steps[-1].ratio:.2f} times the plain process; {steps[-1].trouble or "in time"}', highlight=False)  # fmt: skip
            if steps[-1].trouble:
                break
    console.print(table(steps))
    target = ROOT / 'out' / 'bench' / 'capacity.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps([facts(one) for one in steps], indent=1) + '\n')
    found = watch.outcome('The whole graph', SUMMARY, figures_of(steps), charts_of(steps), notes_of(steps))
    write_outcome('capacity', found)
    return 0


def step(cameras: int, seconds: float) -> Step:
    """Measures so many cameras, and the plain process."""
    with tempfile.TemporaryDirectory(prefix='capacity_') as name:
        folder = Path(name)
        path = write_site(folder, ROOT / 'config' / 'demo.yaml', cameras)
        graph, site = measure(folder, path, seconds), load_site(str(path))
        share = min(1.0, site.perception.rate / site.cameras['camera_1'].rate)
        return Step(cameras, graph, run_plain(folder, path, graph.frames), share)


def facts(one: Step) -> dict[str, object]:
    """For the file: ms of processor time in each second, by process and stage; MiB by process."""
    return {
        'cameras': one.cameras,
        'trouble': one.trouble,
        'graph_ms': 1000 * one.graph.cpu / one.seconds,
        'plain_ms': 1000 * one.plain.cpu / one.seconds,
        'processes_ms': {name: 1000 * spent.cpu / one.seconds for name, spent in one.graph.spent.items()},
        'rest_ms': {name: 1000 * spent.rest / one.seconds for name, spent in one.graph.spent.items()},
        'stages_ms': {stage: one.milliseconds(stage) for stage in STAGES},
        'plain_stages_ms': {stage: 1000 * spent / one.seconds for stage, spent in one.plain.seconds.items()},
        'memory_mib': {name: size / 2**20 for name, size in one.graph.memory.items()},
        'delays_s': {what: [one.late(what, 50), one.late(what, 99)] for what in ('frame', 'tracks', 'recording')},
    }


def table(steps: Sequence[Step]) -> Table:
    """For people."""
    shown = Table(title='ms of processor time in each second', title_justify='left')
    for heading in ('cameras', 'graph', 'plain', 'ratio', *STAGES, 'rest', 'tracks p99', 'trouble'):
        shown.add_column(heading, justify='right')
    for one in steps:
        times = [1000 * one.graph.cpu / one.seconds, 1000 * one.plain.cpu / one.seconds]
        stages = [f'{one.milliseconds(stage):.0f}' for stage in STAGES]
        late = f'{1000 * one.late("tracks", 99):.0f} ms'
        shown.add_row(
            str(one.cameras), *(f'{ms:.0f}' for ms in times), f'{one.ratio:.2f}', *stages, f'{one.rest:.0f}', late, one.trouble
        )
    return shown


def figures_of(steps: Sequence[Step]) -> list[Figure]:
    """For the report: of the most cameras that were in time."""
    well = [one for one in steps if not one.trouble]
    best = (well or list(steps))[-1]
    cameras, many = best.cameras, f'{best.cameras} camera{"s" if best.cameras > 1 else ""}'
    spent, plain = (1000 * cpu / best.seconds for cpu in (best.graph.cpu, best.plain.cpu))
    figures = [
        Figure(
            'cameras in time',
            max((one.cameras for one in well), default=0),
            note=f'then: {steps[-1].trouble}' if steps[-1].trouble else 'more were not tried',
        ),
        at_most(f'processor time of the graph over that of the plain process, {many}', best.ratio, GOAL, 'times'),
        Figure(f'processor time of the graph, {many}', spent, 'ms/s', compared='plain process', compared_value=plain),
    ]
    for what, name in (
        ('frame', 'frame at the recorder'),
        ('tracks', 'track message at a subscriber'),
        ('recording', 'recording'),
    ):
        for share in (50, 99):
            figures.append(Figure(f'capture to {name}, {share} %, {many}', 1000 * best.late(what, share), 'ms'))
    memory = {name: size / 2**20 for name, size in best.graph.memory.items()}
    each = sum(size for name, size in memory.items() if name.startswith(('driver', 'perception_'))) / cameras
    figures.append(Figure('memory for each camera, driver and perception', each, 'MiB'))
    figures.append(Figure('memory of everything else', sum(memory.values()) - each * cameras, 'MiB'))
    figures += growth(well)
    return figures


def growth(steps: Sequence[Step]) -> list[Figure]:
    """Whether the last camera costs more than the mean of all: linear or better."""
    if len(steps) < 2:
        return []
    first, last = steps[0], steps[-1]
    each = [1000 * one.graph.cpu / one.seconds / one.cameras for one in (first, last)]
    mean = [sum(one.graph.memory.values()) / 2**20 / one.cameras for one in (first, last)]
    name, before = f'for each of {last.cameras} cameras', f'for each of {first.cameras}'
    return [
        at_most(f'processor time {name}', each[1], round(each[0]), 'ms/s', compared=before, compared_value=each[0]),
        at_most(f'memory {name}', mean[1], round(mean[0]), 'MiB', compared=before, compared_value=mean[0]),
    ]


def charts_of(steps: Sequence[Step]) -> list[Chart]:
    """Where the time goes, and how it grows."""
    groups = tuple(name for one in steps for name in (f'{one.cameras} graph', f'{one.cameras} plain'))
    series = []
    for name, stages in SHOWN.items():
        values = [
            value
            for one in steps
            for value in (
                sum(one.milliseconds(stage) for stage in stages),
                sum(1000 * one.plain.seconds.get(stage, 0.0) / one.seconds for stage in stages),
            )
        ]
        series.append(Series(name, groups, tuple(values)))
    rest = [value for one in steps for value in (one.rest, 1000 * one.plain.rest / one.seconds)]
    series.append(Series(REST, groups, tuple(rest)))
    cameras = tuple(float(one.cameras) for one in steps)
    lines = [Series(name, cameras, tuple(1000 * one.late(what, share) for one in steps))
             for what, name, share in (('tracks', 'tracks, 50 %', 50), ('tracks', 'tracks, 99 %', 99))]  # fmt: skip
    memory = Series('all processes', cameras, tuple(sum(one.graph.memory.values()) / 2**20 for one in steps))
    return [
        Chart('Processor time by stage', 'cameras', 'ms of processor time a second', tuple(series), ChartKind.BARS, stacked=True),
        Chart('Delay', 'cameras', 'ms from capture', tuple(lines)),
        Chart('Memory', 'cameras', 'MiB (proportional)', (memory,)),
    ]


def notes_of(steps: Sequence[Step]) -> list[str]:
    """What a reader should know."""
    return [
        f'In time: no frame lost, 99 % of tracks within {LATE:g} s of the capture, at most {SKIPPED:.0%} of frames skipped for newer ones.',
        'Recordings wait for late frames (stitcher.reorder, 0.5 s); the last ones of a stay wait for the next frame of the scene.',
        'A frame counts as recorded when the bag and the video have taken it; the bag is safe from kills up to a second later.',
        'The plain process has no counterpart of turning by the plan, joining tracks of cameras, marks, states and diagnostics.',
        'Memory of a driver includes a simulated world (about 100 MiB) and prepared pictures.',
        f'Measured for {steps[0].seconds:.0f} s each. Two threads of one core: processor time is longer while the other thread is busy.',
    ]


if __name__ == '__main__':
    sys.exit(main())
