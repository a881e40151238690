# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a scene whose cameras take turns, to be written; and what is read of the files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from encoded_cameras import SIZE
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import PresetHeader
from ptz_site import Mark, Phase
from ptz_stitcher.offline.messages import image_head
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.retouch import Box, Look, Sighting
from ptz_stitcher.segments import Cut, FrameHeader
from ptz_stitcher.sequence_writer import Frame, SequenceSettings, SequenceWriter

S = 1_000_000_000
START_NS = 1_700_000_000 * S
PERIOD_NS = S // 10
CUE = re.compile(r'^(\d\d):(\d\d):(\d\d)\.(\d{3}) --> (\d\d):(\d\d):(\d\d)\.(\d{3})\n(.+)$')


def writer(out: Path, **more: Any) -> SequenceWriter:
    """Of a scene `gate`; without a bag, unless that is wanted."""
    base: dict[str, Any] = {'bag': False, 'video': True, 'cut': Cut.ARRIVED, **more}
    return SequenceWriter(
        SequenceSettings(region='yard', scene='gate', site='', out=out, reorder_ns=S // 2, period_ns=PERIOD_NS, **base)
    )


def look(camera: str, stamp_ns: int, target: str) -> Look:
    """Perception sees a target."""
    return Look((camera, 1, 0), 0, stamp_ns, SIZE, (Sighting(1, Box(0, 0, 9, 9), target=target),))


def frame(header: FrameHeader, picture: EncodedPicture) -> Frame:
    """With its messages."""
    image = CompressedImage(format=picture.encoding)
    image.header.stamp.sec, image.header.stamp.nanosec = divmod(header.stamp_ns, S)
    message = PresetHeader(header=image.header, camera=header.camera, scene=header.scene, sequence=header.sequence)
    return Frame(header, picture, image_head(image.header, image.format, len(picture.data)), serialize_message(message))


def segment(
    camera: str,
    slot: int,
    pictures: Callable[[int], EncodedPicture],
    count: int = 20,
    turning: int = 0,
    first: int = 0,
    at: int = -1,
) -> Iterator[Frame]:
    """The frames of one segment of two seconds: pictures numbered from `first`, the first ones while the camera turns."""
    begin_ns = START_NS + 2 * S * (slot if at < 0 else at)
    for number in range(count):
        arrived = number >= turning
        marks = (Mark.SWITCH_START if not number else Mark.NONE) | (Mark.ARRIVED if number == turning else Mark.NONE)
        header = FrameHeader(
            camera, 'gate', 1, first + number + 1, begin_ns + number * PERIOD_NS, Phase.IN_POSITION if arrived else Phase.TURNING,
            marks, begin_ns, begin_ns + turning * PERIOD_NS if arrived else 0, slot,
        )  # fmt: skip
        yield frame(header, pictures(first + number))


def played(path: Path) -> list[tuple[float, np.ndarray]]:
    """Times and pictures (BGR) of a video; a decoder that meets anything wrong raises."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {'err_detect': 'explode'}
        return [(float(frame.time), frame.to_ndarray(format='bgr24')) for frame in container.decode(video=0)]


def cues(path: Path) -> list[tuple[float, float, dict]]:
    """Start and end in s, and content."""
    head, note, *blocks = path.read_text().rstrip('\n').split('\n\n')
    assert head.startswith('WEBVTT')
    assert note.startswith('NOTE')
    result = []
    for block in blocks:
        match = CUE.match(block)
        assert match, block
        times = [int(text) for text in match.groups()[:8]]
        start, end = ((h * 60 + m) * 60 + s + ms / 1000 for h, m, s, ms in (times[:4], times[4:]))
        result.append((start, end, json.loads(match[9])))
    return result
