# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One run of the demo's region that several test files judge: a target is found, held, handed over and let go; best frames are sent."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conftest import PATIENCE, ended, own_domain, start_command, wait_for
from faults import node_pid
from receiver_process import Receiver, receiving
from target_region import Run, received, say, simulation_epoch_ns, write_picture, write_site

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import RegionState, RotationPlan, TrackArray
from ptz_node.qos import EVENTS, LATCHED_RECORD
from ptz_perception.recognition.watchlist_file import WatchlistFile
from ptz_perception.upload.package_queue import Limits, PackageQueue
from ptz_sim.world import World
from ptz_site import load_site

#: Walks to and fro in the scene `road` for the first 40 s, and looks like nobody else.
WALKER, SCENE, TARGET = 0, 'road', 'walker_0'


@dataclass(frozen=True)
class DemoRun(Run):
    """chosen: ids of the frames that perception said it has chosen. waiting: of those that it still had when it ended.

    listed_ns: when the target was put on the watchlist.
    """

    chosen: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    listed_ns: int = 0


def film(folder: Path) -> DemoRun:
    """Runs the region until the target was held, handed over and let go, with an operator's picture of it."""
    with receiving(folder / 'receiver') as receiver:
        site_path = write_site(folder, receiver, video=True)
        site = load_site(site_path)
        write_picture(site, WALKER, SCENE, folder / 'walker.png')
        with own_domain(), ended(start_command('up', site_path, '--out', folder / 'run', cwd=folder)) as command:
            for name in ('driver_north', 'region_perception'):
                command.until(lambda name=name: node_pid(name, os.environ['ROS_DOMAIN_ID']) is not None, f'{name} starts')
            epoch_ns = simulation_epoch_ns()
            wait_until_all_look(tuple(site.cameras))
            say(folder, 'watch', 'add', TARGET, '--picture', folder / 'walker.png', '--label', 'Walker', '--shape', 'triangle')
            listed_ns = next(one.added_ns for one in WatchlistFile(folder / 'watchlist.json').read() if one.target == TARGET)
            watch_the_target()
            listed = say(folder, 'watch', 'list')
            assert TARGET in listed and 'triangle' in listed
            say(folder, 'watch', 'remove', TARGET)
            wait_until_sent(receiver, [name for camera in site.cameras for name in chosen_by(folder / 'run', camera)])
            assert 'nobody is on the watchlist' in say(folder, 'watch', 'list')
            command.interrupt()
            code, output = command.finish()
            assert code == 0, output
            assert 'Traceback' not in output
        packages, pictures = received(receiver)
    run = folder / 'run'
    chosen = {camera: tuple(chosen_by(run, camera)) for camera in site.cameras}
    waiting = frozenset(name for camera, names in chosen.items() for name in left(folder / 'upload', camera, names))
    return DemoRun(
        run, site, World.of_site(site), epoch_ns, packages, pictures, tuple(itertools.chain(*chosen.values())), waiting, listed_ns
    )


def wait_until_all_look(cameras: Sequence[str]) -> None:
    """The region rotates, and every camera's frames are looked at."""
    with RegionConsole('demo', discovery=PATIENCE) as console:
        looking: set[str] = set()
        for camera in cameras:
            topic = f'/demo/cameras/{camera}/tracks'
            console.node.create_subscription(TrackArray, topic, lambda array: looking.add(array.preset.camera), EVENTS)
        assert console.wait_for(lambda s: s.state == RegionState.STATE_RUNNING, PATIENCE), 'it does not rotate'
        wait_for(lambda: looking == set(cameras), PATIENCE, f'all of {", ".join(cameras)} look')


def watch_the_target() -> None:
    """It is held, handed over and let go."""
    with RegionConsole('demo', discovery=PATIENCE) as console:
        plans: list[RotationPlan] = []
        console.node.create_subscription(RotationPlan, '/demo/plan', plans.append, LATCHED_RECORD)
        wait_for(lambda: any(one.target == TARGET for plan in plans for one in plan.holds), PATIENCE, 'it is held')
        # It goes from scene to scene for some minutes: somewhere it walks away from who holds it.
        wait_for(lambda: any('takes over' in plan.reason for plan in plans), 3 * PATIENCE, 'it is handed over')
        assert console.wait_for(lambda s: not s.holds and s.state == RegionState.STATE_RUNNING, 2 * PATIENCE), 'held for ever'


def wait_until_sent(receiver: Receiver, names: Sequence[str]) -> None:
    """What was chosen until now is with the receiver."""

    def missing() -> set[str]:
        return set(names) - {package.id for package in received(receiver, pictures=False)[0]}

    wait_for(lambda: not missing(), PATIENCE, f'all of {len(names)} best frames are received')


def chosen_by(run: Path, camera: str) -> Iterator[str]:
    """What a camera's perception said that it has chosen."""
    log = (run / 'logs' / f'perception_{camera}.log').read_text()
    return (found[1] for found in re.finditer(r'(\S+) is chosen for', log))


def left(folder: Path, camera: str, names: Sequence[str]) -> list[str]:
    """Those of the packages that still wait in a camera's queue."""
    queue = PackageQueue(folder / f'{camera}.sqlite', Limits(10**9, 10**6))
    try:
        return list(queue.ranks(names))
    finally:
        queue.close()
