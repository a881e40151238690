# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a data set of labelled pictures holds, whatever format it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Boxes
from ptz_site import UserError

#: The name of the only split of a data set that has none.
WHOLE = 'all'
#: What folders and files of a split are called; the first is the split's name.
_SPLIT_WORDS = (('train', 'training'), ('val', 'valid', 'validation', 'dev'), ('test', 'testing'))


class DataSetKind(StrEnum):
    """The formats that are read."""

    COCO = 'coco'
    MOT = 'mot'
    YOLO = 'yolo'


@dataclass(frozen=True)
class LabelledPicture:
    """A picture's file, and the n objects that are annotated in it.

    size: of the picture (width, height), px. boxes (n, 4): centre x, centre y, width, height, px from the upper left corner; sizes are
    positive, and some of each box is in the picture, but the rest may be outside: see clipped(). class_ids (n,): indices into names,
    the data set's classes.
    ignored (n,): neither objects nor background: crowds, reflections, hardly anything to see. track_ids (n,): -1 without one; the same
    object has the same one in all pictures of a sequence. visibility (n,): the share, 0 to 1, of an object that is not hidden; 1 where
    nothing is said.
    scene: '' if not known; sequence: the name of the sequence, '' of a single picture; frame: its number there.
    """

    path: Path
    size: tuple[int, int]
    boxes: Boxes
    class_ids: NDArray[np.int64]
    names: tuple[str, ...]
    ignored: NDArray[np.bool_]
    track_ids: NDArray[np.int64]
    visibility: NDArray[np.float64]
    scene: str = ''
    sequence: str = ''
    frame: int = 0

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each object's class."""
        return tuple(self.names[index] for index in self.class_ids)

    @property
    def clipped(self) -> Boxes:
        """The boxes (n, 4: centre, size, px) as far as they are in the picture."""
        low = np.clip(self.boxes[:, :2] - self.boxes[:, 2:] / 2, 0.0, self.size)
        high = np.clip(self.boxes[:, :2] + self.boxes[:, 2:] / 2, 0.0, self.size)
        return np.hstack(((low + high) / 2, high - low))


@dataclass(frozen=True)
class LabelledScene:
    """A scene that pictures were taken in, and the words that describe it."""

    name: str
    keywords: tuple[str, ...] = ()
    split: str = ''


@dataclass(frozen=True)
class Split:
    """A part of a data set; iterating reads its pictures' labels one after the other, and can be done again.

    count: pictures, as far as is known before they are read.
    """

    name: str
    count: int
    pictures: Callable[[], Iterator[LabelledPicture]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[LabelledPicture]:
        return self.pictures()


@dataclass(frozen=True)
class DataSet:
    """A data set: its classes, its splits, and what is known of its scenes."""

    kind: DataSetKind
    path: Path
    names: tuple[str, ...]
    splits: tuple[Split, ...]
    scenes: tuple[LabelledScene, ...] = ()

    def split(self, name: str) -> Split:
        """The split of a name. Raises UserError if there is none."""
        for split in self.splits:
            if split.name == name:
                return split
        there = ', '.join(split.name for split in self.splits) or 'none'
        raise UserError(f'{self.path}: no split {name} is in it; there: {there}')


def in_order(splits: Iterable[Split]) -> tuple[Split, ...]:
    """Training first, then validation and test, then others as they come."""
    known = [names[0] for names in _SPLIT_WORDS]
    return tuple(sorted(splits, key=lambda split: known.index(split.name) if split.name in known else len(known)))


def split_name(name: str) -> str:
    """The split that a folder or file is named after, by its last word: train for train2017 or instances_train; '' if after none."""
    words = ''.join(letter if letter.isalpha() else ' ' for letter in name.lower()).split()
    return next((names[0] for names in _SPLIT_WORDS if words and words[-1] in names), '')
