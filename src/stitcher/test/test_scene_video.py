# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the videos of a scene: encoded pictures of cameras that encode differently, chapters, cues, several cameras at once."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import av
import numpy as np
import pytest
from encoded_cameras import COLOURS, SIZE, camera_of, jpeg, stream
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import PERIOD_NS, START_NS, S, cues, look, played, segment, writer

from ptz_stitcher.mosaic import Tile, fitted, tiles
from ptz_stitcher.policies import Encode, Together
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.recording.parameter_sets import StreamJoiner
from ptz_stitcher.recording.transcoding import PictureDecoder
from ptz_stitcher.segments import Cut


@pytest.mark.parametrize('encoding', ['h264', 'h265'])
@pytest.mark.parametrize('repeat', [True, False])
def test_cameras_with_other_parameter_sets_play_in_one_video(tmp_path: Path, encoding: str, repeat: bool) -> None:
    sequence = writer(tmp_path)
    for slot, camera in enumerate(('north', 'south', 'north', 'south', 'east')):
        pictures = stream(camera, encoding, 40, 10, repeat)
        # A camera that tells its parameter sets once told them in its first segment.
        for frame in segment(camera, slot, lambda k, p=pictures: p[k], first=20 * (slot in (2, 3))):
            sequence.take(frame)
    sequence.close()
    assert sequence.failures == []
    assert sequence.before_keyframe == 0
    shown = played(tmp_path / 'gate.mp4')
    assert [camera for camera, _ in itertools.groupby(camera_of(picture) for _, picture in shown)] == [
        'north', 'south', 'north', 'south', 'east',
    ]  # fmt: skip
    assert [round(time * 10) for time, _ in shown] == list(range(100))
    # The bar has the length of the very picture: nothing was decoded with something else's references.
    for number, (_, picture) in enumerate(shown):
        k = number % 20 + 20 * (number // 20 in (2, 3))
        bar = int((picture[-8].mean(axis=1) > 200).sum())
        assert abs(bar - (4 + 3 * k % SIZE[0])) <= 2
    with av.open(str(tmp_path / 'gate.mp4')) as container:
        titles = [(chapter['metadata']['title'], chapter['start'] * chapter['time_base']) for chapter in container.chapters()]
        keys = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.is_keyframe and packet.size]
    assert titles == [(f'{c} - slot {k}', 2 * k) for k, c in enumerate(('north', 'south', 'north', 'south', 'east'))]
    assert {0.0, 2.0, 4.0, 6.0, 8.0} <= set(keys), 'players jump to chapters'


def test_what_lies_before_the_first_keyframe_is_in_the_bag_and_counted(tmp_path: Path) -> None:
    sequence = writer(tmp_path, bag=True)
    pictures = stream('north', 'h264', 40, 10)
    # It arrives with its 4th picture; the next keyframe is its 11th.
    for frame in segment('north', 0, pictures.__getitem__, turning=3):
        sequence.take(frame)
    sequence.close()
    assert sequence.written == 17
    assert sequence.before_keyframe == 7
    assert len(played(tmp_path / 'gate.mp4')) == 10


def test_after_a_lost_frame_the_video_goes_on_with_the_next_keyframe(tmp_path: Path) -> None:
    sequence = writer(tmp_path, bag=True)
    pictures = stream('north', 'h264', 40, 10)
    for frame in segment('north', 0, pictures.__getitem__):
        if frame.header.sequence != 5:
            sequence.take(frame)
    sequence.close()
    assert [round(time * 10) for time, _ in played(tmp_path / 'gate.mp4')] == [0, 1, 2, 3, *range(10, 20)]
    assert sequence.before_keyframe == 5
    assert sequence.written == 19


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(('north', 'south', 'east')), min_size=1, max_size=6), st.sets(st.integers(0, 119)), st.booleans())
def test_whatever_is_passed_on_decodes_to_the_very_pictures(turns: list[str], lost: set[int], repeat: bool) -> None:
    joiner, decoder = StreamJoiner(), PictureDecoder()
    at, passed = 0, 0
    used = dict.fromkeys(turns, 0)
    for camera in turns:
        for _ in range(7):
            number = used[camera]
            used[camera] += 1
            at += 1
            if at in lost or number >= 40:
                continue
            joined = joiner.take(camera, 1, number, stream(camera, 'h264', 40, 10, repeat)[number])
            if joined is None:
                continue
            passed += 1
            frame = decoder.decode(joined)
            assert frame is not None
            picture = frame.to_ndarray(format='bgr24')
            assert camera_of(picture) == camera
            assert abs(int((picture[-8].mean(axis=1) > 200).sum()) - (4 + 3 * number % SIZE[0])) <= 2
    if repeat and not lost:
        assert passed >= 7, 'the first segment is whole'


