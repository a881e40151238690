# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the files: they open with public tools, keep stamps, and survive kill -9 and a full disk."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage

from ptz_stitcher.recording import BagWriter, Chapter, EncodedPicture, RecordingError, VideoWriter
from ptz_stitcher.recording.msgdefs import topic_type

S = 1_000_000_000
IMAGE = topic_type('sensor_msgs/msg/CompressedImage')


def jpeg(number: int, size: tuple[int, int] = (160, 90)) -> bytes:
    picture = np.full((size[1], size[0], 3), number * 7 % 255, np.uint8)
    return cv2.imencode('.jpg', picture)[1].tobytes()


def message(stamp_ns: int, data: bytes) -> bytes:
    image = CompressedImage(format='jpeg', data=data)
    image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp_ns, S)
    return serialize_message(image)


def read_with_rosbags(folder: Path) -> list[int]:
    with AnyReader([folder]) as reader:
        return [stamp for _, stamp, raw in reader.messages() if reader.deserialize(raw, IMAGE.name).format == 'jpeg']


def read_with_mcap(folder: Path) -> list[int]:
    (path,) = folder.glob('*.mcap')
    with path.open('rb') as stream:
        decoded = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
        return [entry[2].log_time for entry in decoded if entry[3].format == 'jpeg']


def frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def test_definitions_are_those_that_other_tools_make() -> None:
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    expected, _ = store.generate_msgdef(IMAGE.name, ros_version=2)
    assert IMAGE.type_hash == store.hash_rihs01(IMAGE.name)
    ours = {part.split('\n')[0] for part in IMAGE.definition.split('=' * 80 + '\n')[1:]}
    assert ours == {part.split('\n')[0] for part in expected.split('=' * 80 + '\n')[1:]}


