# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated network camera films: pictures rendered at its rate, encoded once for all who watch."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

from ptz_sim.network.device import NetworkCamera
from ptz_sim.renderer import Image
from ptz_site import NANOSECONDS
from ptz_site.stream_marks.nal import Codec, NalFormat, units

#: s between keyframes that nobody asked for.
_KEYFRAME_PERIOD = 2.0
_QUEUE = 60
_JPEG_QUALITY = 80


@dataclass(frozen=True)
class AccessUnit:
    """One encoded picture."""

    stamp_ns: int
    units: tuple[bytes, ...]


class Encoder:
    """H.264 or H.265 without delay: every picture comes out before the next goes in, headers with every keyframe."""

    def __init__(self, codec: Codec, size: tuple[int, int], rate: float) -> None:
        self._form = NalFormat(codec, 0)
        name = 'libx264' if codec is Codec.H264 else 'libx265'
        self._context = cast(VideoCodecContext, av.CodecContext.create(name, 'w'))
        self._context.width, self._context.height = size
        self._context.pix_fmt = 'yuv420p'
        self._context.time_base = Fraction(1, 90_000)
        self._context.framerate = Fraction(rate).limit_denominator(1000)
        self._context.thread_count = 1
        keyint = max(1, round(rate * _KEYFRAME_PERIOD))
        parameters = f'repeat-headers=1:keyint={keyint}:scenecut=0'
        self._context.options = {'preset': 'ultrafast', 'tune': 'zerolatency', 'crf': '25', 'forced-idr': '1'}
        if codec is Codec.H264:
            self._context.options |= {'x264-params': parameters}
        else:
            self._context.options |= {'x265-params': f'{parameters}:pools=none:frame-threads=1:log-level=none'}
        self._pts = 0

    def encode(self, picture: Image, stamp_ns: int, keyframe: bool) -> AccessUnit:
        """One picture (height, width, 3), BGR."""
        frame = av.VideoFrame.from_ndarray(picture, format='bgr24')
        self._pts = max(self._pts + 1, stamp_ns * 90_000 // NANOSECONDS)
        frame.pts, frame.time_base = self._pts, Fraction(1, 90_000)
        if keyframe:
            frame.pict_type = av.video.frame.PictureType.I
        data = b''.join(bytes(packet) for packet in self._context.encode(frame))
        return AccessUnit(stamp_ns, tuple(units(data, self._form)))

    @property
    def form(self) -> NalFormat:
        """How its units are put together."""
        return self._form


class Pictures:
    """Films while somebody watches."""

    def __init__(self, camera: NetworkCamera, codec: Codec, phase: float) -> None:
        """phase: share of the period by which this camera's instants are later than those of a camera with 0."""
        self._camera, self.codec = camera, codec
        self._period = round(NANOSECONDS / camera.settings.rate)
        self._phase = round(phase * self._period)
        self._watchers: list[queue.Queue[AccessUnit]] = []
        self._lock = threading.Lock()
        self._rendering = threading.Lock()
        self._keyframe = threading.Event()
        self._somebody = threading.Event()
        self._ended = threading.Event()
        self._still: Image | None = None
        self.parameter_sets = self._headers()
        self._thread = threading.Thread(target=self._run, name='pictures', daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def end(self) -> None:
        """Ends it."""
        self._ended.set()
        self._somebody.set()
        self._thread.join(timeout=3.0)

    def want_keyframe(self) -> None:
        """The next picture can be decoded without an earlier one."""
        self._keyframe.set()

    @contextmanager
    def watch(self) -> Iterator[queue.Queue[AccessUnit]]:
        """All pictures from the next keyframe on; what a watcher is too slow for is dropped."""
        mine: queue.Queue[AccessUnit] = queue.Queue(_QUEUE)
        with self._lock:
            self._watchers.append(mine)
            self.want_keyframe()
        self._somebody.set()
        try:
            yield mine
        finally:
            with self._lock:
                self._watchers.remove(mine)

    def jpeg(self) -> tuple[int, bytes]:
        """A picture of now: its stamp, and it as JPEG."""
        stamp = time.time_ns()
        done, data = cv2.imencode('.jpg', self._picture(stamp), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        assert done
        return stamp, data.tobytes()

    def _run(self) -> None:
        encoder = self._encoder()
        while not self._ended.is_set():
            if not self._watchers:
                self._somebody.clear()
                self._somebody.wait(0.5)
                continue
            stamp = ((time.time_ns() - self._phase) // self._period + 1) * self._period + self._phase
            self._ended.wait((stamp - time.time_ns()) / NANOSECONDS)
            with self._lock:
                # Together: who watches from now on begins with the keyframe that it asked for.
                watchers, keyframe = tuple(self._watchers), self._keyframe.is_set()
                self._keyframe.clear()
            unit = encoder.encode(self._picture(stamp), stamp, keyframe)
            for watcher in watchers:
                if not watcher.full():
                    watcher.put_nowait(unit)

    def _picture(self, stamp_ns: int) -> Image:
        faults = self._camera.faults
        width, height = self._camera.settings.resolution
        if faults.black_picture:
            return np.full((height, width, 3), 4, np.uint8)
        if faults.frozen_picture and self._still is not None:
            return self._still
        with self._rendering:
            self._still = self._camera.ptz.capture(stamp_ns)
            return self._still

    def _encoder(self) -> Encoder:
        return Encoder(self.codec, self._camera.settings.resolution, self._camera.settings.rate)

    def _headers(self) -> tuple[bytes, ...]:
        encoder = self._encoder()
        width, height = self._camera.settings.resolution
        first = encoder.encode(np.zeros((height, width, 3), np.uint8), 0, True)
        return tuple(unit for unit in first.units if encoder.form.is_parameter_set(unit[0]))
