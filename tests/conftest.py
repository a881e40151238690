# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests that run the real graph: a domain of their own, a small site, the command as a process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from demo_run import DemoRun

#: s; how long anything may take, on a machine that is busy with other things too. How long it does take is for the benchmarks.
PATIENCE = 120.0
#: s; longer than pytest waits for a test, for what computes all the time.
FOR_EVER = 3600.0
#: ROS 2's safe domain ids on Linux; 0 is left to people.
_DOMAINS = range(1, 101)


#: These start whole regions, which need a processor for themselves: one after the other, and first, because they take longest.
_REGIONS = frozenset(
    {'test_bad_input', 'test_best_frames', 'test_faults', 'test_live_and_offline', 'test_operator', 'test_region', 'test_targets'}
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every file's tests stay together, so that what they share is made once."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group('regions' if item.path.stem in _REGIONS else item.path.stem))
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent or item.path.stem not in _REGIONS)


@contextlib.contextmanager
def own_domain() -> Iterator[int]:
    """A ROS_DOMAIN_ID that no other test on this host has, and discovery on the loopback only, in this environment.

    It is the one that nobody used for the longest time: whatever a test that failed left running disturbs no other.
    """
    folder = Path(tempfile.gettempdir()) / f'ptz_collab_test_domains_{os.getuid()}'
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        domain = _lock_a_domain(folder, stack)
        patch.setenv('ROS_DOMAIN_ID', str(domain))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        yield domain


def _lock_a_domain(folder: Path, stack: contextlib.ExitStack) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for path in sorted((folder / str(domain) for domain in _DOMAINS), key=_last_used):
            lock = path.open('w')
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            stack.enter_context(lock)
            os.utime(path)
            return int(path.name)
        time.sleep(0.5)
    pytest.fail('no free ROS domain on this host')


def _last_used(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


@pytest.fixture
def ros_domain() -> Iterator[int]:
    """The domain of one test."""
    with own_domain() as domain:
        yield domain


def wait_for(condition: Callable[[], bool], timeout: float, what: str) -> None:
    """Waits until a condition holds; fails the test, saying what was waited for, when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f'not within {timeout:g} s: {what}')
        time.sleep(0.05)


@dataclass
class Command:
    """A running ptz-collab."""

    process: subprocess.Popen[str]

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits as wait_for does; if the command ends before, or it takes too long, the failure says what it printed."""
        deadline = time.monotonic() + PATIENCE
        while True:
            # Before the condition: it may come true as the last thing that the command does.
            over = self.process.poll() is not None
            if condition():
                return
            if over or time.monotonic() > deadline:
                self.interrupt()
                code, output = self.finish()
                pytest.fail(
                    f'{"ended" if over else f"not within {PATIENCE:g} s"} before: {what}; exit code {code}; it printed:\n{output}'
                )
            time.sleep(0.05)

    def finish(self, timeout: float = 2 * PATIENCE) -> tuple[int, str]:
        """Waits for the end; returns exit code and everything that was printed."""
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, output


def start_command(*arguments: object, cwd: Path, preexec: Callable[[], None] | None = None) -> Command:
    """Starts ptz-collab in a folder."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'collab_bringup.cli', *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=cwd,
        preexec_fn=preexec,
    )
    return Command(process)


@contextlib.contextmanager
def ended(command: Command) -> Iterator[Command]:
    """Whatever happens, it does not go on."""
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


@pytest.fixture
def ptz_collab(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Starts ptz-collab as a user's shell would; nothing of it outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, preexec: Callable[[], None] | None = None) -> Command:
        command = start_command(*arguments, cwd=tmp_path, preexec=preexec)
        started.append(command.process)
        return command

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope='session')
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """A run of the demo's region that is over: see demo_run.py."""
    from demo_run import film  # It imports this file.

    return film(tmp_path_factory.mktemp('demo'))


SMALL_SITE = """
region: {name: yard, dwell: 2.0, start_timeout: 100.0, silence_timeout: 30.0}
scenes:
  gate: {polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}
  road: {polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}
  substation: {polygon: [[-7, -16], [7, -16], [7, -6], [-7, -6]]}
cameras:
  north: &camera
    backend: simulated
    pose: {x: 0, y: 28, z: 7, yaw: -90}
    zoom: [1, 20]
    slew_rate: 120
    slew_acceleration: 400
    zoom_rate: 4
    resolution: [320, 180]
    rate: 10
    presets: {gate: auto, road: auto, substation: auto}
  southwest:
    <<: *camera
    pose: {x: -26, y: -18, z: 7, yaw: 45}
  southeast:
    <<: *camera
    pose: {x: 26, y: -18, z: 7, yaw: 135}
perception: {rate: 1.0, width: 320}
simulation: {seed: 3, walkers: 4, vehicles: 1}
"""


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    """Three small simulated cameras on three scenes, a slot every two seconds.

    All of them are waited for, and one that stands still for some seconds is not out.
    """
    path = tmp_path / 'yard.yaml'
    path.write_text(SMALL_SITE)
    return path