def test_a_keyframe_without_parameter_sets_that_nobody_knows_is_left_out(tmp_path: Path) -> None:
    sequence = writer(tmp_path)
    pictures = stream('north', 'h264', 40, 10, repeat=False)
    for frame in segment('north', 0, pictures.__getitem__, first=10):
        sequence.take(frame)
    sequence.close()
    assert sequence.before_keyframe == 20
    assert not (tmp_path / 'gate.mp4').exists()


def test_cues_tell_what_every_moment_shows(tmp_path: Path) -> None:
    sequence = writer(tmp_path, cut=Cut.SWITCH_START)
    sequence.look(look('south', START_NS + 2 * S + 5 * PERIOD_NS, 'anna --> there'))
    for slot, camera in enumerate(('north', 'south')):
        for frame in segment(camera, slot, lambda k, c=camera: jpeg(c, k), turning=4):
            sequence.take(frame)
    sequence.close()
    told = cues(tmp_path / 'gate.vtt')
    assert [(start, end, c['camera'], c['slot'], c['phase'], c['marks'], c['targets']) for start, end, c in told] == [
        (0.0, 0.4, 'north', 0, 'turning', ['switch_start'], []),
        (0.4, 2.0, 'north', 0, 'in_position', ['arrived'], []),
        (2.0, 2.4, 'south', 1, 'turning', ['switch_start'], []),
        (2.4, 2.5, 'south', 1, 'in_position', ['arrived'], []),
        (2.5, 4.0, 'south', 1, 'in_position', [], ['anna --> there']),
    ]
    assert {c['scene'] for _, _, c in told} == {'gate'}
    assert [c['stamp_ns'] for _, _, c in told][:2] == [START_NS, START_NS + 4 * PERIOD_NS]


def test_cues_are_written_while_the_video_is(tmp_path: Path) -> None:
    sequence = writer(tmp_path)
    for frame in segment('north', 0, lambda k: jpeg('north', k), count=100):
        sequence.take(frame)
    # What a kill would leave now: everything but the last seconds.
    told = cues(tmp_path / 'gate.vtt')
    assert told[0][0] == 0.0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(told))
    assert told[-1][1] >= 6.0
    sequence.close()
    assert cues(tmp_path / 'gate.vtt')[-1][1] == pytest.approx(10.0)


def test_a_gap_belongs_to_no_cue(tmp_path: Path) -> None:
    sequence = writer(tmp_path)
    for slot in (0, 5):
        for frame in segment('north', slot, lambda k: jpeg('north', k), count=5, first=slot * 10):
            sequence.take(frame)
    sequence.close()
    assert [(start, end) for start, end, _ in cues(tmp_path / 'gate.vtt')] == [(0.0, 0.5), (10.0, 10.5)]


def both_at_once() -> list:
    north = segment('north', 0, lambda k: jpeg('north', k), count=20)
    south = segment('south', 0, lambda k: jpeg('south', k), count=20)
    more = segment('south', 1, lambda k: jpeg('south', k), count=20, first=20)
    return [frame for pair in zip(north, south, strict=True) for frame in pair] + list(more)


def test_in_turn_shows_one_camera_and_the_bag_has_both(tmp_path: Path) -> None:
    sequence = writer(tmp_path, bag=True)
    for frame in both_at_once():
        sequence.take(frame)
    sequence.close()
    assert sequence.written == 60
    assert [camera_of(picture) for _, picture in played(tmp_path / 'gate.mp4')] == ['north'] * 20 + ['south'] * 20


def test_all_is_a_video_for_each_camera(tmp_path: Path) -> None:
    sequence = writer(tmp_path, bag=True, together=Together.ALL)
    for frame in both_at_once():
        sequence.take(frame)
    sequence.close()
    assert sequence.written == 60
    assert sorted(path.name for path in tmp_path.glob('*.*')) == [
        'gate.north.mp4',
        'gate.north.vtt',
        'gate.south.mp4',
        'gate.south.vtt',
    ]
    assert {camera_of(picture) for _, picture in played(tmp_path / 'gate.north.mp4')} == {'north'}
    assert [camera_of(picture) for _, picture in played(tmp_path / 'gate.south.mp4')] == ['south'] * 40
    assert {c['camera'] for _, _, c in cues(tmp_path / 'gate.south.vtt')} == {'south'}


