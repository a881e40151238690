# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which format a data set has, and reading it, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ptz_perception.datasets import coco, mot, yolo
from ptz_perception.datasets.data_set import DataSet, DataSetKind
from ptz_perception.datasets.faults import Tell, unheard
from ptz_site import UserError

_READERS: dict[DataSetKind, Callable[[Path, Tell], DataSet]] = {
    DataSetKind.COCO: coco.read,
    DataSetKind.MOT: mot.read,
    DataSetKind.YOLO: yolo.read,
}


def kind_of(path: Path) -> DataSetKind | None:
    """The format of what is at a path, by its files; None: no data set that is known here."""
    if coco.files(path):
        return DataSetKind.COCO
    if yolo.is_one(path):
        return DataSetKind.YOLO
    return DataSetKind.MOT if mot.folders(path) else None


def find(path: Path) -> list[tuple[DataSetKind, Path]]:
    """The data sets at a path: itself, or those of its folders, as a simulated one has them for detection and tracking."""
    kind = kind_of(path)
    if kind is not None:
        return [(kind, path)]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
    return [(kind, folder) for folder in folders if (kind := kind_of(folder)) is not None]


def read(path: Path, kind: DataSetKind | None = None, tell: Tell = unheard) -> DataSet:
    """Reads a data set of a kind; None: whatever it is. Raises UserError if it is none; see the readers for the rest."""
    wanted = kind or kind_of(path)
    if wanted is None:
        raise UserError(
            f'{path}: {"no data set in COCO, MOTChallenge or YOLO format" if path.exists() else "is not there; check the path"}'
        )
    return _READERS[wanted](path, tell)
