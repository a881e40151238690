# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A region of so many cameras on prepared pictures: its site, its processes, and what they say afterwards."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rosbags.highlevel import AnyReader

from collab_bringup.graph import GraphOptions, NodeSpec, region_graph
from collab_bringup.processes import node_command
from ptz_site import Site, load_site
from ptz_stitcher.frames import time_ns
from whole_graph.pictures import prepare
from whole_graph.plain import PlainFrame, mark_of
from whole_graph.timers import Spent, spent_between

NODE = Path(__file__).with_name('node.py')
#: s of prepared pictures of each scene.
PICTURES = 4.0
#: s that a region may take to start, and to end.
PATIENCE = 120.0
IN_POSITION = 2


def write_site(folder: Path, demo: Path, cameras: int, changes: dict[str, object] | None = None) -> Path:
    """The demo's scenes and settings with so many cameras around them; best frames are kept for a receiver that is not there."""
    content = yaml.safe_load(demo.read_text())
    entry = dict(content['cameras']['north'])
    content['cameras'] = {}
    for number in range(cameras):
        angle = 2 * math.pi * number / cameras + math.pi / 2
        x, y = 28 * math.cos(angle), 28 * math.sin(angle)
        pose = {'x': round(x, 2), 'y': round(y, 2), 'z': 7, 'yaw': round(math.degrees(math.atan2(-y, -x)), 1)}
        content['cameras'][f'camera_{number + 1}'] = {**entry, 'pose': pose}
    (folder / 'token').write_text('nobody')
    upload = {'url': 'http://127.0.0.1:9/', 'token_file': 'token', 'folder': 'upload'}
    content['perception'] |= {'upload': upload, 'watchlist': 'watchlist.json'}
    for part, values in (changes or {}).items():
        content[part] |= values
    path = folder / 'site.yaml'
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@dataclass(frozen=True)
class Measured:
    """One run. spent: by node; memory: proportional bytes by node; begin, end: as time.time(), of what was measured."""

    spent: dict[str, Spent]
    memory: dict[str, int]
    delays: dict[str, list[float]]
    lost: int
    begin: float
    end: float
    frames: tuple[PlainFrame, ...]

    @property
    def cpu(self) -> float:
        """S of processor time of all processes."""
        return sum(one.cpu for one in self.spent.values())

    def stage(self, name: str) -> float:
        """S of processor time of a stage in all processes."""
        return sum(one.seconds.get(name, 0.0) for one in self.spent.values())

    def count(self, name: str) -> int:
        """How often a stage was gone through."""
        return sum(one.counts.get(name, 0) for one in self.spent.values())


def measure(folder: Path, site_path: Path, seconds: float) -> Measured:
    """Starts the graph, lets it settle, measures for some time, and ends it."""
    site = load_site(str(site_path))
    for camera in site.cameras:
        prepare(site, camera, PICTURES, folder / f'driver_{camera}.pictures')
    out = folder / 'run'
    options = GraphOptions(str(site_path), out=str(out), autostart=True, simulation_epoch_ns=time.time_ns())
    with running(region_graph(site, options), folder) as processes:
        until(lambda: all(count(folder, f'driver_{camera}', 'publish') for camera in site.cameras), 'every camera sends frames')
        until(lambda: count(folder, 'stitcher', 'record') > 0, 'the rotation is recorded')
        time.sleep(3.0)
        begin = time.time()
        time.sleep(seconds)
        end = time.time()
        memory = {name: proportional_memory(process.pid) for name, process in processes.items()}
    spent = {name: spent_between(folder / f'{name}.jsonl', begin, end) for name in memory}
    lost = sum(json.loads((out / 'summary.json').read_text())['lost_frames'].values())
    return Measured(spent, memory, delays(folder, begin, end), lost, begin, end, tuple(recorded(out, site, begin, end)))


@contextlib.contextmanager
def running(nodes: Sequence[NodeSpec], folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The nodes as processes with timers; they end when this does."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for node in nodes:
            words = [sys.executable, str(NODE), node.executable, str(folder), node.name, *node_command(node, 'warn')[1:]]
            log = (folder / f'{node.name}.log').open('wb')
            processes[node.name] = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        yield processes
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        for process in processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(condition: object, what: str) -> None:
    """Waits; RuntimeError if it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise RuntimeError(f'not within {PATIENCE:g} s: {what}')
        time.sleep(0.3)


def count(folder: Path, name: str, stage: str) -> int:
    """How often a node has gone through a stage until now."""
    path = folder / f'{name}.jsonl'
    lines = path.read_text().splitlines() if path.exists() else []
    whole = [line for line in lines if line.endswith('}')]
    return int(json.loads(whole[-1])['counts'].get(stage, 0)) if whole else 0


def proportional_memory(pid: int) -> int:
    """Bytes of a process; what it shares with others counts in parts."""
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith('Pss:'):
            return 1024 * int(line.split()[1])
    return 0


def delays(folder: Path, begin: float, end: float) -> dict[str, list[float]]:
    """S from the capture of frames in a time, by what was done with them."""
    found = json.loads((folder / 'stitcher.delays.json').read_text())
    return {name: [late for stamp, late in pairs if begin <= stamp / 1e9 <= end - 1.5] for name, pairs in found.items()}


def recorded(out: Path, site: Site, begin: float, end: float) -> Iterator[PlainFrame]:
    """The frames of a time, in the order of their stamps, out of the region's log."""
    headers, looked_at = [], set()
    with AnyReader([out / 'region']) as reader:
        for connection, _, raw in reader.messages(
            [c for c in reader.connections if c.topic.endswith(('/preset_header', '/tracks'))]
        ):
            message = reader.deserialize(raw, connection.msgtype)
            if connection.topic.endswith('/tracks'):
                looked_at.add((message.preset.camera, time_ns(message.header.stamp)))
            elif begin <= time_ns(message.header.stamp) / 1e9 <= end and message.scene in site.scenes:
                headers.append(message)
    for header in sorted(headers, key=lambda one: time_ns(one.header.stamp)):
        mark = mark_of(header)
        yield PlainFrame(mark, (header.pan, header.tilt, header.zoom), (mark.camera, mark.stamp_ns) in looked_at)


def run_plain(folder: Path, site_path: Path, frames: Sequence[PlainFrame]) -> Spent:
    """The same frames through one plain process."""
    listing, out = folder / 'frames', folder / 'plain'
    out.mkdir()
    PlainFrame.write_all(frames, listing)
    words = [sys.executable, str(NODE.with_name('plain.py')), str(site_path), str(folder), str(listing), str(out)]
    told = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    return Spent(0.0, told['cpu'], told['seconds'], told['counts'])


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """A ROS domain of this process, on this machine only."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    os.environ['ROS_DOMAIN_ID'] = str(60 + os.getpid() % 40)
    yield
