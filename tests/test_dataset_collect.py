# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab dataset collect, as a user calls it: from videos, bags and a region that runs, with one line for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import posters
import pytest
import rclpy
from conftest import PATIENCE, Command, ended, start_command, wait_for
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from collab_bringup.cli import main
from ptz_collab_msgs.msg import CameraStatus, PresetFrame, PresetHeader, RegionState
from ptz_node import names
from ptz_node.convert import time_from_ns
from ptz_node.qos import FRAMES_OUT, LATCHED
from ptz_perception.datasets import LabelledPicture, read
from ptz_perception.detections import Image, overlaps
from ptz_stitcher.recording import BagWriter
from ptz_stitcher.recording.msgdefs import topic_type

S = 1_000_000_000
#: Where the poster is in each half second: there, the same, gone, elsewhere.
PLACES = [posters.corners(180, 180, 160), posters.corners(180, 180, 160), None, posters.corners(460, 190, 150)]


@dataclass(frozen=True)
class Kept:
    """What a command said and left."""

    code: int
    output: str
    pictures: list[LabelledPicture]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / 'poster.png'), posters.poster())
    return tmp_path / 'poster.png'


def frame(index: int) -> Image:
    at = PLACES[index // 2]
    return posters.yard(index) if at is None else posters.holding(posters.yard(index), at)


def frames() -> Iterator[tuple[int, Image]]:
    """Four a second: stamps and pictures."""
    for index in range(2 * len(PLACES)):
        yield S + index * S // 4, frame(index)


@pytest.fixture
def run(example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Kept]:
    """Calls the command as a shell in the example's folder would, in this process: starting one takes longer than it has to do."""
    folder = example.parent
    monkeypatch.chdir(folder)

    def call(*words: object) -> Kept:
        given = ['dataset', 'collect', '--like', 'poster.png', '--out', 'out', '--features', 'orb', *map(str, words)]
        code = main(given)
        there = (folder / 'out' / 'annotations.json').is_file()
        return Kept(code, ''.join(capsys.readouterr()), list(read(folder / 'out').splits[0]) if there else [])

    return call


def check_both(kept: Kept) -> None:
    """One picture of each place, with its box."""
    assert kept.code == 0, kept.output
    assert 'hold it, 2 are kept (1 were nearly the same as others)' in kept.output
    for picture, at in zip(kept.pictures, (PLACES[0], PLACES[3]), strict=True):
        assert overlaps(picture.boxes, posters.box(at))[0, 0] > 0.85


def write_video(path: Path) -> None:
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=4)
        stream.width, stream.height, stream.bit_rate = *posters.SIZE, 4_000_000
        for index in range(2 * len(PLACES)):
            one = av.VideoFrame.from_ndarray(frame(index), format='bgr24')
            one.pts, one.time_base = index, Fraction(1, 4)
            container.mux(stream.encode(one))
        container.mux(stream.encode())


def write_bag(folder: Path, topics: dict[str, str], messages: Iterator[tuple[str, Any, int]]) -> None:
    with BagWriter(folder) as bag:
        for topic, kind in topics.items():
            bag.add_topic(topic, topic_type(kind))
        for topic, message, stamp_ns in messages:
            bag.write(topic, serialize_message(message), stamp_ns)


def header(index: int, stamp_ns: int, phase: int = PresetHeader.PHASE_IN_POSITION) -> PresetHeader:
    preset = PresetHeader(camera='north', scene='gate', session=1, sequence=index + 1, phase=phase)
    preset.header.stamp = time_from_ns(stamp_ns)
    return preset


def jpeg(picture: Image) -> bytes:
    return cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def h264(pictures: list[Image]) -> list[bytes]:
    """Each depends on the one before, but for the first."""
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *posters.SIZE, 'yuv420p', Fraction(1, 4)
    encoder.options = {'preset': 'ultrafast', 'tune': 'zerolatency', 'x264-params': 'keyint=100:annexb=1'}
    packets = [bytes(p) for one in pictures for p in encoder.encode(av.VideoFrame.from_ndarray(one, format='bgr24'))]
    return packets + [bytes(p) for p in encoder.encode(None)]


def test_from_a_video_each_view_is_kept_once_with_a_box(run: Callable[..., Kept], tmp_path: Path) -> None:
    write_video(tmp_path / 'yard.mp4')
    kept = run('--video', 'yard.mp4', '--class', 'poster')
    check_both(kept)
    assert [picture.classes for picture in kept.pictures] == [('poster',)] * 2
    # Nothing is replaced unasked.
    again = run('--video', 'yard.mp4')
    assert again.code == 2 and 'out: not empty' in again.output
    replaced = run('--video', 'yard.mp4', '--overwrite', '--most', 1)
    assert (replaced.code, len(replaced.pictures)) == (0, 1)
    assert '--most 1 is reached' in replaced.output
    assert len(list((tmp_path / 'out' / 'images').iterdir())) == 1


