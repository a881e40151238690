# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Processes die and stop while a region runs over DDS; the frames' headers tell what became of the scenes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from action_msgs.msg import GoalStatus
from ament_index_python.packages import get_package_prefix
from conftest import PATIENCE, Command, ended, own_domain, start_command, wait_for
from faults import Holder, Watcher, longest_without, node_pid, on_scene, out, send, shown_in, span, switches, write_site

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.action import HoldScene
from ptz_collab_msgs.msg import RegionState
from ptz_site import load_site

S = 1_000_000_000
SCENES = ('gate', 'road', 'substation')
SOUTHEAST = (26.0, -18.0)
#: s without a picture of a scene; a turn takes a fraction of it, and a camera that misses its turn leaves a scene for a dwell of 4 s.
UNWATCHED = 3.5


@dataclass(frozen=True)
class Running:
    """A region that runs, who watches it, and where it lies."""

    console: RegionConsole
    command: Command
    watcher: Watcher
    site: Path

    def wait(self, condition: Callable[[RegionState], bool], what: str) -> None:
        """Until the region's state fulfils a condition."""
        if not self.console.wait_for(condition, PATIENCE):
            log = (self.site.parent / 'run' / 'logs' / 'coordinator.log').read_text().splitlines()
            pytest.fail('\n'.join([f'not within {PATIENCE:g} s: {what}', str(self.console.state), *log[-20:]]))

    def wait_in_a_slot(self, condition: Callable[[RegionState], bool] = lambda _: True) -> None:
        """Until it rotates, everybody is where the plan says, and there is time left before the next switch."""
        self.wait(lambda s: rotates(s) and s.slot_left.sec >= 2 and not out(self.console) and condition(s), 'a slot begins')

    def watched(self, scenes: tuple[str, ...], begin_ns: int) -> float:
        """The longest time (s) since an instant without a picture of one of the scenes."""
        end_ns = time.time_ns()
        wait_for(lambda: self.watcher.newest_ns() >= end_ns, PATIENCE, 'frames of now')
        return max(longest_without(self.watcher.shown, scene, begin_ns, end_ns) for scene in scenes)

    def wait_for_another_coordinator(self, first: str) -> None:
        """Until the successor of one that was killed leads."""
        self.wait(lambda s: s.coordinator != first, 'another coordinator leads')


@contextmanager
def region(folder: Path, *, doubled: bool = False) -> Iterator[Running]:
    """Rotates until the block ends; then everything must be tidy."""
    site = write_site(folder, doubled=doubled)
    with own_domain(), ended(start_command('up', site, '--out', folder / 'run', cwd=folder)) as command:
        command.until(lambda: node_pid('coordinator', os.environ['ROS_DOMAIN_ID']) is not None, 'the coordinator starts')
        with RegionConsole('yard', discovery=PATIENCE) as console:
            yield Running(console, command, Watcher(console, load_site(site).cameras), site)
        command.interrupt()
        code, output = command.finish()
    assert code == 0, output
    assert 'Traceback' not in output


@pytest.fixture(scope='module')
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three cameras on three scenes."""
    with region(tmp_path_factory.mktemp('three')) as running:
        yield running


@pytest.fixture(scope='module')
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three cameras on two scenes."""
    with region(tmp_path_factory.mktemp('spare'), doubled=True) as running:
        yield running


@pytest.fixture
def running(three: Running) -> Iterator[Running]:
    """Rotates before and after every test, whatever the last one did."""
    three.wait_in_a_slot()
    yield three
    if three.console.state.holds:
        three.console.release()
        three.wait(lambda s: not s.holds, 'nothing is held after the test')


def rotates(state: RegionState) -> bool:
    return state.state == RegionState.STATE_RUNNING


def test_a_coordinator_that_dies_before_the_start_is_replaced(ptz_collab: Callable[..., Command], tmp_path: Path) -> None:
    command = ptz_collab('up', write_site(tmp_path), '--duration', 8, '--out', tmp_path / 'run')
    command.until(lambda: node_pid('coordinator', os.environ['ROS_DOMAIN_ID']) is not None, 'the coordinator starts')
    with RegionConsole('yard', discovery=PATIENCE) as console:
        assert console.state.state in (RegionState.STATE_LISTENING, RegionState.STATE_IDLE, RegionState.STATE_WAITING)
        send('coordinator', signal.SIGKILL)
        assert console.wait_for(rotates, PATIENCE)
    code, output = command.finish()
    assert code == 0, output
    assert 'coordinator ended (signal SIGKILL); it is started again' in output
    begin, end = span(tmp_path / 'run')
    assert all(longest_without(shown_in(tmp_path / 'run'), scene, begin, end) < UNWATCHED for scene in SCENES)