def test_a_mosaic_shows_both_side_by_side_and_one_alone_whole(tmp_path: Path) -> None:
    sequence = writer(tmp_path, together=Together.MOSAIC)
    for frame in both_at_once():
        sequence.take(frame)
    sequence.close()
    assert sequence.failures == []
    shown = played(tmp_path / 'gate.mp4')
    width, height = SIZE
    _, together = shown[10]
    for column, camera in enumerate(('north', 'south')):
        middle = together[height // 2, width // 4 + column * width // 2]
        assert np.abs(middle.astype(int) - COLOURS[camera]).max() <= 4
    assert camera_of(shown[-1][1]) == 'south'
    assert len(shown) == pytest.approx(40, abs=2), 'as many pictures as one camera makes'
    told = [c for _, _, c in cues(tmp_path / 'gate.vtt')]
    assert [one['camera'] for one in told[1]['cameras']] == ['north', 'south']
    assert told[-1]['camera'] == 'south'
    marks = {(one['camera'], mark) for c in told for one in c.get('cameras', [c]) for mark in one['marks']}
    assert {(camera, 'arrived') for camera in ('north', 'south')} <= marks


def test_jpeg_becomes_h264_where_small_files_are_wanted(tmp_path: Path) -> None:
    sequence = writer(tmp_path, encode=Encode.H264)
    h264 = stream('east', 'h264', 40, 10)
    for slot, camera in enumerate(('north', 'south', 'east', 'north')):
        pictures = h264.__getitem__ if camera == 'east' else lambda k, c=camera: jpeg(c, k)
        for frame in segment(camera, slot, pictures, first=20 * (slot == 3)):
            sequence.take(frame)
    sequence.close()
    assert sequence.failures == []
    shown = played(tmp_path / 'gate.mp4')
    assert [camera_of(picture) for _, picture in shown] == ['north'] * 20 + ['south'] * 20 + ['east'] * 20 + ['north'] * 20
    assert np.abs(shown[5][1][20, 20].astype(int) - COLOURS['north']).max() <= 4, 'colours are those of the JPEG'
    with av.open(str(tmp_path / 'gate.mp4')) as container:
        assert container.streams.video[0].codec_context.name == 'h264'
        assert len(container.chapters()) == 4
        # What was H.264 already is as it was.
        packets = [bytes(packet) for packet in container.demux(video=0)]
    assert packets[41][4:] == h264[1].data[4:]
    jpegs = sum(len(jpeg('north', k).data) for k in range(20)) * 4
    assert (tmp_path / 'gate.mp4').stat().st_size < jpegs


def test_pictures_of_another_size_are_left_out_and_named_once(tmp_path: Path) -> None:
    sequence = writer(tmp_path, bag=True)
    for slot, camera in enumerate(('north', 'south', 'north')):
        size = (320, 192) if camera == 'south' else SIZE
        for frame in segment(
            camera, slot, lambda k, c=camera, s=size: EncodedPicture(jpeg(c, k).data, 'jpeg', True, s), first=20 * slot
        ):
            sequence.take(frame)
    sequence.close()
    (failure,) = sequence.failures
    assert failure.endswith('gate.mp4: south is left out: a picture of 320x192 in a video of 160x96; set all cameras to one size')
    assert sequence.written == 60
    with av.open(str(tmp_path / 'gate.mp4')) as container:
        assert len(container.chapters()) == 2
    assert len(played(tmp_path / 'gate.mp4')) == 40


def test_a_folder_of_pictures_has_a_line_for_each(tmp_path: Path) -> None:
    sequence = writer(tmp_path, video=False, pictures=True)
    h264 = stream('south', 'h264', 40, 10)
    sequence.look(look('north', START_NS, 'anna'))
    frames = [*segment('north', 0, lambda k: jpeg('north', k)), *segment('south', 1, h264.__getitem__, turning=4)]
    for frame in frames:
        sequence.take(frame)
    sequence.close()
    folder = tmp_path / 'gate.pictures'
    lines = [json.loads(line) for line in (folder / 'index.jsonl').read_text().splitlines()]
    assert {line['file'] for line in lines} == {path.name for path in folder.glob('*.jpg')}
    assert [line['camera'] for line in lines] == ['north'] * 20 + ['south'] * 10
    assert (folder / lines[3]['file']).read_bytes() == frames[3].picture.data, 'JPEG as it came'
    assert (lines[0]['marks'], lines[0]['targets'], lines[0]['phase']) == (['switch_start', 'arrived'], ['anna'], 'in_position')
    with av.open(str(folder / lines[-1]['file'])) as picture:
        assert camera_of(next(picture.decode(video=0)).to_ndarray(format='bgr24')) == 'south'
    assert sequence.before_keyframe == 6


@pytest.mark.parametrize('count', range(1, 11))
def test_tiles_lie_beside_each_other_inside_the_picture(count: int) -> None:
    found = tiles(count, (1280, 720))
    assert len(found) == count
    covered = np.zeros((720, 1280), int)
    for tile in found:
        assert not any(number % 2 for number in (tile.x, tile.y, tile.width, tile.height))
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] += 1
    assert covered.max() == 1
    assert covered.sum() == sum(tile.width * tile.height for tile in found)


def test_a_picture_keeps_its_proportions_in_a_tile() -> None:
    assert fitted((1280, 720), Tile(640, 0, 640, 720)) == Tile(640, 180, 640, 360)
