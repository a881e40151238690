# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A bag opens wherever its writer dies: every state that the file passes through is made again and read with public tools."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcap.reader import NonSeekingReader, make_reader
from mcap_ros2.decoder import DecoderFactory
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CompressedImage

from ptz_stitcher.recording import BagWriter, RecordingError
from ptz_stitcher.recording.msgdefs import topic_type

S = 1_000_000_000
PAGE = 4096
IMAGE = topic_type('sensor_msgs/msg/CompressedImage')
HEADER = topic_type('ptz_collab_msgs/msg/PresetHeader')


def image(stamp_ns: int, size: int) -> bytes:
    message = CompressedImage(format='jpeg', data=bytes([stamp_ns // S % 256]) * size)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, S)
    return serialize_message(message)


def read_rosbags(folder: Path) -> list[int]:
    with AnyReader([folder]) as reader:
        stamps = [stamp for connection, stamp, raw in reader.messages() if reader.deserialize(raw, connection.msgtype).header]
    with Reader(folder) as plain:
        assert [stamp for _, stamp, _ in plain.messages()] == stamps
    return stamps


def read_mcap(folder: Path) -> list[int]:
    (path,) = folder.glob('*.mcap')
    with path.open('rb') as stream:
        decoded = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
        return [S * entry[3].header.stamp.sec + entry[3].header.stamp.nanosec for entry in decoded]


def read(folder: Path) -> list[int]:
    """The stamps of the messages, the same by every reader, each message decoded."""
    stamps = read_rosbags(folder)
    assert read_mcap(folder) == stamps
    return stamps


@dataclass
class Disk:
    """Stands between a writer and the file system: notes all that is done, and fails when it is told to."""

    folder: Path
    room: Callable[[int], bool] = lambda number: True
    states: list[tuple[bytes, str]] = field(default_factory=list)
    calls: int = 0

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        real_pwrite, real_truncate = os.pwrite, os.ftruncate

        def pwrite(file: int, data: memoryview, offset: int) -> int:
            self.calls += 1
            if not self.room(self.calls):
                if len(data) > 1:
                    real_pwrite(file, data[: len(data) // 2], offset)
                raise OSError(errno.ENOSPC, 'No space left on device')
            before = self.contents()
            # A kill cuts a write at a page; each page is written wholly or not at all.
            cuts = [cut - offset for cut in range(offset // PAGE * PAGE + PAGE, offset + len(data), PAGE)]
            self.note(*(overlaid(before, offset, bytes(data[:cut])) for cut in [0, *cuts, len(data)]))
            return real_pwrite(file, data, offset)

        def ftruncate(file: int, size: int) -> None:
            self.note(self.contents())
            real_truncate(file, size)
            self.note(self.contents())

        patch.setattr(os, 'pwrite', pwrite)
        patch.setattr(os, 'ftruncate', ftruncate)

    def contents(self) -> bytes:
        files = list(self.folder.glob('*.mcap')) if self.folder.exists() else []
        return files[0].read_bytes() if files else b''

    def note(self, *contents: bytes) -> None:
        if self.folder.exists():
            metadata = (self.folder / 'metadata.yaml').read_text()
            self.states.extend((content, metadata) for content in contents)


def overlaid(before: bytes, offset: int, data: bytes) -> bytes:
    return before[:offset].ljust(offset, b'\0') + data + before[offset + len(data) :] if data else before


def states_as_bags(disk: Disk, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for content, metadata in dict.fromkeys(disk.states):
        (folder / f'{disk.folder.name}_0.mcap').write_bytes(content)
        (folder / 'metadata.yaml').write_text(metadata)
        yield folder


# Chunks smaller and larger than the end that is written behind them, and ends of more than a page.
@pytest.mark.parametrize('size', [50, 3_000, 30_000])
def test_every_state_between_two_system_calls_and_inside_of_one_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    folder, stamps, checkpoints = tmp_path / 'gate', [], [0]
    disk = Disk(folder)
    with monkeypatch.context() as patch:
        disk.attach(patch)
        with BagWriter(folder, {'scene': 'gate'}, chunk_seconds=1e6) as bag:
            bag.add_topic('/image', IMAGE)
            bag.add_topic('/header', HEADER)
            for k in range(12):
                if k == 7:
                    bag.add_topic('/late', IMAGE)
                stamps.append(k * S)
                bag.write('/late' if k > 7 else '/image', image(k * S, size), k * S)
                if k % 3 == 2:
                    bag.checkpoint()
                    checkpoints.append(k + 1)
    assert len(disk.states) > 50
    seen = [(read_mcap(bag), read_rosbags(bag)) for bag in states_as_bags(disk, tmp_path / 'state')]
    counts = [len(direct) for direct, _ in seen]
    assert counts == sorted(counts), 'nothing that was there goes away'
    # The first checkpoint puts a whole new file in the place of the empty one.
    assert set(counts) == set(checkpoints) - {0}
    for direct, by_metadata in seen:
        assert direct == stamps[: len(direct)]
        # metadata.yaml is replaced after the file: until then a topic that is new with this checkpoint is not seen through it.
        assert by_metadata in (direct, [stamp for stamp in direct if stamp < 8 * S])
    assert read(folder) == stamps
    # The finished file is clean: it also reads from a pipe, from one end to the other.
    with (folder / 'gate_0.mcap').open('rb') as stream:
        assert [entry[2].log_time for entry in NonSeekingReader(stream, validate_crcs=True).iter_messages()] == stamps


def failures() -> Iterator[tuple[str, int, int]]:
    # A checkpoint makes eight writes, but the first, which replaces the empty file. Also a disk that stays full when the old end is put back.
    for call in range(1, 17):
        yield 'once', call, call
        yield 'for good', call, 10**9


@pytest.mark.parametrize(('kind', 'first', 'last'), list(failures()))
def test_a_full_disk_leaves_the_bag_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, first: int, last: int
) -> None:
    folder = tmp_path / 'gate'
    disk = Disk(folder, room=lambda number: not first <= number <= last)
    written = 0
    bag = BagWriter(folder, chunk_seconds=1e6)
    bag.add_topic('/image', IMAGE)
    whole = b''
    with monkeypatch.context() as patch:
        disk.attach(patch)
        for k in range(5):
            bag.write('/image', image(k * S, 9_000), k * S)
            whole = disk.contents()
            with contextlib.suppress(RecordingError):
                bag.checkpoint()
                written = k + 1
            if written <= k:
                break
    assert written == (1 if first <= 8 else 2)
    assert read(folder) == [k * S for k in range(written)]
    assert bag.messages == written
    if kind == 'once':
        assert disk.contents() == whole, 'nothing is left of the chunk that did not fit'
    with pytest.raises(RecordingError, match='closed already'):
        bag.write('/image', b'', 0)
    bag.close()
    assert read(folder) == [k * S for k in range(written)]


def test_a_bag_whose_metadata_cannot_be_written_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag = BagWriter(tmp_path / 'gate', chunk_seconds=1e6)
    bag.add_topic('/image', IMAGE)
    bag.write('/image', image(S, 10), S)
    bag.checkpoint()
    bag.write('/image', image(2 * S, 10), 2 * S)

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_text', full)
        with pytest.raises(RecordingError, match='No space left'):
            bag.checkpoint()
    assert read(tmp_path / 'gate') == [S, 2 * S]
    assert sorted(path.name for path in (tmp_path / 'gate').iterdir()) == ['gate_0.mcap', 'metadata.yaml']


@pytest.mark.parametrize('given', [0, 1])
def test_no_room_at_the_start_leaves_nothing_or_an_empty_bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, 'No space left on device')

    def first_message() -> None:
        bag.add_topic('/image', IMAGE)
        bag.write('/image', image(S, 10), S)
        bag.close()

    bag = BagWriter(tmp_path / 'gate', chunk_seconds=1e6) if given else None
    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full)
        with pytest.raises(RecordingError, match='gate: No space left'):
            first_message() if bag else BagWriter(tmp_path / 'gate')
    if not bag:
        assert list(tmp_path.iterdir()) == []
    else:
        assert read(tmp_path / 'gate') == []
        assert sorted(path.name for path in (tmp_path / 'gate').iterdir()) == ['gate_0.mcap', 'metadata.yaml']


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(RecordingError, match=r'file/gate: Not a directory'):
        BagWriter(tmp_path / 'file' / 'gate')


def test_late_stamps_and_a_clock_that_is_set_do_not_make_a_chunk_of_each_message(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'late', chunk_seconds=1.0) as bag:
        bag.add_topic('/image', IMAGE)
        stamps = [100 * S + k * S // 100 - (k % 2) * 5 * S for k in range(1000)]
        for stamp in stamps:
            bag.write('/image', image(stamp, 10), stamp)
    assert read(tmp_path / 'late') == sorted(stamps)
    assert chunks(tmp_path / 'late') <= 12
    with BagWriter(tmp_path / 'set', chunk_seconds=1.0) as bag:
        bag.add_topic('/image', IMAGE)
        stamps = [k * S // 10 + (10**6 * S if k == 50 else 0) for k in range(200)]
        for stamp in stamps:
            bag.write('/image', image(stamp, 10), stamp)
        assert len(read(tmp_path / 'set')) > 180, 'checkpoints go on after a stamp from the future'
    assert chunks(tmp_path / 'set') <= 24


def chunks(folder: Path) -> int:
    (path,) = folder.glob('*.mcap')
    with path.open('rb') as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    return len(summary.chunk_indexes)