def test_cameras_rotate_on_while_the_coordinator_is_dead(running: Running) -> None:
    first, revision, begin = running.console.state.coordinator, running.console.state.plan_revision, time.time_ns()
    slot = running.console.state.slot
    send('coordinator', signal.SIGKILL)
    running.wait_for_another_coordinator(first)
    running.wait(lambda s: rotates(s) and s.slot >= slot + 3, 'the rotation goes on')
    assert running.console.state.plan_revision == revision
    assert running.watched(SCENES, begin) < UNWATCHED
    for found in running.watcher.shown.values():
        # Before slot 0 cameras turn as soon as they know where to.
        times = sorted({switch for stamp, _, switch in found if stamp >= begin})[1:]
        assert len(times) >= 2
        assert all(abs((b - a) - 4 * S) < S // 2 for a, b in itertools.pairwise(times)), 'a camera moved beside the plan'
    # What the one after says has a number that the one before cannot have used.
    assert running.console.hold('gate').plan_revision > revision + 50


def test_a_hold_outlives_its_coordinator(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    holder = Holder(console, wait_for)
    holder.hold(on_scene(console, 'gate'), 'gate')
    wait_for(lambda: len(holder.acknowledged) == 3, PATIENCE, 'all cameras acknowledge the hold')
    before, first, hold_id = switches(console), console.state.coordinator, holder.hold_id
    send('coordinator', signal.SIGKILL)
    running.wait(lambda s: s.coordinator != first and s.state == RegionState.STATE_HELD, 'the next coordinator holds')
    assert [hold.hold_id for hold in console.state.holds] == [hold_id]
    running.wait(lambda s: all(one.scene for one in s.cameras), 'it knows what the cameras show')
    assert switches(console) == before
    holder.let_go()
    running.wait(rotates, 'the rotation goes on')
    assert running.watched(SCENES, begin) < UNWATCHED


def test_a_handoff_is_carried_on_by_the_next_coordinator(running: Running) -> None:
    console = running.console
    running.wait_in_a_slot(lambda _: on_scene(console, 'gate') == 'north')
    begin = time.time_ns()
    holder = Holder(console, wait_for)
    holder.hold('north', 'gate')
    left, first = switches(console)['southeast'], console.state.coordinator
    holder.hand_off(SOUTHEAST)
    # Known to a camera: a coordinator that dies before it has told anybody is asked again by whoever asked it.
    followed = running.watcher.followed
    running.wait(
        lambda _: any(hold.candidate == 'southeast' for plan in followed.values() for hold in plan.holds), 'southeast is sent'
    )
    send('coordinator', signal.SIGKILL)
    running.wait(lambda s: s.coordinator != first and any(hold.camera == 'southeast' for hold in s.holds), 'southeast takes over')
    swapped = {'north': left, 'southeast': 'gate'}
    running.wait(lambda _: swapped.items() <= switches(console).items(), 'both have swapped')
    holder.let_go()
    running.wait(rotates, 'the rotation goes on')
    assert running.watched(('gate',), begin) < UNWATCHED, "the target's scene was unwatched"


def test_a_resume_needs_no_coordinator(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    held = console.hold('gate')
    assert held.error_code == 0
    running.wait(lambda s: all(one.plan_revision == held.plan_revision for one in s.cameras), 'all cameras know of the hold')
    released = console.release()
    assert released.released == [held.hold_id]
    running.wait(lambda s: all(one.plan_revision > held.plan_revision for one in s.cameras), 'all cameras know of its end')
    before = switches(console)
    send('coordinator', signal.SIGKILL)
    running.wait(
        lambda s: rotates(s) and all(one.scene for one in s.cameras) and switches(console) != before, 'the rotation goes on'
    )
    assert running.watched(SCENES, begin) < UNWATCHED


def test_a_swap_over_dds_and_the_order_after_it(running: Running) -> None:
    console = running.console
    running.wait_in_a_slot(lambda _: on_scene(console, 'gate') == 'north')
    begin, plans = time.time_ns(), running.watcher.plans
    orders = {order.camera: list(order.scenes) for order in plans[-1].orders}
    holder = Holder(console, wait_for)
    holder.hold('north', 'gate')
    holder.hand_off(SOUTHEAST)
    wait_for(lambda: holder.handed is not None, PATIENCE, 'the handoff ends')
    assert holder.handed is not None
    assert (holder.handed.error_code, holder.handed.camera) == (0, 'southeast')
    wait_for(lambda: holder.result is not None, PATIENCE, 'the old holder is told')
    assert holder.result is not None
    assert holder.result.ended == HoldScene.Result.ENDED_HANDED_OFF
    running.wait(lambda s: [hold.camera for hold in s.holds] == ['southeast'], 'the state says who holds')
    assert [(hold.scene, hold.mark_shape) for hold in console.state.holds] == [('gate', 'triangle')]
    holder.let_go()
    running.wait(rotates, 'the rotation goes on')
    after = {order.camera: list(order.scenes) for order in plans[-1].orders}
    assert after['southwest'] == orders['southwest']
    assert (after['north'], after['southeast']) == (orders['southeast'], orders['north'])
    assert running.watched(('gate',), begin) < UNWATCHED, "the target's scene was unwatched"


def test_a_canceled_hold_is_canceled_and_the_rotation_goes_on(running: Running) -> None:
    console = running.console
    holder = Holder(console, wait_for)
    holder.hold('nobody', 'gate')
    assert holder.result is not None
    assert holder.result.error_code == HoldScene.Result.UNKNOWN_CAMERA
    running.wait_in_a_slot()
    holder = Holder(console, wait_for)
    holder.hold(on_scene(console, 'road'), 'road')
    running.wait(lambda s: s.state == RegionState.STATE_HELD, 'it is held')
    holder.cancel()
    wait_for(lambda: holder.result is not None, PATIENCE, 'the holder gets its result')
    assert holder.result is not None
    assert (holder.status, holder.result.ended) == (GoalStatus.STATUS_CANCELED, HoldScene.Result.ENDED_CANCELED)
    assert holder.result.resume_at.sec > 0
    running.wait(rotates, 'the rotation goes on')


def test_a_second_coordinator_refuses(running: Running, tmp_path: Path) -> None:
    first = running.console.state.coordinator
    code, output = start_command(
        'up', running.site, '--duration', 8, '--out', tmp_path / 'second', cwd=running.site.parent
    ).finish()
    assert code == 1
    # Discovery may take longer on a busy machine; then the coordinator that is there refuses the goal.
    assert 'region yard is running already' in output or 'a rotation is running already' in output
    executable = Path(get_package_prefix('collab_coordinator')) / 'lib' / 'collab_coordinator' / 'coordinator'
    command_line = [str(executable), '--ros-args', '-r', '__ns:=/yard', '-p', f'site:={running.site}']
    second = subprocess.run(command_line, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert second.returncode == 2
    assert f'another coordinator ({first}) runs region yard' in second.stderr
    assert 'Traceback' not in output + second.stderr
    assert running.console.state.coordinator == first
    assert rotates(running.console.state)


@pytest.mark.parametrize('stop', [False, True], ids=['killed', 'stopped for 5 s'])
def test_a_lost_driver_is_noticed_covered_for_and_comes_back(spare: Running, stop: bool) -> None:
    spare.wait_in_a_slot()
    # Whoever is alone on a scene: without it nobody watches that one.
    shown = switches(spare.console)
    alone = next(camera for camera, scene in shown.items() if list(shown.values()).count(scene) == 1)
    begin, begin_ns = time.monotonic(), time.time_ns()
    send(f'driver_{alone}', signal.SIGSTOP if stop else signal.SIGKILL)
    spare.wait(lambda _: out(spare.console) == {alone}, 'it is noticed')
    spare.wait(lambda s: {one.scene for one in s.cameras if not one.out} == {'gate', 'road'}, 'its scene is covered')
    assert not spare.console.state.uncovered
    if stop:
        wait_for(lambda: time.monotonic() - begin >= 5, PATIENCE, 'it is stopped for 5 s')
        send(f'driver_{alone}', signal.SIGCONT)
    spare.wait(lambda _: not out(spare.console), 'it takes part again')
    # Noticed after silence_timeout; then a turn.
    assert spare.watched(('gate', 'road'), begin_ns) < 6
