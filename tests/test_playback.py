# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests in a browser: scene videos play to the end, and every chapter shows the camera that it names."""

from __future__ import annotations

from pathlib import Path

import av
import av.logging
import chromium
import pytest
from encoded_cameras import camera_of, jpeg, stream
from sequences import segment, writer

from ptz_stitcher.policies import Encode

TURNS = ('north', 'south', 'north', 'east', 'south')


def recorded(out: Path, encoded: bool) -> Path:
    """Five segments of three cameras: H.264 with parameter sets of their own, or JPEG that was encoded once."""
    sequence = writer(out, encode=Encode.H264 if encoded else Encode.NONE)
    times = dict.fromkeys(TURNS, 0)
    for slot, camera in enumerate(TURNS):
        pictures = (lambda k, c=camera: jpeg(c, k)) if encoded else stream(camera, 'h264').__getitem__
        for frame in segment(camera, slot, pictures, first=20 * times[camera]):
            sequence.take(frame)
        times[camera] += 1
    sequence.close()
    assert sequence.failures == []
    return out / 'gate.mp4'


@pytest.mark.skipif(chromium.BROWSER is None, reason='Chromium is not installed; FFmpeg plays the same file in the next test')
@pytest.mark.parametrize('encoded', [False, True], ids=['h264', 'encoded jpeg'])
def test_chromium_plays_every_chapter(tmp_path: Path, encoded: bool) -> None:
    video = recorded(tmp_path, encoded)
    with av.open(str(video)) as container:
        chapters = [
            (c['metadata']['title'], float(c['start'] * c['time_base']), float(c['end'] * c['time_base']))
            for c in container.chapters()
        ]
    assert len(chapters) == len(TURNS)
    # The beginning of each and a moment inside of it; first the last one, to seek back too.
    wanted = [
        (title.split(' ')[0], time)
        for title, start, end in reversed(chapters)
        for time in (start + 0.01, start + 0.7 * (end - start))
    ]
    seen = chromium.watch(video, [time for _, time in wanted], timeout=500, profile=tmp_path / 'profile')
    assert seen.error == ''
    assert [camera_of(picture) for picture in seen.pictures] == [camera for camera, _ in wanted]
    assert [[cue['camera'] for cue in cues] for cues in seen.cues] == [[camera] for camera, _ in wanted]
    assert seen.all_cues >= len(TURNS)
    assert seen.played == pytest.approx(10.0, abs=0.2)


@pytest.mark.parametrize('encoded', [False, True], ids=['h264', 'encoded jpeg'])
def test_ffmpeg_decodes_it_without_a_word(tmp_path: Path, encoded: bool) -> None:
    video = recorded(tmp_path, encoded)
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as said, av.open(str(video)) as container:
            count = sum(1 for _ in container.decode(video=0))
    finally:
        av.logging.set_level(level)
    assert said == []
    assert count == 100
