# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The recorded region of tests/replay with tracks for it, and what the simulator knows of who is in its pictures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from recordings import read_bag, video_start_ns
from rosbags.rosbag2 import StoragePlugin, Writer
from target_region import IN_POSITION, Run, S

from ptz_collab_msgs.msg import Detection, PresetHeader, Track, TrackArray
from ptz_sim.truth import WalkerTruth
from ptz_sim.world import World
from ptz_site import load_site
from ptz_stitcher.frames import time_ns
from ptz_stitcher.offline import messages

RECORDED = Path(__file__).with_name('replay')
#: When its world began: see scripts/make_replay_region.py.
EPOCH_NS = (1_700_000_000 - 22) * S
#: px that the blur of likeness() reaches.
_REACH = 8
#: Who is in the picture of a preset header; None: perception did not look at it.
Perceived = Callable[[PresetHeader], list[Track] | None]


@cache
def region() -> Run:
    """Its site and its world."""
    site = load_site(RECORDED / 'site.yaml')
    return Run(RECORDED / 'region', site, World.of_site(site), EPOCH_NS)


@cache
def people(camera: str, scene: str, stamp_ns: int) -> tuple[WalkerTruth, ...]:
    """Who is in a picture."""
    return region().seen(camera, scene, stamp_ns)


def record_tracks(folder: Path, perceived: Perceived) -> Path:
    """A bag of what perception says of the region's frames at rest."""
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {
            camera: writer.add_connection(f'/lane/cameras/{camera}/tracks', messages.TRACKS, typestore=messages.typestore())
            for camera in region().site.cameras
        }
        for log_ns, read in read_bag(RECORDED / 'region' / 'region', '/preset_header'):
            header = deserialize_message(messages.encode(read, messages.HEADER), PresetHeader)
            tracks = perceived(header) if header.phase == IN_POSITION else None
            if tracks is not None:
                array = TrackArray(header=header.header, preset=header, width=640, height=360, tracks=tracks)
                writer.write(topics[header.camera], log_ns, serialize_message(array))
    return folder


def recorded_tracks() -> Perceived:
    """What the region's own perception saw, at 2.5 looks a second: tests/replay/expected.json."""
    seen: dict[tuple[str, int], list[Track]] = defaultdict(list)
    for name, told in json.loads((RECORDED / 'expected.json').read_text())['tracks'].items():
        camera, number = name.split()
        for sequence, (x, y, width, height, how) in told['frames'].items():
            source = Track.SOURCE_DETECTED if how == 'detected' else Track.SOURCE_PREDICTED
            seen[camera, int(sequence)].append(track(int(number), (x, y, width, height), source))
    return lambda header: seen.get((header.camera, header.sequence))


def true_tracks(every: int, target: int = -1) -> Perceived:
    """What a perception would see that misses nobody, of every such frame. target: a walker that it recognises."""

    def perceived(header: PresetHeader) -> list[Track] | None:
        if header.sequence % every:
            return None
        found = [track(one.walker, one.box) for one in people(header.camera, header.scene, time_ns(header.header.stamp))]
        for one in found:
            if one.track_id == target:
                one.target, one.mark_colour, one.mark_shape = 'anna', '#ff00ff', 'box'
        return found

    return perceived


def track(number: int, box: tuple[float, float, float, float], source: int = Track.SOURCE_DETECTED) -> Track:
    """Somebody. box: centre, width, height, px."""
    x, y, width, height = map(float, box)
    detection = Detection(center_x=x, center_y=y, width=width, height=height, class_name='person', score=0.9)
    return Track(track_id=number, detection=detection, source=source)


@dataclass(frozen=True)
class Shown:
    """A picture of a video (BGR), whose it is, and who is in it."""

    scene: str
    header: PresetHeader
    picture: np.ndarray
    people: tuple[WalkerTruth, ...]


@cache
def preset_headers(scene: str) -> dict[int, PresetHeader]:
    """Of a scene's pictures, by stamp."""
    return {time_ns(read.header.stamp): read for _, read in read_bag(RECORDED / 'region' / scene, '/preset_header')}


def shown(out: Path, scene: str) -> Iterator[Shown]:
    """The pictures of a scene's video."""
    stamps = preset_headers(scene)
    begin_ns = video_start_ns(out / f'{scene}.mp4')
    with av.open(str(out / f'{scene}.mp4')) as container:
        for frame in container.decode(video=0):
            at_ns = begin_ns + round(float(frame.time or 0) * S)
            nearest = min(stamps, key=lambda stamp, at_ns=at_ns: abs(stamp - at_ns))
            assert abs(nearest - at_ns) < S // 1000
            header = stamps[nearest]
            yield Shown(scene, header, frame.to_ndarray(format='bgr24'), people(header.camera, scene, nearest))


def likeness(clear: np.ndarray, other: np.ndarray, box: tuple[float, float, float, float]) -> float:
    """How much of the details of a part of a picture is in another one: 1: all, 0: none. box: centre, width, height."""
    x, y, width, height = box
    left, top, right, bottom = (max(0, round(side)) for side in (x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    details = []
    for picture in (clear, other):
        # With some pixels around, which the blur needs.
        rows, columns = slice(max(0, top - _REACH), bottom + _REACH), slice(max(0, left - _REACH), right + _REACH)
        grey = cv2.cvtColor(picture[rows, columns], cv2.COLOR_BGR2GRAY).astype(np.float32)
        fine = (grey - cv2.GaussianBlur(grey, (0, 0), 2.0))[top - rows.start :, left - columns.start :]
        fine = fine[: bottom - top, : right - left].ravel()
        details.append(fine - fine.mean())
    norms = [float(np.linalg.norm(one)) for one in details]
    return float(details[0] @ details[1]) / (norms[0] * norms[1]) if min(norms) > 1e-6 else 0.0
