# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings over days: cut where a segment begins, kept as long as wanted, and on again after the disk was full."""

from __future__ import annotations

import errno
import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetHeader, RotationPlan
from ptz_node.convert import time_from_ns
from ptz_site import Mark, Phase
from ptz_stitcher.offline.messages import image_head
from ptz_stitcher.recording import EncodedPicture, RecordingError
from ptz_stitcher.recording.mcap_file import CheckpointedFile
from ptz_stitcher.segments import Cut, FrameHeader
from ptz_stitcher.sequence_writer import Frame, SequenceSettings
from ptz_stitcher.storage import FileLimits, Keeper, KeepLimits, RollingLog, RollingSequence, StorageLimits
from ptz_stitcher.storage.disk_guard import DiskGuard, is_for_want_of_room
from ptz_stitcher.storage.keeper import Surroundings
from ptz_stitcher.storage.ledger import Ledger
from ptz_stitcher.storage.names import names_of, parts_of
from ptz_stitcher.storage.retention import Part, surplus
from ptz_stitcher.storage.rotation import Rotation

S = 1_000_000_000
BEGIN = 1_700_000_000 * S
MB = 1_000_000
PICTURE = cv2.imencode('.jpg', np.full((90, 160, 3), 128, np.uint8))[1].tobytes()


def frame(number: int, slot_seconds: int = 4) -> Frame:
    """Of two cameras in turn, ten a second; each slot begins a segment."""
    stamp_ns = BEGIN + number * S // 10
    slot = number // (10 * slot_seconds)
    camera, switch_ns = ('north', 'south')[slot % 2], BEGIN + slot * slot_seconds * S
    marks = Mark.SWITCH_START | Mark.ARRIVED if stamp_ns == switch_ns else Mark.NONE
    header = FrameHeader(camera, 'gate', 1, number, stamp_ns, Phase.IN_POSITION, marks, switch_ns, switch_ns, slot)
    message = PresetHeader(camera=camera, scene='gate', session=1, sequence=number, slot=slot, phase=2)
    message.header.stamp = time_from_ns(stamp_ns)
    image = CompressedImage(header=message.header, format='jpeg')
    picture = EncodedPicture(PICTURE, 'jpeg', True, (160, 90))
    return Frame(header, picture, image_head(image.header, image.format, len(PICTURE)), serialize_message(message))


@dataclass
class Machine:
    """A disk and a clock of paper."""

    free: int = 10_000 * MB
    now_ns: int = BEGIN
    said: list[str] = field(default_factory=list)

    def surroundings(self) -> Surroundings:
        return Surroundings(
            lambda: self.free, lambda: self.now_ns, lambda: self.now_ns, lambda text, _grave: self.said.append(text)
        )


@pytest.fixture
def machine() -> Machine:
    return Machine()


def keeper(out: Path, machine: Machine, limits: StorageLimits) -> Keeper:
    return Keeper(out, 'yard', limits, machine.surroundings())


