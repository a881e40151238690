# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated network cameras as processes of their own, and sites whose cameras they are."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ptz_site import Site

#: As in conftest.py, of which tests beside the packages have another.
PATIENCE = 120.0
USER, PASSWORD = 'operator', 'correct horse'
#: One small camera in an empty yard.
ONE_CAMERA = Site.model_validate(
    {
        'region': {'name': 'yard', 'dwell': 2},
        'scenes': {'gate': {'polygon': [[-18, 6], [-8, 6], [-8, 16]]}, 'road': {'polygon': [[6, 6], [18, 6], [18, 15]]}},
        'cameras': {
            'north': {
                'backend': 'simulated',
                'pose': {'x': 0, 'y': 28, 'z': 7, 'yaw': -90},
                'zoom': [1, 20],
                'resolution': [160, 90],
                'presets': {'gate': 'auto', 'road': 'auto'},
            }
        },
        'simulation': {'walkers': 0, 'vehicles': 0, 'buildings': 0},
    }
)

#: Another small one, as a site's text.
NORTH_ALONE = """
region: {name: yard, dwell: 2.0}
scenes:
  gate: {polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}
  road: {polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}
cameras:
  north:
    backend: simulated
    pose: {x: 0, y: 28, z: 7, yaw: -90}
    zoom: [1, 20]
    slew_rate: 120
    slew_acceleration: 400
    zoom_rate: 4
    resolution: [320, 180]
    rate: 10
    presets: {gate: auto, road: auto}
simulation: {seed: 3, walkers: 0, vehicles: 0}
"""
#: Below the ports that the kernel gives to connections, of which any may be made before a server has taken its port.
_PORTS = range(20_000, 30_000, 2)
#: The locks of those that this process was given; they go with it.
_taken: list[IO[str]] = []


def free_port_pair() -> int:
    """A port that is free, and so is the one after it; no other test of this host gets them while this process lives."""
    folder = Path(tempfile.gettempdir()) / f'ptz_collab_test_ports_{os.getuid()}'
    folder.mkdir(exist_ok=True)
    for port in _PORTS:
        lock = (folder / str(port)).open('w')
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            first.bind(('127.0.0.1', port))
            second.bind(('127.0.0.1', port + 1))
            _taken.append(lock)
            return port
        lock.close()
    raise AssertionError('no two free ports')


def over_network(site: str, folder: Path, ports: dict[str, int], **more: object) -> str:
    """A site text whose simulated cameras are on the network instead, with presets by name. more: keys of every camera."""
    (folder / 'camera.password').write_text(PASSWORD + '\n')
    extra = ''.join(f'    {key}: {json.dumps(value)}\n' for key, value in more.items())
    lines = []
    for line in site.splitlines(keepends=True):
        if line.strip() == 'backend: simulated':
            line = f'    backend: onvif\n    host: 127.0.0.1\n    user: {USER}\n    password_file: camera.password\n{extra}'
        line = line.replace('gate: auto', 'gate: {token: Gate}').replace('road: auto', 'road: {token: road}')
        lines.append(line)
        name = line.strip().partition(':')[0]
        if line.startswith('  ') and not line.startswith('   ') and name in ports:
            lines.append(f'    port: {ports[name]}\n')
    return ''.join(lines)


@dataclass
class SimCamera:
    """One camera's process."""

    name: str
    port: int
    process: subprocess.Popen[str]

    def set(self, **faults: object) -> None:
        """Changes what is wrong with it."""
        self._ask('faults', json.dumps(faults).encode())

    def faults(self) -> dict[str, Any]:
        """What is wrong with it."""
        return dict(self._ask('faults'))

    def commands(self) -> list[dict[str, int]]:
        """When it was told to turn, and when it stood."""
        return list(self._ask('commands'))

    def calls(self) -> dict[str, int]:
        """How often each operation was asked for, and how often a password was refused."""
        return dict(self._ask('calls'))

    def _ask(self, what: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}/simulation/{what}', data)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextlib.contextmanager
def sim_cameras(site: Path, ports: dict[str, int], arguments: Sequence[str] = ()) -> Iterator[dict[str, SimCamera]]:
    """Serves cameras of a site until the block ends."""
    cameras = {name: SimCamera(name, port, _start(site, name, port, arguments)) for name, port in ports.items()}
    try:
        for camera in cameras.values():
            _wait_until_ready(camera)
        yield cameras
    finally:
        for camera in cameras.values():
            camera.process.terminate()
        for camera in cameras.values():
            camera.process.wait(PATIENCE)


def _start(site: Path, name: str, port: int, arguments: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, '-m', 'collab_bringup.cli', 'sim-camera', site, '--camera', name, '--port', port, *arguments]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _wait_until_ready(camera: SimCamera) -> None:
    assert camera.process.stdout is not None
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([camera.process.stdout], [], [], 0.2)[0]:
            line = camera.process.stdout.readline()
            assert 'ONVIF at' in line, f'{camera.name}: {line}{camera.process.stdout.read()}'
            return
    raise AssertionError(f'{camera.name}: not ready within {PATIENCE:g} s')
