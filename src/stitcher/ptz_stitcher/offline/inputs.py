# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Finds out what inputs are: bags, folders of runs, videos."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ptz_site import UserError
from ptz_stitcher.offline.bag_file import is_bag
from ptz_stitcher.offline.bag_source import BagSource
from ptz_stitcher.offline.events import Source
from ptz_stitcher.offline.video_source import VideoSource


def open_inputs(paths: Iterable[Path], with_images: bool, problem: Callable[[str], None]) -> list[Source]:
    """Opens all that can be; of each of the others one line goes to problem. with_images: as for VideoSource."""
    found: list[Source] = []
    known: set[Path] = set()
    for path in paths:
        try:
            for part in _parts(path):
                if part.resolve() in known:
                    continue
                known.add(part.resolve())
                found.append(BagSource(part) if is_bag(part) else VideoSource(part, with_images))
        except UserError as error:
            problem(str(error))
        except OSError as error:
            problem(f"{path}: can't be read ({error.strerror}); give a bag or a video file")
    return found


def _parts(path: Path) -> list[Path]:
    """The bags of a run's folder; of anything else itself."""
    if not path.exists():
        raise UserError(f'{path}: is not there; give a bag, the folder of a run, or a video file')
    if not path.is_dir() or is_bag(path):
        if path.is_file() and not path.stat().st_size:
            raise UserError(f'{path}: is empty (0 bytes); there is nothing in it to stitch')
        return [path]
    inside = (entry for entry in path.rglob('*') if not any(part.startswith('.') for part in entry.relative_to(path).parts))
    bags = sorted(entry for entry in inside if entry.is_dir() and is_bag(entry))  # what is hidden is not whole yet
    if not bags:
        raise UserError(f'{path}: no bag is in this folder; give a bag, the folder of a run, or a video file')
    return bags
