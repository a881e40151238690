# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that no file shows whom it hides: every kind of video, folders of pictures, live with looks that come late, parts, failures."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from sequences import played, segment, writer

from ptz_stitcher import outputs
from ptz_stitcher.policies import Together
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.retouch import Box, Look, Redact, RedactBy, RetouchSettings, Sighting
from ptz_stitcher.sequence_writer import Frame, SequenceWriter

SIZE = (320, 192)
COUNT = 40
PERSON = (24, 48)
EVERYBODY = RetouchSettings(Redact.EVERYBODY)


def box(number: int) -> Box:
    """Where somebody is who walks by."""
    left = 20 + 5 * number
    return Box(left, 70, left + PERSON[0], 70 + PERSON[1])


def drawn(number: int) -> np.ndarray:
    """Somebody in a striped shirt, BGR."""
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    left, top, right, bottom = map(int, box(number).sides)
    picture[top:bottom, left:right] = np.where(np.arange(PERSON[0]) % 4 < 2, 255, 0)[None, :, None]
    return picture


def stripes(picture: np.ndarray) -> int:
    """How many are to be seen, by their edges."""
    grey = picture.astype(int).mean(axis=2)
    return int((np.abs(np.diff(grey, axis=1)) > 60).sum())


@cache
def encoded(encoding: str) -> tuple[EncodedPicture, ...]:
    if encoding == 'jpeg':
        return tuple(EncodedPicture(cv2.imencode('.jpg', drawn(k))[1].tobytes(), 'jpeg', True, SIZE) for k in range(COUNT))
    context = av.CodecContext.create('libx264', 'w')
    context.width, context.height, context.pix_fmt = *SIZE, 'yuv420p'
    context.time_base, context.framerate, context.gop_size, context.max_b_frames = Fraction(1, 10), 10, 10, 0
    context.options = {'preset': 'ultrafast', 'x264-params': 'annexb=1:repeat-headers=1:bframes=0:scenecut=0:keyint=10'}
    packets = []
    for number in range(COUNT):
        frame = av.VideoFrame.from_ndarray(drawn(number), 'bgr24').reformat(format='yuv420p')
        frame.pts = number
        packets += context.encode(frame)
    return tuple(EncodedPicture(bytes(one), 'h264', one.is_keyframe, SIZE) for one in [*packets, *context.encode(None)])


def frames(encoding: str, camera: str = 'north', slot: int = 0) -> list[Frame]:
    return list(segment(camera, slot, encoded(encoding).__getitem__, count=COUNT))


def look_at(frame: Frame, target: str = '') -> Look:
    """Perception sees who is in a frame."""
    h = frame.header
    return Look(h.segment_key, h.arrived_ns, h.stamp_ns, SIZE, (Sighting(1, box(h.sequence - 1), target=target),))


def feed(sequence: SequenceWriter, film: list[Frame], every: int = 3, late: int = 6, until: int = COUNT) -> None:
    """Perception looks at some frames, and says so some frames later; until: the last frame that it looks at."""
    for number, frame in enumerate(film):
        sequence.take(frame)
        said = number - late
        if said >= 0 and said % every == 0 and said <= until:
            sequence.look(look_at(film[said]))


@pytest.mark.parametrize(('encoding', 'together', 'live'), itertools.product(['jpeg', 'h264'], Together, [True, False]))
def test_nobody_is_seen_in_any_file(tmp_path: Path, encoding: str, together: Together, live: bool) -> None:
    kinds: dict[str, Any] = {'together': together, 'pictures': True, 'durable': live}
    for name, retouch in (('clear', RetouchSettings()), ('hidden', EVERYBODY)):
        sequence = writer(tmp_path / name, retouch=retouch, **kinds)
        feed(sequence, frames(encoding))
        sequence.close()
        assert sequence.failures == []
    video = 'gate.north.mp4' if together is Together.ALL else 'gate.mp4'
    clear, hidden = (played(tmp_path / name / video) for name in ('clear', 'hidden'))
    assert [time for time, _ in clear] == [time for time, _ in hidden]
    assert min(stripes(picture) for _, picture in clear) > 100
    assert max(stripes(picture) for _, picture in hidden) == 0
    stills = {name: sorted((tmp_path / name / 'gate.pictures').glob('*.jpg')) for name in ('clear', 'hidden')}
    assert len(stills['clear']) == len(stills['hidden']) == COUNT
    assert min(stripes(cv2.imread(str(path))) for path in stills['clear']) > 100
    assert max(stripes(cv2.imread(str(path))) for path in stills['hidden']) == 0
    # The rest of the scene stays.
    assert np.median([float(np.ptp(picture[150:, 100:220])) for _, picture in hidden]) < 12


