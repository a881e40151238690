# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab stitch: whatever a rotation was recorded with, out comes what the live stitcher writes; and bad input stops nothing else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from paper_region import (
    BEGIN,
    FORM,
    REGION,
    SCENES,
    SIZE,
    S,
    Story,
    by_camera,
    copy_of,
    cut_short,
    forget_definitions,
    record,
    story,
    write_live,
    write_video,
)
from rclpy.serialization import serialize_message
from recordings import read_bag
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from same_sequences import assert_same, canonical, packets, stitched

from collab_bringup.cli import main
from ptz_collab_msgs.msg import CameraState, PresetFrame
from ptz_node.convert import time_to_ns
from ptz_site.stream_marks import nal
from ptz_stitcher.frames import time_ns
from ptz_stitcher.offline import messages
from ptz_stitcher.segments import Cut


@dataclass(frozen=True)
class Told:
    """A story, and what the live stitcher made of it, cut at arrivals."""

    story: Story
    live: Path


@pytest.fixture(scope='module', params=['jpeg', 'h264'])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    found = Told(story(request.param), tmp_path_factory.mktemp('live'))
    write_live(found.story, found.live, Cut.ARRIVED)
    return found


@pytest.fixture(scope='module')
def jpeg_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good bag, to be stitched beside bad ones."""
    return record(story(), tmp_path_factory.mktemp('good') / 'bag', 'mcap')


@pytest.fixture(scope='module')
def frames_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One without the plan."""
    folder = tmp_path_factory.mktemp('frames') / 'bag'
    return record(story(), folder, 'mcap', lambda one: one.topic if one.topic.endswith('/frames') else None)


def command(*arguments: object) -> int:
    """With the report that follows."""
    return main(['stitch', *map(str, arguments)])


def bags_of_topics(told: Told, folder: Path) -> list[Path]:
    return [record(told.story, folder / 'bag', 'mcap')]


def bags_in_sqlite3(told: Told, folder: Path) -> list[Path]:
    return [record(told.story, folder / 'bag', 'sqlite3')]


def bags_without_definitions(told: Told, folder: Path) -> list[Path]:
    bag = record(told.story, folder / 'bag', 'sqlite3')
    forget_definitions(bag)
    return [bag]


def bags_of_cameras(told: Told, folder: Path) -> list[Path]:
    def camera_topic(one: Any) -> str:
        return f'/{REGION}/cameras/{one.message.preset.camera}/frames' if one.topic.endswith('/frames') else one.topic

    return [record(told.story, folder / 'bag', 'mcap', camera_topic)]


def a_bag_for_each_topic_and_one_twice(told: Told, folder: Path) -> list[Path]:
    topics = sorted({one.topic for one in told.story.sent})
    bags = [
        record(
            told.story,
            folder / str(n),
            'mcap' if n % 2 else 'sqlite3',
            lambda one, topic=topic: topic if one.topic == topic else None,
        )
        for n, topic in enumerate(topics)
    ]
    return [*bags, copy_of(bags[-1], folder / 'again')]


def own_files(told: Told, folder: Path) -> list[Path]:
    return [told.live]


@pytest.mark.parametrize(
    'recorded',
    [
        bags_of_topics, bags_in_sqlite3, bags_without_definitions, bags_of_cameras, a_bag_for_each_topic_and_one_twice, own_files,
    ],
)  # fmt: skip
def test_bags_give_what_the_live_stitcher_wrote(recorded: Callable[[Told, Path], list[Path]], told: Told, tmp_path: Path) -> None:
    stitched(recorded(told, tmp_path), tmp_path / 'out')
    if recorded is own_files:
        for scene in SCENES:
            # Nothing was between the middleware and these: not one byte differs.
            for file in (f'{scene}/{scene}_0.mcap', f'{scene}/metadata.yaml', f'{scene}.mp4'):
                assert (tmp_path / 'out' / file).read_bytes() == (told.live / file).read_bytes()
    assert_same(tmp_path / 'out', told.live)


def test_the_turning_is_kept_if_it_is_asked_for(told: Told, tmp_path: Path) -> None:
    (tmp_path / 'live').mkdir()
    write_live(told.story, tmp_path / 'live', Cut.SWITCH_START)
    bag = record(told.story, tmp_path / 'bag', 'mcap')
    stitched([bag], tmp_path / 'out', Cut.SWITCH_START)
    assert_same(tmp_path / 'out', tmp_path / 'live')


