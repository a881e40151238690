# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Gathers pictures of a wanted object as a COCO data set, from whatever footage: what holds the object and shows something new is kept."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ptz_perception.datasets.likeness import Found, Likeness
from ptz_perception.datasets.variety import Variety
from ptz_perception.detections import Image
from ptz_site import NANOSECONDS

_QUALITY = 95
_CATEGORY = 1
#: Kept pictures after which the annotations are written again: at first each, later every so many, as it takes longer.
_WRITE_SHARE = 0.02


@dataclass(frozen=True)
class Shot:
    """A frame to be looked at. source: the camera, or the file's name; scene: '' if not known; jpeg: the frame as it came, None if
    it was no JPEG.
    """

    source: str
    scene: str
    stamp_ns: int
    picture: Image
    jpeg: bytes | None = None


class Outcome(Enum):
    """What became of a frame."""

    NOTHING = auto()
    REPEATED = auto()
    KEPT = auto()


class CollectedSet:
    """A COCO data set that grows. What was added is there after save(), and now and then before. Raises OSError when it can't be
    written.
    """

    def __init__(self, folder: Path, class_name: str, examples: tuple[str, ...]) -> None:
        """folder: is made; examples: the names of the example pictures."""
        self._folder, self._examples = folder, examples
        self._names: set[str] = set()
        self._unsaved = 0
        self._document: dict[str, list[dict[str, Any]]] = {
            'images': [],
            'annotations': [],
            'categories': [{'id': _CATEGORY, 'name': class_name}],
            'scenes': [],
        }
        (folder / 'images').mkdir(parents=True, exist_ok=True)
        self.save()

    def __len__(self) -> int:
        return len(self._document['images'])

    def add(self, shot: Shot, found: tuple[Found, ...]) -> Path:
        """Keeps a frame with proposed boxes; its file."""
        key = len(self) + 1
        name = f'{_file_name(shot.source)}-{key:06d}.jpg'
        path = self._folder / 'images' / name
        path.write_bytes(shot.jpeg if shot.jpeg is not None else _encoded(shot.picture))
        image: dict[str, Any] = {'id': key, 'file_name': name, 'width': shot.picture.shape[1], 'height': shot.picture.shape[0]}
        image |= {'camera': shot.source, 'scene': shot.scene, 'stamp': shot.stamp_ns / NANOSECONDS}
        self._document['images'].append(image)
        if shot.scene and shot.scene not in self._names:
            self._names.add(shot.scene)
            self._document['scenes'].append({'name': shot.scene, 'keywords': []})
        for one in found:
            self._document['annotations'].append(self._annotation(key, one))
        self._unsaved += 1
        if self._unsaved > _WRITE_SHARE * len(self):
            self.save()
        return path

    def save(self) -> None:
        """Writes the annotations, whole or not at all."""
        fresh = self._folder / 'annotations.json.tmp'
        fresh.write_text(json.dumps(self._document), encoding='utf-8')
        fresh.replace(self._folder / 'annotations.json')
        self._unsaved = 0

    def _annotation(self, picture: int, found: Found) -> dict[str, Any]:
        x, y, width, height = found.box
        return {
            'id': len(self._document['annotations']) + 1,
            'image_id': picture,
            'category_id': _CATEGORY,
            'bbox': [round(value, 1) for value in (x - width / 2, y - height / 2, width, height)],
            'area': round(width * height, 1),
            'iscrowd': 0,
            'example': self._examples[found.example],
            'matches': found.inliers,
        }


class Collector:
    """Looks at frames, and keeps those that hold the object and are not nearly the same as one before."""

    def __init__(self, likeness: Likeness, kept: CollectedSet) -> None:
        self._likeness, self._kept = likeness, kept
        self._variety = Variety()
        self.outcomes: Counter[Outcome] = Counter()

    def look(self, shot: Shot) -> Outcome:
        """Looks at a frame; frames of one source come in order."""
        outcome = self._outcome(shot)
        self.outcomes[outcome] += 1
        return outcome

    def _outcome(self, shot: Shot) -> Outcome:
        found = self._likeness.find(shot.picture)
        if not found:
            return Outcome.NOTHING
        if not self._variety.is_new(shot.source, shot.picture, np.array([one.box for one in found])):
            return Outcome.REPEATED
        self._kept.add(shot, found)
        return Outcome.KEPT


def _encoded(picture: Image) -> bytes:
    return cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _file_name(source: str) -> str:
    """A source's name as a part of a file's."""
    safe = ''.join(letter if letter.isalnum() or letter in '-_' else '-' for letter in source.strip('/'))
    return safe[-60:].strip('-') or 'picture'
