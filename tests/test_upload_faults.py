# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's region while perception is killed again and again and the receiver is away for minutes: nothing that was chosen is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from conftest import PATIENCE, ended, own_domain, start_command, wait_for
from demo_run import chosen_by, left
from faults import node_pid
from network_camera import free_port_pair
from receiver_process import Receiver, receiving
from recordings import headers
from target_region import received, write_site

from ptz_site import load_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

S = 1_000_000_000
KILLS, AWAY = 50, 120.0


def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    port = free_port_pair()
    with own_domain(), contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving(tmp_path / 'receiver', '--port', port))
        site_path = write_site(tmp_path, receiver)
        site = load_site(site_path)
        command = stack.enter_context(ended(start_command('up', site_path, '--out', tmp_path / 'run', cwd=tmp_path)))
        wait_for(lambda: node_pid('region_perception', os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, 'it starts')
        wait_for(lambda: bool(received(receiver)[0]), 2 * PATIENCE, 'something is sent')
        kill_perception(list(site.cameras))
        receiver.process.kill()
        receiver.process.wait()
        before = chosen(tmp_path / 'run', list(site.cameras))
        away_until = time.monotonic() + AWAY
        wait_for(lambda: time.monotonic() > away_until, 2 * AWAY, 'the receiver is away for long')
        after = chosen(tmp_path / 'run', list(site.cameras))
        assert len(after) > len(before), 'frames are chosen while the receiver is away'
        receiver = stack.enter_context(receiving(tmp_path / 'receiver', '--port', port))
        wait_for(lambda: set(after) <= stored(receiver), 2 * PATIENCE, 'everything from before is sent')
        command.interrupt()
        code, output = command.finish()
        assert code == 0, output
        there = Counter(package.id for package in received(receiver)[0])
    names = chosen(tmp_path / 'run', list(site.cameras))
    waiting = {name for camera in site.cameras for name in left(tmp_path / 'upload', camera, names)}
    assert set(names) <= set(there) | waiting, 'something is lost'
    assert max(there.values()) == 1
    assert 'Traceback' not in output
    rates = {camera: entry.rate for camera, entry in site.cameras.items()}
    assert all(rate > 0.5 * rates[camera] for camera, rate in filmed(tmp_path / 'run').items()), (
        'cameras do not wait for the upload'
    )


def kill_perception(cameras: list[str]) -> None:
    """Kills perception nodes at random moments; each is started again."""
    chance = random.Random(1)
    killed = 0
    while killed < KILLS:
        time.sleep(chance.uniform(0.2, 2.0))
        pid = node_pid(f'perception_{chance.choice(cameras)}', os.environ['ROS_DOMAIN_ID'])
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1


def chosen(run: Path, cameras: list[str]) -> list[str]:
    """Ids of what perception said that it has chosen."""
    return list(itertools.chain.from_iterable(chosen_by(run, camera) for camera in cameras))


def stored(receiver: Receiver) -> set[str]:
    """Ids of what a receiver has."""
    return {package.id for package in received(receiver, pictures=False)[0]}


def filmed(run: Path) -> dict[str, float]:
    """Frames/s that each camera took, by their numbers: also of those that a recorder did not get."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for header in headers(run / 'region'):
        found[header.camera].append((header.stamp_ns, header.sequence))
    return {
        camera: (max(frames)[1] - min(frames)[1]) / ((max(frames)[0] - min(frames)[0]) / S) for camera, frames in found.items()
    }
