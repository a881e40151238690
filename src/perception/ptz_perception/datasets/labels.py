# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From labels as they were read, good and bad, to labelled pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from ptz_perception.datasets.data_set import LabelledPicture
from ptz_perception.datasets.faults import Fault, FaultKind, Tell

#: px by which a box may be outside without being a fault: annotation tools round.
_TOLERANCE = 2.0


@dataclass(frozen=True)
class Label:
    """One object as it was read. corner: left, top, width, height, px; where: its place in the file, for people."""

    corner: tuple[float, float, float, float]
    class_id: int
    where: str
    ignored: bool = False
    track_id: int = -1
    visibility: float = 1.0


def labelled(
    picture: LabelledPicture, labels: Sequence[Label], file: Path, tell: Tell, may_be_outside: bool = False
) -> LabelledPicture:
    """A picture with the labels that can be used; faults of others are told.

    file: where the labels are. may_be_outside: boxes are those of whole objects, also where the picture's edge cuts them off.
    """
    good = [label for label in labels if _usable(picture, label, file, tell, may_be_outside)]
    corners = np.array([label.corner for label in good], float).reshape(-1, 4)
    return replace(
        picture,
        boxes=np.hstack((corners[:, :2] + corners[:, 2:] / 2, corners[:, 2:])),
        class_ids=np.array([label.class_id for label in good], np.int64),
        ignored=np.array([label.ignored for label in good], bool),
        track_ids=np.array([label.track_id for label in good], np.int64),
        visibility=np.array([label.visibility for label in good], float),
    )


def unlabelled(
    path: Path, size: tuple[int, int], names: tuple[str, ...], scene: str = '', sequence: str = '', frame: int = 0
) -> LabelledPicture:
    """A picture without objects."""
    none = np.empty(0)
    return LabelledPicture(
        path,
        size,
        np.empty((0, 4)),
        none.astype(np.int64),
        names,
        none.astype(bool),
        none.astype(np.int64),
        none,
        scene,
        sequence,
        frame,
    )


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height (px) of a picture's file, from its header; None if it is no picture."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return (stream.width, stream.height) if stream.width and stream.height else None
    except (OSError, ValueError, IndexError, av.FFmpegError):
        return None


def _usable(picture: LabelledPicture, label: Label, file: Path, tell: Tell, may_be_outside: bool) -> bool:
    left, top, width, height = label.corner
    box = f'box {left:g}, {top:g}, {width:g} x {height:g}'
    if not all(map(math.isfinite, label.corner)) or width <= 0 or height <= 0:
        text = f'{label.where}: {box}; sizes must be greater than 0: remove the label or mend it'
        tell(Fault(FaultKind.BAD_BOX, file, text))
        return False
    over = max(-left, -top, left + width - picture.size[0], top + height - picture.size[1])
    gone = left >= picture.size[0] or top >= picture.size[1] or left + width <= 0 or top + height <= 0
    if gone or (over > _TOLERANCE and not may_be_outside):
        how = 'is outside of' if gone else f'is {over:.0f} px over the edge of'
        remedy = 'remove the label' if gone else 'clip it'
        text = f'{label.where}: {box} {how} its picture ({picture.size[0]} x {picture.size[1]}); {remedy}'
        tell(Fault(FaultKind.BOX_OUTSIDE, file, text))
    return not gone
