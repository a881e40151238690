# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Frames to look at from the cameras of a region that runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import PresetFrame, PresetHeader
from ptz_node import names
from ptz_node.convert import time_to_ns
from ptz_node.qos import FRAMES_RECORD
from ptz_perception.datasets.collecting import Shot
from ptz_perception.messages import encoded_frame
from ptz_perception.pace import Pace
from ptz_perception.pictures import EncodedFrame, FramePictures
from ptz_site import UserError

#: s without any frame after which something is wrong.
_PATIENCE = 20.0
#: s between two looks at whether frames came.
_POLL = 0.05


class LiveFootage:
    """All cameras of a region; of each, the newest frame at rest, at most one every so many seconds. region empty: the only one."""

    def __init__(self, region: str, every: float, seconds: float | None) -> None:
        self._console = RegionConsole(region)
        self.name, self.seconds = self._console.region, seconds
        self._every = every
        self._lock = threading.Lock()
        self._newest: dict[str, tuple[PresetHeader, EncodedFrame]] = {}
        self._sources: dict[str, FramePictures] = {}
        self._paces: dict[str, Pace] = {}
        self._heard = time.monotonic()
        for status in self._console.state.cameras:
            self._subscribe(status.camera)

    def close(self) -> None:
        """Ends the connection."""
        self._console.close()

    def shots(self) -> Iterator[tuple[float, Shot | None]]:
        """See Footage."""
        begin = time.monotonic()
        while self.seconds is None or time.monotonic() - begin < self.seconds:
            waiting = self._take()
            if not waiting:
                if time.monotonic() - self._heard > _PATIENCE:
                    raise UserError(f'region {self.name}: no frame came for {_PATIENCE:.0f} s; do its cameras run?')
                time.sleep(_POLL)
            for header, frame in waiting:
                yield time.monotonic() - begin, self._shot(header, frame)
            if not waiting:
                yield time.monotonic() - begin, None

    def _subscribe(self, camera: str) -> None:
        # Pictures of a stream depend on earlier ones: none may be missed.
        topic = f'/{self._console.region}/{names.camera_frames(camera)}'
        self._sources[camera], self._paces[camera] = FramePictures(), Pace(1 / self._every)
        self._console.node.create_subscription(PresetFrame, topic, partial(self._on_frame, camera), FRAMES_RECORD)

    def _on_frame(self, camera: str, message: PresetFrame) -> None:
        """In the console's thread."""
        self._heard = time.monotonic()
        frame = encoded_frame(message)
        self._sources[camera].feed(frame)
        if message.preset.phase == PresetHeader.PHASE_IN_POSITION and self._paces[camera].takes(time_to_ns(message.header.stamp)):
            with self._lock:
                self._newest[camera] = (message.preset, frame)

    def _take(self) -> list[tuple[PresetHeader, EncodedFrame]]:
        with self._lock:
            waiting = [self._newest[camera] for camera in sorted(self._newest)]
            self._newest.clear()
        return waiting

    def _shot(self, header: PresetHeader, frame: EncodedFrame) -> Shot | None:
        try:
            picture = self._sources[header.camera].picture(frame)
        except ValueError:
            return None
        if picture is None:
            return None
        jpeg = frame.data if frame.encoding == PresetFrame.ENCODING_JPEG else None
        return Shot(header.camera, header.scene, time_to_ns(header.header.stamp), picture, jpeg)
