# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Processes die and stop while a region runs over DDS; the frames' headers tell what became of the scenes."""

from __future__ import annotations

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
from faults import Holder, Watcher, most_without, node_pid, send, shown_in, span, switches, write_site

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.action import HoldScene
from ptz_collab_msgs.msg import RegionState, RotationPlan
from ptz_node.convert import plan_from_msg
from ptz_site import load_site

SCENES = ('gate', 'road', 'substation')
SOUTHEAST = (26.0, -18.0)
CAMERAS = ('north', 'southwest', 'southeast')
#: Pictures, ten a second, that every camera takes while nobody shows a scene: a turn takes a fraction of them, and a camera that misses
#: its turn leaves a scene for a dwell of 4 s.
UNWATCHED = 35
#: States, two a second, until a driver is lost: six in silence_timeout; more, where the coordinator stands still and listens anew.
NOTICED = 24


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

    def wait_in_a_slot(self) -> None:
        """Until it rotates, everybody is where the plan says, and there is time left before the next switch."""
        self.wait(
            lambda s: rotates(s) and s.slot_left.sec >= 2 and all(one.scene == one.assigned and not one.out for one in s.cameras),
            'a slot begins',
        )

    def wait_until_it_goes_on(self) -> RotationPlan:
        """Until it rotates again; the plan by which it does."""
        plans = self.watcher.plans
        self.wait(lambda s: rotates(s) and plans[-1].revision >= s.plan_revision, 'the rotation goes on')
        return plans[-1]

    def unwatched(self, scenes: tuple[str, ...], begin_ns: int) -> int:
        """Pictures that every camera took since an instant while none showed one of the scenes; the most."""
        end_ns = time.time_ns()
        wait_for(lambda: self.watcher.newest_ns() >= end_ns, PATIENCE, 'frames of now')
        return max(most_without(self.watcher.shown, scene, begin_ns, end_ns, CAMERAS) for scene in scenes)

    def kill_the_coordinator(self) -> str:
        """Its name; the next one is started after two seconds."""
        first = self.console.state.coordinator
        send('coordinator', signal.SIGKILL)
        return first

    def wait_for_another_coordinator(self, first: str) -> None:
        """Until the successor of one that was killed leads."""
        led = (RegionState.STATE_RUNNING, RegionState.STATE_HELD)
        self.wait(lambda s: s.coordinator != first and s.state in led, 'another coordinator leads')


@contextmanager
def region(folder: Path, *, silence: float, doubled: bool = False) -> Iterator[Running]:
    """Rotates until the block ends; then everything must be tidy."""
    site = write_site(folder, doubled=doubled, silence=silence)
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
    # No driver is lost here; one that stands still for some seconds must not look so.
    with region(tmp_path_factory.mktemp('three'), silence=20.0) as running:
        yield running