def sequence(out: Path, of: Keeper) -> RollingSequence:
    return RollingSequence(SequenceSettings('yard', 'gate', 'site.yaml', out, Cut.ARRIVED, S // 2, S // 10, True, True), of)


def numbers(bag: Path) -> list[int]:
    with AnyReader([bag]) as reader:
        headers = [one for one in reader.connections if one.topic.endswith('/preset_header')]
        return [reader.deserialize(raw, one.msgtype).sequence for one, _, raw in reader.messages(headers)]


def bags(out: Path) -> list[Path]:
    return sorted(file.parent for file in out.glob('*/metadata.yaml'))


def pictures(video: Path) -> int:
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


# Rotation


def cuts(limits: FileLimits, segment_s: int, seconds: int, keyframe_s: float = 0.0) -> list[float]:
    """When files begin, in s; ten pictures a second of 1 kB, a keyframe at each segment's beginning and every keyframe_s."""
    rotation, found = Rotation(limits), []
    for number in range(10 * seconds):
        opens = number % (10 * segment_s) == 0
        keyframe = opens or not keyframe_s or number % (10 * keyframe_s) == 0
        if rotation.cuts_before(number * S // 10, 1000, opens, keyframe):
            found.append(number / 10)
    return found


def test_without_limits_a_recording_is_one_file() -> None:
    assert cuts(FileLimits(), 5, 1000) == []


def test_a_file_ends_where_a_segment_begins() -> None:
    assert cuts(FileLimits(time_ns=60 * S), 7, 200) == [63, 126, 189]


def test_where_no_segment_begins_soon_it_ends_at_a_keyframe() -> None:
    assert cuts(FileLimits(time_ns=60 * S), 10_000, 200, keyframe_s=4) == [68, 136]


def test_a_size_is_kept_to_a_tenth() -> None:
    begins = [0.0, *cuts(FileLimits(size=100_000), 10_000, 60), 60.0]
    assert len(begins) >= 6
    assert all(later - earlier <= 11.0 for earlier, later in itertools.pairwise(begins))


# Retention


def test_the_oldest_go_and_what_is_being_written_never() -> None:
    parts = [Part('a', 1 * S, 10), Part('running', None, 1000), Part('b', 3 * S, 10), Part('c', 2 * S, 10)]
    assert surplus(parts, 10 * S, KeepLimits()) == []
    assert [part.name for part in surplus(parts, 10 * S, KeepLimits(age_ns=7 * S + 1))] == ['a', 'c']
    assert [part.name for part in surplus(parts, 10 * S, KeepLimits(size=1015))] == ['a', 'c']
    assert [part.name for part in surplus(parts, 10 * S, KeepLimits(size=1))] == ['a', 'c', 'b']


def test_only_what_is_in_the_ledger_is_deleted(tmp_path: Path) -> None:
    for name in ('gate', 'gate_west'):
        (tmp_path / name).mkdir()
        (tmp_path / f'{name}.mp4').write_bytes(b'x' * 100)
    ledger = Ledger(tmp_path)
    ledger.began('gate')
    with pytest.raises(ValueError, match='being written'):
        ledger.delete('gate')
    ledger.ended('gate', BEGIN)
    with pytest.raises(ValueError, match='no recording'):
        ledger.delete('gate_west')
    ledger.delete('gate')
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ['gate_west', 'gate_west.mp4', 'recordings.json']


def test_what_a_killed_process_left_counts_as_over(tmp_path: Path) -> None:
    (tmp_path / 'gate').mkdir()
    (tmp_path / 'gate' / 'gate_0.mcap').write_bytes(b'x' * 100)
    killed = Ledger(tmp_path)
    killed.began('gate')
    with pytest.raises(RecordingError, match='somebody else'):
        Ledger(tmp_path)
    os.close(killed._lock)  # as the kernel does
    after = Ledger(tmp_path)
    assert after.was_killed
    (part,) = after.parts()
    assert part.end_ns == (tmp_path / 'gate' / 'gate_0.mcap').stat().st_mtime_ns and part.size == 100


@pytest.mark.parametrize('name', ['../precious', '/precious', '.', '..', 'a/b', ''])
def test_a_ledger_that_was_tampered_with_reaches_nothing_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / 'precious').mkdir()
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'recordings.json').write_text(json.dumps({'version': 1, 'recordings': [{'name': name, 'end_ns': 1}]}))
    assert Ledger(out).parts() == []


def test_a_damaged_ledger_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / 'recordings.json').write_text('{"recordings": [')
    assert Ledger(tmp_path).parts() == []


# A full disk


def test_recording_starts_again_only_with_some_room_to_spare() -> None:
    guard = DiskGuard(1000 * MB)
    assert guard.look(1000 * MB, 0) and not guard.look(999 * MB, 1)
    assert not guard.look(1050 * MB, 2) and guard.look(1100 * MB, 3)


def test_after_a_write_that_found_no_room_it_waits_a_little() -> None:
    guard = DiskGuard(0)
    guard.found_full(0)
    assert not guard.look(10_000 * MB, 1 * S) and guard.look(10_000 * MB, 11 * S)
    assert is_for_want_of_room(f'x.mp4: {os.strerror(errno.ENOSPC)}') and not is_for_want_of_room('x.mp4: a picture of 3x3')


# Together


