# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How exactly cameras switch together, how soon a hold holds, and how soon a region recovers: real processes over DDS.

Writes out/bench/coordinator.json beside the tables.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from report.figures import Figure, Stopwatch, at_most, write_outcome
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from faults import Holder, longest_without, node_pid, on_scene, out, send, shown_in, write_site  # noqa: E402

from collab_bringup.region_console import RegionConsole  # noqa: E402
from ptz_collab_msgs.msg import CameraState, RegionState  # noqa: E402
from ptz_node import names  # noqa: E402
from ptz_node.qos import LATCHED  # noqa: E402

PATIENCE = 40.0
HOLDS = 12
#: ms that the switches of the cameras may be apart.
SKEW = 20.0
SWITCHES = 'cameras switch apart, demo region at full rate'


def main() -> None:
    """Measures and prints."""
    watch = Stopwatch()
    os.environ.setdefault('ROS_DOMAIN_ID', '97')
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    rows: list[tuple[str, Sequence[float], str]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows.append((SWITCHES, switch_skew(Path(folder)), 'ms'))
    with tempfile.TemporaryDirectory() as folder:
        rows += holds_and_recovery(Path(folder))
    table = Table(title=f'Coordinator over DDS, three cameras, {os.cpu_count()} cores', title_justify='left')
    for heading in ('figure', 'times', '50 %', '99 %', 'greatest'):
        table.add_column(heading, justify='left' if heading == 'figure' else 'right')
    facts = []
    for name, values, unit in rows:
        scaled = np.array(values) * (1000 if unit == 'ms' else 1)
        figures = [float(np.percentile(scaled, 50)), float(np.percentile(scaled, 99)), float(scaled.max())]
        facts.append(
            {'figure': name, 'unit': unit, 'times': len(values), 'p50': figures[0], 'p99': figures[1], 'max': figures[2]}
        )
        table.add_row(name, str(len(values)), *(f'{figure:.1f} {unit}' for figure in figures))
    Console(width=120).print(table)
    target = ROOT / 'out' / 'bench' / 'coordinator.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(facts, indent=2) + '\n')
    summary = 'How exactly cameras switch together, how soon a hold holds, and how soon a region is whole again after something was killed.'
    write_outcome('coordinator', watch.outcome('Coordinator, holds and recovery', summary, [told(fact) for fact in facts]))


def told(fact: dict[str, object]) -> Figure:
    """A figure of the report: the median, up to the greatest; of the switches the greatest, which has a goal."""
    name, unit, median, most = str(fact['figure']), str(fact['unit']), float(str(fact['p50'])), float(str(fact['max']))
    if name == SWITCHES:
        return at_most(
            f'{name}, the farthest of {fact["times"]}', most, SKEW, unit, low=median, high=most, note='from: the median'
        )
    return Figure(f'{name}, median of {fact["times"]}', median, unit, low=median, high=most)


def switch_skew(folder: Path) -> list[float]:
    """Seconds between the first and the last camera's switch, for each slot of a minute of the demo with a short dwell."""
    site = yaml.safe_load((ROOT / 'config' / 'demo.yaml').read_text())
    site['region']['dwell'] = 2.5
    (folder / 'site.yaml').write_text(yaml.safe_dump(site))
    command = [sys.executable, '-m', 'collab_bringup.cli', 'up', 'site.yaml', '--duration', '75', '--out', 'run']
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    report = json.loads((folder / 'run' / 'report.json').read_text())
    return [switch['spread_ns'] / 1e9 for switch in report['switches']]


@contextmanager
def region(folder: Path, *, doubled: bool) -> Iterator[RegionConsole]:
    """Small pictures, so that what is measured is the protocol."""
    folder.mkdir()
    site = write_site(folder, doubled=doubled)
    command = [sys.executable, '-m', 'collab_bringup.cli', 'up', str(site), '--out', str(folder / 'run')]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: node_pid('coordinator', os.environ['ROS_DOMAIN_ID']) is not None, 'the coordinator starts')
        with RegionConsole('yard', discovery=PATIENCE) as console:
            until(lambda: rotates(console), 'the region rotates')
            yield console
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def holds_and_recovery(folder: Path) -> list[tuple[str, Sequence[float], str]]:
    """Times (s) by figure."""
    with region(folder / 'three', doubled=False) as console:
        acknowledged = [hold_time(console) for _ in range(HOLDS)]
        replaced = [coordinator_time(console) for _ in range(3)]
    with region(folder / 'two', doubled=True) as console:
        times, begins = [], [time.time_ns()]
        for number in (signal.SIGKILL,) * 3 + (signal.SIGSTOP,) * 3:
            times.append(driver_times(console, number))
            begins.append(time.time_ns())
    killed, stopped = times[:3], times[3:]
    unwatched = [
        max(longest_without(shown_in(folder / 'two' / 'run'), scene, begin, end) for scene in ('gate', 'road'))
        for begin, end in itertools.pairwise(begins)
    ]
    return [
        ('from the HoldScene goal until the last camera follows', acknowledged, 'ms'),
        ('coordinator killed: until its successor leads', replaced, 's'),
        ('driver killed: until others cover its scene', [cover for cover, _ in killed], 's'),
        ('driver killed: longest time without a frame of a scene, by the headers', unwatched[:3], 's'),
        ('driver killed: until it takes part again', [back for _, back in killed], 's'),
        ('driver stopped for 5 s: until others cover its scene', [cover for cover, _ in stopped], 's'),
        ('driver stopped for 5 s: longest time without a frame of a scene', unwatched[3:], 's'),
        ('driver stopped for 5 s: until it takes part again', [back for _, back in stopped], 's'),
    ]


