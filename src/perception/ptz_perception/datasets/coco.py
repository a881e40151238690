# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads data sets in COCO format: one JSON file for each split, and the pictures beside it (Lin et al., "Microsoft COCO", 2014).

Beyond the standard, pictures may name their scene, annotations their track_id and visibility, and a list "scenes" may describe scenes
by keywords.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ptz_perception.datasets.coco_index import CocoIndex, IndexedPicture
from ptz_perception.datasets.data_set import WHOLE, DataSet, DataSetKind, LabelledPicture, Split, in_order, split_name
from ptz_perception.datasets.faults import Fault, FaultKind, Tell, unheard
from ptz_perception.datasets.labels import labelled, picture_size, unlabelled
from ptz_site import UserError

#: What a folder's own annotation file is called: here and by usual tools.
_FILES = ('annotations.json', '_annotations.coco.json')
#: Pictures that are looked for to find out in which folder they are.
_TRIED = 20


def files(path: Path) -> list[Path]:
    """The annotation files of a data set: a file itself, a folder's, those of its folders, or those in its folder annotations."""
    if path.is_file():
        return [path] if path.suffix == '.json' else []
    own = [path / name for name in _FILES if (path / name).is_file()]
    if own:
        return own[:1]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
    found = [next((folder / name for name in _FILES if (folder / name).is_file()), None) for folder in folders]
    usual = sorted((path / 'annotations').glob('instances_*.json')) or sorted((path / 'annotations').glob('*.json'))
    return [file for file in found if file is not None] or usual


def read(path: Path, tell: Tell = unheard) -> DataSet:
    """Reads the labels of a data set; tell: hears of faults, some of them only when a split is iterated over.

    path: an annotation file, or a folder as files() knows them. The labels are indexed in temporary files; a split that has been read
    into a tuple can be given to other processes, the split itself can't. Raises UserError if there is nothing to read, or a file can't
    be read.
    """
    found = files(path)
    if not found:
        raise UserError(
            f'{path}: no annotations in COCO format; expected annotations.json in it or in its folders, or the file itself'
        )
    indexes = [(file, CocoIndex(file, tell)) for file in found]
    names = tuple(dict.fromkeys(name for _, index in indexes for _, name in index.categories))
    splits = [Split(_split(file, path), index.count, partial(_pictures, file, index, names, tell)) for file, index in indexes]
    scenes = tuple(dict.fromkeys(scene for _, index in indexes for scene in index.scenes))
    return DataSet(DataSetKind.COCO, path, names, in_order(splits), scenes)


def _split(file: Path, path: Path) -> str:
    """By the file's name, else by that of its folder."""
    folder = file.parent.name if file.parent.name != 'annotations' else ''
    own = file.stem if file.name not in _FILES else ''
    return split_name(own) or split_name(folder) or (WHOLE if file == path or file.parent == path else own or folder)


def _pictures(file: Path, index: CocoIndex, names: tuple[str, ...], tell: Tell) -> Iterator[LabelledPicture]:
    class_ids = {key: names.index(name) for key, name in index.categories}
    for category, count in index.categories_used():
        if category not in class_ids:
            text = f'category {category} of {count} annotations is not in categories; add it or remove them'
            tell(Fault(FaultKind.UNKNOWN_CLASS, file, text))
    for key, missing in index.labels_without_picture():
        text = f'annotation {key} is of picture {missing}, which is not in images; add the picture or remove it'
        tell(Fault(FaultKind.UNKNOWN_PICTURE, file, text))
    folder = _folder(file, index)
    for entry in index.pictures():
        path = folder / entry.name
        size = _size(file, path, entry, tell)
        if size is not None:
            picture = unlabelled(path, size, names, entry.scene, entry.sequence, entry.frame)
            yield labelled(picture, index.labels(entry.picture_id, class_ids), file, tell)


def _size(file: Path, path: Path, entry: IndexedPicture, tell: Tell) -> tuple[int, int] | None:
    if not path.is_file():
        tell(
            Fault(
                FaultKind.MISSING_PICTURE,
                path,
                f'picture {entry.picture_id} is not there; put it there, or remove it from {file.name}',
            )
        )
        return None
    if entry.size != (0, 0):
        return entry.size
    size = picture_size(path)
    if size is None:
        tell(Fault(FaultKind.UNREADABLE_PICTURE, path, "can't be read as a picture; replace it"))
        return None
    tell(
        Fault(FaultKind.WRONG_PICTURE_SIZE, file, f'picture {entry.picture_id}: no width and height; say {size[0]} and {size[1]}')
    )
    return size


def _folder(file: Path, index: CocoIndex) -> Path:
    """Where a file's pictures are: in images beside it, beside it, or, as COCO itself has it, in the folder beside annotations that
    has the split's name.
    """
    above = file.parent.parent
    candidates = [file.parent / 'images', file.parent, above / file.stem.rpartition('_')[2], above / 'images', above]
    candidates.insert(3, above / 'images' / file.stem.rpartition('_')[2])
    for entry, _ in zip(index.pictures(), range(_TRIED), strict=False):
        for folder in candidates:
            if (folder / entry.name).is_file():
                return folder
    return candidates[0] if candidates[0].is_dir() else file.parent
