# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The commands for a region that runs, as an operator types them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PATIENCE, Command, ended, own_domain, start_command, wait_for
from faults import node_pid, out, switches, write_site

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import CameraStatus, RegionState


@dataclass(frozen=True)
class Region:
    """A region that runs, and a connection to it."""

    command: Command
    console: RegionConsole


@pytest.fixture(scope='module')
def running_region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Rotates while the tests of this file go on; the last of them stops it."""
    folder = tmp_path_factory.mktemp('operator')
    with (
        own_domain(),
        ended(start_command('up', write_site(folder, silence=20.0), '--out', folder / 'run', cwd=folder)) as command,
    ):
        command.until(lambda: node_pid('coordinator', os.environ['ROS_DOMAIN_ID']) is not None, 'the coordinator starts')
        with RegionConsole('yard', discovery=PATIENCE) as console:
            assert console.wait_for(lambda s: s.state == RegionState.STATE_RUNNING, PATIENCE)
            yield Region(command, console)


@pytest.fixture
def say(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs ptz-collab in the domain of the region that runs; its exit code, and what it prints."""
    return lambda *words: start_command(*words, cwd=tmp_path).finish()


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (('hold', 'nowhere'), 'no scene nowhere; the site has gate, road, substation'),
        (('hold', 'gate', '--camera', 'nobody'), 'no camera nobody; the site has north, southwest, southeast'),
        (('release', 'hold-99'), 'there is no hold hold-99'),
        (('release',), 'nothing holds the rotation'),
        (('goto', 'nobody', 'gate'), 'region yard has no camera nobody; it has north, southwest, southeast'),
        (('goto', 'north', 'nowhere'), "north has no preset 'nowhere'"),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, tuple) else '',
)
def test_what_can_not_be_done_is_said_in_one_line(
    running_region: Region, say: Callable[..., tuple[int, str]], words: tuple[str, ...], reason: str
) -> None:
    revision = running_region.console.state.plan_revision
    code, output = say(*words)
    assert code == 1
    assert reason in output
    assert len(output.strip().splitlines()) == 1
    assert running_region.console.state.plan_revision == revision


def test_an_operator_sees_and_does_everything_while_it_runs(running_region: Region, say: Callable[..., tuple[int, str]]) -> None:
    def done(*words: str) -> str:
        code, output = say(*words)
        assert code == 0, output
        return output

    console = running_region.console

    def everybody(condition: Callable[[CameraStatus], bool], what: str) -> None:
        wait_for(lambda: all(condition(one) for one in console.state.cameras), PATIENCE, what)

    # A clock is told after some reports.
    everybody(lambda one: math.isfinite(one.clock_offset) and one.plan_revision == console.state.plan_revision, 'all follow')
    shown = done('status')
    assert 'region yard: rotates, slot ' in shown
    rows = [[cell.strip() for cell in line.split('│')[1:-1]] for line in shown.splitlines() if '│' in line]
    assert {row[0] for row in rows} == {'north', 'southwest', 'southeast'}
    assert {row[1] for row in rows} == {'gate', 'road', 'substation'}
    assert all(row[4] == str(console.state.plan_revision) for row in rows)
    assert all(re.fullmatch(r'[+-]\d+ ms', row[5]) for row in rows)

    held = done('hold', 'gate', '--for', '60', '--reason', 'a parcel')
    assert re.search(r'hold-\d+: gate is held for 60 s', held)
    assert console.wait_for(lambda s: s.state == RegionState.STATE_HELD, PATIENCE)
    # A busy camera may do so after the command has said that it does not yet.
    everybody(lambda one: one.plan_revision == console.state.plan_revision, 'all follow the hold')
    assert all(word in done('status') for word in ('held', 'gate', 'a parcel', 'at the latest'))
    assert re.search(r'released hold-\d+; the rotation goes on in \d\.\d s', done('release'))
    assert console.wait_for(lambda s: s.state == RegionState.STATE_RUNNING, PATIENCE)

    assert 'until it is released' in done('pause')
    assert console.wait_for(lambda s: s.state == RegionState.STATE_HELD, PATIENCE)
    everybody(lambda one: one.scene == one.assigned and one.plan_revision == console.state.plan_revision, 'all stand')
    before = switches(console)
    moving = done('goto', 'north', next(scene for camera, scene in before.items() if camera == 'southwest'), '--for', '1')
    # Feedback comes now and then: one that turns quickly is there already.
    assert re.search('north (turns to|is on)', moving)
    assert 'north goes back into the plan' in moving
    assert console.wait_for(lambda _: switches(console) == before, PATIENCE)
    done('release')
    assert console.wait_for(lambda _: not out(console), PATIENCE)

    assert 'stopped; every camera stays where it is' in done('stop')
    code, output = running_region.command.finish()
    assert code == 0, output
    assert 'look at' in output


def test_without_a_region_it_says_what_to_do(ptz_collab: Callable[..., Command]) -> None:
    anywhere = [ptz_collab(*words) for words in (('status',), ('stop',), ('hold', 'gate'))]
    by_name = ptz_collab('status', '--region', 'plaza')
    for command in anywhere:
        code, output = command.finish()
        assert code == 2
        assert output.strip() == 'no region is running here; start one with ptz-collab up, or check ROS_DOMAIN_ID'
    code, output = by_name.finish()
    assert code == 2
    assert 'no region plaza is running (none is running)' in output