def hold_time(console: RegionConsole) -> float:
    """From the goal until every camera has said that it follows the revision that holds."""
    until(lambda: rotates(console) and console.state.slot_left.sec >= 2, 'the middle of a slot')
    revision = console.state.plan_revision
    taken: dict[str, float] = {}

    def note(message: CameraState) -> None:
        if message.plan_revision > revision:
            taken.setdefault(message.camera, time.monotonic())

    cameras = [one.camera for one in console.state.cameras]
    subscriptions = [
        console.node.create_subscription(CameraState, f'/{console.region}/{names.camera_state(camera)}', note, LATCHED)
        for camera in cameras
    ]
    time.sleep(0.5)
    holder = Holder(console, wait)
    begin = time.monotonic()
    holder.hold(on_scene(console, 'gate'), 'gate')
    until(lambda: len(taken) == len(cameras), 'every camera follows')
    holder.let_go()
    until(lambda: rotates(console) and console.state.plan_revision > revision + 1, 'the rotation goes on')
    for subscription in subscriptions:
        console.node.destroy_subscription(subscription)
    return max(taken.values()) - begin


def coordinator_time(console: RegionConsole) -> float:
    """From the kill until another coordinator leads the rotation."""
    first, begin = console.state.coordinator, time.monotonic()
    send('coordinator', signal.SIGKILL)
    until(lambda: console.state.coordinator != first and rotates(console), 'a successor leads')
    return time.monotonic() - begin


def driver_times(console: RegionConsole, number: signal.Signals) -> tuple[float, float]:
    """From the fault until every scene has a camera that is counted on, and until the camera takes part again."""
    until(lambda: rotates(console) and not out(console) and console.state.slot_left.sec >= 2, 'everybody takes part')
    begin = time.monotonic()
    send('driver_southwest', number)
    until(lambda: 'southwest' in out(console), 'the fault is noticed')
    until(lambda: {one.scene for one in console.state.cameras if not one.out} == {'gate', 'road'}, 'the scenes are covered')
    covered = time.monotonic() - begin
    if number is signal.SIGSTOP:
        time.sleep(max(0.0, 5 - covered))
        begin_back = time.monotonic()
        send('driver_southwest', signal.SIGCONT)
    else:
        begin_back = begin
    until(lambda: not out(console), 'the camera takes part again')
    return covered, time.monotonic() - begin_back


def rotates(console: RegionConsole) -> bool:
    """Whether slots follow each other."""
    return bool(console.state.state == RegionState.STATE_RUNNING)


def wait(condition: Callable[[], bool], timeout: float, what: str) -> None:
    """Waits for a condition; ends the benchmark, saying what was waited for, when it does not come in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f'not within {timeout:g} s: {what}')
        time.sleep(0.002)


def until(condition: Callable[[], bool], what: str) -> None:
    """The same with the usual patience."""
    wait(condition, PATIENCE, what)


if __name__ == '__main__':
    main()
