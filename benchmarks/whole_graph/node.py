# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A node of the graph as it is, with timers in it; a driver shows prepared pictures.

usage: node.py EXECUTABLE FOLDER NAME --ros-args ...
FOLDER gets NAME.jsonl, a line each second, and NAME.delays.json at the end; a driver reads NAME.pictures there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[1]
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

from whole_graph.timers import StageTimers  # noqa: E402


def driver(timers: StageTimers, folder: Path, name: str) -> Callable[[], int]:
    """Capture and publish."""
    from ptz_driver import node
    from ptz_driver.publishing import FramePublisher
    from whole_graph.pictures import PreparedBackend, load

    pictures = load(folder / f'{name}.pictures')

    def make_backend(site: Any, camera: str, _path: str, _media: str, epoch_ns: int, clock: Any) -> PreparedBackend:
        backend = PreparedBackend(site, camera, epoch_ns, clock)
        backend.pictures = pictures
        return backend

    node.make_backend = make_backend
    timers.around(PreparedBackend, 'read', 'capture')
    timers.around(FramePublisher, 'publish', 'publish')
    return node.main


def perception(timers: StageTimers, _folder: Path, _name: str) -> Callable[[], int]:
    """Decode, detect, track, select, and the message."""
    from ptz_perception import messages, node

    time_pipeline(timers)
    inner = node.make_detector

    def make_detector(*given: Any) -> Any:
        detector = inner(*given)
        timers.around(detector, 'detect', 'detect')
        return detector

    node.make_detector = make_detector
    timers.around(messages, 'track_array', 'track message')
    return node.main


def time_pipeline(timers: StageTimers) -> None:
    """What the graph and the plain process have in common."""
    from ptz_perception.best_frames import BestFrames
    from ptz_perception.pictures import FramePictures
    from ptz_perception.pipeline import CameraPipeline
    from ptz_perception.upload.package_queue import PackageQueue
    from ptz_stitcher.sequence_writer import SequenceWriter

    timers.around(FramePictures, 'picture', 'decode')
    timers.around(CameraPipeline, 'look', 'track')
    timers.around(BestFrames, 'look', 'select')
    timers.around(BestFrames, 'end_segment', 'select')
    timers.around(PackageQueue, 'put', 'select')
    timers.around(SequenceWriter, 'write', 'record')


def stitcher(timers: StageTimers, _folder: Path, _name: str) -> Callable[[], int]:
    """Recording, and how late frames and tracks come."""
    from ptz_stitcher import node
    from ptz_stitcher.frame_cdr import read_stamp
    from ptz_stitcher.sequence_writer import SequenceWriter
    from ptz_stitcher.storage import RollingLog, RollingSequence

    for name in ('header', 'state', 'tracks', 'plan'):
        timers.around(RollingLog, name, 'log')
    timers.around(RollingSequence, 'take', 'stitch')
    timers.around(SequenceWriter, 'write', 'record')
    write, on_tracks, on_frame = SequenceWriter.write, node.Stitcher._on_tracks, node.Stitcher._on_frame

    def written(self: Any, placed: Any, frame: Any) -> None:
        write(self, placed, frame)
        timers.delay('recording', frame.header.stamp_ns)

    def tracks_came(self: Any, camera: str, data: bytes) -> None:
        timers.delay('tracks', read_stamp(data))
        on_tracks(self, camera, data)

    def frame_came(self: Any, scene: str, data: bytes) -> None:
        timers.delay('frame', read_stamp(data))
        on_frame(self, scene, data)

    SequenceWriter.write, node.Stitcher._on_tracks, node.Stitcher._on_frame = written, tracks_came, frame_came  # type: ignore[method-assign]
    return node.main


def coordinator(_timers: StageTimers, _folder: Path, _name: str) -> Callable[[], int]:
    """As a whole."""
    from collab_coordinator.node import main

    return main


def region_perception(_timers: StageTimers, _folder: Path, _name: str) -> Callable[[], int]:
    """As a whole."""
    from ptz_perception.region_node import main

    return main


PREPARE = {one.__name__: one for one in (driver, perception, stitcher, coordinator, region_perception)}


def run() -> int:
    """Runs the node, and writes what was measured."""
    executable, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    del sys.argv[1:4]
    timers = StageTimers()
    main = PREPARE[executable](timers, folder, name)
    timers.write_every_second(folder / f'{name}.jsonl')
    try:
        return main()
    finally:
        (folder / f'{name}.delays.json').write_text(json.dumps(timers.delays))


if __name__ == '__main__':
    sys.exit(run())
