# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver sees in the pictures of a stream: whether they are the same again, however many bits the encoder spends on them."""

from __future__ import annotations

from collections.abc import Sequence

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_driver.stream.decoding import LookDecoder
from ptz_driver.stream.source import Picture

S = 1_000_000_000
#: Ground and structures.
GROUND = cv2.resize(np.random.default_rng(2).integers(40, 215, (9, 16), np.uint8), (320, 180), interpolation=cv2.INTER_LINEAR)


def keyframe(grey: NDArray[np.uint8], quantiser: int) -> bytes:
    """A picture alone, in H.264, with so much of it left out."""
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, 'yuv420p'
    encoder.options = {'qp': str(quantiser), 'tune': 'zerolatency', 'x264-params': 'repeat-headers=1'}
    frame = av.VideoFrame.from_ndarray(grey, format='gray').reformat(format='yuv420p')
    return b''.join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def looked(shown: Sequence[NDArray[np.uint8]], quantisers: Sequence[int]) -> list[bool]:
    """Of pictures that are a second apart, each with its quality, whether each is an earlier one again."""
    decoder, same = LookDecoder(), []
    for second, (grey, quantiser) in enumerate(zip(shown, quantisers, strict=True), start=1):
        look = decoder.take(Picture(keyframe(grey, quantiser), 'h264', True, (320, 180), second * S), second * S, None)
        assert look is not None and not look.black
        same.append(look.same)
    return same


def test_a_frozen_picture_is_known_when_the_encoder_comes_back_to_a_quality() -> None:
    assert looked([GROUND] * 6, [26, 27] * 3) == [False, False, True, True, True, True]


def test_pictures_in_which_something_moves_are_not_frozen() -> None:
    moving = [np.where(np.indices(GROUND.shape)[1] // 8 == number, 255, GROUND).astype(np.uint8) for number in range(6)]
    assert looked(moving, [26, 27] * 3) == [False] * 6


def test_a_camera_that_turns_to_and_fro_between_scenes_without_a_change_is_not_frozen() -> None:
    assert looked([GROUND, GROUND[:, ::-1].copy()] * 3, [26] * 6) == [False] * 6
