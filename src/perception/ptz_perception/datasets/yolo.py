# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads data sets in the format of YOLO: data.yaml with the classes and the splits' pictures, and a text file of labels for each picture.

Each row is a class and a box (centre x, centre y, width, height) or a polygon, in shares of the picture's size. A picture without a
file shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ptz_perception.datasets.data_set import WHOLE, DataSet, DataSetKind, LabelledPicture, Split, in_order, split_name
from ptz_perception.datasets.faults import Fault, FaultKind, Tell, unheard
from ptz_perception.datasets.labels import Label, labelled, picture_size, unlabelled
from ptz_site import UserError

_FILES = ('data.yaml', 'dataset.yaml', 'data.yml')
_SPLITS = ('train', 'val', 'test')
_PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def file_of(path: Path) -> Path | None:
    """The description of a data set: a YAML file itself, or that of a folder; None if there is none."""
    if path.is_file():
        return path if path.suffix in ('.yaml', '.yml') else None
    return next((path / name for name in _FILES if (path / name).is_file()), None)


def is_one(path: Path) -> bool:
    """Whether a data set is there: described by a file, or folders images and labels."""
    return file_of(path) is not None or ((path / 'images').is_dir() and (path / 'labels').is_dir())


def read(path: Path, tell: Tell = unheard) -> DataSet:
    """Reads the labels of a data set; tell: hears of faults, those of pictures when they are iterated over.

    path: the YAML file, its folder, or a folder with images and labels. Raises UserError if there is nothing to read.
    """
    if not is_one(path):
        raise UserError(f'{path}: no data set in the format of YOLO; expected data.yaml, or folders images and labels')
    file = file_of(path)
    said = _description(file) if file is not None else {}
    names = _names(file, said) if file is not None else _names_from_labels(path)
    root = _root(file, said) if file is not None else path
    sources = {split_name(name) or name: said[name] for name in (*_SPLITS, 'valid') if said.get(name)}
    if not sources:
        folders = {split_name(folder.name): folder for folder in sorted((root / 'images').glob('*')) if folder.is_dir()}
        sources = {name: str(folder) for name, folder in folders.items() if name} or {WHOLE: 'images'}
    splits = []
    for name, source in sources.items():
        listed = tuple(_sources(file or path, root, source, tell))
        splits.append(Split(name, sum(1 for _ in _files(listed)), partial(_pictures, listed, names, tell)))
    return DataSet(DataSetKind.YOLO, path, names, in_order(splits))


def _description(file: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(file.read_text(encoding='utf-8-sig'))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = ' '.join(str(error).split())[:120]
        raise UserError(f"{file}: can't be read ({reason}); write it again") from None
    if not isinstance(said, dict):
        raise UserError(f'{file}: names and train are expected in it; write it again')
    return said


def _names(file: Path, said: dict[str, Any]) -> tuple[str, ...]:
    names = said.get('names')
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[index] for index in range(len(names))]
    if isinstance(names, list) and names:
        return tuple(map(str, names))
    if isinstance(said.get('nc'), int) and said['nc'] > 0 and names is None:
        return tuple(f'class {index}' for index in range(said['nc']))
    raise UserError(f'{file}: names must list the classes in order, or map 0, 1, 2 ... to them; mend it')


def _names_from_labels(path: Path) -> tuple[str, ...]:
    file = path / 'classes.txt'
    if not file.is_file():
        raise UserError(f'{path}: neither data.yaml nor classes.txt says what the classes are; add one')
    names = tuple(line.strip() for line in file.read_text(encoding='utf-8-sig').splitlines() if line.strip())
    if not names:
        raise UserError(f'{file}: no class is in it; write one a line')
    return names


def _root(file: Path, said: dict[str, Any]) -> Path:
    """What paths are relative to: path in the file, itself relative to the file, if it is there."""
    root = file.parent / str(said.get('path') or '')
    return root if root.is_dir() else file.parent