@pytest.fixture(scope='module')
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three cameras on two scenes."""
    with region(tmp_path_factory.mktemp('spare'), silence=3.0, doubled=True) as running:
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
    command = ptz_collab('up', write_site(tmp_path, silence=20.0), '--duration', 8, '--out', tmp_path / 'run')
    for name in ('driver_north', 'coordinator'):
        command.until(lambda name=name: node_pid(name, os.environ['ROS_DOMAIN_ID']) is not None, f'{name} starts')
    # It is waited for, so that the rotation can't begin.
    send('driver_north', signal.SIGSTOP)
    with RegionConsole('yard', discovery=PATIENCE) as console:
        assert console.state.state in (RegionState.STATE_LISTENING, RegionState.STATE_IDLE, RegionState.STATE_WAITING)
        send('coordinator', signal.SIGKILL)
        send('driver_north', signal.SIGCONT)
        assert console.wait_for(rotates, PATIENCE), console.state
    code, output = command.finish()
    assert code == 0, output
    assert 'coordinator ended (signal SIGKILL); it is started again' in output
    begin, end = span(tmp_path / 'run')
    assert all(most_without(shown_in(tmp_path / 'run'), scene, begin, end, CAMERAS) < UNWATCHED for scene in SCENES)


def test_cameras_rotate_on_while_the_coordinator_is_dead(running: Running) -> None:
    state, begin = running.console.state, time.time_ns()
    revision, slot = state.plan_revision, state.slot
    first = running.kill_the_coordinator()
    running.wait_for_another_coordinator(first)
    led = time.time_ns()
    running.wait(lambda s: rotates(s) and s.slot >= slot + 3, 'the rotation goes on')
    assert running.console.state.plan_revision == revision
    assert running.unwatched(SCENES, begin) < UNWATCHED
    plan, turns = plan_from_msg(running.watcher.plans[-1]), set()
    for camera, found in running.watcher.shown.items():
        turns |= {(camera, switch, scene) for _, scene, switch in found if switch >= begin}
    assert all(plan.scene(camera, switch) == scene for camera, switch, scene in turns), 'a camera moved beside the plan'
    # It took longer than a slot; but one of them may have stood still.
    assert len({camera for camera, switch, _ in turns if switch < led}) >= 2
    assert {camera for camera, _, _ in turns} == set(CAMERAS)
    # What the one after says has a number that the one before cannot have used.
    assert running.console.hold('gate').plan_revision > revision + 50


def test_a_hold_outlives_its_coordinator(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    holder = Holder(console, wait_for)
    holder.hold_on('gate')
    wait_for(lambda: len(holder.acknowledged) == 3, PATIENCE, 'all cameras acknowledge the hold')
    before, hold_id = assigned(console), holder.hold_id
    running.wait_for_another_coordinator(running.kill_the_coordinator())
    assert console.state.state == RegionState.STATE_HELD
    assert [hold.hold_id for hold in console.state.holds] == [hold_id]
    running.wait(lambda s: all(one.scene for one in s.cameras), 'it knows what the cameras show')
    assert switches(console) == assigned(console) == before
    holder.let_go()
    running.wait_until_it_goes_on()
    assert running.unwatched(SCENES, begin) < UNWATCHED


def test_a_handoff_is_carried_on_by_the_next_coordinator(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    holder = Holder(console, wait_for)
    holder.hold_on('gate', 'north')
    running.wait(lambda s: [hold.camera for hold in s.holds] == ['north'], 'it is held')
    left, begin = assigned(console)['southeast'], time.time_ns()
    holder.hand_off(SOUTHEAST)
    # Known to a camera: a coordinator that dies before it has told anybody is asked again by whoever asked it.
    followed = running.watcher.followed
    running.wait(
        lambda _: any('southeast' in (hold.candidate, hold.camera) for plan in followed.values() for hold in plan.holds),
        'southeast is sent',
    )
    first = running.kill_the_coordinator()
    running.wait(lambda s: s.coordinator != first and any(hold.camera == 'southeast' for hold in s.holds), 'southeast takes over')
    swapped = {'north': left, 'southeast': 'gate'}
    running.wait(lambda _: swapped.items() <= switches(console).items(), 'both have swapped')
    holder.let_go()
    running.wait_until_it_goes_on()
    assert running.unwatched(('gate',), begin) < UNWATCHED, "the target's scene was unwatched"


def test_a_resume_needs_no_coordinator(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    held = console.hold('gate')
    assert held.error_code == 0
    running.wait(lambda s: all(one.plan_revision >= held.plan_revision for one in s.cameras), 'all cameras know of the hold')
    before = assigned(console)
    released = console.release()
    assert released.released == [held.hold_id]
    running.wait(lambda s: all(one.plan_revision > held.plan_revision for one in s.cameras), 'all cameras know of its end')
    first = running.kill_the_coordinator()
    running.wait_for_another_coordinator(first)
    running.wait(lambda s: all(one.scene and one.scene != before[one.camera] for one in s.cameras), 'the rotation goes on')
    assert running.unwatched(SCENES, begin) < UNWATCHED


def test_a_swap_over_dds_and_the_order_after_it(running: Running) -> None:
    console, begin = running.console, time.time_ns()
    orders = {order.camera: list(order.scenes) for order in running.wait_until_it_goes_on().orders}
    holder = Holder(console, wait_for)
    holder.hold_on('gate', 'north')
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
    after = {order.camera: list(order.scenes) for order in running.wait_until_it_goes_on().orders}
    assert after['southwest'] == orders['southwest']
    assert (after['north'], after['southeast']) == (orders['southeast'], orders['north'])
    assert running.unwatched(('gate',), begin) < UNWATCHED, "the target's scene was unwatched"


def test_a_canceled_hold_is_canceled_and_the_rotation_goes_on(running: Running) -> None:
    console = running.console
    holder = Holder(console, wait_for)
    holder.hold('nobody', 'gate')
    assert holder.result is not None
    assert holder.result.error_code == HoldScene.Result.UNKNOWN_CAMERA
    holder = Holder(console, wait_for)
    holder.hold_on('road')
    running.wait(lambda s: s.state == RegionState.STATE_HELD, 'it is held')
    holder.cancel()
    wait_for(lambda: holder.result is not None, PATIENCE, 'the holder gets its result')
    assert holder.result is not None
    assert (holder.status, holder.result.ended) == (GoalStatus.STATUS_CANCELED, HoldScene.Result.ENDED_CANCELED)
    assert holder.result.resume_at.sec > 0
    running.wait_until_it_goes_on()


def test_a_second_coordinator_refuses(running: Running, tmp_path: Path) -> None:
    first = running.console.state.coordinator
    code, output = start_command(
        'up', running.site, '--duration', 8, '--out', tmp_path / 'second', cwd=running.site.parent
    ).finish()
    assert code == 1
    # Discovery may take longer on a busy machine; then the coordinator that is there refuses the goal, or the second one ends.
    said = ('region yard is running already', 'a rotation is running already', f'another coordinator ({first}) runs region yard')
    assert any(text in output for text in said), output
    executable = Path(get_package_prefix('collab_coordinator')) / 'lib' / 'collab_coordinator' / 'coordinator'
    command_line = [str(executable), '--ros-args', '-r', '__ns:=/yard', '-p', f'site:={running.site}']
    second = subprocess.run(command_line, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert second.returncode == 2
    assert f'another coordinator ({first}) runs region yard' in second.stderr
    assert 'Traceback' not in output + second.stderr
    # The second one may have told of itself before it ended.
    running.wait(lambda s: s.coordinator == first and rotates(s), 'the first one goes on')


@pytest.mark.parametrize('stop', [False, True], ids=['killed', 'stopped for 5 s'])
def test_a_lost_driver_is_noticed_covered_for_and_comes_back(spare: Running, stop: bool) -> None:
    spare.wait_in_a_slot()
    # Whoever is alone on a scene: without it nobody watches that one.
    shown, begin = switches(spare.console), time.monotonic()
    alone = next(camera for camera, scene in shown.items() if list(shown.values()).count(scene) == 1)
    states, before = spare.watcher.states, len(spare.watcher.states)
    send(f'driver_{alone}', signal.SIGSTOP if stop else signal.SIGKILL)

    # In everything that was told: one that was killed may be back before this process looks again.
    def told(condition: Callable[[RegionState], bool]) -> bool:
        return any(condition(state) for state in states[before:])

    spare.wait(lambda _: told(lambda s: alone in gone(s)), 'it is noticed')
    assert next(k for k, state in enumerate(states[before:]) if alone in gone(state)) <= NOTICED
    spare.wait(lambda _: told(lambda s: alone in gone(s) and covered(s)), 'its scene is covered')
    if stop:
        wait_for(lambda: time.monotonic() - begin >= 5, PATIENCE, 'it is stopped for 5 s')
        assert alone in gone(states[-1])
        send(f'driver_{alone}', signal.SIGCONT)
    spare.wait(lambda s: not gone(s) and covered(s), 'it takes part again')


def gone(state: RegionState) -> set[str]:
    """The cameras that are not counted on."""
    return {one.camera for one in state.cameras if one.out}


def covered(state: RegionState) -> bool:
    """Whether cameras that are counted on show both scenes."""
    return not state.uncovered and {one.scene for one in state.cameras if not one.out} == {'gate', 'road'}


def assigned(console: RegionConsole) -> dict[str, str]:
    """Where the plan wants each camera."""
    return {one.camera: one.assigned for one in console.state.cameras}
