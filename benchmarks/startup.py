# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How long a region takes to start, to end, and to be whole again after one of its processes was killed: the demo's, over DDS."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import rclpy
from rclpy.node import Node
from report.figures import Figure, Stopwatch, at_most, write_outcome
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from faults import node_pid  # noqa: E402

from ptz_collab_msgs.msg import PresetFrame, RegionState, TrackArray  # noqa: E402
from ptz_node import names  # noqa: E402
from ptz_node.executor import QuietExecutor  # noqa: E402
from ptz_node.qos import EVENTS, FRAMES_LATEST, LATCHED  # noqa: E402
from ptz_site import load_site  # noqa: E402

SITE = ROOT / 'config' / 'demo.yaml'
#: s that anything may take.
PATIENCE = 180.0
SUMMARY = (
    'How long the demo region takes to start and to end, and how soon it is whole again after one of its processes was killed.'
)


class Listener:
    """When what came last from whom, as time.monotonic(): frames and tracks by camera, the region's state."""

    def __init__(self, node: Node) -> None:
        site = load_site(str(SITE))
        self.cameras = tuple(site.cameras)
        self.frames: dict[str, float] = {}
        self.tracks: dict[str, float] = {}
        self.coordinators: dict[str, float] = {}
        prefix = f'/{site.region.name}/'
        for camera in self.cameras:
            note = partial(self._note, camera)
            node.create_subscription(PresetFrame, prefix + names.camera_frames(camera), partial(note, self.frames), FRAMES_LATEST)
            node.create_subscription(TrackArray, prefix + names.camera_tracks(camera), partial(note, self.tracks), EVENTS)
        node.create_subscription(RegionState, prefix + names.REGION_STATE, self._on_state, LATCHED)

    def _note(self, camera: str, times: dict[str, float], _message: object) -> None:
        times[camera] = time.monotonic()

    def _on_state(self, message: RegionState) -> None:
        if message.state == RegionState.STATE_RUNNING:
            self.coordinators.setdefault(message.coordinator, time.monotonic())


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A node of its own for the time."""
    rclpy.init()
    node = rclpy.create_node('startup_listener')
    executor = QuietExecutor()
    listener = Listener(node)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        executor.shutdown()
        thread.join(5)
        node.destroy_node()
        rclpy.try_shutdown()


@contextlib.contextmanager
def region() -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`ptz-collab up` of the demo, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'collab_bringup.cli', 'up', str(SITE), '--out', f'{folder}/run']
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process, Path(folder, 'run')
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)


def until(condition: Callable[[], bool], what: str) -> float:
    """Waits; s that it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > PATIENCE:
            sys.exit(f'not within {PATIENCE:g} s: {what}')
        time.sleep(0.01)
    return time.monotonic() - begin


def started(listener: Listener) -> tuple[float, float, float]:
    """S until the first frame of the last camera, until the rotation runs, and until every camera's tracks came."""
    begin = time.monotonic()
    until(lambda: len(listener.frames) == len(listener.cameras), 'every camera sends frames')
    frames = time.monotonic() - begin
    until(lambda: bool(listener.coordinators), 'the rotation runs')
    rotates = time.monotonic() - begin
    until(lambda: len(listener.tracks) == len(listener.cameras), 'every camera is looked at')
    return frames, rotates, time.monotonic() - begin


def killed(name: str, times: Callable[[], dict[str, float]], key: str, what: str) -> float:
    """Kills a process; s until something came of its successor."""
    domain = os.environ['ROS_DOMAIN_ID']
    pid = node_pid(name, domain)
    if pid is None:
        sys.exit(f'{name} does not run')
    os.kill(pid, signal.SIGKILL)
    begin = time.monotonic()
    until(lambda: node_pid(name, domain) not in (None, pid), f'{name} is started again')
    again = time.monotonic()
    until(lambda: times().get(key, 0.0) > again, what)
    return time.monotonic() - begin


def killed_coordinator(listener: Listener) -> float:
    """Kills it; s until another one leads the rotation."""
    known = set(listener.coordinators)
    pid = node_pid('coordinator', os.environ['ROS_DOMAIN_ID'])
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return until(lambda: bool(set(listener.coordinators) - known), 'another coordinator leads')


def run(found: dict[str, list[float]], kills: int) -> None:
    """One region from start to end, with kills."""
    with listening() as listener, region() as (process, folder):
        for name, seconds in zip(('frames', 'rotation', 'tracks'), started(listener), strict=True):
            found.setdefault(name, []).append(seconds)
        for _ in range(kills):
            camera = listener.cameras[0]
            found.setdefault('perception', []).append(
                killed(f'perception_{camera}', lambda: listener.tracks, camera, 'it looks again')
            )
            found.setdefault('driver', []).append(
                killed(f'driver_{camera}', lambda: listener.frames, camera, 'it sends frames again')
            )
            found.setdefault('coordinator', []).append(killed_coordinator(listener))
            found.setdefault('stitcher', []).append(killed_stitcher(folder))
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        found.setdefault('end', []).append(time.monotonic() - begin)


def killed_stitcher(folder: Path) -> float:
    """Kills it; s until its successor has written frames of a scene."""
    domain = os.environ['ROS_DOMAIN_ID']
    pid = node_pid('stitcher', domain)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    begin = time.monotonic()
    known = set(folder.glob('*/*.mcap'))
    until(
        lambda: any(file.stat().st_size > 100_000 for file in set(folder.glob('*/*.mcap')) - known), 'frames are recorded again'
    )
    return time.monotonic() - begin


NAMES = {
    'frames': 'ptz-collab up until the first frame of the last camera',
    'rotation': 'ptz-collab up until the rotation runs',
    'tracks': 'ptz-collab up until every camera is looked at',
    'end': 'Ctrl-C until everything is closed and reported',
    'coordinator': 'coordinator killed: until another one leads',
    'driver': 'driver killed: until its frames come again',
    'perception': 'perception killed: until its tracks come again',
    'stitcher': 'stitcher killed: until frames are recorded again',
}
#: s; what somebody who waits for it would call well.
GOALS = {'frames': 30.0, 'end': 15.0, 'coordinator': 10.0, 'driver': 15.0, 'perception': 15.0}


def figures_of(found: dict[str, list[float]]) -> list[Figure]:
    """For the report: medians, and from the shortest to the longest."""
    figures = []
    for key, name in NAMES.items():
        times = found.get(key, [])
        if not times:
            continue
        value, bounds = float(np.median(times)), {'low': min(times), 'high': max(times)}
        goal = GOALS.get(key)
        figures.append(at_most(name, value, goal, 's', **bounds) if goal else Figure(name, value, 's', **bounds))
    return figures


def main() -> int:
    """Measures, and says it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=3, help='of each process (default: 3)')
    kills = parser.parse_args().kills
    os.environ.setdefault('ROS_DOMAIN_ID', str(60 + os.getpid() % 40))
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    watch, console, found = Stopwatch(), Console(width=120, highlight=False), {}
    run(found, kills)
    figures = figures_of(found)
    for figure in figures:
        console.print(f'{figure.name}: {figure.value:.1f} s ({figure.low:.1f} to {figure.high:.1f})')
    write_outcome('startup', watch.outcome('Start, end and recovery', SUMMARY, figures))
    return 0


if __name__ == '__main__':
    sys.exit(main())