@pytest.mark.parametrize('indexed', [True, False])
def test_videos_of_cameras_give_the_same_frames(told: Told, tmp_path: Path, indexed: bool) -> None:
    frames = by_camera(told.story.frames())
    container = 'mp4' if indexed else 'mkv' if frames['north'][0].encoding == 'jpeg' else 'ts'
    videos = [write_video(sent, tmp_path / f'{camera}.{container}') for camera, sent in frames.items()]
    stitched(videos, tmp_path / 'out')
    tolerance = 1_000_000 if container == 'mkv' else 12_000
    for scene in SCENES:
        expected = [
            frame for sent in frames.values() for frame in sent if frame.preset.scene == scene and frame.preset.phase == 2
        ]
        expected.sort(key=lambda frame: time_to_ns(frame.header.stamp))
        headers = [message for _, message in read_bag(tmp_path / 'out' / scene, '/preset_header')]
        pictures = [message for _, message in read_bag(tmp_path / 'out' / scene, '/image/compressed')]
        assert len(headers) == len(pictures) == len(expected)
        for header, picture, frame in zip(headers, pictures, expected, strict=True):
            sent = frame.preset
            assert (header.camera, header.scene, header.phase, header.marks) == (sent.camera, scene, 2, sent.marks)
            assert (header.session, header.slot) == (sent.session, sent.slot)
            assert (header.switch_start, header.arrived) == (_time(sent.switch_start), _time(sent.arrived))
            assert abs(time_ns(header.header.stamp) - time_ns(sent.header.stamp)) <= tolerance
            assert header.header.frame_id == f'region/{sent.camera}_optical_frame'
            assert contents(bytes(picture.data)) == contents(bytes(frame.data))
        # The video shows one camera at a time.
        assert 0.5 * len(expected) < len(packets(tmp_path / 'out' / f'{scene}.mp4')) <= len(expected)


def contents(picture: bytes) -> list[bytes]:
    """The units of a picture. Containers write start codes in their own way, and may add a unit that says where an access unit begins."""
    return [picture] if picture.startswith(b'\xff\xd8') else [unit for unit in nal.units(picture, FORM) if unit[0] & 31 != 9]


def _time(time: Any) -> Any:
    return messages.typestore().types['builtin_interfaces/msg/Time'](time.sec, time.nanosec)


