# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures decoded, and encoded to H.264 or JPEG: only for files that can't be made of the pictures as they came."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import cv2
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from ptz_stitcher.recording.mp4 import EncodedPicture

_DECODERS = {'jpeg': 'mjpeg', 'h264': 'h264', 'h265': 'hevc'}
_JPEG_QUALITY = 95
#: zerolatency: each picture comes out before the next one goes in.
_X264 = {'preset': 'veryfast', 'tune': 'zerolatency', 'crf': '23', 'forced-idr': '1', 'x264-params': 'repeat-headers=1:annexb=1'}


class PictureDecoder:
    """Decodes the pictures of one camera, in the order in which it made them. The first one must be a keyframe."""

    def __init__(self) -> None:
        self._context: VideoCodecContext | None = None
        self._encoding = ''

    def decode(self, picture: EncodedPicture) -> av.VideoFrame | None:
        """The picture; None if it is damaged."""
        if self._context is None or self._encoding != picture.encoding:
            self._encoding = picture.encoding
            self._context = cast(VideoCodecContext, av.CodecContext.create(_DECODERS[picture.encoding], 'r'))
            # One picture in, one out: more threads would hold some back.
            self._context.thread_count = 1
        try:
            frames = self._context.decode(av.Packet(picture.data))
        except av.FFmpegError:
            return None
        return frames[-1] if frames else None


class H264Encoder:
    """Encodes pictures of one size; each stands in the stream behind the one before."""

    def __init__(self, size: tuple[int, int], rate: float) -> None:
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self._rate = rate
        self._context: VideoCodecContext | None = None
        self._count = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what comes out, px: even numbers, as chroma is half as large."""
        return self._size

    def encode(self, frame: av.VideoFrame, keyframe: bool) -> EncodedPicture:
        """keyframe: it must be one; it may be one otherwise. Raises av.FFmpegError."""
        scaled = video_range(frame, self._size)
        context = self._context or self._open(scaled)
        scaled.pts, scaled.time_base = self._count, context.time_base
        scaled.pict_type = PictureType.I if keyframe else PictureType.NONE
        self._count += 1
        (packet,) = context.encode(scaled)
        return EncodedPicture(bytes(packet), 'h264', packet.is_keyframe, self._size)

    def _open(self, frame: av.VideoFrame) -> VideoCodecContext:
        context = av.CodecContext.create('libx264', 'w')
        context.width, context.height = self._size
        context.pix_fmt, context.colorspace, context.color_range = 'yuv420p', frame.colorspace, frame.color_range
        context.framerate = Fraction(self._rate).limit_denominator(1000)
        context.time_base = 1 / context.framerate
        # A keyframe each two seconds, so that players jump to anywhere quickly.
        context.gop_size = max(1, round(2 * self._rate))
        context.thread_count = 1
        context.options = _X264
        self._context = context
        return context


def video_range(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """A picture of (width, height) in YUV 4:2:0 with the range that videos have: JPEG uses all 256 values, players expect 16 to 235."""
    return frame.reformat(width=size[0], height=size[1], format='yuv420p', dst_color_range=ColorRange.MPEG)


def to_jpeg(frame: av.VideoFrame) -> bytes:
    """A picture as JPEG. Raises ValueError if it can't be encoded."""
    done, data = cv2.imencode('.jpg', frame.to_ndarray(format='bgr24'), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError('a picture can not be encoded as JPEG')
    return data.tobytes()
