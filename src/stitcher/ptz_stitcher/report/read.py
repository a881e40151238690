# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the recordings of a run, with the definitions that the bags carry themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError

from ptz_site import StayObserver, StayTimes, UserError, all_stays
from ptz_site.heat import SceneHeat
from ptz_site.stream_marks import nal
from ptz_stitcher.frames import frame_header, time_ns
from ptz_stitcher.recording.bag_metadata import read_custom_data
from ptz_stitcher.report.measures import NANOSECONDS, Rotation
from ptz_stitcher.segments import FrameHeader
from ptz_stitcher.storage.names import LOG, parts_of

_RUNNING = 1
_STOPPED = 0
_DETECTED = 0


@dataclass(frozen=True)
class Picture:
    """One picture of a scene's bag, with its header."""

    header: FrameHeader
    data: bytes
    encoding: str

    @property
    def stands_alone(self) -> bool:
        """Whether it can be decoded without an earlier one."""
        codec = {'h264': nal.Codec.H264, 'h265': nal.Codec.H265}.get(self.encoding)
        return codec is None or nal.is_keyframe(self.data, nal.NalFormat(codec, 0))


@dataclass(frozen=True)
class RegionRecord:
    """What the region's log tells: the name of the region, all headers, the rotation's frame, and how long people were seen to stay."""

    region: str
    headers: tuple[FrameHeader, ...]
    rotation: Rotation
    stays: StayTimes = field(default_factory=StayTimes)
    slots_per_cycle: int = 0


def read_region(out: Path) -> RegionRecord:
    """Reads <out>/region. Raises UserError if there is none, or no rotation is in it."""
    folder = out / LOG
    headers: list[FrameHeader] = []
    plans: list[Any] = []
    region = ''
    for topic, message in _messages(_log(out), ('/preset_header', '/plan')):
        region = topic.split('/')[1]
        if topic.endswith('/plan'):
            plans.append(message)
        else:
            headers.append(frame_header(message))
    running = [plan for plan in plans if plan.mode == _RUNNING]
    if not running or not headers:
        raise UserError(f'{folder}: no rotation is recorded in it; nothing to report')
    cycle = max((len(order.scenes) for order in running[0].orders), default=0)
    return RegionRecord(region, tuple(headers), _rotation(running[0], plans, headers), read_stays(out), cycle)


def read_stays(out: Path) -> StayTimes:
    """How long people were seen to stay in the scenes of a run. Raises UserError if <out>/region is not there."""
    observer = StayObserver()
    for _, message in _messages(_log(out), ('/tracks',)):
        preset = message.preset
        tracks = [track.track_id for track in message.tracks if track.source == _DETECTED]
        switch, stamp = time_ns(preset.switch_start), time_ns(message.header.stamp)
        observer.take(preset.camera, preset.scene, preset.session, switch, stamp, tracks)
    return all_stays(observer.finish())


def read_heats(out: Path, polygons: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, SceneHeat]:
    """Where on the ground (m) of scenes people were seen, on average over a run. Raises UserError if <out>/region is not there."""
    heats = {scene: SceneHeat(polygon, math.inf) for scene, polygon in polygons.items()}
    for _, message in _messages(_log(out), ('/tracks',)) if heats else ():
        heat = heats.get(message.preset.scene)
        if heat is None:
            continue
        seen = [track for track in message.tracks if track.has_ground and track.source == _DETECTED]
        points = np.array([(track.ground.x, track.ground.y) for track in seen]).reshape(-1, 2)
        covariances = [np.reshape(track.ground_covariance, (2, 2)) for track in seen]
        heat.take(message.preset.camera, time_ns(message.header.stamp), points, covariances)
    return heats


def read_pictures(bags: Sequence[Path]) -> Iterator[Picture]:
    """The pictures of one scene, in order; bags: those that it is in. One picture at a time is in memory."""
    waiting: FrameHeader | None = None
    data: tuple[bytes, str] | None = None
    for topic, message in _messages(bags, ('/preset_header', '/image/compressed')):
        if topic.endswith('/preset_header'):
            waiting = frame_header(message)
        else:
            data = message.data.tobytes(), message.format
        if waiting is not None and data is not None:
            yield Picture(waiting, *data)
            waiting = data = None


def is_redacted(bag: Path) -> bool:
    """Whether people were to be hidden wherever the pictures of a scene's bag, which shows them, are shown."""
    return 'redact' in read_custom_data(bag)


def _log(out: Path) -> list[Path]:
    # One that is not there is named in the complaint.
    return parts_of(out, LOG) or [out / LOG]


def _messages(bags: Sequence[Path], endings: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    try:
        with AnyReader(list(bags)) as reader:
            connections = [connection for connection in reader.connections if connection.topic.endswith(endings)]
            if not connections:
                return  # asked for none, the reader would give all
            for connection, _, raw in reader.messages(connections):
                yield connection.topic, reader.deserialize(raw, connection.msgtype)
    except (AnyReaderError, ReaderError) as error:
        raise UserError(f'{bags[0]}: not a bag that can be read ({error}); give the folder of a run') from None


def _rotation(first: Any, plans: list[Any], headers: list[FrameHeader]) -> Rotation:
    begin, dwell = time_ns(first.slot_start), time_ns(first.dwell)
    newest = max(header.stamp_ns for header in headers)
    # A revision may be published more than once; each is in force until the next one.
    revisions = sorted(
        {plan.revision: plan for plan in plans if plan.revision >= first.revision}.values(), key=lambda p: p.revision
    )
    slots: list[int] = []
    end = newest
    for plan, following in zip(revisions, [*revisions[1:], None], strict=True):
        until = newest if following is None else min(newest, time_ns(following.effective_at))
        if plan.mode == _STOPPED:
            end = min(end, time_ns(plan.effective_at))
        if plan.mode != _RUNNING:
            continue
        if plan.end_slot:
            over = time_ns(plan.slot_start) + (plan.end_slot - plan.first_slot) * dwell
            until = min(until, over)
            end = min(newest, over) if following is None or following.mode == _STOPPED else end
        starts = range(time_ns(plan.slot_start), until, dwell)
        slots += [start for start in starts if start >= time_ns(plan.effective_at)]
    return Rotation(begin, max(begin + NANOSECONDS // 1000, end), dwell, tuple(sorted(set(slots))))