def test_a_site_says_what_to_write_and_the_report_is_made(
    jpeg_bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenes = '{gate: {polygon: [[0, 0], [4, 0], [4, 4]]}, road: {}, substation: {}, empty: {}}'
    camera = '{backend: onvif, host: 192.0.2.1, presets: {gate: {token: a}, road: {token: b}, substation: {token: c}, empty: {token: d}}}'
    site = tmp_path / 'site.yaml'
    site.write_text(
        f'region: {{name: {REGION}, dwell: 2}}\nscenes: {scenes}\ncameras: {{north: {camera}}}\nstitcher: {{video: false}}\n'
    )
    assert command(jpeg_bag, '--by', 'marks', '--cut', 'arrived', '--site', site, '--out', tmp_path / 'out') == 0
    assert not list((tmp_path / 'out').glob('*.mp4'))
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert [scene['scene'] for scene in summary['scenes']] == ['gate', 'road', 'substation', 'empty']
    assert summary['scenes'][0]['polygon'] == [[0, 0], [4, 0], [4, 4]]
    assert sum(summary['lost_frames'].values()) > 0
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert len(report['scenes']) == 4
    assert main(['report', str(tmp_path / 'out')]) == 0
    assert command(jpeg_bag, '--site', site, '--out', tmp_path / 'out') == 2, 'never written over'
    assert 'is there already' in capsys.readouterr().err


def test_a_long_recording_comes_in_parts_which_give_the_same_again(told: Told, tmp_path: Path) -> None:
    out = tmp_path / 'parts'
    assert command(told.live, '--file-minutes', 0.05, '--out', out) == 0
    for scene in SCENES:
        bags = sorted(out.glob(f'{REGION}_{scene}_*Z'))
        videos = sorted(out.glob(f'{REGION}_{scene}_*Z.mp4'))
        # A part without a keyframe has no video.
        assert 1 < len(videos) <= len(bags)
        # Nothing is in two parts, or in none.
        frames = [one for bag in bags for one in canonical(bag, '/image/compressed')]
        assert frames == canonical(told.live / scene, '/image/compressed')
    assert len(list(out.glob(f'{REGION}_region_*Z'))) > 1
    stitched([out], tmp_path / 'again')
    assert_same_pictures(tmp_path / 'again', told.live)


def assert_same_pictures(out: Path, live: Path) -> None:
    for scene in SCENES:
        for ending in ('/image/compressed', '/preset_header'):
            assert canonical(out / scene, ending) == canonical(live / scene, ending)
        assert packets(out / f'{scene}.mp4') == packets(live / f'{scene}.mp4')


@pytest.mark.parametrize('minutes', ['-1', 'ten', 'nan'])
def test_minutes_that_are_none_are_one_line(minutes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(tmp_path, f'--file-minutes={minutes}', '--out', tmp_path / 'out')
    assert ended.value.code == 2
    assert f"'{minutes}' is not a number of minutes, 0 or more" in capsys.readouterr().err


# Bad input: each makes something and says what the line about it must hold.


def missing(folder: Path) -> tuple[Path, str]:
    return folder / 'none.mcap', 'none.mcap: is not there'


def no_bytes(folder: Path) -> tuple[Path, str]:
    (folder / 'zero.mp4').touch()
    return folder / 'zero.mp4', 'zero.mp4: is empty'


def an_empty_bag(folder: Path) -> tuple[Path, str]:
    (folder / 'empty').mkdir()
    (folder / 'empty' / 'empty_0.mcap').touch()
    return folder / 'empty', 'empty: an empty bag'


def not_a_recording(folder: Path) -> tuple[Path, str]:
    (folder / 'notes.mcap').write_text('remember the milk')
    return folder / 'notes.mcap', 'notes.mcap: not a bag that can be read'


def a_bag_of_another_system(folder: Path) -> tuple[Path, str]:
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(folder / 'robot', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection('/chatter', 'std_msgs/msg/String', typestore=store)
        writer.write(connection, S, store.serialize_cdr(store.types['std_msgs/msg/String']('hello'), 'std_msgs/msg/String'))
    return folder / 'robot', 'robot: nothing of a region in it (but /chatter)'


def a_bag_of_another_region(folder: Path) -> tuple[Path, str]:
    bag = record(story(seed=5), folder / 'harbour', 'mcap', lambda one: one.topic.replace(REGION, 'harbour'))
    return bag, 'harbour: is of region harbour, not of yard'


def a_video_without_marks(folder: Path) -> tuple[Path, str]:
    return _video(folder / 'plain.mp4', 'libx264'), 'plain.mp4: no picture carries a mark'


def a_video_of_another_codec(folder: Path) -> tuple[Path, str]:
    return _video(folder / 'old.mp4', 'mpeg4'), 'old.mp4: pictures in mpeg4 carry no marks'


def a_cut_video(folder: Path) -> tuple[Path, str]:
    return cut_short(write_video(by_camera(story().frames())['north'], folder / 'cut.mp4')), "cut.mp4: can't be read"


def _video(path: Path, codec: str) -> Path:
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, 'yuv420p'
        stream.codec_context.max_b_frames = 0
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), format='rgb24')))
        container.mux(stream.encode())
    return path


BAD = [
    missing, no_bytes, an_empty_bag, not_a_recording, a_bag_of_another_system, a_bag_of_another_region, a_video_without_marks,
    a_video_of_another_codec, a_cut_video,
]  # fmt: skip


