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
#: What a camera may seem to have while a busy machine stops its processes.
PASSING = {CameraState.FAULT_NONE, CameraState.FAULT_NOT_ARRIVED, CameraState.FAULT_UNREACHABLE, CameraState.FAULT_NO_FRAMES}


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
    """Well before the test, as after every test; the other camera has not noticed anything, and goes on."""
    others = len(running.states['southwest'])
    normal = {name: type(value)(0) for name, value in running.north.faults().items()}
    normal['preset_gone'] = ''
    yield running
    running.set(**normal)
    running.wait_until_well('north', 'southwest')
    assert {state.fault for state in running.states['southwest'][others:]} <= PASSING


def test_the_clock_and_the_stamps_are_known(pair: Pair) -> None:
    pair.wait(lambda: abs(pair.state().clock_offset) < 0.05, "the camera's clock is measured to hundredths of a second")
    pair.wait(lambda: pair.state().stamp_source == CameraState.STAMP_SENDER_REPORT, 'its sender reports are believed')
    assert pair.newest['north'].encoding == PresetFrame.ENCODING_H264


def test_without_move_status_the_position_tells(pair: Pair) -> None:
    pair.set(no_move_status=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_POSITION}


def test_a_move_status_that_stays_moving_is_overruled_by_the_position(pair: Pair) -> None:
    pair.set(always_moving=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_POSITION}


def test_without_status_and_position_the_picture_tells(pair: Pair) -> None:
    pair.set(no_move_status=True, no_position=True)
    pair.wait_until_well()
    begin = len(pair.states['north'])
    pair.wait_until_well()
    assert pair.arrivals(begin) == {CameraState.ARRIVAL_PICTURE}


def test_a_slow_camera_is_followed(pair: Pair) -> None:
    pair.set(slow=0.4)
    pair.wait_until_well()


@pytest.mark.parametrize('fault', ['hang', 'trickle'])
def test_a_camera_that_does_not_answer_is_given_up_in_time(pair: Pair, fault: str) -> None:
    pair.set(**{fault: True})
    pair.wait_for_fault(CameraState.FAULT_UNREACHABLE, 'no answer')
    begin = len(pair.frames['north'])
    pair.wait(lambda: len(pair.frames['north']) > begin + 20, 'its pictures go on')


def test_a_stream_that_breaks_off_is_opened_again(pair: Pair) -> None:
    before = pair.state().reconnects
    session = pair.newest['north'].preset.session
    pair.set(drop_stream=True)
    pair.wait(lambda: pair.state().reconnects > before, 'the stream is opened again')
    pair.wait_until_well()
    assert pair.newest['north'].preset.session == session, 'without a restart of the node'


def test_a_stream_that_stops_is_noticed_and_opened_again(pair: Pair) -> None:
    pair.set(freeze_stream=True)
    pair.wait_for_fault(CameraState.FAULT_NO_FRAMES, 'no picture')


def test_a_frozen_picture_is_noticed(pair: Pair) -> None:
    pair.set(frozen_picture=True)
    pair.wait_for_fault(CameraState.FAULT_FROZEN, 'the same picture')


def test_a_black_picture_is_noticed(pair: Pair) -> None:
    pair.set(black_picture=True)
    pair.wait_for_fault(CameraState.FAULT_BLACK, 'black')


def test_late_pictures_are_a_warning(pair: Pair) -> None:
    pair.set(late=2.2)
    pair.wait(lambda: pair.says(DiagnosticStatus.WARN, 'late'), 'the diagnostics warn of late pictures')
    pair.wait(lambda: pair.state().fault == 0, 'they are no fault')


def test_a_clock_that_is_set_to_something_else_locks_nobody_out(pair: Pair) -> None:
    pair.set(clock=-3600.0)
    pair.wait_until_well()
    pair.wait(lambda: pair.state().clock_offset < -3599, 'the offset is reported')
    pair.wait(lambda: pair.state().stamp_source == CameraState.STAMP_ARRIVAL, 'its sender reports are not believed')
    stamps = [time_to_ns(header.header.stamp) for header in pair.frames['north'][-20:]]
    assert abs(time.time_ns() - stamps[-1]) < 20 * S
    assert stamps == sorted(set(stamps))


def test_wrong_sender_reports_are_not_believed(pair: Pair) -> None:
    pair.set(wrong_sender_reports=60.0)
    pair.wait(lambda: pair.state().stamp_source == CameraState.STAMP_ARRIVAL, 'stamps by arrival')
    assert abs(time.time_ns() - time_to_ns(pair.newest['north'].header.stamp)) < 20 * S


