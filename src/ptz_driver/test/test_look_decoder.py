# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver sees in the pictures of a stream: whether they are the same again, however many bits the encoder spends on them."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ptz_driver.stream.decoding import LookDecoder
from ptz_driver.stream.source import Picture

S = 1_000_000_000
GROUND = np.random.default_rng(2).integers(0, 255, (180, 320), np.uint8)


def keyframe(grey: NDArray[np.uint8], quantiser: int) -> bytes:
    """A picture alone, in H.264, with so much of it left out."""
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, 'yuv420p'
    encoder.options = {'qp': str(quantiser), 'tune': 'zerolatency', 'x264-params': 'repeat-headers=1'}
    frame = av.VideoFrame.from_ndarray(grey, format='gray').reformat(format='yuv420p')
    return b''.join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize('frozen', [True, False])
def test_a_picture_is_known_again_when_the_encoder_comes_back_to_a_quality(frozen: bool) -> None:
    decoder, same = LookDecoder(), []
    for number in range(6):
        shown = GROUND if frozen else np.roll(GROUND, number, axis=1)
        data = keyframe(shown, (20, 32)[number % 2])
        look = decoder.take(Picture(data, 'h264', True, (320, 180), number * S), (number + 1) * S, None)
        assert look is not None and not look.black
        same.append(look.same)
    assert same == ([False, False, True, True, True, True] if frozen else [False] * 6)
