# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From encoded frames to pictures: of all that come, only those are decoded that are looked at, or that these depend on."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from ptz_node.images import Image, decode
from ptz_node.stream_decoder import StreamDecoder, as_bgr

_JPEG, _JPEG_END = 'jpeg', b'\xff\xd9'
#: Bytes that some cameras pad a JPEG with.
_MOST_PADDING = 64
#: Frames after a keyframe that are kept until somebody looks.
_LONGEST = 600


@dataclass(frozen=True)
class EncodedFrame:
    """A frame as it came; encoding as in PresetFrame, size in pixels."""

    session: int
    sequence: int
    encoding: str
    keyframe: bool
    size: tuple[int, int]
    data: bytes


class FramePictures:
    """feed() is called for every frame in order, picture() by the thread that looks, for some of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[EncodedFrame] = deque()
        self._last = (0, 0)
        self._whole = False
        self._decoder: StreamDecoder | None = None

    def feed(self, frame: EncodedFrame) -> None:
        """A frame came. After a loss nothing is kept until the next keyframe: it would be grey."""
        if frame.encoding == _JPEG:
            return
        with self._lock:
            follows = self._last == (frame.session, frame.sequence - 1)
            self._last = (frame.session, frame.sequence)
            if frame.keyframe or not follows or len(self._waiting) >= _LONGEST:
                self._waiting.clear()
            self._whole = frame.keyframe or (self._whole and follows and len(self._waiting) < _LONGEST)
            if self._whole:
                self._waiting.append(frame)

    def picture(self, frame: EncodedFrame) -> Image | None:
        """BGR (height, width, 3); None if what it depends on did not come. Raises ValueError if it is damaged."""
        picture = _whole_jpeg(frame.data) if frame.encoding == _JPEG else self._from_stream(frame)
        if picture is not None and picture.shape[:2] != (frame.size[1], frame.size[0]):
            found, said = f'{picture.shape[1]}x{picture.shape[0]}', f'{frame.size[0]}x{frame.size[1]}'
            raise ValueError(f'the picture is {found}, its header says {said}')
        return picture

    def _from_stream(self, wanted: EncodedFrame) -> Image | None:
        if self._decoder is None or self._decoder.encoding != wanted.encoding:
            self._decoder = StreamDecoder(wanted.encoding)
        found = None
        for frame in self._until(wanted):
            decoded = self._decoder.decode(frame.data, frame.keyframe)
            if frame is wanted or (frame.session, frame.sequence) == (wanted.session, wanted.sequence):
                found = decoded
        return None if found is None else as_bgr(found)

    def _until(self, wanted: EncodedFrame) -> list[EncodedFrame]:
        with self._lock:
            frames = []
            while self._waiting and self._waiting[0].sequence <= wanted.sequence:
                frames.append(self._waiting.popleft())
            return frames


def _whole_jpeg(data: bytes) -> Image:
    # OpenCV fills up what is missing with grey, without a word.
    if data.rfind(_JPEG_END, -_MOST_PADDING - len(_JPEG_END)) < 0:
        raise ValueError(f'the picture is not complete: {len(data)} bytes without the end of a JPEG')
    return decode(data)
