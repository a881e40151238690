# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Network cameras that misbehave: what the driver does and says, and that everything works again afterwards.

Two cameras are served and driven by processes of their own and follow a plan; faults are switched on and off in one of them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from network_camera import PASSWORD
from network_pair import Pair, running_pair

from ptz_collab_msgs.msg import CameraState, PresetFrame, PresetHeader
from ptz_node.convert import time_to_ns
from ptz_site import PlanMode

S = 1_000_000_000
#: Between two pictures of a camera whose control has troubles.
GAP = 1.5 * S
#: The same of one that has none; a machine that runs other tests may stop all of them for a moment.
STALL = 8 * S


def longest_gap(pair: Pair, camera: str, begin: int) -> int:
    """Between two pictures of a camera, from one of them on; ns."""
    stamps = [time_to_ns(header.header.stamp) for header in pair.frames[camera][begin:]]
    return max(after - before for before, after in itertools.pairwise(stamps))


def go_on(pair: Pair, begin: dict[str, int]) -> bool:
    """Whether north's pictures went on since then; what stops the other camera's too is the machine."""
    north, other = (longest_gap(pair, camera, begin[camera]) for camera in ('north', 'southwest'))
    return north < GAP + other


def counted(pair: Pair) -> dict[str, int]:
    """Pictures so far."""
    return {camera: len(frames) for camera, frames in pair.frames.items()}