def test_parts_hold_every_frame_once_and_are_named_by_region_scene_and_time(tmp_path: Path, machine: Machine) -> None:
    rolling = sequence(tmp_path, keeper(tmp_path, machine, StorageLimits(FileLimits(time_ns=6 * S))))
    for number in range(300):
        rolling.take(frame(number))
    rolling.close()
    parts = bags(tmp_path)
    # Segments begin every 4 s, and no file is worth waiting for more than a tenth of its time.
    assert [part.name for part in parts][:2] == ['yard_gate_20231114T221320Z', 'yard_gate_20231114T221326Z']
    assert [number for part in parts for number in numbers(part)] == list(range(300))
    assert sum(pictures(part.with_name(f'{part.name}.mp4')) for part in parts) == 300
    assert rolling.written == 300 and not rolling.failures and len(rolling.cutter.segments) == 8
    ends = json.loads((tmp_path / 'recordings.json').read_text())['recordings']
    assert [one['name'] for one in ends] == [part.name for part in parts] and all(one['end_ns'] for one in ends)


def test_two_parts_of_one_second_have_two_names(tmp_path: Path, machine: Machine) -> None:
    rolling = sequence(tmp_path, keeper(tmp_path, machine, StorageLimits(FileLimits(size=2 * len(PICTURE)))))
    for number in range(10):
        rolling.take(frame(number))
    rolling.close()
    assert [number for part in sorted(bags(tmp_path), key=lambda part: numbers(part)) for number in numbers(part)] == list(
        range(10)
    )


def test_old_parts_go_while_new_ones_are_written(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / 'yard_gate_20200101T000000Z.mp4').write_bytes(b'somebody put it here')
    of = keeper(tmp_path, machine, StorageLimits(FileLimits(time_ns=4 * S), KeepLimits(age_ns=5 * S)))
    rolling = sequence(tmp_path, of)
    for number in range(200):
        machine.now_ns = BEGIN + number * S // 10
        rolling.take(frame(number))
        of.look()
    assert [part.name[-7:] for part in bags(tmp_path)] == ['221332Z', '221336Z']
    assert sum('no longer to be kept' in text for text in machine.said) == 3
    rolling.close()
    assert (tmp_path / 'yard_gate_20200101T000000Z.mp4').exists()


def test_a_full_disk_closes_the_files_and_recording_goes_on_in_new_ones(tmp_path: Path, machine: Machine) -> None:
    of = keeper(tmp_path, machine, StorageLimits(least_free=100 * MB))
    rolling, log = sequence(tmp_path, of), RollingLog('yard', 'site.yaml', of)
    for number in range(300):
        machine.free = 50 * MB if 100 <= number < 200 else 500 * MB
        of.look()
        rolling.take(frame(number))
        log.header('north', frame(number).header_message, frame(number).header.stamp_ns)
        if number == 150:
            assert not of.recording
            # Whole, while nothing is written.
            assert pictures(tmp_path / 'gate.mp4') == len(numbers(tmp_path / 'gate')) == 95
    assert of.recording and not rolling.failing
    rolling.close()
    log.close()
    again = next(part for part in bags(tmp_path) if part.name.startswith('yard_gate'))
    recorded = numbers(tmp_path / 'gate') + numbers(again)
    assert len(recorded) + rolling.missed == 300 and recorded == sorted(set(recorded))
    assert pictures(again.with_name(f'{again.name}.mp4')) == len(numbers(again))
    assert len([part for part in bags(tmp_path) if 'region' in part.name]) == 2
    assert [text.split(':')[0] for text in machine.said] == ['the disk is full', 'there is room again']
    assert any('frames are not recorded' in failure for failure in rolling.failures)


@pytest.fixture
def disk_fills_up(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """While it holds True, bags can't grow."""
    full = [False]
    append = CheckpointedFile.append

    def limited(self: CheckpointedFile, *arguments: object) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CheckpointedFile, 'append', limited)
    return full


