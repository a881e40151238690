# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How well people are followed with what a tracking network tells of the sequences of a data set: by boxes alone, and by appearance too."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tracking import ROOT, environment, python

from ptz_perception.appearance_scale import SAME, on_common_scale
from ptz_perception.datasets import LabelledPicture
from ptz_perception.detections import Detections
from ptz_perception.models.jde.looking import look
from ptz_perception.models.jde.network import JdeNetwork
from ptz_perception.tracking.byte_tracker import ByteTracker, TrackerSettings

Array = NDArray[np.float64]
#: Frames/s of sequences that `ptz-collab dataset simulate` makes.
RATE = 5.0
#: Scores of these networks are lower than those that the tracker's defaults are for.
SETTINGS = TrackerSettings(low=0.1, high=0.4, begin=0.5)


@dataclass(frozen=True)
class Followed:
    """TrackEval's, in per cent, but for the exchanges of identity."""

    hota: float
    mota: float
    idf1: float
    switches: int


@dataclass(frozen=True)
class Case:
    """Sequences in which a network looks for people. same: its cosine from which on two appearances are the same person's."""

    name: str
    pictures: Sequence[LabelledPicture]
    factor: int
    same: float = SAME


def results(network: JdeNetwork, case: Case, classes: Sequence[str], width: int) -> dict[str, Array]:
    """Truth and what was found, twice, as score.py wants them."""
    arrays: dict[str, Array] = {}
    ordered = sorted((one for one in case.pictures if one.sequence), key=lambda one: (one.sequence, one.frame))
    for name, pictures in itertools.groupby(ordered, key=lambda one: one.sequence):
        frames = list(pictures)
        found = look(network, frames, classes, width, case.factor).found
        scale = frames[0].size[0] / min(width, frames[0].size[0])
        truth = np.vstack([np.zeros((0, 9)), *(_truth(number, one, classes) for number, one in enumerate(frames, 1))])
        for how in ('boxes', 'appearance'):
            told = [replace(one, vectors=_scaled(one, case.same) if how == 'appearance' else None) for one in found]
            rows = np.array(list(_tracks(told, scale)), float).reshape(-1, 7)
            key = f'{case.name}, {how}|{name.replace("|", "-")}'
            arrays |= {f'{key}|truth': truth, f'{key}|found': rows}
    return arrays


def _scaled(found: Detections, same: float) -> NDArray[np.float32]:
    assert found.vectors is not None
    return on_common_scale(found.vectors, same)


def _truth(number: int, picture: LabelledPicture, classes: Sequence[str]) -> Array:
    """Rows of everybody who is annotated; who is hardly to be seen counts neither way."""
    kept = [row for row, name in enumerate(picture.classes) if name in classes and picture.track_ids[row] >= 0]
    boxes, counts = picture.boxes[kept], ~picture.ignored[kept] & (picture.visibility[kept] >= 0.25)
    columns = (np.full(len(kept), number), picture.track_ids[kept], *(boxes[:, :2] - boxes[:, 2:] / 2).T, *boxes[:, 2:].T)
    return np.column_stack((*columns, counts, np.ones(len(kept)), picture.visibility[kept]))


def _tracks(found: Sequence[Detections], scale: float) -> Iterator[tuple[float, ...]]:
    """Rows of the tracks that are not tentative, where they were seen."""
    tracker = ByteTracker(SETTINGS)
    for number, detections in enumerate(found, 1):
        tracks = tracker.update(detections, round((number - 1) / RATE * 1e9))
        for row in np.flatnonzero(~tracks.tentative & (tracks.detection >= 0)):
            x, y, width, height = scale * tracks.boxes[row, :4]
            yield number, tracks.ids[row], x - width / 2, y - height / 2, width, height, 1


def scored(arrays: Mapping[str, Array], place: Path) -> dict[str, Followed]:
    """TrackEval's figures of each case; it runs in an environment of its own. place: a file for the results."""
    np.savez_compressed(place, **dict(arrays))
    command = [python(), ROOT / 'benchmarks' / 'trackers' / 'score.py', place]
    said = subprocess.run(command, check=True, env=environment(), capture_output=True, text=True).stdout
    return {case: Followed(*figures) for case, figures in json.loads(said.splitlines()[-1]).items()}