def test_every_checkpoint_leaves_a_whole_bag(tmp_path: Path) -> None:
    folder = tmp_path / 'gate'
    stamps = [100 * S + k * S // 10 for k in range(100)]
    with BagWriter(folder, {'scene': 'gate'}, chunk_seconds=1.0) as bag:
        bag.add_topic('/image', IMAGE)
        for k, stamp in enumerate(stamps):
            bag.write('/image', message(stamp, jpeg(k)), stamp)
            if k % 25 == 24:
                bag.checkpoint()
                assert read_with_rosbags(folder) == read_with_mcap(folder) == stamps[: k + 1]
    assert read_with_rosbags(folder) == read_with_mcap(folder) == stamps
    assert 'scene: gate' in (folder / 'metadata.yaml').read_text()


def test_a_topic_that_comes_late_and_an_empty_bag_are_read(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'late') as bag:
        bag.add_topic('/first', IMAGE)
        bag.write('/first', message(S, jpeg(1)), S)
        bag.checkpoint()
        bag.add_topic('/second', IMAGE)
        bag.write('/second', message(2 * S, jpeg(2)), 2 * S)
    assert read_with_rosbags(tmp_path / 'late') == [S, 2 * S]
    BagWriter(tmp_path / 'empty').close()
    (path,) = (tmp_path / 'empty').glob('*.mcap')
    with path.open('rb') as stream:
        assert list(make_reader(stream).iter_messages()) == []


def test_recordings_are_never_written_over(tmp_path: Path) -> None:
    BagWriter(tmp_path / 'gate').close()
    with pytest.raises(RecordingError, match='exists already'):
        BagWriter(tmp_path / 'gate')
    (tmp_path / 'gate.mp4').write_bytes(b'precious')
    with pytest.raises(RecordingError, match='exists already'):
        VideoWriter(tmp_path / 'gate.mp4')
    assert (tmp_path / 'gate.mp4').read_bytes() == b'precious'


def test_a_video_keeps_frame_times_pixels_and_chapters(tmp_path: Path) -> None:
    path = tmp_path / 'gate.mp4'
    # Frames at uneven times, and a gap as when cameras turn.
    stamps = [1_700_000_000 * S + k * S // 10 + (k % 3) * 1_234_567 + (k // 20) * 2 * S for k in range(60)]
    with VideoWriter(path, {'title': 'gate'}) as video:
        for k, stamp in enumerate(stamps):
            video.write(EncodedPicture(jpeg(k), 'jpeg', True, (160, 90)), stamp, S // 10)
        video.close([Chapter('north - slot 0', stamps[0], stamps[20]), Chapter('south - slot 1', stamps[20], stamps[59])])
    assert np.allclose(frame_times(path), [(stamp - stamps[0]) / S for stamp in stamps], atol=2e-5)
    with av.open(str(path)) as container:
        assert [c['metadata']['title'] for c in container.chapters()] == ['north - slot 0', 'south - slot 1']
        assert container.metadata['comment'] == f'start_ns={stamps[0]}'
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert packets == [jpeg(k) for k in range(60)], 'not one byte of a picture is changed'


def test_a_picture_of_another_size_is_refused_and_the_video_still_plays(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / 'gate.mp4') as video:
        video.write(EncodedPicture(jpeg(0), 'jpeg', True, (160, 90)), 0, S)
        with pytest.raises(RecordingError, match='320x180 in a video of 160x90'):
            video.write(EncodedPicture(jpeg(1, (320, 180)), 'jpeg', True, (320, 180)), S, S)
    assert len(frame_times(tmp_path / 'gate.mp4')) == 1


WRITER = """
    import itertools, sys, time
    sys.path.insert(0, {test!r})
    from pathlib import Path
    from test_recording import IMAGE, S, jpeg, message
    from ptz_stitcher.recording import BagWriter, EncodedPicture, RecordingError, VideoWriter
    out = Path({out!r})
    bag, video = BagWriter(out / 'gate', chunk_seconds=0.5), VideoWriter(out / 'gate.mp4')
    bag.add_topic('/image', IMAGE)
    for k in itertools.count():
        stamp = k * S // 10
        try:
            bag.write('/image', message(stamp, jpeg(k, (640, 360))), stamp)
        except RecordingError as error:
            print('bag', error.reason)
            break
    for k in itertools.count():
        stamp = k * S // 10
        try:
            video.write(EncodedPicture(jpeg(k, (640, 360)), 'jpeg', True, (640, 360)), stamp, S // 10)
        except RecordingError as error:
            print('video', error.reason)
            break
"""


def run_writer(out: Path, script: str, limit: int | None = None) -> subprocess.Popen[str]:
    code = textwrap.dedent(script).format(test=str(Path(__file__).parent), out=str(out))

    def small_disk() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True, preexec_fn=small_disk)


@pytest.mark.parametrize('size', [150_000, 400_000, 900_000])
def test_after_kill_9_both_files_open(tmp_path: Path, size: int) -> None:
    together = WRITER.replace(
        '            break\n    for k in itertools.count():\n        stamp = k * S // 10\n        try:\n',
        '            break\n        try:\n',
    )
    writer = run_writer(tmp_path, together)
    mcap, mp4 = tmp_path / 'gate' / 'gate_0.mcap', tmp_path / 'gate.mp4'
    while writer.poll() is None and not (mcap.exists() and mp4.exists() and min(mcap.stat().st_size, mp4.stat().st_size) > size):
        pass
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    stamps = read_with_rosbags(tmp_path / 'gate')
    times = frame_times(mp4)
    assert stamps == [k * S // 10 for k in range(len(stamps))] == read_with_mcap(tmp_path / 'gate')
    assert np.allclose(times, [k / 10 for k in range(len(times))], atol=1e-4)
    # Written side by side, at 10 pictures/s: a fragment of the video is a second and the picture that closes it, a chunk of the bag half.
    assert abs(len(stamps) - len(times)) <= 11
    assert len(times) > 10


def test_on_a_full_disk_what_was_written_opens(tmp_path: Path) -> None:
    writer = run_writer(tmp_path, WRITER, limit=500_000)
    output, _ = writer.communicate(timeout=60)
    assert output.splitlines() == ['bag File too large', 'video File too large']
    assert len(read_with_rosbags(tmp_path / 'gate')) > 20
    assert read_with_rosbags(tmp_path / 'gate') == read_with_mcap(tmp_path / 'gate')
    assert len(frame_times(tmp_path / 'gate.mp4')) > 20
