# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands for cameras on the network, as a user calls them: what they show, and one line for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from conftest import Command
from network_camera import NORTH_ALONE, PASSWORD, USER, SimCamera, free_port_pair, over_network, sim_cameras

from ptz_site import load_site


@pytest.fixture(scope='module')
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimCamera]:
    folder = tmp_path_factory.mktemp('camera')
    port = free_port_pair()
    site = folder / 'yard.yaml'
    site.write_text(over_network(NORTH_ALONE, folder, {'north': port}))
    with sim_cameras(site, {'north': port}) as cameras:
        yield cameras['north']


@pytest.fixture
def run(ptz_collab: Callable[..., Command], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    (tmp_path / 'right').write_text(PASSWORD)
    (tmp_path / 'wrong').write_text('guess')
    return lambda *arguments: ptz_collab(*arguments).finish()


def test_probe_shows_what_a_camera_can_do_and_an_entry_that_works(
    north: SimCamera, run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, output = run('probe', f'127.0.0.1:{north.port}', '--user', USER, '--password-file', 'right')
    assert code == 0, output
    assert re.search(r'h264 320x180, \d+\.\d frames/s; capture times by sender reports', output), output
    assert 'its move status' in output and PASSWORD not in output
    entry = yaml.safe_load(output[output.index('cameras:') :])
    # As a user would go on from there: a region and scenes above it.
    names = list(entry['cameras']['camera_1']['presets'])
    assert names == ['gate', 'road']
    site = {'region': {'name': 'mine', 'dwell': 5}, 'scenes': {name: {} for name in names}, **entry}
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(site))
    assert load_site(tmp_path / 'mine.yaml').cameras['camera_1'].resolution == (320, 180)
    code, output = run('check', 'mine.yaml')
    assert code == 0, output


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('HERE', '--user', USER, '--password-file', 'wrong'), 'user or password refused; it does not know them'),
        (('HERE',), 'user or password refused; it wants some: give --user'),
        (('HERE', '--user', USER, '--password-file', 'none'), "none can't be read"),
        (('HERE', '--user', USER), 'give --password-file or --password-env where nobody can be asked'),
        (('HERE', '--https'), 'no HTTPS at this port'),
        (('127.0.0.1:9',), 'Connection refused; check the address'),
        (('no-such-host.invalid',), 'check the address'),
        (('user@127.0.0.1',), 'is not HOST or HOST:PORT'),
    ],
)
def test_what_is_wrong_with_a_probe_is_one_line(
    north: SimCamera, run: Callable[..., tuple[int, str]], arguments: tuple[str, ...], words: str
) -> None:
    refused = north.calls().get('refused', 0)
    code, output = run('probe', *(f'127.0.0.1:{north.port}' if word == 'HERE' else word for word in arguments))
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith('asking')]
    assert code == 2 and len(lines) == 1 and words in lines[0], output
    assert north.calls().get('refused', 0) <= refused + 1, 'a password is tried once'


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--camera', 'moon', '--port', '0'), "no camera 'moon'; it has north"),
        (('--camera', 'north', '--port', '0', '--fault', 'slo=2'), "no fault 'slo'"),
        (('--camera', 'north', '--port', 'BUSY'), "can't be listened on (Address already in use); give another --port"),
        (('--camera', 'north', '--port', '0', '--certificate', 'right'), "can't be used as a certificate"),
    ],
)
def test_what_is_wrong_with_a_simulated_camera_is_one_line(
    north: SimCamera, run: Callable[..., tuple[int, str]], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / 'yard.yaml').write_text(NORTH_ALONE)
    code, output = run('sim-camera', 'yard.yaml', *(str(north.port - 1) if word == 'BUSY' else word for word in arguments))
    assert code == 2 and words in output and len(output.splitlines()) == 1, output


def test_a_region_whose_password_can_not_be_read_does_not_start(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / 'yard.yaml').write_text(over_network(NORTH_ALONE, tmp_path, {'north': 9}))
    (tmp_path / 'camera.password').unlink()
    code, output = run('up', 'yard.yaml', '--out', 'run')
    assert code == 2 and len(output.splitlines()) == 1, output
    assert 'cameras.north.password_file' in output and not (tmp_path / 'run').exists()


def test_a_camera_ends_cleanly_on_ctrl_c(ptz_collab: Callable[..., Command], tmp_path: Path) -> None:
    (tmp_path / 'yard.yaml').write_text(NORTH_ALONE)
    command = ptz_collab('sim-camera', 'yard.yaml', '--camera', 'north', '--port', 0)
    assert command.process.stdout is not None and 'ONVIF at http://127.0.0.1:' in command.process.stdout.readline()
    command.interrupt()
    code, output = command.finish()
    assert (code, output) == (0, '')
