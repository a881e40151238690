# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""RTSP over TCP with FFmpeg: access units as the camera encoded them."""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from urllib.parse import quote, urlsplit, urlunsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from ptz_driver.stream.source import Picture, StreamError, StreamRefusedError
from ptz_site import NANOSECONDS, Credentials
from ptz_site.stream_marks.nal import Codec, NalFormat, units

#: The encodings of PresetFrame, by FFmpeg's names.
_ENCODINGS = {'h264': 'h264', 'hevc': 'h265', 'mjpeg': 'jpeg'}
_QUEUE = 100
#: Time limits for a picture until the first one comes: the camera is found, asked and begins meanwhile.
_OPENING = 3


@dataclass(frozen=True)
class _Ended:
    error: StreamError


class RtspSource:
    """Reads in a thread of its own: FFmpeg notices a stream that has stopped only after twice its time limit, so nobody waits for it.

    silence: s without a picture after which the stream counts as lost; the first one may take longer.
    """

    def __init__(self, address: str, credentials: Credentials, silence: float, now_ns: Callable[[], int]) -> None:
        self._address, self._silence, self._now_ns = _with_password(address, credentials), silence, now_ns
        self._limit = _OPENING * silence
        self._pictures: queue.Queue[Picture | _Ended] = queue.Queue(_QUEUE)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name='rtsp', daemon=True)
        self._thread.start()

    def read(self) -> Picture:
        """The next picture."""
        try:
            found = self._pictures.get(timeout=self._limit)
        except queue.Empty:
            raise StreamError(f'no picture for {self._limit:g} s') from None
        self._limit = self._silence
        if isinstance(found, _Ended):
            raise found.error
        return found

    def close(self) -> None:
        """The thread ends by itself, at FFmpeg's time limit at the latest."""
        self._ended.set()

    def _run(self) -> None:
        error: StreamError = StreamError('the camera ended the stream')
        try:
            with self._open() as container:
                for picture in with_times(self._read(container)):
                    if self._ended.is_set():
                        return
                    self._pictures.put(picture, timeout=self._silence)
        except av.HTTPUnauthorizedError:
            error = StreamRefusedError('user or password refused')
        except (av.FFmpegError, OSError, IndexError, ValueError) as problem:
            # An error of FFmpeg names the address with the password in it.
            error = StreamError(_reason(problem))
        except queue.Full:
            return
        try:
            self._pictures.put(_Ended(error), timeout=self._silence)
        except queue.Full:
            return

    def _open(self) -> InputContainer:
        microseconds = str(round(self._silence * 1e6))
        options = {'rtsp_transport': 'tcp', 'timeout': microseconds, 'analyzeduration': '200000', 'probesize': '100000'}
        return av.open(self._address, options=options, timeout=(2 * self._silence, self._silence))

    def _read(self, container: InputContainer) -> Iterator[Picture]:
        stream = container.streams.video[0]
        context = stream.codec_context
        if context.name not in _ENCODINGS:
            raise ValueError(f'encoding {context.name} is not known; set the camera to H.264')
        encoding, sets = _ENCODINGS[context.name], b''
        form = None if encoding == 'jpeg' else NalFormat(Codec(context.name), 0)
        for packet in container.demux(stream):
            arrival = self._now_ns()
            if packet.size == 0:
                continue
            data, base = bytes(packet), packet.time_base or Fraction(1, 90_000)
            if form is not None and packet.is_keyframe:
                sets = sets or bytes(context.extradata or b'')
                data = with_parameter_sets(data, form, sets)
            yield Picture(
                data=data,
                encoding=encoding,
                keyframe=packet.is_keyframe,
                size=(context.width, context.height),
                arrival_ns=arrival,
                pts_ns=None if packet.pts is None else int(packet.pts * base * NANOSECONDS),
                reported_ns=_reported_ns(packet),
            )


def with_times(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """Gives those a time that have none: FFmpeg knows that of the first picture only when the second one has come."""
    waiting: list[Picture] = []
    for picture in pictures:
        if picture.pts_ns is None:
            waiting.append(picture)
            continue
        for early in waiting:
            yield replace(early, pts_ns=picture.pts_ns - _between(early, picture))
        waiting.clear()
        yield picture


def _between(early: Picture, late: Picture) -> int:
    """Ns between two pictures, as well as it is known; at least a little, so that they keep their order."""
    if early.reported_ns is not None and late.reported_ns is not None:
        return max(1, late.reported_ns - early.reported_ns)
    return max(1, late.arrival_ns - early.arrival_ns)


def with_parameter_sets(keyframe: bytes, form: NalFormat, sets: bytes) -> bytes:
    """A keyframe that can be decoded by itself: some cameras tell the parameter sets only when the stream is opened."""
    has = any(form.is_parameter_set(unit[0]) for unit in units(keyframe, form))
    return keyframe if has or not sets else sets + keyframe


def _reported_ns(packet: av.Packet[VideoStream]) -> int | None:
    """The capture time by the camera's clock (FFmpeg's AVProducerReferenceTime: microseconds, flags)."""
    if not packet.has_sidedata('prft'):
        return None
    (microseconds,) = struct.unpack_from('<q', bytes(packet.get_sidedata('prft')))
    return int(microseconds) * 1000


def _with_password(address: str, credentials: Credentials) -> str:
    if not credentials.user:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition('@')[2]
    return urlunsplit(parts._replace(netloc=f'{quote(credentials.user, safe="")}:{quote(credentials.password, safe="")}@{host}'))


def _reason(problem: Exception) -> str:
    if isinstance(problem, ValueError) and not isinstance(problem, av.FFmpegError):
        return str(problem)
    text = str(getattr(problem, 'strerror', None) or type(problem).__name__)
    return 'no answer in time' if isinstance(problem, av.ExitError | TimeoutError) or 'timed out' in text else text