def test_a_write_without_room_stops_recording_whatever_the_disk_says(
    tmp_path: Path, machine: Machine, disk_fills_up: list[bool]
) -> None:
    of = keeper(tmp_path, machine, StorageLimits())
    rolling = sequence(tmp_path, of)
    for number in range(400):
        machine.now_ns = BEGIN + number * S // 10
        disk_fills_up[0] = 100 <= number < 150
        of.look()
        rolling.take(frame(number))
    rolling.close()
    recorded = [number for part in bags(tmp_path) for number in numbers(part)]
    assert len(bags(tmp_path)) == 2 and recorded == sorted(set(recorded)) and recorded[-1] == 399
    assert recorded[0] == 0 and len(recorded) > 200
    assert any(os.strerror(errno.ENOSPC) in failure for failure in rolling.failures)


def test_every_part_of_the_log_has_the_plan(tmp_path: Path, machine: Machine) -> None:
    of = keeper(tmp_path, machine, StorageLimits(FileLimits(time_ns=5 * S)))
    log = RollingLog('yard', 'site.yaml', of)
    log.plan(serialize_message(RotationPlan(region='yard', revision=7)), BEGIN)
    for number in range(120):
        log.header('north', frame(number).header_message, frame(number).header.stamp_ns)
    log.close()
    assert len(bags(tmp_path)) == 3
    for part in bags(tmp_path):
        with AnyReader([part]) as reader:
            plans = [one for one in reader.connections if one.topic == '/yard/plan']
            assert [reader.deserialize(raw, one.msgtype).revision for one, _, raw in reader.messages(plans)] == [7]


def test_a_recording_that_is_not_rotated_is_never_written_over(tmp_path: Path, machine: Machine) -> None:
    of = keeper(tmp_path, machine, StorageLimits())
    sequence(tmp_path, of).close()
    of.close()
    with pytest.raises(RecordingError, match='exists already'):
        sequence(tmp_path, keeper(tmp_path, machine, StorageLimits()))


def test_after_a_kill_recording_goes_on_in_new_files_beside_the_old_ones(tmp_path: Path, machine: Machine) -> None:
    begun: list[Keeper] = []
    for life in range(3):
        begun.append(keeper(tmp_path, machine, StorageLimits()))
        assert begun[-1].resumed == (life > 0)
        rolling, log = sequence(tmp_path, begun[-1]), RollingLog('yard', 'site.yaml', begun[-1])
        for number in range(100 * life, 100 * life + 80):
            rolling.take(frame(number))
            log.header('north', frame(number).header_message, frame(number).header.stamp_ns)
        if life < 2:
            os.close(begun[-1]._ledger._lock)  # as the kernel does when it is killed
            begun[-1]._ledger._lock = -1
    rolling.close()
    log.close()
    begun[-1].close()
    recorded = [numbers(part) for part in parts_of(tmp_path, 'gate', 'yard')]
    assert [part[0] for part in recorded] == [0, 100, 200]
    # The last moments before a kill are lost: what waits for frames that may be late, and what is not in the file yet.
    assert [len(part) for part in recorded] == [pytest.approx(70, abs=5), pytest.approx(70, abs=5), 80]
    assert [len(numbers(part)) > 60 for part in parts_of(tmp_path, 'region', 'yard')] == [True] * 3
    assert pictures(tmp_path / 'gate.mp4') > 60
    # That one was not killed, and its files are written over no more than any others.
    with pytest.raises(RecordingError, match='exists already'):
        sequence(tmp_path, keeper(tmp_path, machine, StorageLimits()))


def test_parts_are_found_in_the_order_of_time_and_of_their_scene_alone(tmp_path: Path) -> None:
    later = ['yard_gate_20231114T221326Z', 'yard_gate_20231114T221326Z-2', 'yard_gate_20231114T221326Z-10']
    for name in (*later, 'gate', 'yard_north_gate_20231114T221326Z', 'yard_gate_somebody', 'yard_gate_20231114T221326Z.pictures'):
        (tmp_path / name).mkdir()
    (tmp_path / 'yard_gate_20231114T221400Z.mp4').write_bytes(b'a video alone')
    assert [part.name for part in parts_of(tmp_path, 'gate', 'yard')] == ['gate', *later]
    assert names_of(tmp_path, 'gate', 'yard') == ['gate', *later, 'yard_gate_20231114T221400Z']
