# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded region, looked at and stitched again: the same tracks, best frames and sequences as ever.

After a change that is meant to alter them, `REPLAY_EXPECT=1 pytest tests/test_replay_regression.py` writes down what is found, to
be looked at and committed. scripts/make_replay_region.py films the region anew.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import PATIENCE, Command
from replay_results import as_text, differences, results

from collab_bringup.graph import GraphOptions, NodeSpec, Part, region_graph
from collab_bringup.processes import node_command
from ptz_site import load_site

RECORDED = Path(__file__).with_name('replay')
EXPECTED = RECORDED / 'expected.json'
Start = Callable[..., Command]


@contextmanager
def running(nodes: Sequence[NodeSpec], logs: Path) -> Iterator[None]:
    """Nodes as processes, that end well."""
    logs.mkdir()
    processes = []
    try:
        for node in nodes:
            with (logs / f'{node.name}.log').open('w') as log:
                processes.append(subprocess.Popen(node_command(node), stdout=log, stderr=subprocess.STDOUT))
        yield
        for process in processes:
            process.send_signal(signal.SIGINT)
        assert [process.wait(PATIENCE) for process in processes] == [0] * len(processes)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def test_a_replay_gives_what_it_always_gave(ptz_collab: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('REPLAY_TOKEN', 'nobody-asks-for-it')
    site_path, out = tmp_path / 'site.yaml', tmp_path / 'run'
    shutil.copy(RECORDED / 'site.yaml', site_path)
    parts = frozenset({Part.PERCEPTION, Part.STITCHER})
    options = GraphOptions(str(site_path), out=str(out), use_sim_time=True, every_frame=True, parts=parts)
    nodes = region_graph(load_site(site_path), options)
    with running(nodes, tmp_path / 'logs'):
        readers = [f'{node.namespace}/{node.name}' for node in nodes]
        replay = ('replay', RECORDED / 'region', '--rate', 'max', '--without-perception', '--wait-for', *readers)
        code, output = ptz_collab(*replay).finish()
        assert code == 0, output
    found = results(out, tmp_path / 'upload')
    if os.environ.get('REPLAY_EXPECT'):
        EXPECTED.write_text(as_text(found))
    assert '\n'.join(differences(json.loads(EXPECTED.read_text()), found)) == ''


def test_a_difference_is_told_so_that_one_sees_what_changed() -> None:
    expected = json.loads(EXPECTED.read_text())
    found = copy.deepcopy(expected)
    track = next(iter(expected['tracks']))
    frame = next(iter(expected['tracks'][track]['frames']))
    found['tracks'][track]['frames'][frame][0] += 40.0
    found['sequences'].pop('gate segment 2')
    picture = next(iter(expected['best frames']))
    found['best frames'][picture]['at once'] = 'perhaps'
    found['tracks']['north 7'] = {'scene': 'road', 'frames': {'12': [1.0, 2.0, 3.0, 4.0, 'detected']}}
    lines = differences(expected, found)
    assert len(lines) == 4
    assert any(line.startswith(f'tracks: {track}: frames: {frame}: expected [') for line in lines)
    assert 'tracks: north 7 is new: 1 frames from 12 on in road' in lines
    assert any(line.startswith('sequences: gate segment 2 is missing; expected camera ') for line in lines)
    assert any(line.startswith(f'best frames: {picture}: at once: expected ') for line in lines)
    assert differences(expected, expected) == []
