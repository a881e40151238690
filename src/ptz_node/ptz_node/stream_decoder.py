# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes the pictures of one camera's stream, of which most can't be decoded by themselves."""

from __future__ import annotations

from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

_DECODERS = {'jpeg': 'mjpeg', 'h264': 'h264', 'h265': 'hevc'}


def as_bgr(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The picture (height, width, 3) of a decoded frame."""
    return np.asarray(frame.to_ndarray(format='bgr24'), np.uint8)


def as_grey(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness (height, width) of a decoded frame."""
    return np.asarray(frame.to_ndarray(format='gray'), np.uint8)


class StreamDecoder:
    """Takes the encoded pictures in order. After a loss it waits for the next keyframe, because what comes before would be grey."""

    def __init__(self, encoding: str) -> None:
        """encoding: as in PresetFrame. Raises ValueError for one that is not known."""
        if encoding not in _DECODERS:
            raise ValueError(f'encoding {encoding} is not known; there are {", ".join(_DECODERS)}')
        self.encoding = encoding
        self._context: VideoCodecContext | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for a keyframe."""
        return self._context is None

    def decode(self, data: bytes, keyframe: bool) -> av.VideoFrame | None:
        """The picture; None if it can't be decoded by what came so far. Raises ValueError if it is damaged."""
        if self._context is None:
            if not keyframe:
                return None
            self._context = self._fresh()
        try:
            frames = self._context.decode(av.Packet(data))
        except av.FFmpegError as error:
            self.lost()
            raise ValueError(f"the picture can't be decoded ({error.strerror})") from None
        return frames[-1] if frames else None

    def lost(self) -> None:
        """A picture did not come."""
        self._context = None

    def _fresh(self) -> VideoCodecContext:
        context = cast(VideoCodecContext, av.CodecContext.create(_DECODERS[self.encoding], 'r'))
        # One picture in, one picture out: threads over pictures would hold some back.
        context.thread_count = 1
        context.flags |= av.codec.context.Flags.low_delay
        return context
