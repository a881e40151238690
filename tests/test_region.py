# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A whole region over DDS: every node its own process, started by the user's command."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile, groupby
from pathlib import Path
from statistics import median

import av
import pytest
from conftest import PATIENCE, SMALL_SITE, Command, own_domain, start_command, wait_for
from foreign_reader import plain
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from network_camera import PASSWORD, free_port_pair, over_network, sim_cameras
from rclpy.serialization import deserialize_message
from recordings import Header, chapters, headers, read_bag, video_frames, video_start_ns
from sensor_msgs.msg import CompressedImage
from topic_recorder import recording, topics_of

from ptz_collab_msgs.msg import CameraState, PresetHeader, RotationPlan, TrackArray
from ptz_node.convert import plan_from_msg
from ptz_site import Plan, load_site
from ptz_site.stream_marks import StreamMark, jpeg, nal
from ptz_stitcher.offline import StitchRequest, messages, stitch
from ptz_stitcher.video_marks import read_marks

S = 1_000_000_000
SCENES = ('gate', 'road', 'substation')
CAMERAS = ('north', 'southwest', 'southeast')
ARRIVED, SWITCH_START = 2, 1
#: PHASE_IN_POSITION
AT_REST = 2
SLOTS, DWELL_NS = 6, 2 * S
#: What is in bags, as ROS knows it.
KINDS = {
    messages.IMAGE: CompressedImage,
    messages.HEADER: PresetHeader,
    messages.PLAN: RotationPlan,
    messages.STATE: CameraState,
    messages.TRACKS: TrackArray,
}


@dataclass(frozen=True)
class Stay:
    """The frames of one camera in one slot, in order; whole: none is missing, nor between it and the slot before."""

    camera: str
    slot: int
    frames: tuple[Header, ...]
    whole: bool


