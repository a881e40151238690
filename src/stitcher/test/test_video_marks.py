# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Marks go through real containers, and ordinary decoders see the same pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ptz_site import Mark, Phase, UserError
from ptz_site.stream_marks import StreamMark, nal
from ptz_stitcher.video_marks import read_marks

S = 1_000_000_000
PICTURES = 24
CASES = [
    (codec, container)
    for codec, encoder in (('h264', 'libx264'), ('hevc', 'libx265'))
    if encoder in av.codecs_available
    for container in ('mp4', 'matroska', 'mpegts')
]


def mark(number: int) -> StreamMark:
    return StreamMark('north', 'gate', 'p1', Mark.ARRIVED, Phase.IN_POSITION, number * S, 5 * S, 6 * S, 3, 2, 1, number)


def write(path: Path, codec: str, container: str, marked: set[int]) -> None:
    """A video in which the pictures of the given numbers carry marks."""
    noise = np.random.default_rng(3)
    with av.open(str(path), 'w', format=container) as output:
        stream = output.add_stream({'h264': 'libx264', 'hevc': 'libx265'}[codec], rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, 'yuv420p'
        stream.options = {
            'preset': 'ultrafast',
            'tune': 'zerolatency',
            **({'x265-params': 'log-level=none'} if codec == 'hevc' else {}),
        }
        pictures = [noise.integers(0, 255, (180, 320, 3), dtype=np.uint8) for _ in range(PICTURES)]
        frames = [av.VideoFrame.from_ndarray(picture, format='rgb24').reformat(format='yuv420p') for picture in pictures]
        for number, frame in enumerate([*frames, None]):
            if frame is not None:
                frame.pts, frame.time_base = number, Fraction(1, 10)
            for packet in stream.encode(frame):
                shown = round(packet.pts * packet.time_base * 10)
                if shown in marked:
                    form = nal.format_of(nal.Codec(codec), stream.codec_context.extradata or b'')
                    packet = with_data(packet, nal.insert(bytes(packet), form, mark(shown)))
                output.mux(packet)


def with_data(packet: av.Packet, data: bytes) -> av.Packet:
    """The same packet with other bytes."""
    changed = av.Packet(data)
    changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
    changed.is_keyframe, changed.stream = packet.is_keyframe, packet.stream
    return changed


def pixels(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format='gray') for frame in container.decode(video=0)]


@pytest.mark.parametrize(('codec', 'container'), CASES)
def test_marks_come_back_from_containers_and_decoders_do_not_see_them(codec: str, container: str, tmp_path: Path) -> None:
    write(tmp_path / 'plain', codec, container, set())
    write(tmp_path / 'marked', codec, container, {0, 7, 8, 20})
    found = list(read_marks(tmp_path / 'marked'))
    assert [picture.mark for picture in found] == [mark(number) for number in (0, 7, 8, 20)]
    assert [round(picture.time - found[0].time, 3) for picture in found] == [0.0, 0.7, 0.8, 2.0]
    assert list(read_marks(tmp_path / 'plain')) == []
    plain, marked = pixels(tmp_path / 'plain'), pixels(tmp_path / 'marked')
    assert len(plain) == len(marked) == PICTURES
    assert all(np.array_equal(a, b) for a, b in zip(plain, marked, strict=True))


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / 'text.mp4').write_text('nothing')
    with pytest.raises(UserError, match=r'text.mp4: can.t be read'):
        list(read_marks(tmp_path / 'text.mp4'))
    with pytest.raises(UserError, match=r'none.mp4: can.t be read'):
        list(read_marks(tmp_path / 'none.mp4'))