@pytest.fixture(scope='module')
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both cameras rotate; nothing of them is untidy in the end."""
    with running_pair(tmp_path_factory.mktemp('pair')) as pair:
        pair.wait_until_well()
        yield pair
    assert 'Traceback' not in pair.log(), pair.log()
    assert PASSWORD not in pair.log() and 'correct%20horse' not in pair.log()


@pytest.fixture
def pair(running: Pair) -> Iterator[Pair]:
    """Well before the test, as after every test; the other camera does not notice anything."""
    others, frames = len(running.states['southwest']), len(running.frames['southwest'])
    normal = {name: type(value)(0) for name, value in running.north.faults().items()}
    normal['preset_gone'] = ''
    yield running
    running.north.set(**normal)
    running.wait_until_well()
    assert {state.fault for state in running.states['southwest'][others:]} == {0}
    assert longest_gap(running, 'southwest', frames) < STALL


def test_the_clock_and_the_stamps_are_known(pair: Pair) -> None:
    pair.wait(lambda: abs(pair.state().clock_offset) < 0.05, "the camera's clock is measured to hundredths of a second")
    assert pair.state().stamp_source == CameraState.STAMP_SENDER_REPORT
    assert pair.newest['north'].encoding == PresetFrame.ENCODING_H264


def test_without_move_status_the_position_tells(pair: Pair) -> None:
    pair.north.set(no_move_status=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_POSITION}


def test_a_move_status_that_stays_moving_is_overruled_by_the_position(pair: Pair) -> None:
    pair.north.set(always_moving=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_POSITION}


def test_without_status_and_position_the_picture_tells(pair: Pair) -> None:
    pair.north.set(no_move_status=True, no_position=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_PICTURE}


def test_a_slow_camera_is_followed_and_its_frames_do_not_wait(pair: Pair) -> None:
    pair.north.set(slow=0.6)
    begin = counted(pair)
    pair.wait_until_well()
    assert go_on(pair, begin)


@pytest.mark.parametrize('fault', ['hang', 'trickle'])
def test_a_camera_that_does_not_answer_is_given_up_in_time(pair: Pair, fault: str) -> None:
    pair.north.set(**{fault: True})
    begin = counted(pair)
    pair.wait_for_fault(CameraState.FAULT_UNREACHABLE, 'no answer')
    assert go_on(pair, begin), 'its pictures go on'


def test_a_stream_that_breaks_off_is_opened_again(pair: Pair) -> None:
    before = pair.state().reconnects
    session = pair.newest['north'].preset.session
    pair.north.set(drop_stream=True)
    pair.wait(lambda: pair.state().reconnects > before, 'the stream is opened again')
    pair.wait_until_well()
    assert pair.newest['north'].preset.session == session, 'without a restart of the node'


def test_a_stream_that_stops_is_noticed_and_opened_again(pair: Pair) -> None:
    pair.north.set(freeze_stream=True)
    pair.wait_for_fault(CameraState.FAULT_NO_FRAMES, 'no picture')


def test_a_frozen_picture_is_noticed(pair: Pair) -> None:
    pair.north.set(frozen_picture=True)
    pair.wait_for_fault(CameraState.FAULT_FROZEN, 'the same picture')


def test_a_black_picture_is_noticed(pair: Pair) -> None:
    pair.north.set(black_picture=True)
    pair.wait_for_fault(CameraState.FAULT_BLACK, 'black')


def test_late_pictures_are_a_warning(pair: Pair) -> None:
    pair.north.set(late=2.5)
    pair.wait(lambda: pair.says(DiagnosticStatus.WARN, 'late'), 'the diagnostics warn of late pictures')
    assert pair.state().fault == 0


def test_a_clock_that_is_set_to_something_else_locks_nobody_out(pair: Pair) -> None:
    pair.north.set(clock=-3600.0)
    pair.wait_until_well()
    pair.wait(lambda: pair.state().clock_offset < -3599, 'the offset is reported')
    pair.wait(lambda: pair.state().stamp_source == CameraState.STAMP_ARRIVAL, 'its sender reports are not believed')
    stamps = [time_to_ns(header.header.stamp) for header in pair.frames['north'][-20:]]
    assert abs(time.time_ns() - stamps[-1]) < 20 * S
    assert stamps == sorted(set(stamps))


def test_wrong_sender_reports_are_not_believed(pair: Pair) -> None:
    pair.north.set(wrong_sender_reports=60.0)
    pair.wait(lambda: pair.state().stamp_source == CameraState.STAMP_ARRIVAL, 'stamps by arrival')
    assert abs(time.time_ns() - time_to_ns(pair.newest['north'].header.stamp)) < 20 * S


def test_a_camera_that_stops_half_way_has_not_arrived(pair: Pair) -> None:
    pair.north.set(stuck=True)
    # The next switch of the plan comes half a second later, which may be too soon for the diagnostics.
    pair.wait(lambda: pair.state().fault == CameraState.FAULT_NOT_ARRIVED, 'the state says so')
    assert 'did not arrive at' in next(s.fault_text for s in reversed(pair.states['north']) if s.fault)
    begin = len(pair.frames['north'])
    pair.wait(lambda: len(pair.frames['north']) > begin + 40, 'frames while it is stuck')
    assert all(header.phase != PresetHeader.PHASE_IN_POSITION for header in pair.frames['north'][begin:])


def test_another_vendors_answers_are_understood(pair: Pair) -> None:
    pair.north.set(vendor=True)
    pair.wait_until_well()


def test_a_preset_that_is_gone_is_named(pair: Pair) -> None:
    pair.north.set(preset_gone='Gate')
    pair.restart('north')
    pair.wait_for_fault(CameraState.FAULT_REFUSED, "no preset 'Gate'; it has road")


def test_somebody_else_who_moves_the_camera_is_left_alone_for_a_while(pair: Pair) -> None:
    pair.rotate(PlanMode.STOPPED)
    # It looks for that every five seconds.
    looked = pair.north.calls()['GetStatus']
    pair.wait(lambda: pair.north.calls()['GetStatus'] >= looked + 2, 'the driver knows where the camera rests', 20)
    pair.north.set(drift=0.4)
    pair.wait_for_fault(CameraState.FAULT_MANUAL, 'somebody else moves')
    assert pair.state().manual
    moves = len(pair.north.commands())
    pair.rotate()
    assert len(pair.north.commands()) == moves, 'it was moved although somebody else uses it'
    pair.wait_until_well()


def test_a_camera_without_keyframes_on_demand_works(pair: Pair) -> None:
    pair.north.set(no_synchronization_point=True)
    pair.wait_until_well()


def test_a_refused_password_is_not_tried_again(pair: Pair) -> None:
    pair.north.set(reject_password=True)
    pair.wait_for_fault(CameraState.FAULT_REFUSED, 'user or password refused')
    refused = pair.north.calls()['refused']
    begin = time.monotonic()
    pair.wait(lambda: time.monotonic() > begin + 6, 'some time')
    assert pair.north.calls()['refused'] == refused <= 4, 'accounts are locked by this'
    assert pair.state().fault == CameraState.FAULT_REFUSED
    pair.north.set(reject_password=False)
    pair.restart('north')


def test_a_camera_that_can_not_be_fixed_is_left_on_automatic(pair: Pair) -> None:
    def mode() -> int | None:
        newest = pair.newest['north'].preset
        return newest.exposure_mode if newest.session == pair.state().session else None

    pair.north.set(no_manual_exposure=True)
    pair.restart('north')
    pair.wait(lambda: pair.says(DiagnosticStatus.WARN, 'refuses a fixed exposure'), 'the diagnostics say so', 60)
    assert not pair.state().manual_exposure_possible
    pair.wait(lambda: mode() == PresetHeader.EXPOSURE_AUTO, 'frames say so')
    pair.north.set(no_manual_exposure=False)
    pair.restart('north')
    pair.wait(lambda: mode() == PresetHeader.EXPOSURE_MANUAL, 'a fixed exposure', 60)
    assert pair.newest['north'].preset.exposure_time == pytest.approx(0.004, rel=1e-3)