def test_when_perception_dies_everything_is_hidden_soon(tmp_path: Path) -> None:
    sequence = writer(tmp_path, retouch=EVERYBODY)
    feed(sequence, frames('jpeg'), until=12)
    sequence.close()
    assert max(stripes(picture) for _, picture in played(tmp_path / 'gate.mp4')) == 0
    # The last look was at 1.2 s: that holds for a second.
    assert sequence.wholly_hidden == COUNT - 1 - 22


def test_a_look_that_comes_before_its_frame_is_written_counts(tmp_path: Path) -> None:
    sequence = writer(tmp_path, retouch=EVERYBODY)
    feed(sequence, frames('jpeg'), late=18)
    sequence.close()
    assert sequence.wholly_hidden == 8, 'those after the last look was said'
    assert max(stripes(picture) for _, picture in played(tmp_path / 'gate.mp4')) == 0


def test_a_picture_that_can_not_be_painted_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError('no paint')

    monkeypatch.setattr(outputs, 'painted', broken)
    sequence = writer(tmp_path, retouch=EVERYBODY)
    feed(sequence, frames('jpeg'))
    sequence.close()
    assert 'no paint' in sequence.failures[0]
    assert not (tmp_path / 'gate.mp4').exists()


@pytest.mark.parametrize('shape', ['box', 'triangle', 'arrow', ''])
def test_the_mark_of_a_target_is_drawn_where_it_is(tmp_path: Path, shape: str) -> None:
    sequence = writer(tmp_path, retouch=RetouchSettings(draw_targets=True))
    film = frames('jpeg')
    for number, frame in enumerate(film):
        sequence.take(frame)
        if number % 3 == 0:
            sighting = Sighting(1, box(number), target='anna', colour='#ff00ff', shape=shape)
            sequence.look(Look(frame.header.segment_key, frame.header.arrived_ns, frame.header.stamp_ns, SIZE, (sighting,)))
    sequence.close()
    for number, (_, picture) in enumerate(played(tmp_path / 'gate.mp4')):
        blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
        rows, columns = np.nonzero((blue - green > 80) & (red - green > 80))
        middle = (box(number).left + box(number).right) / 2
        assert abs(columns.mean() - middle) < 8
        assert (rows.min() >= 60) == (shape in ('box', '')), 'around it, or above'
        assert stripes(picture) > 100


def test_blurred_people_are_not_seen_either(tmp_path: Path) -> None:
    sequence = writer(tmp_path, retouch=RetouchSettings(Redact.EVERYBODY, RedactBy.BLUR))
    feed(sequence, frames('h264'))
    sequence.close()
    assert max(stripes(picture) for _, picture in played(tmp_path / 'gate.mp4')) == 0


def test_cameras_in_turn_are_hidden_by_their_own_looks(tmp_path: Path) -> None:
    sequence = writer(tmp_path, retouch=EVERYBODY)
    # The second camera's perception is dead.
    feed(sequence, frames('h264'))
    feed(sequence, frames('h264', 'south', slot=2), until=-1)
    sequence.close()
    shown = played(tmp_path / 'gate.mp4')
    assert len(shown) == 2 * COUNT
    assert max(stripes(picture) for _, picture in shown) == 0
    assert sequence.wholly_hidden == COUNT
