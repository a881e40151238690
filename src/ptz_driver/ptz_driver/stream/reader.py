# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's pictures over the network, with capture times: opens the stream, and opens it again when it is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ptz_driver.backends.base import BackendError, Clock, PictureLook, StampSource
from ptz_driver.frame_grid import FrameGrid
from ptz_driver.health import Fault
from ptz_driver.onvif.retry import RetryPolicy
from ptz_driver.stream.decoding import LookDecoder
from ptz_driver.stream.http import MotionJpegSource, SnapshotSource
from ptz_driver.stream.picture import Grey, StillnessWatch
from ptz_driver.stream.rtsp import RtspSource
from ptz_driver.stream.source import Picture, PictureSource, StreamError, StreamRefusedError
from ptz_driver.stream.stamps import StampEstimator
from ptz_site import NANOSECONDS, Credentials, OnvifCamera

#: s without a picture after which the stream is opened anew.
_SILENCE = 3.0
#: s; pictures older than that when they come are late.
LATE = 2.0


@dataclass(frozen=True)
class StampedPicture:
    """A picture with its capture time in ns, and what was seen in it if it was looked at."""

    picture: Picture
    stamp_ns: int
    look: PictureLook | None


class StreamReader:
    """Read by one thread. address: where the stream is, or raises BackendError; credentials: likewise."""

    def __init__(
        self,
        name: str,
        settings: OnvifCamera,
        ca_file: str,
        address: Callable[[], str],
        credentials: Callable[[], Credentials],
        clock: Clock,
    ) -> None:
        self._name, self._settings, self._ca_file, self._clock = name, settings, ca_file, clock
        self._address, self._credentials = address, credentials
        self._silence = max(_SILENCE, 5 / settings.rate)
        self._grid = FrameGrid(round(NANOSECONDS / settings.rate))
        self._retry = RetryPolicy(longest=10.0)
        self._error = BackendError(f'{name}: no stream yet', Fault.NO_FRAMES)
        self._source: PictureSource | None = None
        self._stamps = StampEstimator()
        self._look = LookDecoder()
        #: s from capture to arrival of the newest picture; NaN before there is one.
        self.delay = math.nan
        self.late = 0
        self.note = ''

    @property
    def stamp_source(self) -> StampSource:
        """As the stream allows."""
        return self._stamps.source

    @property
    def stamp_uncertainty(self) -> float:
        """s, one standard deviation."""
        return self._stamps.uncertainty

    @property
    def brightness(self) -> float | None:
        """Of a recent picture, 0 to 255."""
        return self._look.brightness

    @property
    def last_looked_at(self) -> Grey | None:
        """The newest picture that was looked at, small and grey."""
        return self._look.last

    @property
    def blind(self) -> bool:
        """Whether no picture can be decoded before the next keyframe."""
        return self._look.blind

    def read(self, stillness: StillnessWatch | None) -> StampedPicture:
        """The next picture. stillness: gets every picture, if there is one. Raises BackendError; the next call opens the stream anew."""
        try:
            picture = self._opened().read()
        except StreamError as error:
            raise self._failed(error) from None
        self._retry.succeeded()
        pts = picture.arrival_ns if picture.pts_ns is None else picture.pts_ns
        stamp = self._stamps.take(pts, picture.arrival_ns, picture.reported_ns)
        self.delay = (picture.arrival_ns - stamp) / NANOSECONDS
        self.late += self.delay > LATE
        self.note = self._size_note(picture)
        return StampedPicture(picture, stamp, self._look.take(picture, stamp, stillness))

    def close(self) -> None:
        """Lets go of the stream."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _failed(self, error: StreamError) -> BackendError:
        self.close()
        refused = isinstance(error, StreamRefusedError)
        if refused:
            self._retry.refused(self._credentials())
        else:
            self._retry.failed(self._clock.now_ns())
        fault = Fault.REFUSED if refused else Fault.NO_FRAMES
        self._error = BackendError(f'{self._name}: {self._settings.stream}: {error}', fault)
        return self._error

    def _opened(self) -> PictureSource:
        if self._source is None:
            credentials = self._credentials()
            if not self._retry.may_try(self._clock.now_ns(), credentials):
                raise self._error
            address = self._address()
            self._stamps.restart()
            self._look.restart()
            self._source = self._open(address, credentials)
        return self._source

    def _open(self, address: str, credentials: Credentials) -> PictureSource:
        now = self._clock.now_ns
        if self._settings.stream == 'rtsp':
            return RtspSource(address, credentials, self._silence, now)
        if self._settings.stream == 'mjpeg':
            return MotionJpegSource(address, credentials, self._silence, self._ca_file, now)
        return SnapshotSource(address, credentials, self._silence, self._ca_file, now, self._wait_for_snapshot)

    def _wait_for_snapshot(self) -> None:
        self._clock.sleep_until(self._grid.next_ns(self._clock.now_ns()))

    def _size_note(self, picture: Picture) -> str:
        if picture.size == self._settings.resolution:
            return ''
        found, wanted = ('x'.join(map(str, size)) for size in (picture.size, self._settings.resolution))
        return f'pictures are {found}, the site says {wanted}; set the camera or resolution'