def test_a_camera_that_stops_half_way_has_not_arrived(pair: Pair) -> None:
    pair.set(stuck=True)
    # The next switch of the plan comes half a second later, which may be too soon for the diagnostics.
    words = 'did not arrive at'
    pair.wait(lambda: any(words in state.fault_text for state in pair.since()), 'the state says so')
    told = next(state for state in pair.since() if words in state.fault_text)
    assert told.fault == CameraState.FAULT_NOT_ARRIVED

    def phases() -> list[int]:
        # Earlier ones may come later than the state did.
        return [h.phase for h in pair.frames['north'] if time_to_ns(h.header.stamp) > time_to_ns(told.header.stamp)]

    pair.wait(lambda: len(phases()) > 40, 'frames while it is stuck')
    assert PresetHeader.PHASE_IN_POSITION not in phases()


def test_another_vendors_answers_are_understood(pair: Pair) -> None:
    pair.set(vendor=True)
    pair.wait_until_well()


def test_a_preset_that_is_gone_is_named(pair: Pair) -> None:
    pair.set(preset_gone='Gate')
    pair.restart('north')
    pair.wait_for_fault(CameraState.FAULT_REFUSED, "no preset 'Gate'; it has road")


def test_somebody_else_who_moves_the_camera_is_left_alone_for_a_while(pair: Pair) -> None:
    pair.rotate(PlanMode.STOPPED)
    pair.wait(lambda: pair.state().phase == PresetHeader.PHASE_IN_POSITION, 'the camera rests')
    moves = len(pair.north.commands())
    # The driver has to look twice: where the camera rests, and that it does no longer. It looks every five seconds.
    for drift in itertools.count(1):
        looked = pair.north.calls()['GetStatus']
        pair.set(drift=0.4 * drift)
        pair.wait(lambda looked=looked: pair.north.calls()['GetStatus'] > looked or manual(pair), 'it looks again')
        if manual(pair):
            break
        assert drift < 10, 'it does not notice'
    pair.wait_for_fault(CameraState.FAULT_MANUAL, 'somebody else moves')
    pair.rotate()
    pair.wait_until_well()
    first = pair.north.commands()[moves]['at_ns']
    assert first > max(time_to_ns(state.header.stamp) for state in manual(pair)), 'it was moved although somebody else uses it'


def manual(pair: Pair) -> list[CameraState]:
    """Where its driver says that somebody else uses it."""
    return [state for state in pair.since() if state.manual]


def test_a_camera_without_keyframes_on_demand_works(pair: Pair) -> None:
    pair.set(no_synchronization_point=True)
    pair.wait_until_well()


def test_a_refused_password_is_not_tried_again(pair: Pair) -> None:
    pair.set(reject_password=True)
    pair.wait_for_fault(CameraState.FAULT_REFUSED, 'user or password refused')
    refused = pair.north.calls()['refused']
    said = len(pair.states['north'])
    pair.wait(lambda: len(pair.states['north']) > said + 12, 'some time: it says how it does every half second')
    assert pair.north.calls()['refused'] == refused <= 4, 'accounts are locked by this'
    pair.wait(lambda: pair.state().fault == CameraState.FAULT_REFUSED, 'it still says so')
    pair.set(reject_password=False)
    pair.restart('north')


def test_a_camera_that_can_not_be_fixed_is_left_on_automatic(pair: Pair) -> None:
    def shows(mode: int, seconds: float) -> bool:
        newest = pair.newest['north'].preset
        same = newest.session == pair.state().session and newest.exposure_mode == mode
        return same and (seconds == 0 or newest.exposure_time == pytest.approx(seconds, rel=1e-3))

    pair.set(no_manual_exposure=True)
    pair.restart('north')
    pair.wait(lambda: pair.says(DiagnosticStatus.WARN, 'refuses a fixed exposure'), 'the diagnostics say so')
    pair.wait(lambda: not pair.state().manual_exposure_possible, 'the state says so')
    pair.wait(lambda: shows(PresetHeader.EXPOSURE_AUTO, 0), 'frames say so')
    pair.set(no_manual_exposure=False)
    pair.restart('north')
    pair.wait(lambda: shows(PresetHeader.EXPOSURE_MANUAL, 0.004), 'a fixed exposure')
