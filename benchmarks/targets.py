# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How soon a target is held: the demo's region over DDS, one walker after the other on the watchlist, against the simulator's truth.

A frame of a camera at rest is *clear* if it shows the walker whole, at least 80 px high, and almost nothing in front. The delay goes from
the first clear frame after the walker was put on the watchlist to the hold.
Writes out/bench/targets.json beside the table.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from report.figures import Figure, Stopwatch, at_most, write_outcome
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from conftest import ended, own_domain, start_command, wait_for  # noqa: E402
from faults import node_pid  # noqa: E402
from recordings import headers, read_bag  # noqa: E402
from target_region import IN_POSITION, Run, is_clear, say, simulation_epoch_ns, write_picture, write_site  # noqa: E402

from collab_bringup.region_console import RegionConsole  # noqa: E402
from ptz_node.convert import time_to_ns  # noqa: E402
from ptz_perception.recognition.watchlist_file import WatchlistFile  # noqa: E402
from ptz_sim.world import World  # noqa: E402
from ptz_site import load_site  # noqa: E402

S = 1_000_000_000
#: s; discovery and start, and how long somebody is waited for.
PATIENCE, LONGEST = 60.0, 60.0
#: s from the first clear frame to the hold.
GOAL = 1.0
TITLE = 'Targets'
SUMMARY = (
    'How soon the rotation holds once somebody on the watchlist is clearly in a picture; the whole graph on the demo region.'
)
#: m; the embedded detectors put people this near to where they are.
NEAR = 1.5


@dataclass(frozen=True)
class Hold:
    """One walker's: s from its first clear frame until the hold; by whom, and whether it was the walker by the truth."""

    walker: int
    delay: float
    camera: str
    right: bool


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=2, help='times that every walker is looked for (default: 2)')
    arguments = parser.parse_args()
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        run, added = watched(Path(folder), arguments.rounds)
        holds = [hold for walker, begin, end in added if (hold := held(run, walker, begin, end)) is not None]
    delays = np.array([hold.delay for hold in holds if hold.right])
    if not len(delays):
        sys.exit('nobody was held; nothing to measure')
    table = Table(title='From the first clear frame of a target to the hold, s', title_justify='left')
    for heading in ('', 'times', '50 %', '90 %', 'max', 'within 1 s'):
        table.add_column(heading)
    figures = [f'{np.percentile(delays, share):.2f}' for share in (50, 90, 100)]
    table.add_row('hold', str(len(delays)), *figures, f'{(delays <= 1.0).mean():.0%}')
    console = Console()
    console.print(table)
    wrong, missing = sum(not hold.right for hold in holds), len(added) - len(holds)
    console.print(f'holds for somebody else: {wrong}; walkers that were not held within {LONGEST:g} s: {missing}')
    out = ROOT / 'out' / 'bench'
    out.mkdir(parents=True, exist_ok=True)
    (out / 'targets.json').write_text(json.dumps([asdict(hold) for hold in holds], indent=1))
    write_outcome('targets', watch.outcome(TITLE, SUMMARY, figures_of(holds, missing)))


def figures_of(holds: Sequence[Hold], missing: int | None) -> list[Figure]:
    """For the report."""
    delays = np.array([hold.delay for hold in holds if hold.right])
    wrong = sum(not hold.right for hold in holds)
    name = f'first clear frame of a target to the hold, median of {len(delays)}'
    median, low, most = (float(value) for value in np.percentile(delays, (50, 0, 100)))
    figures = [at_most(name, median, GOAL, 's', low=low, high=most)]
    figures.append(Figure(f'holds within {GOAL:g} s', 100 * float((delays <= GOAL).mean()), '%'))
    figures.append(at_most(f'holds for somebody else, of {len(holds)}', wrong, 0))
    if missing is not None:
        figures.append(at_most('targets in view that were never held', missing, 0))
    return figures