def _sources(file: Path, root: Path, source: Any, tell: Tell) -> Iterator[Path]:
    """Folders of pictures and lists of pictures, as far as they are there."""
    for entry in source if isinstance(source, list) else [source]:
        # Tools write paths relative to where they run: a leading ../ may be one too much.
        tried = [root / str(entry), file.parent / str(entry), file.parent / str(entry).removeprefix('../')]
        found = next((path for path in tried if path.exists()), None)
        if found is None:
            tell(Fault(FaultKind.MISSING_PICTURE, file, f'{entry} is not there; mend its path, relative to {root}'))
        else:
            yield found


def _files(sources: tuple[Path, ...]) -> Iterator[Path]:
    """The pictures' files, in order."""
    for source in sources:
        if source.is_dir():
            yield from sorted(path for path in source.rglob('*') if path.suffix.lower() in _PICTURES)
        else:
            lines = source.read_text(encoding='utf-8-sig', errors='replace').splitlines()
            yield from (source.parent / line.strip() for line in lines if line.strip())


def _pictures(sources: tuple[Path, ...], names: tuple[str, ...], tell: Tell) -> Iterator[LabelledPicture]:
    for path in _files(sources):
        if not path.is_file():
            tell(Fault(FaultKind.MISSING_PICTURE, path, 'is not there; put it there, or remove it from its list'))
            continue
        size = picture_size(path)
        if size is None:
            tell(Fault(FaultKind.UNREADABLE_PICTURE, path, "can't be read as a picture; replace it"))
            continue
        file = labels_of(path)
        yield labelled(unlabelled(path, size, names), list(_read_labels(file, size, names, tell)), file, tell)


def labels_of(path: Path) -> Path:
    """A picture's file of labels: in labels instead of in images, the last one in its path; beside it where there is no such folder."""
    parts = list(path.parts)
    if 'images' in parts[:-1]:
        at = len(parts) - 2 - parts[-2::-1].index('images')
        parts[at] = 'labels'
    return Path(*parts).with_suffix('.txt')


def _read_labels(file: Path, size: tuple[int, int], names: tuple[str, ...], tell: Tell) -> Iterator[Label]:
    if not file.is_file():
        return
    seen: set[str] = set()
    for number, line in enumerate(file.read_text(encoding='utf-8-sig', errors='replace').splitlines(), 1):
        row, where = ' '.join(line.split()), f'line {number}'
        if not row:
            continue
        if row in seen:
            tell(Fault(FaultKind.DUPLICATE, file, f'{where}: {row[:60]!r} is there already; remove it'))
            continue
        seen.add(row)
        try:
            class_id, corner = _label(row, size)
        except (ValueError, OverflowError):
            text = (
                f'{where}: {row[:60]!r} found; expected class, centre x, centre y, width, height as shares from 0 to 1; mend it'
            )
            tell(Fault(FaultKind.BAD_LABEL, file, text))
            continue
        if not 0 <= class_id < len(names):
            tell(
                Fault(FaultKind.UNKNOWN_CLASS, file, f'{where}: class {class_id} found; allowed: 0 to {len(names) - 1}; mend it')
            )
            continue
        yield Label(corner, class_id, where)


def _label(row: str, size: tuple[int, int]) -> tuple[int, tuple[float, float, float, float]]:
    """Class, and left, top, width, height in px; ValueError if it is none."""
    values = [float(text) for text in row.split()]
    class_id = int(values[0])
    if len(values) == 5:
        x, y, width, height = values[1:]
        if max(abs(value) for value in values[1:]) > 2:
            raise ValueError('shares are expected, not pixels')
    elif len(values) >= 7 and len(values) % 2 == 1:
        across, down = values[1::2], values[2::2]
        width, height = max(across) - min(across), max(down) - min(down)
        x, y = min(across) + width / 2, min(down) + height / 2
    else:
        raise ValueError('neither a box nor a polygon')
    return class_id, ((x - width / 2) * size[0], (y - height / 2) * size[1], width * size[0], height * size[1])
