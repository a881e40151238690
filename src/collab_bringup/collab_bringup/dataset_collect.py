# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""`ptz-collab dataset collect`: gathers pictures that hold what example pictures show, from recordings or from a region that runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from collab_bringup.footage import BagFootage, Footage, VideoFootage, bags_in
from collab_bringup.terminal import progress_bar
from ptz_perception.datasets.collecting import CollectedSet, Collector, Outcome
from ptz_perception.datasets.likeness import Features, Likeness
from ptz_perception.detections import Image
from ptz_site import UserError


@dataclass(frozen=True)
class CollectRequest:
    """What `dataset collect` was told. One of bags, videos and region (''; the only one there is) is given; every, seconds: s;
    most: pictures.
    """

    examples: tuple[Path, ...]
    out: Path
    bags: tuple[Path, ...] = ()
    videos: tuple[Path, ...] = ()
    region: str | None = None
    class_name: str = 'object'
    features: Features = Features.SIFT
    least: int = 15
    every: float = 0.5
    most: int = 500
    seconds: float | None = None
    overwrite: bool = False


def collect(request: CollectRequest, console: Console) -> int:
    """Gathers pictures; 0: some are there, 1: nothing held the object. Raises UserError. Ctrl-C ends it; what was kept stays."""
    likeness = _likeness(request)
    with _footage(request) as footage:
        _open(request.out, request.overwrite)
        try:
            kept = CollectedSet(request.out, request.class_name, tuple(path.name for path in request.examples))
            collector = Collector(likeness, kept)
            try:
                _look(footage, collector, kept, request, console)
            except KeyboardInterrupt:
                console.print('interrupted; what was found until now is kept', highlight=False)
            finally:
                kept.save()
        except OSError as error:
            raise UserError(
                f"{request.out}: can't be written ({error.strerror}); make room, or give another folder with --out"
            ) from None
    return _say(collector, len(kept), request, console)


def _look(footage: list[Footage], collector: Collector, kept: CollectedSet, request: CollectRequest, console: Console) -> None:
    with progress_bar(console, counted=False) as progress:
        total = None if any(one.seconds is None for one in footage) else sum(one.seconds or 0.0 for one in footage)
        task = progress.add_task('', total=total)
        before = 0.0
        for one in footage:
            progress.update(task, description=escape(one.name))
            for seconds, shot in one.shots():
                if shot is not None and collector.look(shot) is Outcome.KEPT:
                    _tell(progress, task, one.name, len(kept))
                progress.update(task, completed=before + seconds)
                if len(kept) >= request.most:
                    return
            before += one.seconds or 0.0


def _tell(progress: Progress, task: TaskID, name: str, count: int) -> None:
    progress.update(task, description=f'{escape(name)}: {count} kept')


def _say(collector: Collector, count: int, request: CollectRequest, console: Console) -> int:
    outcomes = collector.outcomes
    looked = outcomes.total()
    if not looked:
        console.print('there was no frame to look at', highlight=False)
        return 1
    held = outcomes[Outcome.KEPT] + outcomes[Outcome.REPEATED]
    same = f' ({outcomes[Outcome.REPEATED]} were nearly the same as others)' if outcomes[Outcome.REPEATED] else ''
    console.print(f'{looked} frames looked at, {held} hold it, {count} are kept{same}', highlight=False)
    if count >= request.most:
        console.print(f'--most {request.most} is reached; the rest was not looked at', highlight=False)
    if not count:
        console.print('try a larger picture of it, one from another side, --features sift, or a lower --least', highlight=False)
        return 1
    console.print(f'look through the proposed boxes of {request.out} before you train on them', soft_wrap=True, highlight=False)
    return 0


def _likeness(request: CollectRequest) -> Likeness:
    # One at a time, so that it can be said which one shows too little.
    pictures = [_example(path) for path in request.examples]
    for path, picture in zip(request.examples, pictures, strict=True):
        try:
            Likeness([picture], request.features, request.least)
        except ValueError as error:
            remedy = 'give a larger or sharper picture that the object fills, or a lower --least'
            raise UserError(f'{path}: {error}; {remedy}') from None
    return Likeness(pictures, request.features, request.least)


def _example(path: Path) -> Image:
    """With its alpha channel, if it has one."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror}); check the path") from None
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None:
        raise UserError(f"{path}: can't be read as a picture; give a JPEG or PNG")
    if picture.dtype != np.uint8 or picture.ndim != 3:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)


@contextmanager
def _footage(request: CollectRequest) -> Iterator[list[Footage]]:
    if request.region is None:
        bags = [BagFootage(folder, request.every) for path in request.bags for folder in bags_in(path)]
        with_pictures = [bag for bag in bags if bag.holds_pictures]
        if bags and not with_pictures:
            raise UserError(
                f'{request.bags[0]}: no topic of PresetFrame or sensor_msgs/CompressedImage is in it; give another bag'
            )
        yield [*with_pictures, *(VideoFootage(path, request.every) for path in request.videos)]
        return
    # Recordings need no ROS graph.
    from collab_bringup.live_footage import LiveFootage

    live = LiveFootage(request.region, request.every, request.seconds)
    try:
        yield [live]
    finally:
        live.close()


def _open(out: Path, overwrite: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise UserError(f'{out} is a file; give a folder with --out')
    if not overwrite:
        raise UserError(f'{out}: not empty; give another folder with --out, or --overwrite to replace what was collected there')
    if {path.name for path in out.iterdir()} - {'images', 'annotations.json', 'annotations.json.tmp'}:
        raise UserError(f'{out} holds something else than collected pictures; --overwrite leaves it alone, give another folder')
    shutil.rmtree(out / 'images', ignore_errors=True)
    (out / 'annotations.json').unlink(missing_ok=True)