@pytest.fixture(scope='module', params=['simulated', 'network'])
def rotation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of two cycles: six slots of two seconds; over ONVIF and RTSP the same as with the simulated backend."""
    folder = tmp_path_factory.mktemp('rotation')
    site = folder / 'yard.yaml'
    with own_domain(), contextlib.ExitStack() as stack:
        site.write_text(SMALL_SITE)
        if request.param == 'network':
            ports = {camera: free_port_pair() for camera in CAMERAS}
            site.write_text(over_network(SMALL_SITE, folder, ports))
            stack.enter_context(sim_cameras(site, ports))
        stack.enter_context(recording(folder / 'recorded', topics_of('yard', SCENES, CAMERAS)))
        code, output = start_command('up', site, '--duration', 12, '--out', folder / 'run', cwd=folder).finish()
    assert code == 0, output
    assert PASSWORD not in output + ''.join(log.read_text() for log in (folder / 'run' / 'logs').iterdir())
    return folder / 'run'


def is_network(rotation: Path) -> bool:
    return 'onvif' in (rotation.parent / 'yard.yaml').read_text()


def region_headers(out: Path) -> dict[str, list[Header]]:
    """All headers by camera, in stamp order."""
    by_camera: dict[str, list[Header]] = defaultdict(list)
    for header in headers(out / 'region'):
        by_camera[header.camera].append(header)
    return by_camera


def plans_of(out: Path) -> list[Plan]:
    """All revisions."""
    return [plan_from_msg(message) for _, message in read_bag(out / 'region', '/plan')]


def undisturbed(plans: Sequence[Plan], begin_ns: int, end_ns: int) -> bool:
    """Whether every camera could be counted on between two instants, and nothing was planned anew."""
    in_force = max((plan for plan in plans if plan.effective_at_ns <= end_ns), key=lambda plan: plan.revision)
    return not in_force.out and not any(begin_ns < plan.effective_at_ns <= end_ns for plan in plans[1:])


def stays(out: Path) -> list[Stay]:
    """The stays of all cameras after slot 0, in slots in which every camera could be counted on.

    A process may stand still for seconds, so a camera may miss a slot; a network camera that does is out, and the others cover for it.
    """
    begin, end = rotation_span(out)
    plans, found = plans_of(out), []
    for slot in range(1, SLOTS):
        at_ns, until_ns = begin + slot * DWELL_NS, begin + (slot + 1) * DWELL_NS
        if not undisturbed(plans, at_ns, until_ns - 1):
            continue
        for camera, frames in region_headers(out).items():
            inside = tuple(h for h in frames if h.slot == slot and begin <= h.stamp_ns < end)
            if inside:
                before = [h.sequence for h in frames if h.stamp_ns < inside[0].stamp_ns]
                sequences = [*before[-1:], *(h.sequence for h in inside)]
                found.append(Stay(camera, slot, inside, sequences == list(range(sequences[0], sequences[-1] + 1))))
    assert {stay.camera for stay in found} == set(CAMERAS)
    return found


def cut_frames(out: Path, scene: str) -> set[tuple[str, int]]:
    """The frames of a scene that belong into its recording: camera and sequence of those at rest."""
    begin, end = rotation_span(out)
    return {
        (camera, h.sequence)
        for camera, frames in region_headers(out).items()
        for h in frames
        if h.scene == scene and h.phase == AT_REST and begin <= h.stamp_ns < end
    }


def late_frames(out: Path, scene: str) -> int:
    """Frames that are not recorded, because they came when younger ones had been written: on a very busy machine; they are counted."""
    (told,) = (one for one in json.loads((out / 'summary.json').read_text())['scenes'] if one['scene'] == scene)
    return int(told['late'])


def rotation_span(out: Path) -> tuple[int, int]:
    """Begin and end of the rotation, from the plan."""
    plans = [message for _, message in read_bag(out / 'region', '/plan')]
    first = plans[0]
    begin = first.slot_start.sec * S + first.slot_start.nanosec
    dwell = first.dwell.sec * S + first.dwell.nanosec
    return begin, begin + first.end_slot * dwell


def test_every_scene_is_covered_at_every_instant(rotation: Path) -> None:
    begin, end = rotation_span(rotation)
    by_camera = region_headers(rotation)
    assert set(by_camera) == set(CAMERAS)
    # A network camera's first picture may come a little after the first slot has begun.
    first = max(by_camera[camera][0].stamp_ns for camera in CAMERAS)
    plans, told = plans_of(rotation), 0
    # At each frame of any camera, ask every camera for its newest header: together they name all scenes.
    for step in range(max(begin + S // 2, first), end - S // 4, S // 20):
        newest = [max((h for h in by_camera[c] if h.stamp_ns <= step), key=lambda h: h.stamp_ns) for c in CAMERAS]
        # Around a switch the cameras' frames straddle it by up to a frame period; compare within one slot.
        if len({h.slot for h in newest}) == 1 and undisturbed(plans, step - DWELL_NS, step):
            assert {h.scene for h in newest} == set(SCENES), f'at {(step - begin) / S:.2f} s'
            told += 1
    assert told > 20


def test_every_camera_visits_every_scene_in_staggered_order(rotation: Path) -> None:
    for slot, together in groupby(stays(rotation), key=lambda stay: stay.slot):
        scenes = {stay.camera: {h.scene for h in stay.frames} for stay in together}
        assert all(len(one) == 1 for one in scenes.values()), (slot, scenes)
        assert len(set.union(*scenes.values())) == len(scenes), (slot, scenes)
    begin, _ = rotation_span(rotation)
    for frames in region_headers(rotation).values():
        assert {h.scene for h in frames if h.stamp_ns >= begin} == set(SCENES)


def test_cameras_switch_by_the_plan_and_together(rotation: Path) -> None:
    begin, _ = rotation_span(rotation)
    late = []
    for stay in stays(rotation):
        (switch,) = {h.switch_start_ns for h in stay.frames}
        late.append(switch - (begin + stay.slot * DWELL_NS))
    # By the plan's clock: never before. How late belongs to the benchmark and the report; on a busy machine one or two stand still.
    assert min(late) >= 0
    assert median(late) < S // 2


def test_segments_have_one_switch_start_and_one_arrival(rotation: Path) -> None:
    whole = [stay for stay in stays(rotation) if stay.whole]
    for stay in whole:
        assert [bool(h.marks & SWITCH_START) for h in stay.frames] == [True] + [False] * (len(stay.frames) - 1), stay
        # One that has not arrived when the slot ends was cut short.
        arrival = next((i for i, h in enumerate(stay.frames) if h.phase == AT_REST), len(stay.frames))
        assert [i for i, h in enumerate(stay.frames) if h.marks & ARRIVED] == [arrival][: len(stay.frames) - arrival], stay
        assert all(h.phase == 1 for h in stay.frames[:arrival])
        assert all(h.phase == AT_REST for h in stay.frames[arrival:])
    assert any(h.marks & ARRIVED for stay in whole for h in stay.frames)


def test_no_frame_is_lost_unreported(rotation: Path) -> None:
    summary = json.loads((rotation / 'summary.json').read_text())
    missing = 0
    for frames in region_headers(rotation).values():
        sequences = [h.sequence for h in frames]
        assert sequences == sorted(set(sequences))
        missing += sequences[-1] - sequences[0] + 1 - len(sequences)
    assert missing == sum(summary['lost_frames'].values())


def test_every_message_is_decoded_equally_where_nobody_knows_our_packages(rotation: Path) -> None:
    bags = ('region', *SCENES)
    reader = [sys.executable, '-I', str(Path(__file__).with_name('foreign_reader.py'))]
    read = subprocess.run([*reader, *(rotation / bag for bag in bags)], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    types = set()
    for bag, line in zip(bags, read.stdout.splitlines(), strict=True):
        found = {tool: sorted(map(json.dumps, messages)) for tool, messages in json.loads(line).items()}
        (file,) = (rotation / bag).glob('*.mcap')
        ours = []
        with file.open('rb') as stream:
            for schema, channel, message in make_reader(stream).iter_messages():
                types.add(schema.name)
                told = plain(deserialize_message(message.data, KINDS[schema.name]))
                ours.append(json.dumps([message.log_time, channel.topic, told]))
        assert ours
        assert found['mcap'] == found['rosbags'] == sorted(ours)
    assert set(KINDS) - {messages.TRACKS} <= types <= set(KINDS)


@pytest.mark.parametrize('scene', SCENES)
def test_each_scene_has_a_bag_that_public_tools_read_without_our_packages(rotation: Path, scene: str) -> None:
    pictures = read_bag(rotation / scene, '/image/compressed')
    presets = read_bag(rotation / scene, '/preset_header')
    assert len(pictures) == len(presets)
    frames, wanted = {(m.camera, m.sequence) for _, m in presets}, cut_frames(rotation, scene)
    assert frames and frames <= wanted and len(wanted - frames) <= late_frames(rotation, scene)
    assert [stamp for stamp, _ in pictures] == [stamp for stamp, _ in presets]
    assert [m.header.stamp for _, m in pictures] == [m.header.stamp for _, m in presets]
    assert {m.scene for _, m in presets} == {scene}
    assert all(m.phase == 2 for _, m in presets), 'cut: arrived drops the turning'
    (mcap,) = (rotation / scene).glob('*.mcap')
    with mcap.open('rb') as stream:
        decoded = list(make_reader(stream, decoder_factories=[DecoderFactory()]).iter_decoded_messages())
    assert len(decoded) == len(pictures) + len(presets)
    assert 'cut' in (rotation / scene / 'metadata.yaml').read_text()


@pytest.mark.parametrize('scene', SCENES)
def test_each_scene_has_a_video_that_plays_with_frame_times_and_chapters(rotation: Path, scene: str) -> None:
    stamps = [m.header.stamp.sec * S + m.header.stamp.nanosec for _, m in read_bag(rotation / scene, '/preset_header')]
    times, began = video_frames(rotation / f'{scene}.mp4'), video_start_ns(rotation / f'{scene}.mp4')
    # What comes before a segment's first keyframe can't be decoded in the video; the bag has it.
    segments = [list(group) for _, group in groupby(keyed_pictures(rotation / scene), key=lambda one: one[0])]
    shown = [list(dropwhile(lambda one: not one[1], segment)) for segment in segments]
    assert len(times) == sum(map(len, shown)) > 0
    recorded = iter(stamps)
    for time in times:
        assert any(abs((stamp - began) / S - time) < 0.002 for stamp in recorded), (
            f'a picture at {time} that the bag does not have'
        )
    titles = chapters(rotation / f'{scene}.mp4')
    # On a busy machine a network camera's slot of two seconds may have no keyframe: it is in the bag then, not in the video.
    assert len(titles) == len([segment for segment in shown if segment])
    assert all(any(camera in title for title in titles) for camera in {segment[0][0][0] for segment in shown if segment})


def keyed_pictures(bag: Path) -> list[tuple[tuple[str, int], bool]]:
    """Of each picture which segment it belongs to (camera and switch), and whether it can be decoded by itself."""
    presets = [message for _, message in read_bag(bag, '/preset_header')]
    images = [bytes(message.data) for _, message in read_bag(bag, '/image/compressed')]
    return [
        ((p.camera, p.switch_start.sec * S + p.switch_start.nanosec), data.startswith(b'\xff\xd8') or is_idr(data))
        for p, data in zip(presets, images, strict=True)
    ]


def is_idr(data: bytes) -> bool:
    """Whether an H.264 access unit has a slice of type 5."""
    return any(unit[:1] and unit[0] & 0x1F == 5 for unit in data.split(b'\x00\x00\x01')[1:])


def test_marked_pictures_carry_the_same_marks_inside(rotation: Path) -> None:
    for scene in SCENES:
        presets = [m for _, m in read_bag(rotation / scene, '/preset_header')]
        pictures = [bytes(m.data) for _, m in read_bag(rotation / scene, '/image/compressed')]
        inside = [read_mark(picture) for picture in pictures]
        assert [mark is not None for mark in inside] == [preset.marks != 0 for preset in presets]
        found = [(mark, preset) for mark, preset in zip(inside, presets, strict=True) if mark is not None]
        assert found
        for mark, preset in found:
            assert (mark.camera, mark.scene, int(mark.marks)) == (preset.camera, preset.scene, preset.marks)
            assert preset.marks & ARRIVED
            assert (mark.session, mark.sequence, mark.slot) == (preset.session, preset.sequence, preset.slot)
            assert mark.stamp_ns == preset.header.stamp.sec * S + preset.header.stamp.nanosec
            assert mark.arrived_ns == preset.arrived.sec * S + preset.arrived.nanosec
        # The video has the same bytes, so the file alone tells.
        in_video = [picture.mark for picture in read_marks(rotation / f'{scene}.mp4')]
        if is_network(rotation):
            assert set(in_video) <= {mark for mark, _ in found}
        else:
            assert in_video == [mark for mark, _ in found]


def read_mark(picture: bytes) -> StreamMark | None:
    return jpeg.read(picture) if picture.startswith(b'\xff\xd8') else nal.read(picture, nal.NalFormat(nal.Codec.H264, 0))


def test_the_report_shows_coverage_of_all_scenes(rotation: Path) -> None:
    report = json.loads((rotation / 'report.json').read_text())
    page = (rotation / 'report.html').read_text()
    assert '<svg' in page and 'http://' not in re.sub(r'xmlns[:\w]*="[^"]*"', '', page)
    assert set(SCENES) <= set(json.dumps(report).replace('"', ' ').split())
    summary = json.loads((rotation / 'summary.json').read_text())
    assert all(len(scene['polygon']) >= 3 for scene in summary['scenes']), 'the plans of where people were need them'


def test_perception_publishes_tracks_of_frames_at_rest(rotation: Path) -> None:
    # On a slow machine the rotation is over before perception looks; that all of them do is waited for in demo_run.py.
    tracks = read_bag(rotation / 'region', '/tracks')
    assert {m.preset.camera for _, m in tracks} <= set(CAMERAS)
    assert all(m.preset.phase == AT_REST for _, m in tracks)


def test_stitching_what_a_run_left_makes_the_same_again(rotation: Path, tmp_path: Path) -> None:
    site = rotation.parent / 'yard.yaml'
    request = StitchRequest((rotation,), tmp_path / 'again', site_path=site, site=load_site(site))
    stitched = stitch(request, lambda done, total: None)
    assert not stitched.problems and not stitched.failures
    again, live = (json.loads((folder / 'summary.json').read_text()) for folder in (tmp_path / 'again', rotation))
    for scene, of_scene in zip(SCENES, live['scenes'], strict=True):
        assert dict(pictures(tmp_path / 'again' / scene)) == dict(pictures(rotation / scene))
        if of_scene['late']:
            continue  # on a very busy machine; it takes its place when it is stitched from files
        for file in (f'{scene}.mp4', f'{scene}/{scene}_0.mcap', f'{scene}/metadata.yaml'):
            assert (tmp_path / 'again' / file).read_bytes() == (rotation / file).read_bytes()
    for ending in ('/preset_header', '/plan', '/state', '/tracks'):
        ours, theirs = (read_bag(folder / 'region', ending) for folder in (tmp_path / 'again', rotation))
        assert [stamp for stamp, _ in ours] == [stamp for stamp, _ in theirs]
    assert (again['frames'], again['lost_frames'], again['cut']) == (live['frames'], live['lost_frames'], live['cut'])


def test_stitching_what_somebody_recorded_beside_gives_the_same_frames(rotation: Path, tmp_path: Path) -> None:
    recorded = rotation.parent / 'recorded'
    stitched = stitch(StitchRequest((recorded,), tmp_path / 'out'), lambda done, total: None)
    assert not stitched.problems and not stitched.failures
    # On a busy machine one of the two may not have been there from the beginning or to the end, or have missed some.
    recorded_too = {(m.preset.camera, m.preset.session, m.preset.sequence) for _, m in read_bag(recorded, '/frames')}
    reached_both = recorded_too & {(h.camera, h.session, h.sequence) for h in headers(rotation / 'region')}
    for scene in SCENES:
        offline, live = (
            {key: picture for key, picture in pictures(folder / scene) if key in reached_both}
            for folder in (tmp_path / 'out', rotation)
        )
        assert live
        assert offline == live


def pictures(bag: Path) -> list[tuple[tuple[str, int, int], tuple[bytes, bytes]]]:
    """The pictures and their headers, by camera, session and sequence; without what padding bytes happen to hold."""
    presets = [message for _, message in read_bag(bag, '/preset_header')]
    images = [message for _, message in read_bag(bag, '/image/compressed')]
    return [
        ((p.camera, p.session, p.sequence), (messages.encode(p, messages.HEADER), messages.encode(i, messages.IMAGE)))
        for p, i in zip(presets, images, strict=True)
    ]


def test_differently_cut_recordings_keep_the_turning(
    ptz_collab: Callable[..., Command], small_site: Path, tmp_path: Path
) -> None:
    small_site.write_text(small_site.read_text() + 'stitcher: {cut: switch_start}\n')
    code, output = ptz_collab('up', small_site, '--duration', 4, '--out', tmp_path / 'run').finish()
    assert code == 0, output
    begin, end = rotation_span(tmp_path / 'run')
    filmed = {h for frames in region_headers(tmp_path / 'run').values() for h in frames if begin <= h.stamp_ns < end}
    recorded = {scene: headers(tmp_path / 'run' / scene) for scene in SCENES}
    assert {h.phase for found in recorded.values() for h in found} == {1, AT_REST}
    for scene, found in recorded.items():
        wanted = {h for h in filmed if h.scene == scene}
        assert set(found) <= wanted and len(wanted - set(found)) <= late_frames(tmp_path / 'run', scene)


def test_recorded_cameras_make_a_region(ptz_collab: Callable[..., Command], tmp_path: Path) -> None:
    for name in ('left', 'right'):
        _write_video(tmp_path / f'{name}.mp4')
    site = tmp_path / 'footage.yaml'
    presets = '{door: {pan: 12, tilt: 0, zoom: 2}, window: {pan: -12, tilt: 0, zoom: 2}}'
    site.write_text(
        'region: {name: footage, dwell: 2}\nscenes: {door: {}, window: {}}\ncameras:\n'
        + ''.join(
            f'  {name}: {{backend: recorded, video: {name}.mp4, zoom: [1, 4], resolution: [320, 240], '
            f'slew_rate: 60, slew_acceleration: 240, presets: {presets}}}\n'
            for name in ('left', 'right')
        )
        + 'perception: {enabled: false}\n'
    )
    code, output = ptz_collab('up', site, '--duration', 8, '--out', tmp_path / 'run').finish()
    assert code == 0, output
    assert set(region_headers(tmp_path / 'run')) == {'left', 'right'}
    for scene in ('door', 'window'):
        frames, wanted = {(h.camera, h.sequence) for h in headers(tmp_path / 'run' / scene)}, cut_frames(tmp_path / 'run', scene)
        assert frames <= wanted and len(wanted - frames) <= late_frames(tmp_path / 'run', scene)
        assert len(video_frames(tmp_path / 'run' / f'{scene}.mp4')) == len(frames) > 0


def _write_video(path: Path) -> None:
    import numpy as np

    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, 'yuv420p'
        for index in range(50):
            picture = np.zeros((480, 640, 3), np.uint8)
            picture[:, :320] = (40, 40 + 4 * index, 40)
            picture[:, 320:] = (40, 40, 40 + 4 * index)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format='bgr24')):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def test_two_regions_run_side_by_side(ptz_collab: Callable[..., Command], small_site: Path, tmp_path: Path) -> None:
    other = tmp_path / 'other.yaml'
    other.write_text(small_site.read_text().replace('name: yard', 'name: harbour').replace('rate: 10', 'rate: 5'))
    runs = [ptz_collab('up', site, '--duration', 4, '--out', tmp_path / site.stem) for site in (small_site, other)]
    for run in runs:
        code, output = run.finish()
        assert code == 0, output
    for site in ('yard', 'other'):
        assert set(region_headers(tmp_path / site)) == set(CAMERAS)


def test_the_command_leaves_no_process_behind(ptz_collab: Callable[..., Command], small_site: Path, tmp_path: Path) -> None:
    command = ptz_collab('up', small_site, '--out', tmp_path / 'run')
    log = tmp_path / 'run' / 'logs'
    command.until(lambda: len(list(log.glob('*.log'))) == 9, 'all nodes started')
    command.process.kill()
    command.process.wait()
    wait_for(lambda: not _processes_with(str(small_site)), PATIENCE, 'nodes end when their starter is killed')


def _processes_with(argument: str) -> list[int]:
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if argument.encode() in (entry / 'cmdline').read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
