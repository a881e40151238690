# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what a run left behind, with public tools alone, for tests to judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from rosbags.highlevel import AnyReader


@dataclass(frozen=True)
class Header:
    """A preset header as recorded; times in ns."""

    camera: str
    scene: str
    stamp_ns: int
    sequence: int
    session: int
    slot: int
    phase: int
    marks: int
    switch_start_ns: int
    arrived_ns: int


def read_bag(folder: Path, ending: str) -> list[tuple[int, Any]]:
    """Log time and message of every message on topics with this ending."""
    with AnyReader([folder]) as reader:
        connections = [c for c in reader.connections if c.topic.endswith(ending)]
        return [(stamp, reader.deserialize(raw, c.msgtype)) for c, stamp, raw in reader.messages(connections)]


def headers(folder: Path) -> list[Header]:
    """All preset headers of a bag, in order."""
    return [_header(message) for _, message in read_bag(folder, '/preset_header')]


def video_frames(path: Path) -> list[float]:
    """Decodes a whole video; the time of every frame in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0.0) for frame in container.decode(video=0)]


def video_start_ns(path: Path) -> int:
    """The stamp of a video's time zero."""
    with av.open(str(path)) as container:
        return int(container.metadata['comment'].partition('=')[2])


def chapters(path: Path) -> list[str]:
    """Titles of a video's chapters."""
    with av.open(str(path)) as container:
        return [chapter['metadata'].get('title', '') for chapter in container.chapters()]


def _header(message: Any) -> Header:
    return Header(
        camera=message.camera,
        scene=message.scene,
        stamp_ns=_ns(message.header.stamp),
        sequence=message.sequence,
        session=message.session,
        slot=message.slot,
        phase=message.phase,
        marks=message.marks,
        switch_start_ns=_ns(message.switch_start),
        arrived_ns=_ns(message.arrived),
    )


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
