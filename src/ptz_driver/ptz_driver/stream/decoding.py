# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes the pictures of a stream that somebody has to look at: keyframes now and then, all of them while a turn is watched."""

from __future__ import annotations

from collections import deque

from ptz_driver.backends.base import PictureLook
from ptz_driver.stream.picture import Grey, StillnessWatch, brightness, is_black, is_elsewhere, is_same, small_grey
from ptz_driver.stream.source import Picture
from ptz_node.stream_decoder import StreamDecoder, as_grey
from ptz_site import NANOSECONDS

#: s between two pictures that are looked at for the stream's health.
_PERIOD = 0.9
#: Pictures that a new one may be again. An encoder spends more or fewer bits on the same picture from one keyframe to the next, but
#: comes back to amounts that it has spent before.
_REMEMBERED = 8


class LookDecoder:
    """Takes every picture, and decodes few."""

    def __init__(self) -> None:
        self._decoder: StreamDecoder | None = None
        #: The newest picture that was looked at.
        self.last: Grey | None = None
        self._recent: deque[Grey] = deque(maxlen=_REMEMBERED)
        self._looked_ns = 0
        self.brightness: float | None = None

    @property
    def blind(self) -> bool:
        """Whether no picture can be decoded before the next keyframe."""
        return self._decoder is None or self._decoder.waits

    def restart(self) -> None:
        """The stream was opened anew."""
        self._decoder = None

    def take(self, picture: Picture, stamp_ns: int, stillness: StillnessWatch | None) -> PictureLook | None:
        """What a picture shows, if it is one to look at. stillness: gets every picture, if there is one."""
        due = picture.keyframe and stamp_ns - self._looked_ns >= _PERIOD * NANOSECONDS
        if not due and stillness is None:
            # The pictures in between are missing from now on.
            if self._decoder is not None:
                self._decoder.lost()
            return None
        grey = self._decode(picture)
        if grey is None:
            return None
        if stillness is not None:
            stillness.take(grey, stamp_ns)
        if not due:
            return None
        if self.last is not None and is_elsewhere(self.last, grey):
            # A camera that comes back to a scene in which nothing has changed is not frozen.
            self._recent.clear()
        again = any(is_same(one, grey) for one in self._recent)
        self.last, self._looked_ns = grey, stamp_ns
        self._recent.append(grey)
        self.brightness = brightness(grey)
        return PictureLook(self.brightness, is_black(grey), again)

    def _decode(self, picture: Picture) -> Grey | None:
        if self._decoder is None or self._decoder.encoding != picture.encoding:
            self._decoder = StreamDecoder(picture.encoding)
        try:
            frame = self._decoder.decode(picture.data, picture.keyframe)
        except ValueError:
            return None
        return None if frame is None else small_grey(as_grey(frame))
