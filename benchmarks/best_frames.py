# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a receiver gets of the demo's region: how little, of whom, and how good, by the simulator's truth. The whole graph over DDS.

A frame's worth for somebody is size x frontality, by the truth: the visible height, times (1 + cos) / 2 of the angle between where they
look and the camera. (The simulator's pictures are all sharp.) *stay*: within one camera's stay, of those who were chosen in it.
*run*: of everything that was sent of a person in the whole run. Writes out/bench/best_frames.json beside the table.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from report.figures import Figure as Told
from report.figures import Stopwatch, at_least, at_most, write_outcome
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from conftest import ended, own_domain, start_command, wait_for  # noqa: E402
from faults import node_pid  # noqa: E402
from receiver_process import receiving  # noqa: E402
from recordings import read_bag  # noqa: E402
from target_region import Run, received, shown_walker, simulation_epoch_ns, walkers_in_view, write_site  # noqa: E402

from ptz_node.convert import time_to_ns  # noqa: E402
from ptz_sim.truth import WalkerTruth  # noqa: E402
from ptz_sim.world import World  # noqa: E402
from ptz_site import load_site  # noqa: E402
from ptz_site.frame_package import FramePackage  # noqa: E402

PATIENCE = 60.0
TITLE = 'Best frames'
SUMMARY = 'How little is sent of everybody who is seen, and how good it is by the truth of the simulator: the whole graph, with a receiver.'
#: s in view from which on somebody must have a frame.
IN_VIEW = 3.0


@dataclass(frozen=True)
class Figures:
    """Of one run. filmed, sent: bytes; needed: people who were in view for long enough, missed: those without a frame of them."""

    selection: str
    seconds: float
    frames: int
    packages: int
    filmed: int
    sent: int
    needed: int
    missed: int
    stay: float
    run: float

    @property
    def times_less(self) -> float:
        """Bytes of all frames over bytes sent."""
        return self.filmed / max(1, self.sent)


def main() -> None:
    """Measures both selections and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=120.0)
    arguments = parser.parse_args()
    watch = Stopwatch()
    found = []
    for selection in ('rules', 'quality'):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(filmed(Path(folder), selection, arguments.seconds), selection))
    table = Table(title='Best frames of the demo at a receiver', title_justify='left')
    for heading in ('selection', 'frames', 'sent', 'times fewer bytes', f'in view {IN_VIEW:g} s, without a frame', 'stay', 'run'):
        table.add_column(heading)
    for one in found:
        missed = f'{one.missed} of {one.needed}'
        row = (
            one.selection,
            str(one.frames),
            str(one.packages),
            f'{one.times_less:.0f}',
            missed,
            f'{one.stay:.2f}',
            f'{one.run:.2f}',
        )
        table.add_row(*row)
    Console(width=120).print(table)
    out = ROOT / 'out' / 'bench'
    out.mkdir(parents=True, exist_ok=True)
    (out / 'best_frames.json').write_text(json.dumps([asdict(one) for one in found], indent=1))
    write_outcome('best_frames', watch.outcome(TITLE, SUMMARY, figures_of(found)))


def figures_of(found: Sequence[Figures]) -> list[Told]:
    """For the report."""
    figures = []
    for one in found:
        named = f' ({one.selection})'
        figures += [
            at_least('bytes of all frames over bytes sent' + named, one.times_less, 50.0, 'times'),
            at_most(f'people in view for {IN_VIEW:g} s without a frame, of {one.needed}' + named, one.missed, 0),
            at_least('worth of the chosen frame, of the best one of the stay, median' + named, one.stay, 0.9),
            Told('worth of the best frame sent, of the best one of the run, median' + named, one.run),
            Told('frames sent' + named, one.packages, compared='all frames', compared_value=one.frames),
        ]
    return figures


def filmed(folder: Path, selection: str, seconds: float) -> Run:
    """Runs the region for some time, with a receiver."""
    with receiving(folder / 'receiver') as receiver:
        site_path = write_site(folder, receiver, selection)
        content = yaml.safe_load(site_path.read_text())
        content['stitcher']['cut'] = 'switch_start'
        site_path.write_text(yaml.safe_dump(content, sort_keys=False))
        site = load_site(site_path)
        words = ('up', site_path, '--duration', seconds, '--out', folder / 'run')
        with own_domain(), ended(start_command(*words, cwd=folder)) as command:
            wait_for(lambda: node_pid('driver_north', os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, 'it starts')
            epoch_ns = simulation_epoch_ns()
            time.sleep(seconds)
            code, output = command.finish(timeout=seconds + 120)
            assert code == 0, output
        packages, pictures = received(receiver)
    return Run(folder / 'run', site, World.of_site(site), epoch_ns, packages, pictures)


def measure(run: Run, selection: str) -> Figures:
    """The figures of a run that is over."""
    frames = [len(m.data) for scene in run.site.scenes for _, m in read_bag(run.folder / scene, '/image/compressed')]
    sent = sum(len(picture) for picture in run.pictures.values()) + sum(len(one.model_dump_json()) for one in run.packages)
    needed = {walker for walker, seconds in walkers_in_view(run).items() if seconds >= IN_VIEW}
    best_of_stay, best_of_run, seconds = possible(run)
    stays: dict[tuple[str, int, int], float] = defaultdict(float)
    people: dict[int, float] = defaultdict(float)
    for package in run.packages:
        for one in package.observations:
            walker = shown_walker(run, package, one) if one.best else None
            if walker is not None:
                value = worth(run, package, walker)
                stays[package.camera, package.slot, walker] = max(stays[package.camera, package.slot, walker], value)
                people[walker] = max(people[walker], value)
    ratios = [value / best_of_stay[stay] for stay, value in stays.items() if best_of_stay.get(stay)]
    overall = [people[walker] / best_of_run[walker] for walker in needed & set(people)]
    missed = len(needed - set(people))
    medians = float(np.median(ratios)), float(np.median(overall))
    return Figures(selection, seconds, len(frames), len(run.packages), sum(frames), sent, len(needed), missed, *medians)


def possible(run: Run) -> tuple[dict[tuple[str, int, int], float], dict[int, float], float]:
    """The best worth of each walker in each stay (camera, slot), and in the run, of the frames that were looked at; and the run's s."""
    stays: dict[tuple[str, int, int], float] = defaultdict(float)
    people: dict[int, float] = defaultdict(float)
    stamps = []
    for _, array in read_bag(run.folder / 'region', '/tracks'):
        at_ns = time_to_ns(array.header.stamp)
        stamps.append(at_ns)
        for one in run.seen(array.preset.camera, array.preset.scene, at_ns):
            stay = (array.preset.camera, array.preset.slot, one.walker)
            stays[stay] = max(stays[stay], value_of(one))
            people[one.walker] = max(people[one.walker], value_of(one))
    return stays, people, (max(stamps) - min(stamps)) / 1e9


def worth(run: Run, package: FramePackage, walker: int) -> float:
    """Of a package's picture for a walker."""
    found = run.walker(walker, package.camera, package.scene, package.stamp_ns)
    return 0.0 if found is None else value_of(found)


def value_of(one: WalkerTruth) -> float:
    """Of a view of a walker."""
    return one.box[3] * one.completeness * (1.0 - one.occluded) * (1.0 + math.cos(one.facing)) / 2.0


if __name__ == '__main__':
    main()
