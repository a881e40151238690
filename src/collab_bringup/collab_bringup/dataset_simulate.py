# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""`ptz-collab dataset simulate`: makes a data set in simulated scenes, in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table

from collab_bringup.terminal import progress_bar
from ptz_sim.dataset import pieces
from ptz_sim.dataset.pieces import Options, Piece
from ptz_site import UserError


@dataclass(frozen=True)
class SimulateRequest:
    """What is to be made, where, and by how many processes."""

    folder: Path
    options: Options
    jobs: int
    overwrite: bool


def simulate(request: SimulateRequest, console: Console) -> int:
    """Makes the data set, or goes on with one that was interrupted; the exit code. Raises UserError for what the user can mend."""
    folder = request.folder
    try:
        index = _simulate(request, console)
    except OSError as error:
        raise UserError(f"{folder} can't be written ({error.strerror or error}); the same command goes on once it can") from error
    except BrokenProcessPool as error:
        raise UserError(
            'a process ended all of a sudden, perhaps for want of memory; the same command with fewer --jobs goes on'
        ) from error
    console.print(_table(index))
    console.print(f'data set in {folder}', soft_wrap=True, highlight=False)
    return 0


def _simulate(request: SimulateRequest, console: Console) -> dict[str, Any]:
    folder, options = request.folder, request.options
    scenes = options.draw()
    pieces.open_folder(folder, options, request.overwrite)
    todo = pieces.missing(folder, options, scenes)
    there = len(scenes) - len(todo)
    if there:
        console.print(f'going on: {there} of {len(scenes)} scenes are there', highlight=False)
    with progress_bar(console) as progress:
        task = progress.add_task('scenes', total=len(scenes), completed=there)
        for _ in _make(request, todo):
            progress.advance(task)
    return pieces.finish(folder, options, scenes)


def _make(request: SimulateRequest, todo: Sequence[Piece]) -> Iterator[None]:
    """Makes pieces; one step for each that is done."""
    if request.jobs == 1 or len(todo) < 2:
        cv2.setNumThreads(1)
        for piece in todo:
            pieces.make(request.folder, request.options, piece)
            yield
        return
    # Spawned, as forks of a process with threads (OpenCV's) may hang.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(min(request.jobs, len(todo)), mp_context=context, initializer=_begin_work) as pool:
        waiting = [pool.submit(pieces.make, request.folder, request.options, piece) for piece in todo]
        try:
            for done in as_completed(waiting):
                done.result()
                yield
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_work() -> None:
    """Of a process that makes pieces for another one."""
    # Processes share the work; threads of theirs would only get in each other's way.
    cv2.setNumThreads(1)
    # Ctrl-C ends it at once, and without a word: its parent says what there is to say.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed parent can't tell its processes, which would go on writing into a folder that somebody else may use by then.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _table(index: dict[str, Any]) -> Table:
    table = Table('kind', 'split', 'scenes', 'what', box=None, pad_edge=False)
    for kind, splits in index['counts'].items():
        for split, counts in splits.items():
            scenes = sum(scene['split'] == split for scene in index['scenes'])
            what = ', '.join(f'{count} {name.replace("_", " ")}' for name, count in counts.items())
            table.add_row(kind, split, str(scenes), what)
    return table