@pytest.mark.parametrize('bad', BAD)
def test_bad_input_is_named_in_one_line_and_the_rest_is_done(
    bad: Callable[[Path], tuple[Path, str]], frames_bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, line = bad(tmp_path)
    assert command(frames_bag, path, '--no-videos', '--out', tmp_path / 'out') == 1
    said = capsys.readouterr().out.splitlines()
    assert len([one for one in said if line in one]) == 1
    assert len([one for one in said if one.startswith('not stitched:')]) == 1
    assert all(len(read_bag(tmp_path / 'out' / scene, '/preset_header')) > 50 for scene in SCENES)
    if bad is not a_bag_of_another_region:
        assert command(path, '--out', tmp_path / 'none') == 2
        assert line in capsys.readouterr().err
        assert not list(tmp_path.glob('*none*')), 'nothing is left'


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_of_a_bag_that_was_cut_short_the_beginning_is_taken(
    storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = record(story(), tmp_path / 'whole', storage)
    cut = cut_short(copy_of(whole, tmp_path / 'cut'))
    (cut / 'metadata.yaml').unlink()  # it is written at the end
    stitched([whole], tmp_path / 'all')
    assert command(cut, '--out', tmp_path / 'part') == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('not stitched:')]
    assert len(lines) == 1
    assert str(cut) in lines[0]
    assert 'cut short or damaged' in lines[0]
    for scene in SCENES:
        part, everything = (canonical(tmp_path / out / scene, '/image/compressed') for out in ('part', 'all'))
        assert 10 < len(part) < len(everything)
        assert set(part) <= set(everything)


def test_what_a_killed_recorder_left_beside_a_sqlite3_bag_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = record(story(), tmp_path / 'bag', 'sqlite3')
    (bag / 'bag.db3-wal').write_bytes(b'something')
    assert command(bag, '--no-videos', '--out', tmp_path / 'out') == 1
    assert f'{bag}/bag.db3-wal: holds messages' in capsys.readouterr().out


def test_pictures_of_another_size_are_left_out_of_the_video_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = story()
    for frame in told.cameras['southeast'].sent:
        frame.width, frame.height = 192, 128
    for number, one in enumerate(told.sent):
        if one.topic.endswith('/frames'):
            told.sent[number] = type(one)(one.at_ns, one.topic, one.message, serialize_message(one.message))
    bag = record(told, tmp_path / 'bag', 'mcap')
    assert command(bag, '--out', tmp_path / 'out') == 1
    said = capsys.readouterr().out
    assert re.search(rf'{tmp_path}/out/road.mp4: \w+ is left out: a picture of \d+x\d+ in a video of ', said.replace('\n', ' '))
    assert '.draft' not in said + (tmp_path / 'out' / 'summary.json').read_text()
    assert all(len(read_bag(tmp_path / 'out' / scene, '/preset_header')) > 50 for scene in SCENES)


KILLED = """
import os, sys
from pathlib import Path
from ptz_stitcher.offline import StitchRequest, stitch
bag, out = map(Path, sys.argv[1:])
stitch(StitchRequest((bag,), out), lambda done, total: os.kill(os.getpid(), 9) if done else None)
"""


def test_after_kill_9_the_same_command_begins_anew_and_leaves_nothing_half(frames_bag: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    killed = subprocess.run([sys.executable, '-c', KILLED, frames_bag, out], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ['.out.draft']
    stitched([frames_bag], out)
    assert [entry.name for entry in tmp_path.iterdir()] == ['out']
    assert sum(len(read_bag(out / scene, '/preset_header')) for scene in SCENES) > 200


def test_what_lies_outside_the_rotation_is_left_out(jpeg_bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(jpeg_bag, '--no-videos', '--out', tmp_path / 'out') == 0
    assert 'frames were taken outside the rotation' in capsys.readouterr().out
    stamps = [stamp for scene in SCENES for stamp, _ in read_bag(tmp_path / 'out' / scene, '/preset_header')]
    assert min(stamps) >= BEGIN
    assert max(stamps) < BEGIN + 15 * S


def test_names_in_recordings_do_not_become_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = story()
    for number, one in enumerate(told.sent):
        if isinstance(one.message, PresetFrame) and one.message.preset.scene == 'road':
            one.message.preset.scene = '../../road'
            told.sent[number] = type(one)(one.at_ns, one.topic, one.message, serialize_message(one.message))
    (tmp_path / 'in').mkdir()
    bag = record(told, tmp_path / 'in' / 'bag', 'mcap')
    assert command(bag, '--out', tmp_path / 'in' / 'out') == 1
    assert 'frames name no camera or scene' in capsys.readouterr().out
    assert not list(tmp_path.rglob('*road*'))


def test_stamps_of_before_1970_are_damaged_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = story()
    last = {type(one.message): number for number, one in enumerate(told.sent)}
    for number in (last[PresetFrame], last[CameraState]):
        one = told.sent[number]
        (one.message if isinstance(one.message, CameraState) else one.message.preset).header.stamp.sec = -5
        told.sent[number] = type(one)(one.at_ns, one.topic, one.message, serialize_message(one.message))
    bag = record(told, tmp_path / 'bag', 'mcap')
    assert command(bag, '--out', tmp_path / 'out') == 1
    assert '2 messages are damaged and left out' in capsys.readouterr().out
