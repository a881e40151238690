# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""However ros2 bag record was told to store a rotation: it is stitched to what the live stitcher wrote, and replayed whole.

Its profiles are made here with the options of the mcap and rosbags libraries that they stand for (rosbag2_storage_mcap: none, fastwrite,
zstd_fast, zstd_small, and a storage configuration of one's own; rosbag2_compression: by file and by message).
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from paper_region import Sent, Story, record, story, write_live
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from same_sequences import assert_same, stitched

from collab_bringup.cli import main
from ptz_collab_msgs.msg import CameraState, PresetFrame, RotationPlan
from ptz_stitcher.offline import messages
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.replay.recording import ReplayRequest, open_recording
from ptz_stitcher.segments import Cut

TYPES = {
    kind.__name__: topic_type(name)
    for kind, name in ((PresetFrame, messages.FRAME), (RotationPlan, messages.PLAN), (CameraState, messages.STATE))
}
#: As ROS 2 Jazzy writes it, in metadata.yaml as a list, in MCAP as the same in text.
QOS = [
    {
        'history': 'keep_last',
        'depth': 30,
        'reliability': 'reliable',
        'durability': 'volatile',
        'deadline': {'sec': 9223372036, 'nsec': 854775807},
        'lifespan': {'sec': 9223372036, 'nsec': 854775807},
        'liveliness': 'automatic',
        'liveliness_lease_duration': {'sec': 9223372036, 'nsec': 854775807},
        'avoid_ros_namespace_conventions': False,
    }
]
Recorder = Callable[[Story, Path], Path]


@pytest.fixture(scope='module')
def told() -> Story:
    return story('h264')


@pytest.fixture(scope='module')
def live(told: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('live')
    write_live(told, folder, Cut.ARRIVED)
    return folder


def write_mcap(sent: Sequence[Sent], path: Path, **options: Any) -> None:
    with path.open('wb') as stream:
        writer = McapWriter(stream, **{'chunk_size': 20_000, **options})
        writer.start(profile='ros2', library='libmcap 1.3.0')
        schemas: dict[str, int] = {}
        channels: dict[str, int] = {}
        for one in sent:
            kind = TYPES[type(one.message).__name__]
            if kind.name not in schemas:
                schemas[kind.name] = writer.register_schema(kind.name, 'ros2msg', kind.definition.encode())
            if one.topic not in channels:
                told = {'offered_qos_profiles': yaml.safe_dump(QOS), 'topic_type_hash': kind.type_hash}
                channels[one.topic] = writer.register_channel(one.topic, 'cdr', schemas[kind.name], told)
            writer.add_message(channels[one.topic], one.at_ns, one.data, one.at_ns)
        writer.add_metadata('rosbag2', {'serialized_metadata': ''})
        writer.finish()


def write_metadata(sent: Sequence[Sent], folder: Path, **more: str) -> None:
    """Of ROS 2 Jazzy."""
    names = sorted((file.name for file in folder.iterdir()), key=lambda name: int(name.split('_')[1].split('.')[0]))
    span = {
        'duration': {'nanoseconds': sent[-1].at_ns - sent[0].at_ns},
        'starting_time': {'nanoseconds_since_epoch': sent[0].at_ns},
        'message_count': len(sent),
    }
    topics = [
        {
            'topic_metadata': {
                'name': topic,
                'type': kind.name,
                'serialization_format': 'cdr',
                'offered_qos_profiles': QOS,
                'type_description_hash': kind.type_hash,
            },
            'message_count': sum(one.topic == topic for one in sent),
        }
        for topic, kind in {one.topic: TYPES[type(one.message).__name__] for one in sent}.items()
    ]
    information = {
        'version': 9,
        'storage_identifier': 'mcap',
        **span,
        'topics_with_message_count': topics,
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': names,
        'files': [{'path': name, **span} for name in names],
        'custom_data': None,
        'ros_distro': 'jazzy',
        **more,
    }
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': information}, sort_keys=False))


def in_mcap(sent: Sequence[Sent], folder: Path, files: int = 1, **options: Any) -> Path:
    folder.mkdir()
    size = -(-len(sent) // files)
    for number in range(files):
        write_mcap(sent[number * size : (number + 1) * size], folder / f'bag_{number}.mcap', **options)
    write_metadata(sent, folder)
    return folder


def as_it_comes(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, compression=CompressionType.NONE)


def in_lz4(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, compression=CompressionType.LZ4)


def zstd_fast(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, compression=CompressionType.ZSTD, enable_crcs=False)


def zstd_small(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, compression=CompressionType.ZSTD, chunk_size=4_000_000)


def shuffled(told: Story) -> list[Sent]:
    """Log times are those of the middleware; what several threads took from it is written as it comes."""
    chance = random.Random(4)
    return sorted(told.sent, key=lambda one: one.at_ns + chance.randint(0, 300_000_000))


def fastwrite(told: Story, folder: Path) -> Path:
    return in_mcap(shuffled(told), folder, use_chunking=False, compression=CompressionType.NONE)


def out_of_order_in_chunks(told: Story, folder: Path) -> Path:
    return in_mcap(shuffled(told), folder, compression=CompressionType.LZ4)


def without_summary(told: Story, folder: Path) -> Path:
    nothing = {'index_types': IndexType.NONE, 'repeat_channels': False, 'repeat_schemas': False}
    return in_mcap(shuffled(told), folder, use_statistics=False, use_summary_offsets=False, **nothing)


def without_message_index(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, index_types=IndexType.CHUNK)


def without_chunk_index(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, index_types=IndexType.MESSAGE)


def without_types_at_the_end(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, repeat_schemas=False)


def in_many_files(told: Story, folder: Path) -> Path:
    return in_mcap(told.sent, folder, files=12, compression=CompressionType.ZSTD)


def killed_before_its_metadata(told: Story, folder: Path) -> Path:
    in_mcap(told.sent, folder, files=11)
    (folder / 'metadata.yaml').unlink()
    return folder


def compressed_by_file(told: Story, folder: Path) -> Path:
    in_mcap(told.sent, folder, files=3, compression=CompressionType.NONE)
    (folder / 'metadata.yaml').unlink()
    for file in sorted(folder.iterdir()):
        # In one stream, as the recorder does: the frame does not say how large it was.
        with file.open('rb') as source, file.with_name(f'{file.name}.zstd').open('wb') as target:
            zstandard.ZstdCompressor().copy_stream(source, target)
        file.unlink()
    write_metadata(told.sent, folder, compression_format='zstd', compression_mode='FILE')
    return folder


def killed_while_compressing(told: Story, folder: Path) -> Path:
    bag = compressed_by_file(told, folder)
    last = bag / 'bag_2.mcap.zstd'
    with last.open('rb') as source, (bag / 'bag_2.mcap').open('wb') as target:
        zstandard.ZstdDecompressor().copy_stream(source, target)
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    (bag / 'metadata.yaml').unlink()
    return bag


def in_sqlite3(told: Story, folder: Path, mode: CompressionMode) -> Path:
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for one in told.sent:
            if one.topic not in connections:
                name = TYPES[type(one.message).__name__].name
                connections[one.topic] = writer.add_connection(one.topic, name, typestore=messages.typestore())
            writer.write(connections[one.topic], one.at_ns, one.data)
    return folder


def sqlite3_by_file(told: Story, folder: Path) -> Path:
    return in_sqlite3(told, folder, CompressionMode.FILE)


def mcap_by_message(told: Story, folder: Path) -> Path:
    compress = zstandard.ZstdCompressor().compress
    in_mcap([replace(one, data=compress(one.data)) for one in told.sent], folder, compression=CompressionType.NONE)
    (folder / 'metadata.yaml').unlink()
    write_metadata(told.sent, folder, compression_format='zstd', compression_mode='MESSAGE')
    return folder


def sqlite3_by_message(told: Story, folder: Path) -> Path:
    return in_sqlite3(told, folder, CompressionMode.MESSAGE)


def one_file_without_its_folder(told: Story, folder: Path) -> Path:
    return next(in_sqlite3(told, folder, CompressionMode.MESSAGE).glob('*.db3'))


RECORDERS = [
    as_it_comes, in_lz4, zstd_fast, zstd_small, fastwrite, out_of_order_in_chunks, without_summary, without_message_index,
    without_chunk_index, without_types_at_the_end, in_many_files, killed_before_its_metadata, compressed_by_file,
    killed_while_compressing, mcap_by_message, sqlite3_by_file, sqlite3_by_message, one_file_without_its_folder,
]  # fmt: skip


@pytest.mark.parametrize('recorder', RECORDERS)
def test_a_bag_is_stitched_to_what_the_live_stitcher_wrote_and_replayed_whole(
    recorder: Recorder, told: Story, live: Path, tmp_path: Path
) -> None:
    bag = recorder(told, tmp_path / 'bag')
    stitched([bag], tmp_path / 'out')
    assert_same(tmp_path / 'out', live)
    assert_replayed_whole(bag, told)


def assert_replayed_whole(bag: Path, told: Story) -> None:
    recording = open_recording(ReplayRequest((bag,)))
    replayed = list(recording.messages())
    assert not recording.problems
    assert [one.at_ns for one in replayed] == sorted(one.at_ns for one in replayed)
    # A frame of a scene comes back on its camera's topic too.
    frames = sorted((one.at_ns, one.data) for one in replayed if one.is_frame)
    others = sorted((one.at_ns, one.data) for one in replayed if one.type_name != messages.FRAME)
    is_frame = [one.topic.endswith('/frames') for one in told.sent]
    assert frames == sorted((one.at_ns, one.data) for one, frame in zip(told.sent, is_frame, strict=True) if frame)
    assert others == sorted((one.at_ns, one.data) for one, frame in zip(told.sent, is_frame, strict=True) if not frame)


def test_what_is_missing_or_ends_early_is_one_line_for_each_file(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = in_many_files(told, tmp_path / 'bag')
    (bag / 'bag_3.mcap').unlink()
    with (bag / 'bag_7.mcap').open('r+b') as stream:
        stream.truncate((bag / 'bag_7.mcap').stat().st_size // 2)
    assert main(['stitch', str(bag), '--no-videos', '--out', str(tmp_path / 'out')]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('not stitched:')]
    assert len(lines) == 2
    assert 'bag_3.mcap is missing' in lines[0]
    assert 'bag_7.mcap: cut short or damaged' in lines[1]


def test_a_damaged_chunk_is_noticed_and_what_comes_before_it_is_taken(
    told: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = as_it_comes(told, tmp_path / 'bag')
    file = bag / 'bag_0.mcap'
    with file.open('rb') as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    chunk = summary.chunk_indexes[len(summary.chunk_indexes) // 2]
    data = bytearray(file.read_bytes())
    data[chunk.chunk_start_offset + chunk.chunk_length // 2] ^= 1
    file.write_bytes(data)
    assert main(['stitch', str(bag), '--no-videos', '--out', str(tmp_path / 'out')]) == 1
    assert 'bag_0.mcap: cut short or damaged (a chunk is damaged)' in capsys.readouterr().out


def test_a_compressed_file_alone_is_a_bag(told: Story, tmp_path: Path, live: Path) -> None:
    plain = record(told, tmp_path / 'plain', 'mcap')
    (file,) = plain.glob('*.mcap')
    with file.open('rb') as source, (tmp_path / 'alone.mcap.zstd').open('wb') as target:
        zstandard.ZstdCompressor().copy_stream(source, target)
    shutil.rmtree(plain)
    stitched([tmp_path / 'alone.mcap.zstd'], tmp_path / 'out')
    assert_same(tmp_path / 'out', live)
