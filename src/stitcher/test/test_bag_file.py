# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Of bags that are damaged, or lie in odd places, everything that is whole comes out, and everything else is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mcap.reader import make_reader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from ptz_site import UserError
from ptz_stitcher.offline.bag_file import open_bag
from ptz_stitcher.offline.damaged_bag import Salvaged, in_order
from ptz_stitcher.recording import BagWriter
from ptz_stitcher.recording.msgdefs import topic_type

S = 1_000_000_000
TOPIC = '/yard/cameras/north/preset_header'


def write_bag(folder: Path, stamps: list[list[int]]) -> Path:
    """A chunk for each list."""
    with BagWriter(folder, chunk_bytes=10**9, chunk_seconds=1e6) as bag:
        bag.add_topic(TOPIC, topic_type('ptz_collab_msgs/msg/PresetHeader'))
        for chunk in stamps:
            for stamp in chunk:
                bag.write(TOPIC, b'\0\1\0\0' + bytes(100), stamp)
            bag.checkpoint()
    return folder


def read(path: Path, topic: str = TOPIC) -> tuple[list[int], str]:
    """Log times, and what could not be read."""
    found: list[int] = []
    try:
        found.extend(raw.log_ns for raw in open_bag(path).messages(frozenset([topic])))
    except UserError as error:
        return found, str(error)
    return found, ''


def damage_chunk(folder: Path, number: int) -> None:
    (path,) = folder.glob('*.mcap')
    with path.open('rb') as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    data = bytearray(path.read_bytes())
    data[summary.chunk_indexes[number].chunk_start_offset + 200] ^= 1
    path.write_bytes(data)


def test_of_chunks_that_overlap_one_damaged_costs_its_own_messages_alone(tmp_path: Path) -> None:
    chunks = [[S + first + 4 * step for step in range(10)] for first in (0, 10, 20, 30)]
    bag = write_bag(tmp_path / 'bag', chunks)
    assert read(bag) == (sorted(stamp for chunk in chunks for stamp in chunk), '')
    damage_chunk(bag, 2)
    found, problem = read(bag)
    assert found == sorted(chunks[0] + chunks[1] + chunks[3])
    assert problem.count('\n') == 0
    assert 'bag_0.mcap: cut short or damaged (a chunk is damaged)' in problem


def test_a_file_of_which_nothing_can_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    whole = write_bag(tmp_path / 'bag', [[S, 2 * S]]) / 'bag_0.mcap'
    (tmp_path / 'bag' / 'metadata.yaml').unlink()
    data = whole.read_bytes()
    whole.with_name('bag_1.mcap').write_bytes(bytes(1000) + data[1000:-100])
    whole.with_name('bag_2.mcap').symlink_to(tmp_path / 'nowhere.mcap')
    found, problem = read(tmp_path / 'bag')
    assert found == [S, 2 * S]
    assert [line.partition('bag/')[2][:10] for line in problem.splitlines()] == ['bag_1.mcap', 'bag_2.mcap']


def test_a_file_without_a_message_is_no_damage(tmp_path: Path) -> None:
    whole = write_bag(tmp_path / 'bag', [[S]])
    (tmp_path / 'bag' / 'metadata.yaml').unlink()
    with BagWriter(tmp_path / 'empty'):
        pass
    (tmp_path / 'empty' / 'empty_0.mcap').rename(whole / 'bag_1.mcap')
    assert read(whole) == ([S], '')


@pytest.mark.parametrize(
    'text',
    [
        'relative_file_paths: 3',
        'relative_file_paths: bag_0.mcap',
        'custom_data: [1]',
        'custom_data: hello',
    ],
)
def test_metadata_that_nobody_understands_does_not_matter(text: str, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [[S]])
    for content in (f'rosbag2_bagfile_information: {{{text}}}', 'rosbag2_bagfile_information: 5', '- 1', text):
        (bag / 'metadata.yaml').write_text(content)
        assert read(bag) == ([S], '')


@pytest.mark.parametrize('name', ['plain', 'gate#2', '100%20', 'what?'])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connection = writer.add_connection('/chatter', 'std_msgs/msg/String', typestore=store)
        text = store.types['std_msgs/msg/String']('hello')
        writer.write(connection, S, store.serialize_cdr(text, 'std_msgs/msg/String'))
    shutil.move(tmp_path / 'bag', tmp_path / name)
    assert read(tmp_path / name, '/chatter') == ([S], '')
    assert [entry.name for entry in tmp_path.iterdir()] == [name], 'nothing is made beside it'


def test_a_message_larger_than_what_may_wait_is_no_end() -> None:
    messages = [Salvaged('/a', 'b', '', number, bytes(size)) for number, size in enumerate((5, 70_000_000, 5))]
    assert [one.log_ns for one in in_order(iter(messages))] == [0, 1, 2]
