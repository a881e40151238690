# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The limit: what the graph does with its pictures, in one plain process that does nothing else.

The same pictures, detector, tracker, selection of best frames and files (bag and video of each scene), by the same modules, one frame after
the other; no messages, no ROS, no coordinator, nobody who joins tracks of cameras.

usage: plain.py SITE FOLDER FRAMES OUT (FRAMES: what PlainFrame.write_all() wrote; prints a line of JSON)
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

BENCHMARKS = Path(__file__).resolve().parents[1]
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

from ptz_perception.best_frames import BestFrames, FrameOrigin, exposure_of  # noqa: E402
from ptz_perception.detectors import make_detector  # noqa: E402
from ptz_perception.facing.model import make_facing  # noqa: E402
from ptz_perception.pictures import EncodedFrame, FramePictures  # noqa: E402
from ptz_perception.pipeline import CameraPipeline, FrameView  # noqa: E402
from ptz_perception.recognition.embedders import make_embedders  # noqa: E402
from ptz_perception.selection import FrameFacts, make_selection  # noqa: E402
from ptz_perception.upload.package_queue import Limits, PackageQueue  # noqa: E402
from ptz_site import Mark, Phase, Site, load_site  # noqa: E402
from ptz_site.stream_marks import StreamMark  # noqa: E402
from ptz_stitcher.frames import frame_header, sequence_settings  # noqa: E402
from ptz_stitcher.offline import messages  # noqa: E402
from ptz_stitcher.recording import EncodedPicture  # noqa: E402
from ptz_stitcher.segments import Cut  # noqa: E402
from ptz_stitcher.sequence_writer import Frame, SequenceWriter  # noqa: E402
from whole_graph.node import time_pipeline  # noqa: E402
from whole_graph.pictures import PreparedPictures, load  # noqa: E402
from whole_graph.timers import StageTimers  # noqa: E402


@dataclass(frozen=True)
class PlainFrame:
    """A frame that the graph recorded: what its header says, where the camera looked, and whether perception looked at it."""

    mark: StreamMark
    position: tuple[float, float, float]
    looked_at: bool

    @staticmethod
    def write_all(frames: Sequence[PlainFrame], path: Path) -> None:
        """For a process of plain.py."""
        path.write_bytes(pickle.dumps(list(frames)))


class Looking:
    """Perception of one camera."""

    def __init__(self, site: Site, camera: str, folder: Path, timers: StageTimers, out: Path) -> None:
        self._region, self._size = site.region.name, site.cameras[camera].resolution
        detector = make_detector(site.perception, folder)
        timers.around(detector, 'detect', 'detect')
        self._pipeline = CameraPipeline(
            site, camera, detector, make_embedders(site.perception, folder), make_facing(site.perception, folder)
        )
        self._queue = PackageQueue(out / f'{camera}.sqlite', Limits(bytes=10**9, count=10**5))
        selection = make_selection(site.perception.best_frames)
        self._best = BestFrames(selection, site.cameras[camera].mounting, lambda _session, _track: '', self._queue.put)
        self._sources = FramePictures()

    def look(self, frame: PlainFrame, data: bytes) -> None:
        """Everything but the message."""
        mark = frame.mark
        encoded = EncodedFrame(mark.session, mark.sequence, 'jpeg', True, self._size, data)
        picture = self._sources.picture(encoded)
        assert picture is not None
        switch = mark.switch_start_ns
        view = FrameView(mark.stamp_ns, mark.session, mark.sequence, switch, mark.scene, *frame.position)
        seen = self._pipeline.look(picture, view)
        facts = FrameFacts(mark.stamp_ns, mark.session, mark.sequence, switch, self._size, False, True)
        origin = FrameOrigin(self._region, mark.camera, mark.scene, mark.slot, frame.position, exposure_of('automatic', 0.0, 0.0))
        self._best.look(facts, origin, encoded, picture, seen)

    def close(self) -> None:
        """What waits is chosen."""
        self._best.end_segment()
        self._queue.close()


def run(
    site: Site, site_path: Path, frames: Iterable[PlainFrame], pictures: dict[str, PreparedPictures], out: Path
) -> dict[str, object]:
    """All frames; what it cost."""
    timers = StageTimers()
    time_pipeline(timers)
    looking = {camera: Looking(site, camera, site_path.parent, timers, out) for camera in site.cameras}
    cut = Cut(site.stitcher.cut)
    writers = {scene: SequenceWriter(sequence_settings(site, str(site_path), scene, out, cut)) for scene in site.scenes}
    begin = time.process_time()
    for frame in frames:
        mark = frame.mark
        data = pictures[mark.camera].at(mark.scene, mark.stamp_ns)
        if frame.looked_at:
            looking[mark.camera].look(frame, data)
        with timers.time('stitch'):
            header = messages.header_of_mark(mark, mark.camera)
            head = messages.image_head(header.header, 'jpeg', len(data))
            told = Frame(frame_header(header), EncodedPicture(data, 'jpeg', True, site.cameras[mark.camera].resolution), head,
                         messages.encode(header, messages.HEADER))  # fmt: skip
            writers[mark.scene].take(told)
    for writer in writers.values():
        writer.close()
    for one in looking.values():
        one.close()
    return {'cpu': time.process_time() - begin, 'seconds': timers.seconds, 'counts': timers.counts}


def mark_of(header: object) -> StreamMark:
    """What a PresetHeader of a bag says."""
    found = frame_header(header)
    return StreamMark(
        found.camera, found.scene, '', Mark(found.marks), Phase(found.phase), found.stamp_ns, found.switch_start_ns, found.arrived_ns,
        found.slot, 1, found.session, found.sequence,
    )  # fmt: skip


def main() -> None:
    """Runs it, and prints what it cost."""
    site_path, folder, frames, out = map(Path, sys.argv[1:5])
    cv2.setNumThreads(1)
    site = load_site(str(site_path))
    pictures = {camera: load(folder / f'driver_{camera}.pictures') for camera in site.cameras}
    cost = run(site, site_path, pickle.loads(frames.read_bytes()), pictures, out)
    sys.stdout.write(json.dumps(cost) + '\n')


if __name__ == '__main__':
    main()