def watched(folder: Path, rounds: int) -> tuple[Run, list[tuple[int, int, int]]]:
    """Runs the region; which walker was looked for, from when until when."""
    site_path = write_site(folder)
    site = load_site(site_path)
    pictures = {walker: folder / f'{walker}.png' for walker in range(site.simulation.walkers)}
    for walker, picture in list(pictures.items()):
        if not pictured(site_path, walker, picture):
            del pictures[walker]
    added: list[tuple[int, int, int]] = []
    with own_domain(), ended(start_command('up', site_path, '--out', folder / 'run', cwd=folder)) as command:
        for name in ('driver_north', 'region_perception'):
            wait_for(lambda name=name: node_pid(name, os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, f'{name} starts')
        epoch_ns = simulation_epoch_ns()
        with RegionConsole('demo', discovery=PATIENCE) as console:
            console.wait_for(lambda s: s.state == s.STATE_RUNNING, PATIENCE)
            for walker, picture in [*pictures.items()] * rounds:
                say(folder, 'watch', 'add', f'walker_{walker}', '--picture', picture)
                # Not when the command ends: a hold may have begun by then.
                begin_ns = listed_ns(folder / 'watchlist.json', f'walker_{walker}')
                console.wait_for(lambda s: bool(s.holds), LONGEST)
                added.append((walker, begin_ns, time.time_ns()))
                say(folder, 'watch', 'remove', f'walker_{walker}')
                console.wait_for(lambda s: not s.holds and s.state == s.STATE_RUNNING, PATIENCE)
        command.interrupt()
        command.finish()
    # Read while the folder is there.
    run = Run(folder / 'run', site, World.of_site(site), epoch_ns)
    return run, added


def listed_ns(path: Path, target: str) -> int:
    """When a target was put on the watchlist, ns of ROS time."""
    (added_ns,) = (entry.added_ns for entry in WatchlistFile(path).read() if entry.target == target)
    return added_ns


def pictured(site_path: Path, walker: int, picture: Path) -> bool:
    """Whether somebody could take a picture of a walker in one of the scenes."""
    site = load_site(site_path)
    for scene in site.scenes:
        try:
            write_picture(site, walker, scene, picture)
        except ValueError:
            continue
        return True
    return False


def held(run: Run, walker: int, begin_ns: int, end_ns: int) -> Hold | None:
    """The first hold for a walker while it was looked for, and how long it took."""
    name = f'walker_{walker}'
    for _, plan in read_bag(run.folder / 'region', '/plan'):
        holds = [hold for hold in plan.holds if hold.target == name]
        if holds and begin_ns <= time_to_ns(holds[0].since) <= end_ns:
            break
    else:
        return None
    at_ns, camera = time_to_ns(holds[0].since), holds[0].camera
    shown = [h for h in headers(run.folder / 'region') if h.phase == IN_POSITION and begin_ns <= h.stamp_ns <= at_ns]
    clear = [h for h in shown if is_clear(run.walker(walker, h.camera, h.scene, h.stamp_ns))]
    first = min((h.stamp_ns for h in clear), default=begin_ns)
    return Hold(walker, (at_ns - first) / S, camera, is_right(run, walker, camera, at_ns))


def is_right(run: Run, walker: int, camera: str, at_ns: int) -> bool:
    """Whether whom a camera took for the target about then stood where the walker was."""
    away = []
    for _, array in read_bag(run.folder / 'region', '/tracks'):
        stamp_ns = time_to_ns(array.header.stamp)
        if array.preset.camera == camera and abs(stamp_ns - at_ns) < S:
            there = [one for one in run.world.state((stamp_ns - run.epoch_ns) / S).walkers if one.id == walker]
            for track in array.tracks:
                if track.target == f'walker_{walker}' and track.source == track.SOURCE_DETECTED:
                    away.append(
                        min((math.hypot(one.x - track.ground.x, one.y - track.ground.y) for one in there), default=math.inf)
                    )
    return bool(away) and float(np.median(away)) < NEAR


if __name__ == '__main__':
    main()
