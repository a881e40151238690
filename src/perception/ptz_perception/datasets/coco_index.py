# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The entries of one COCO file, by picture. They are kept in a temporary database, so that a file of any size takes little memory."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson

from ptz_perception.datasets.data_set import LabelledScene
from ptz_perception.datasets.faults import Fault, FaultKind, Tell
from ptz_perception.datasets.labels import Label
from ptz_site import UserError

_SCHEMA = """
CREATE TABLE pictures (id, name, width, height, scene, sequence, frame);
CREATE TABLE labels (id, picture, category, x, y, width, height, ignored, track, visibility);
"""
#: Rows that are handed to the database at once.
_ROWS = 5000


@dataclass(frozen=True)
class IndexedPicture:
    """An entry of images; size (width, height) in px."""

    picture_id: int | str
    name: str
    size: tuple[int, int]
    scene: str
    sequence: str
    frame: int


class CocoIndex:
    """The entries of a file. Raises UserError if the file can't be read or is no COCO file."""

    def __init__(self, file: Path, tell: Tell) -> None:
        self._file, self._tell = file, tell
        # A database without a name is in memory while small, then in a temporary file, and goes with its connection.
        self._database = sqlite3.connect('', check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self.categories = tuple(self._categories())
        self.scenes = tuple(self._scenes())
        self._fill('pictures', self._picture_rows())
        self._fill('labels', self._label_rows())
        self._keep_one_of_each('pictures', 'id', 'picture id')
        self._keep_one_of_each('pictures', 'name', 'picture')
        self._keep_one_of_each('labels', 'id', 'annotation')
        self._database.execute('CREATE INDEX labels_picture ON labels (picture)')
        self.count = int(self._database.execute('SELECT count(*) FROM pictures').fetchone()[0])
        if not self.count and not self.categories:
            raise UserError(f'{file}: neither images nor categories are in it; give annotations in COCO format')

    def pictures(self) -> Iterator[IndexedPicture]:
        """In the order of their scenes, sequences, frames and names, so that what belongs together comes together."""
        query = 'SELECT id, name, width, height, scene, sequence, frame FROM pictures ORDER BY scene, sequence, frame, name'
        for key, name, width, height, scene, sequence, frame in self._database.execute(query):
            yield IndexedPicture(key, name, (width, height), scene, sequence, frame)

    def labels(self, picture_id: int | str, class_ids: dict[int, int]) -> list[Label]:
        """Those of a picture. class_ids: category to index of the class; labels of other categories are left out."""
        query = 'SELECT id, category, x, y, width, height, ignored, track, visibility FROM labels WHERE picture = ? ORDER BY id'
        return [
            Label((x, y, width, height), class_ids[category], f'annotation {key}', bool(ignored), track, visibility)
            for key, category, x, y, width, height, ignored, track, visibility in self._database.execute(query, (picture_id,))
            if category in class_ids
        ]

    def labels_without_picture(self) -> Iterator[tuple[int | str, int | str]]:
        """Ids of annotations and of the pictures that they name."""
        yield from self._database.execute(
            'SELECT id, picture FROM labels WHERE picture NOT IN (SELECT id FROM pictures) ORDER BY id'
        )

    def categories_used(self) -> Iterator[tuple[int, int]]:
        """Category ids of annotations, and how many have each."""
        yield from self._database.execute('SELECT category, count(*) FROM labels GROUP BY category ORDER BY category')

    def _items(self, name: str) -> Iterator[Any]:
        try:
            with self._file.open('rb') as stream:
                yield from ijson.items(stream, f'{name}.item', use_float=True)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            reason = ' '.join(str(error).split())[:120]
            raise UserError(f'{self._file}: not JSON that can be read ({reason}); write it again') from None
        except OSError as error:
            raise UserError(f"{self._file}: can't be read ({error.strerror}); check the path") from None

    def _categories(self) -> Iterator[tuple[int, str]]:
        seen: set[int] = set()
        for entry in self._items('categories'):
            key, name = _get(entry, 'id'), _get(entry, 'name')
            if not isinstance(key, int) or not isinstance(name, str) or not name:
                self._fault(FaultKind.BAD_LABEL, f'category {key}: id must be a number and name a text; mend it')
            elif key in seen:
                self._fault(FaultKind.DUPLICATE, f'category {key} is there more than once; give each its own id')
            else:
                seen.add(key)
                yield key, name

    def _scenes(self) -> Iterator[LabelledScene]:
        for entry in self._items('scenes'):
            name, keywords = _get(entry, 'name'), _get(entry, 'keywords')
            if isinstance(name, str):
                yield LabelledScene(
                    name, tuple(map(str, keywords)) if isinstance(keywords, list) else (), str(_get(entry, 'split') or '')
                )

    def _picture_rows(self) -> Iterator[tuple[Any, ...]]:
        for entry in self._items('images'):
            key, name = _get(entry, 'id'), _get(entry, 'file_name')
            width, height = _get(entry, 'width'), _get(entry, 'height')
            if not _is_key(key) or not isinstance(name, str) or not name:
                self._fault(FaultKind.BAD_LABEL, f'picture {key} ({name}): id and file_name must be given; mend the entry')
                continue
            if not all(isinstance(side, int) and side > 0 for side in (width, height)):
                width = height = 0
            frame = _get(entry, 'frame_id')
            scene, sequence = str(_get(entry, 'scene') or ''), str(_get(entry, 'video_id') or '')
            yield key, name, width, height, scene, sequence, frame if isinstance(frame, int) else 0

    def _label_rows(self) -> Iterator[tuple[Any, ...]]:
        for entry in self._items('annotations'):
            key, picture, category = (_get(entry, word) for word in ('id', 'image_id', 'category_id'))
            box = _get(entry, 'bbox')
            if not _is_key(key) or not _is_key(picture) or not isinstance(category, int):
                self._fault(FaultKind.BAD_LABEL, f'annotation {key}: id, image_id and category_id must be given; mend the entry')
            elif not isinstance(box, list) or len(box) != 4 or not all(isinstance(side, int | float) for side in box):
                self._fault(
                    FaultKind.BAD_LABEL, f'annotation {key}: bbox must be four numbers: left, top, width, height; mend it'
                )
            else:
                ignored = bool(_get(entry, 'iscrowd')) or bool(_get(entry, 'ignore'))
                track, visibility = _get(entry, 'track_id'), _get(entry, 'visibility')
                seen = float(visibility) if isinstance(visibility, int | float) and 0 <= visibility <= 1 else 1.0
                yield key, picture, category, *map(float, box), ignored, track if isinstance(track, int) else -1, seen

    def _fill(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        while some := list(itertools.islice(rows, _ROWS)):
            self._database.executemany(f'INSERT INTO {table} VALUES ({", ".join("?" * len(some[0]))})', some)

    def _keep_one_of_each(self, table: str, column: str, what: str) -> None:
        """Tells what is there more than once, and keeps the first."""
        self._database.execute(f'CREATE INDEX {table}_{column} ON {table} ({column})')
        query = f'SELECT {column}, count(*), min(rowid) FROM {table} GROUP BY {column} HAVING count(*) > 1'
        for value, count, first in self._database.execute(query).fetchall():
            self._fault(
                FaultKind.DUPLICATE, f'{what} {value} is there {count} times; give each its own, or remove what is there twice'
            )
            self._database.execute(f'DELETE FROM {table} WHERE {column} = ? AND rowid > ?', (value, first))

    def _fault(self, kind: FaultKind, text: str) -> None:
        self._tell(Fault(kind, self._file, text))


def _is_key(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)


def _get(entry: Any, name: str) -> Any:
    return entry.get(name) if isinstance(entry, dict) else None
