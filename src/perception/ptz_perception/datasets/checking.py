# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Looks through a whole data set, every picture of it: what is in it, and what is wrong beyond what its reader sees.

One picture is in memory at a time; what must be remembered of each is in a temporary database.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ptz_perception.datasets.data_set import DataSet, LabelledPicture, Split
from ptz_perception.datasets.faults import Fault, FaultKind, Tell
from ptz_perception.datasets.labels import picture_size

#: px^2; COCO's limits between small, medium and large.
SMALL, LARGE = 32.0**2, 96.0**2
_JPEG, _JPEG_END = b'\xff\xd8', b'\xff\xd9'
_PNG, _PNG_END = b'\x89PNG', b'IEND'
#: Bytes at a file's end in which its format's end is looked for: some cameras pad.
_TAIL = 1024


@dataclass
class SplitFacts:
    """What is in a split. classes: objects of each, without ignored ones; sizes by COCO's areas, of the boxes as far as they are in
    the picture.
    """

    name: str
    pictures: int = 0
    empty: int = 0
    ignored: int = 0
    small: int = 0
    medium: int = 0
    large: int = 0
    tracks: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    scenes: set[str] = field(default_factory=set)

    @property
    def boxes(self) -> int:
        """All that are not to be ignored."""
        return self.classes.total()


class Checker:
    """For one or several data sets that are used together: their splits must not share anything."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._splits_of_scenes: dict[str, str] = {}
        self._shared_scenes: set[str] = set()
        # Without a name: in memory while small, then in a temporary file.
        self._database = sqlite3.connect('')
        self._database.execute('CREATE TABLE pictures (content BLOB PRIMARY KEY, split TEXT, path TEXT) WITHOUT ROWID')

    def check(self, data: DataSet, advance: Callable[[], None]) -> tuple[SplitFacts, ...]:
        """Facts of each split; advance is called for each picture. Faults are told as they are found."""
        return tuple(self._split(data, split, advance) for split in data.splits)

    def _split(self, data: DataSet, split: Split, advance: Callable[[], None]) -> SplitFacts:
        facts = SplitFacts(split.name)
        sequence, tracks = '', set[int]()
        for picture in split:
            if picture.sequence != sequence:
                # What belongs together comes together.
                facts.tracks += len(tracks)
                sequence, tracks = picture.sequence, set()
            tracks.update(picture.track_ids[picture.track_ids >= 0].tolist())
            _count(facts, picture)
            self._scene(data, split.name, picture.scene)
            self._picture(split.name, picture)
            advance()
        facts.tracks += len(tracks)
        return facts

    def _scene(self, data: DataSet, split: str, scene: str) -> None:
        if not scene or scene in self._shared_scenes:
            return
        other = self._splits_of_scenes.setdefault(scene, split)
        if other != split:
            self._shared_scenes.add(scene)
            text = f'scene {scene} is in the splits {other} and {split}; a test on scenes that were trained on says little: move it to one'
            self._tell(Fault(FaultKind.SHARED_SCENE, data.path, text))

    def _picture(self, split: str, picture: LabelledPicture) -> None:
        path = picture.path
        try:
            data = path.read_bytes()
        except OSError as error:
            self._tell(
                Fault(FaultKind.UNREADABLE_PICTURE, path, f"can't be read ({error.strerror}); mend its permissions or replace it")
            )
            return
        problem = _problem(path, data, picture.size)
        if problem is not None:
            self._tell(problem)
        self._content(split, path, hashlib.blake2b(data, digest_size=16).digest())

    def _content(self, split: str, path: Path, content: bytes) -> None:
        self._database.execute('INSERT OR IGNORE INTO pictures VALUES (?, ?, ?)', (content, split, str(path)))
        other, where = self._database.execute('SELECT split, path FROM pictures WHERE content = ?', (content,)).fetchone()
        if other != split:
            text = f'the same picture is in {other} as {where} and in {split}; remove one'
            self._tell(Fault(FaultKind.SHARED_PICTURE, path, text))


def _count(facts: SplitFacts, picture: LabelledPicture) -> None:
    wanted = ~picture.ignored
    areas = picture.clipped[wanted, 2:].prod(axis=1)
    facts.pictures += 1
    facts.empty += not len(picture)
    facts.ignored += int(picture.ignored.sum())
    facts.small += int((areas < SMALL).sum())
    facts.large += int((areas >= LARGE).sum())
    facts.medium += int(((areas >= SMALL) & (areas < LARGE)).sum())
    facts.classes.update(picture.names[index] for index in picture.class_ids[wanted])
    if picture.scene:
        facts.scenes.add(picture.scene)


def _problem(path: Path, data: bytes, said: tuple[int, int]) -> Fault | None:
    """What is wrong with a picture's file; said: its size (width, height, px) by the labels."""
    if _is_cut_off(data):
        return Fault(FaultKind.UNREADABLE_PICTURE, path, 'is cut off: its end is missing; replace it')
    # An eighth of the size takes a fraction of the time, but reads all of the file.
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8) if data else None
    header = picture_size(path)
    if small is None or header is None:
        return Fault(FaultKind.UNREADABLE_PICTURE, path, "can't be read as a picture; replace it")
    # OpenCV turns a picture as its EXIF data says, and so do trainings.
    turned = (small.shape[1] > small.shape[0]) != (header[0] > header[1]) and header[0] != header[1]
    size = header[::-1] if turned else header
    if size == said:
        return None
    why = ', because its EXIF data turn it: write it without' if turned and header == said else '; mend the labels or replace it'
    text = f'is {size[0]} x {size[1]} px, and its labels are for {said[0]} x {said[1]}{why}'
    return Fault(FaultKind.WRONG_PICTURE_SIZE, path, text)


def _is_cut_off(data: bytes) -> bool:
    tail = data[-_TAIL:]
    return (data.startswith(_JPEG) and _JPEG_END not in tail) or (data.startswith(_PNG) and _PNG_END not in tail)
