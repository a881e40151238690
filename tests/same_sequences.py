# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Compares what was stitched with what the live stitcher wrote."""

from __future__ import annotations

from pathlib import Path

import av
from paper_region import SCENES
from recordings import chapters, read_bag

from ptz_stitcher.offline import StitchRequest, messages, stitch
from ptz_stitcher.segments import Cut


def stitched(inputs: list[Path], out: Path, cut: Cut = Cut.ARRIVED) -> None:
    """Stitches, without the report that follows; nothing may be wrong."""
    found = stitch(StitchRequest(tuple(inputs), out, cut), lambda done, total: None)
    assert not found.problems
    assert not found.failures


def canonical(folder: Path, ending: str) -> list[tuple[int, bytes]]:
    """The messages of a bag without what padding bytes happen to hold (the middleware leaves in them whatever was there)."""
    kinds = {
        '/image/compressed': messages.IMAGE,
        '/preset_header': messages.HEADER,
        '/plan': messages.PLAN,
        '/state': messages.STATE,
    }
    return [(log_ns, messages.encode(message, kinds[ending])) for log_ns, message in read_bag(folder, ending)]


def packets(video: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(video)) as container:
        return [(packet.pts, bytes(packet)) for packet in container.demux(video=0) if packet.size]


def assert_same(out: Path, live: Path) -> None:
    """All that the live stitcher wrote, and nothing else."""
    for scene in SCENES:
        for ending in ('/image/compressed', '/preset_header'):
            assert canonical(out / scene, ending) == canonical(live / scene, ending)
        assert packets(out / f'{scene}.mp4') == packets(live / f'{scene}.mp4')
        assert chapters(out / f'{scene}.mp4') == chapters(live / f'{scene}.mp4')
    for ending in ('/preset_header', '/plan', '/state'):
        assert sorted(canonical(out / 'region', ending)) == sorted(canonical(live / 'region', ending))