def test_from_a_scenes_bag_frames_are_kept_as_the_camera_encoded_them(run: Callable[..., Kept], tmp_path: Path) -> None:
    encoded = [(stamp_ns, jpeg(picture)) for stamp_ns, picture in frames()]

    def messages() -> Iterator[tuple[str, Any, int]]:
        for index, (stamp_ns, data) in enumerate(encoded):
            preset = header(index, stamp_ns)
            yield '/yard/scenes/gate/preset_header', preset, stamp_ns
            yield '/yard/scenes/gate/image/compressed', CompressedImage(header=preset.header, format='jpeg', data=data), stamp_ns

    topics = {'/yard/scenes/gate/preset_header': 'ptz_collab_msgs/msg/PresetHeader'}
    topics['/yard/scenes/gate/image/compressed'] = 'sensor_msgs/msg/CompressedImage'
    # A run's folder holds several; those without pictures are left alone.
    write_bag(tmp_path / 'run' / 'gate', topics, messages())
    write_bag(
        tmp_path / 'run' / 'region', {'/yard/scenes/gate/preset_header': topics['/yard/scenes/gate/preset_header']}, iter(())
    )
    kept = run('--bag', 'run')
    check_both(kept)
    assert [picture.scene for picture in kept.pictures] == ['gate', 'gate']
    assert kept.pictures[0].path.read_bytes() == encoded[0][1]
    assert kept.pictures[0].path.name == 'north-000001.jpg'


def test_from_a_recorded_graph_with_a_stream_of_pictures_that_depend_on_each_other(
    run: Callable[..., Kept], tmp_path: Path
) -> None:
    encoded = h264([picture for _, picture in frames()])

    def messages() -> Iterator[tuple[str, Any, int]]:
        for index, data in enumerate(encoded):
            stamp_ns = S + index * S // 4
            preset = header(index, stamp_ns)
            one = PresetFrame(header=preset.header, preset=preset, encoding='h264', keyframe=index == 0, data=data)
            one.width, one.height = posters.SIZE
            yield '/yard/cameras/north/frames', one, stamp_ns
            turning = header(index, stamp_ns, PresetHeader.PHASE_TURNING)
            turning.camera = 'south'
            held = PresetFrame(header=preset.header, preset=turning, encoding='jpeg', keyframe=True, data=jpeg(frame(0)))
            yield '/yard/cameras/south/frames', held, stamp_ns
            drawn = CompressedImage(header=preset.header, format='jpeg', data=jpeg(frame(0)))
            yield '/yard/cameras/north/image/annotated/compressed', drawn, stamp_ns

    topics = dict.fromkeys(['/yard/cameras/north/frames', '/yard/cameras/south/frames'], 'ptz_collab_msgs/msg/PresetFrame')
    topics['/yard/cameras/north/image/annotated/compressed'] = 'sensor_msgs/msg/CompressedImage'
    write_bag(tmp_path / 'graph', topics, messages())
    kept = run('--bag', 'graph')
    check_both(kept)
    assert {picture.path.name.partition('-')[0] for picture in kept.pictures} == {'north'}


def test_from_other_peoples_bags_damaged_pictures_are_left_out(run: Callable[..., Kept], tmp_path: Path) -> None:
    def messages() -> Iterator[tuple[str, Any, int]]:
        for index, (stamp_ns, picture) in enumerate(frames()):
            data = jpeg(picture) if index != 4 else b'no picture'
            one = CompressedImage(format='bgr8; jpeg compressed bgr8', data=data)
            one.header.stamp = time_from_ns(stamp_ns)
            yield '/gate/image_raw/compressed', one, stamp_ns

    write_bag(tmp_path / 'theirs', {'/gate/image_raw/compressed': 'sensor_msgs/msg/CompressedImage'}, messages())
    kept = run('--bag', 'theirs/theirs_0.mcap')
    check_both(kept)
    assert kept.pictures[0].path.name == 'gate-image_raw-000001.jpg'


