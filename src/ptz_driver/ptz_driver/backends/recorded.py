# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual PTZ camera over a recorded wide video: a preset is a window into the picture, turning moves the window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_driver.arrival import PtzStatus
from ptz_driver.backends.base import BackendError, CapturedFrame, Clock, Exposure, Health, StampSource
from ptz_driver.backends.video import Video
from ptz_driver.frame_grid import FrameGrid
from ptz_driver.health import Fault
from ptz_node.images import encode_jpeg
from ptz_site import PtzDrive, PtzPosition, RecordedCamera, Site
from ptz_site.geometry import focal_length

_NANOSECONDS = 1_000_000_000
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """A part of the wide picture; pixels."""

    x: float
    y: float
    width: float
    height: float


def window(position: PtzPosition, source: tuple[int, int], target: tuple[int, int], hfov: float) -> Window:
    """The window that a camera looking at a position sees of a wide picture, moved inside it where it would stick out.

    source, target: width and height in pixels of the wide picture and of the camera's; hfov: of the wide picture, radians.
    """
    focal = focal_length(source[0], hfov, 1.0)
    width = source[0] / position.zoom
    height = width * target[1] / target[0]
    if height > source[1]:
        width, height = width * source[1] / height, float(source[1])
    x = source[0] / 2 - focal * math.tan(position.pan) - width / 2
    y = source[1] / 2 - focal * math.tan(position.tilt) - height / 2
    return Window(min(max(x, 0.0), source[0] - width), min(max(y, 0.0), source[1] - height), width, height)


def cut_out(picture: Image, part: Window, target: tuple[int, int]) -> Image:
    """The part of a picture, at the target's size."""
    scale_x, scale_y = part.width / target[0], part.height / target[1]
    # From a pixel of the target to the source; both have their origin at a pixel's centre.
    matrix = np.array([[scale_x, 0, part.x + (scale_x - 1) / 2], [0, scale_y, part.y + (scale_y - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, target, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


class RecordedBackend:
    """Plays a video by the region's common clock: the picture at ROS time t is that of video time t - epoch + offset."""

    stamp_source = StampSource.RECORDED
    exposure = None

    def __init__(self, site: Site, camera: str, path: Path, epoch_ns: int, clock: Clock) -> None:
        settings = site.cameras[camera]
        assert isinstance(settings, RecordedCamera)
        self._site, self._name, self._settings, self._path = site, camera, settings, path
        self._epoch_ns, self._clock = epoch_ns, clock
        self._grid = FrameGrid(round(_NANOSECONDS / settings.rate))
        self._ptz = PtzDrive(PtzPosition(0.0, 0.0, settings.zoom[0]), settings.slew)
        self._video: Video | None = None
        self._last_stamp_ns = 0

    @property
    def frames_late(self) -> int:
        """Frames that decoding was too slow for."""
        return self._grid.late

    def open(self) -> None:
        """Opens the video."""
        cv2.setNumThreads(1)
        self.close()
        self._video = Video(self._path)

    def close(self) -> None:
        """Closes the video."""
        if self._video is not None:
            self._video.close()
            self._video = None

    def goal(self, scene: str) -> PtzPosition | None:
        """Where the camera looks on a scene."""
        return self._site.preset(self._name, scene)

    def go_to(self, scene: str, at_ns: int, speed: float = 0.0) -> None:
        """Begins to move the window."""
        goal = self.goal(scene)
        if goal is None:
            raise BackendError(f'{self._name} has no preset for scene {scene}; add it to the site file')
        self._ptz.go_to(goal, at_ns, self._settings.slew.slowed(speed))

    def status(self, at_ns: int) -> PtzStatus:
        """Where the window is."""
        return PtzStatus(at_ns, self._ptz.position(at_ns), self._ptz.is_moving(at_ns))

    def check(self) -> None:
        """It rests where it was sent."""

    def want_keyframe(self) -> None:
        """Every picture can be decoded by itself."""

    def health(self) -> Health:
        """All is well."""
        return Health()

    def read(self) -> CapturedFrame | None:
        """The next picture of the video that was not read yet. Its stamp is the instant at which the common clock reaches it."""
        try:
            return self._next()
        except BackendError as error:
            # The next call begins anew.
            self.open()
            raise BackendError(str(error), Fault.NO_FRAMES) from None

    def _next(self) -> CapturedFrame | None:
        while True:
            due = self._grid.next_ns(self._clock.now_ns())
            if not self._clock.sleep_until(due):
                return None
            if self._video is None:
                raise BackendError(f'{self._path}: is not open')
            played = (due - self._epoch_ns) / _NANOSECONDS + self._settings.offset
            if not self._settings.loop and played >= self._video.duration:
                raise BackendError(f'{self._path}: has ended; set loop: true to play it again')
            rounds, seconds = divmod(played, self._video.duration)
            shown = self._video.picture(seconds)
            stamp = self._epoch_ns + round((rounds * self._video.duration + shown.time - self._settings.offset) * _NANOSECONDS)
            if stamp > self._last_stamp_ns:
                self._last_stamp_ns = stamp
                return self._frame(stamp, shown.picture)

    def _frame(self, stamp: int, picture: Image) -> CapturedFrame:
        position, target = self._ptz.position(stamp), self._settings.resolution
        part = window(position, (picture.shape[1], picture.shape[0]), target, self._settings.hfov_rad)
        data = encode_jpeg(cut_out(picture, part, target), self._settings.jpeg_quality)
        return CapturedFrame(stamp, data, 'jpeg', True, target[0], target[1], position, Exposure())
