# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a receiver gets of the demo's region: how little, of whom, and how good, by the simulator's truth. The whole graph over DDS.

A frame's worth for somebody is size x frontality, by the truth: the visible height, times (1 + cos) / 2 of the angle between where they
look and the camera. (The simulator's pictures are all sharp.) *stay*: within one camera's stay, of those who were chosen in it, by the
frames that were chosen for them. *there*: the same people, by all frames of that stay that the receiver has: each one shows everybody who
is in it, whomever it was chosen for. *run*: of everything that was sent of a person in the whole run.

The median of one run's fifty stays is known to 0.05 only, and people who walk otherwise give other figures: `--seeds 7 21 22` films several
worlds and counts their stays together. Writes out/bench/best_frames.json beside the table.
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
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, field
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
#: File in a run's folder: when its world began, ns.
EPOCH = 'epoch_ns'
SELECTIONS = ('rules', 'quality')
#: Camera, slot and walker.
Stay = tuple[str, int, int]


@dataclass
class Ratios:
    """What was chosen over the best that there was: for each stay (stay, there) and each person (run)."""

    stay: list[float] = field(default_factory=list)
    there: list[float] = field(default_factory=list)
    run: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Figures:
    """Of one or more runs. seconds: of one; filmed, sent: bytes; needed: people who were in view for long enough, missed: those without
    a frame of them. stays: how many were compared; low, high: 95 % interval of the median over them.
    """

    selection: str
    seconds: float
    runs: int
    frames: int
    packages: int
    filmed: int
    sent: int
    needed: int
    missed: int
    stays: int
    stay: float
    low: float
    high: float
    there: float
    run: float

    @property
    def times_less(self) -> float:
        """Bytes of all frames over bytes sent."""
        return self.filmed / max(1, self.sent)


def main() -> None:
    """Measures both selections and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=120.0)
    parser.add_argument('--seeds', type=int, nargs='*', default=[], help="of the simulated worlds; none: the demo's")
    parser.add_argument(
        '--keep', type=Path, help='folder for the recordings, which selection_replay.py reads; none: they are dropped'
    )
    parser.add_argument('--selections', nargs='*', choices=SELECTIONS, default=list(SELECTIONS))
    arguments = parser.parse_args()
    watch = Stopwatch()
    found = []
    for selection in arguments.selections:
        with tempfile.TemporaryDirectory() as dropped:
            folder = Path(arguments.keep or dropped, selection).resolve()
            runs = [
                filmed(folder / f'{number}-seed-{seed}', selection, arguments.seconds, seed)
                for number, seed in enumerate(arguments.seeds or [None], start=1)
            ]
            found.append(measure(runs, selection, arguments.seconds))
    table = Table(title='Best frames of the demo at a receiver', title_justify='left')
    headings = (
        f'selection, frames, sent, times fewer bytes, in view {IN_VIEW:g} s: without a frame, stay, 95 %, stays, there, run'
    )
    for heading in headings.split(', '):
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
            f'{one.low:.2f} to {one.high:.2f}',
            str(one.stays),
            f'{one.there:.2f}',
            f'{one.run:.2f}',
        )
        table.add_row(*row)
    Console(width=140).print(table)
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
            at_least(
                'worth of the chosen frame, of the best one of the stay, median' + named,
                one.stay,
                0.9,
                low=one.low,
                high=one.high,
            ),
            Told(
                'worth of the best frame of the stay that the receiver has, of the best one there was, median' + named, one.there
            ),
            Told('worth of the best frame sent, of the best one of the run, median' + named, one.run),
            Told('frames sent' + named, one.packages, compared='all frames', compared_value=one.frames),
        ]
    return figures


def filmed(folder: Path, selection: str, seconds: float, seed: int | None = None) -> Run:
    """Runs the region for some time, with a receiver. seed: of the world; None: the demo's."""
    folder.mkdir(parents=True, exist_ok=True)
    with receiving(folder / 'receiver') as receiver:
        site_path = write_site(folder, receiver, selection)
        content = yaml.safe_load(site_path.read_text())
        content['stitcher']['cut'] = 'switch_start'
        if seed is not None:
            content['simulation']['seed'] = seed
        site_path.write_text(yaml.safe_dump(content, sort_keys=False))
        site = load_site(site_path)
        words = ('up', site_path, '--duration', seconds, '--out', folder / 'run')
        with own_domain(), ended(start_command(*words, cwd=folder)) as command:
            wait_for(lambda: node_pid('driver_north', os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, 'it starts')
            epoch_ns = simulation_epoch_ns()
            (folder / EPOCH).write_text(str(epoch_ns))
            time.sleep(seconds)
            code, output = command.finish(timeout=seconds + 120)
            assert code == 0, output
        packages, pictures = received(receiver)
    return Run(folder / 'run', site, World.of_site(site), epoch_ns, packages, pictures)


def kept_run(folder: Path) -> Run:
    """A run whose recordings are still there, without what was sent."""
    site = load_site(folder / 'demo.yaml')
    return Run(folder / 'run', site, World.of_site(site), int((folder / EPOCH).read_text()))


def measure(runs: Sequence[Run], selection: str, seconds: float) -> Figures:
    """The figures of runs that are over, all their stays and people together."""
    ratios = Ratios()
    frames = sent = filmed_bytes = needed = missed = 0
    for run in runs:
        sizes = [len(m.data) for scene in run.site.scenes for _, m in read_bag(run.folder / scene, '/image/compressed')]
        frames, filmed_bytes = frames + len(sizes), filmed_bytes + sum(sizes)
        sent += sum(len(picture) for picture in run.pictures.values()) + sum(len(one.model_dump_json()) for one in run.packages)
        wanted = {walker for walker, time_seen in walkers_in_view(run).items() if time_seen >= IN_VIEW}
        needed += len(wanted)
        missed += len(wanted - compare(run, wanted, ratios))
    packages = sum(len(run.packages) for run in runs)
    low, high = interval(ratios.stay)
    stay, there, whole = (float(np.median(values)) for values in (ratios.stay, ratios.there, ratios.run))
    return Figures(
        selection,
        seconds,
        len(runs),
        frames,
        packages,
        filmed_bytes,
        sent,
        needed,
        missed,
        len(ratios.stay),
        stay,
        low,
        high,
        there,
        whole,
    )


def compare(run: Run, wanted: Set[int], ratios: Ratios) -> set[int]:
    """Adds what was chosen in a run over the best that there was; returns for whom something was chosen. wanted: whom the run is about."""
    best_of_stay, best_of_run = possible(run)
    chosen: dict[Stay, float] = defaultdict(float)
    there: dict[Stay, float] = defaultdict(float)
    people: dict[int, float] = defaultdict(float)
    for package in run.packages:
        for one in package.observations:
            walker = shown_walker(run, package, one)
            if walker is None:
                continue
            value, stay = worth(run, package, walker), (package.camera, package.slot, walker)
            there[stay] = max(there[stay], value)
            if one.best:
                chosen[stay] = max(chosen[stay], value)
                people[walker] = max(people[walker], value)
    for stay, value in chosen.items():
        if best_of_stay.get(stay):
            ratios.stay.append(value / best_of_stay[stay])
            ratios.there.append(there[stay] / best_of_stay[stay])
    ratios.run += [people[walker] / best_of_run[walker] for walker in wanted & set(people)]
    return set(people)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the median, by drawing the values again and again (bootstrap)."""
    drawn = np.random.default_rng(1).choice(np.asarray(values, float), (2000, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), (2.5, 97.5))
    return float(low), float(high)


def possible(run: Run) -> tuple[dict[Stay, float], dict[int, float]]:
    """The best worth of each walker in each stay, and in the run, of the frames that were looked at."""
    stays: dict[Stay, float] = defaultdict(float)
    people: dict[int, float] = defaultdict(float)
    for _, array in read_bag(run.folder / 'region', '/tracks'):
        at_ns = time_to_ns(array.header.stamp)
        for one in run.seen(array.preset.camera, array.preset.scene, at_ns):
            stay = (array.preset.camera, array.preset.slot, one.walker)
            stays[stay] = max(stays[stay], value_of(one))
            people[one.walker] = max(people[one.walker], value_of(one))
    return stays, people


def worth(run: Run, package: FramePackage, walker: int) -> float:
    """Of a package's picture for a walker."""
    found = run.walker(walker, package.camera, package.scene, package.stamp_ns)
    return 0.0 if found is None else value_of(found)


def value_of(one: WalkerTruth) -> float:
    """Of a view of a walker."""
    return one.box[3] * one.completeness * (1.0 - one.occluded) * (1.0 + math.cos(one.facing)) / 2.0


if __name__ == '__main__':
    main()