class Region:
    """A region that films the poster."""

    def __init__(self, domain: int) -> None:
        rclpy.init(domain_id=domain)
        self.node = Node('yard', namespace='/yard')
        state = self.node.create_publisher(RegionState, names.REGION_STATE, LATCHED)
        state.publish(RegionState(cameras=[CameraStatus(camera='north')]))
        self.frames = self.node.create_publisher(PresetFrame, names.camera_frames('north'), FRAMES_OUT)
        self._index = 0
        # In frame time, the places follow each other as in the recordings, over and over.
        self._data = [jpeg(frame(index)) for index in range(2 * len(PLACES))]

    def film(self) -> None:
        """The next frame."""
        if self.frames.get_subscription_count() == 0:
            return
        preset = header(self._index, S + self._index * S // 4)
        data = self._data[self._index % len(self._data)]
        one = PresetFrame(header=preset.header, preset=preset, encoding='jpeg', keyframe=True, data=data)
        one.width, one.height = posters.SIZE
        self.frames.publish(one)
        self._index += 1

    def close(self) -> None:
        """Ends it."""
        self.node.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def region(ros_domain: int) -> Iterator[Region]:
    made = Region(ros_domain)
    yield made
    made.close()


def test_from_a_region_that_runs_until_ctrl_c_and_nothing_is_lost(
    example: Path, tmp_path: Path, region: Region, ptz_collab: Callable[..., Command]
) -> None:
    command = ptz_collab('dataset', 'collect', '--like', 'poster.png', '--out', 'out', '--features', 'orb', '--region', 'yard')
    file = tmp_path / 'out' / 'annotations.json'

    def both_are_kept() -> bool:
        region.film()
        return file.is_file() and len(json.loads(file.read_text())['images']) == 2

    command.until(both_are_kept, 'both places are kept')
    command.interrupt()
    code, output = command.finish()
    assert code == 0, output
    assert 'interrupted; what was found until now is kept' in output and 'Traceback' not in output
    pictures = list(read(tmp_path / 'out').splits[0])
    found = {round(float(picture.boxes[0, 0]), -1) for picture in pictures}
    assert found == {180, 460}
    assert {picture.scene for picture in pictures} == {'gate'}


def test_killed_while_it_collects_the_data_set_reads(example: Path, tmp_path: Path) -> None:
    with av.open(str(tmp_path / 'long.mp4'), 'w') as container:
        stream = container.add_stream('mpeg4', rate=4)
        stream.width, stream.height, stream.bit_rate = *posters.SIZE, 4_000_000
        for index in range(60):
            at = posters.corners(140 + 6 * index, 180, 150)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(posters.holding(posters.yard(), at), format='bgr24')))
        container.mux(stream.encode())
    words = ('--like', 'poster.png', '--out', 'out', '--features', 'orb', '--video', 'long.mp4', '--every', '0.25')
    with ended(start_command('dataset', 'collect', *words, cwd=tmp_path)) as command:
        wait_for(lambda: len(list(tmp_path.glob('out/images/*'))) > 5, PATIENCE, 'some are kept')
        command.process.kill()
        command.process.wait()
    # A few of the last may have no entry yet.
    assert len(list(read(tmp_path / 'out').splits[0])) >= 4


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('--video', 'nowhere.mp4'), "nowhere.mp4: can't be read as a video"),
        (('--video', 'poster.txt'), "poster.txt: can't be read as a video"),
        (('--bag', 'nowhere'), 'nowhere: no bag is there'),
        (('--bag', 'broken'), 'broken: not a bag that can be read'),
        (('--video', 'still.mp4', '--like', 'nowhere.png'), "nowhere.png: can't be read"),
        (('--video', 'still.mp4', '--like', 'poster.txt'), "poster.txt: can't be read as a picture"),
        (('--video', 'still.mp4', '--like', 'grey.png'), 'grey.png: only 0 features are in it'),
        (('--video', 'still.mp4', '--out', 'poster.txt'), 'poster.txt is a file'),
        (('--video', 'still.mp4', '--out', '.', '--overwrite'), 'holds something else than collected pictures'),
    ],
)
def test_what_is_wrong_is_one_line(run: Callable[..., Kept], tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / 'poster.txt').write_text('no picture')
    cv2.imwrite(str(tmp_path / 'grey.png'), np.full((100, 100), 128, np.uint8))
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'metadata.yaml').write_text('nothing')
    with av.open(str(tmp_path / 'still.mp4'), 'w') as container:
        stream = container.add_stream('mpeg4', rate=4)
        stream.width, stream.height = posters.SIZE
        container.mux(stream.encode(av.VideoFrame.from_ndarray(posters.yard(), format='bgr24')))
        container.mux(stream.encode())
    kept = run(*words)
    assert kept.code == 2, kept.output
    assert said in kept.output.splitlines()[-1] and 'Traceback' not in kept.output


def test_nothing_found_is_said_with_a_remedy(run: Callable[..., Kept], tmp_path: Path) -> None:
    write_video(tmp_path / 'yard.mp4')
    cv2.imwrite(str(tmp_path / 'other.png'), posters.poster(seed=9))
    kept = run('--video', 'yard.mp4', '--like', 'other.png')
    assert kept.code == 1
    assert '4 frames looked at, 0 hold it, 0 are kept' in kept.output
    assert 'try a larger picture of it' in kept.output
