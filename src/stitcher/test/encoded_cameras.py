# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of cameras that encode differently: each in a colour of its own, with a bar that grows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np

from ptz_site.stream_marks.nal import Codec, NalFormat, units
from ptz_stitcher.recording import EncodedPicture

SIZE = (160, 96)
#: BGR.
COLOURS = {'north': (160, 40, 40), 'south': (40, 120, 40), 'east': (40, 40, 160)}
#: Profile, entropy coding, references, transforms: all of them are told by the parameter sets, which have the same numbers.
_H264 = {
    'north': {'profile': 'baseline', 'preset': 'ultrafast', 'x264-params': 'cabac=0:ref=1:8x8dct=0'},
    'south': {'profile': 'high', 'preset': 'medium', 'x264-params': 'cabac=1:ref=4:8x8dct=1:log2_max_frame_num=8'},
    'east': {'profile': 'main', 'preset': 'fast', 'x264-params': 'cabac=1:ref=2:weightp=0'},
}
_H265 = {'north': 'ctu=32:ref=1:amp=0', 'south': 'ctu=64:ref=4:amp=1:rect=1', 'east': 'ctu=16:ref=2'}


def drawn(camera: str, number: int) -> np.ndarray:
    """BGR."""
    picture = np.full((SIZE[1], SIZE[0], 3), COLOURS[camera], np.uint8)
    picture[-16:, : 4 + 3 * number % SIZE[0]] = 255
    return picture


def jpeg(camera: str, number: int) -> EncodedPicture:
    """A picture as JPEG."""
    return EncodedPicture(cv2.imencode('.jpg', drawn(camera, number))[1].tobytes(), 'jpeg', True, SIZE)


@cache
def stream(camera: str, encoding: str, count: int = 40, every: int = 10, repeat: bool = True) -> tuple[EncodedPicture, ...]:
    """Pictures as an H.264 or H.265 camera sends them, Annex B. every: pictures to a keyframe; repeat: parameter sets in each of these."""
    context = av.CodecContext.create('libx264' if encoding == 'h264' else 'libx265', 'w')
    context.width, context.height = SIZE
    context.pix_fmt, context.time_base, context.framerate = 'yuv420p', Fraction(1, 10), 10
    context.gop_size, context.max_b_frames, context.thread_count = every, 0, 1
    common = f'annexb=1:repeat-headers=1:bframes=0:scenecut=0:keyint={every}'
    if encoding == 'h264':
        context.options = {**_H264[camera], 'x264-params': f'{_H264[camera]["x264-params"]}:{common}'}
    else:
        params = f'{_H265[camera]}:{common}:log-level=none:pools=1:open-gop=0'
        context.options = {'preset': 'ultrafast', 'x265-params': params}
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(drawn(camera, number), 'bgr24').reformat(format='yuv420p')
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    pictures = [EncodedPicture(bytes(packet), encoding, packet.is_keyframe, SIZE) for packet in packets]
    if not repeat:
        # As a camera that tells them only when the stream is opened.
        pictures[1:] = [replace(picture, data=_without_sets(picture)) for picture in pictures[1:]]
    return tuple(pictures)


def _without_sets(picture: EncodedPicture) -> bytes:
    form = NalFormat(Codec.H264 if picture.encoding == 'h264' else Codec.H265, 0)
    return b''.join(b'\0\0\0\1' + unit for unit in units(picture.data, form) if not form.is_parameter_set(unit[0]))


def camera_of(picture: np.ndarray) -> str:
    """Whose picture it is, by its colour. BGR."""
    seen = picture[4:40, 4:40].reshape(-1, 3).mean(axis=0)
    name = min(COLOURS, key=lambda camera: float(np.abs(seen - COLOURS[camera]).sum()))
    assert np.abs(seen - COLOURS[name]).max() < 16, f'{seen} is the colour of no camera'
    return name
