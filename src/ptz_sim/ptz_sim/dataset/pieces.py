# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a data set, made piece by piece: a piece is one kind of data of one scene.

Pieces don't know of each other, so they may be made in any order and by several processes. What is known of a finished one lies in
`.work` until all are there; what was begun and not finished is made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ptz_sim.dataset import coco
from ptz_sim.dataset.detection import take_pictures
from ptz_sim.dataset.scenes import draw_scenes
from ptz_sim.dataset.spec import SceneSpec, Split
from ptz_sim.dataset.studio import Studio
from ptz_site.errors import UserError

#: Of the folder's layout and its files; another one when older readers would not understand it.
FORMAT = 1
_WORK = '.work'
_OPTIONS = 'options.json'
_INDEX = 'dataset.json'


class Kind(Enum):
    """What can be made of a scene."""

    DETECTION = 'detection'
    TRACKING = 'tracking'
    IDENTITIES = 'identities'


@dataclass(frozen=True)
class Options:
    """What a data set is made by; the same options give the same files. pictures: of each scene and kind; size: of a picture, pixels."""

    scenes: int
    pictures: int
    kinds: tuple[str, ...]
    seed: int
    size: tuple[int, int]
    shares: tuple[float, float, float]
    conditions: tuple[str, ...] = ()

    def draw(self) -> tuple[SceneSpec, ...]:
        """The scenes."""
        return draw_scenes(self.scenes, self.seed, self.size, self.shares, self.conditions)

    def document(self) -> dict[str, Any]:
        """As it is written into the data set."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document


@dataclass(frozen=True)
class Piece:
    """One kind of data of one scene."""

    scene: SceneSpec
    kind: Kind


def open_folder(folder: Path, options: Options, overwrite: bool) -> None:
    """Gets a folder ready: empty, or with pieces of the same data set. Raises UserError if something else is in it."""
    content = list(folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise UserError(f'{folder} is a file; name a folder for the data set')
    if content:
        ours = (folder / _INDEX).exists() or (folder / _WORK / _OPTIONS).exists()
        if overwrite and not ours:
            raise UserError(f'{folder} holds something else than a data set; --overwrite leaves it alone, name another folder')
        if overwrite:
            _clear(folder, content)
        elif _unfinished(folder) == options.document():
            return
        elif (folder / _INDEX).exists():
            raise UserError(f'{folder} has a data set already; --overwrite replaces it')
        elif ours:
            raise UserError(f'{folder} has an unfinished data set made with other options; go on with those, or --overwrite it')
        else:
            raise UserError(f'{folder} is not empty; name a new folder')
    (folder / _WORK).mkdir(parents=True, exist_ok=True)
    _write(folder / _WORK / _OPTIONS, options.document())


def missing(folder: Path, options: Options, scenes: Sequence[SceneSpec]) -> list[Piece]:
    """The pieces that are still to be made."""
    pieces = [Piece(scene, Kind(kind)) for scene in scenes for kind in options.kinds]
    return [piece for piece in pieces if not _record(folder, piece.scene, piece.kind).exists()]


def make(folder: Path, options: Options, piece: Piece) -> None:
    """Makes one piece."""
    scene, split = piece.scene, piece.scene.split.value
    studio = Studio(scene)
    images = folder / Kind.DETECTION.value / split / 'images'
    images.mkdir(parents=True, exist_ok=True)
    pictures = take_pictures(scene, studio, options.pictures, images)
    _write(_record(folder, scene, piece.kind), [asdict(picture) for picture in pictures])


def finish(folder: Path, options: Options, scenes: Sequence[SceneSpec]) -> dict[str, Any]:
    """Writes the files that speak of all pieces, dataset.json as the last; returns that."""
    counts = {}
    for kind in options.kinds:
        counts[kind] = {split.value: _gather(folder, Kind(kind), split, scenes) for split in Split}
    index = {
        'format': FORMAT,
        'options': options.document(),
        'scenes': [{'name': s.name, 'keywords': list(s.keywords), 'split': s.split.value} for s in scenes],
        'counts': counts,
    }
    _write(folder / _INDEX, index)
    shutil.rmtree(folder / _WORK)
    return index


def _gather(folder: Path, kind: Kind, split: Split, scenes: Sequence[SceneSpec]) -> dict[str, int]:
    own = [scene for scene in scenes if scene.split is split]
    records = [record for scene in own for record in json.loads(_record(folder, scene, kind).read_text())]
    document = coco.document(own, records)
    target = folder / kind.value / split.value
    (target / 'images').mkdir(parents=True, exist_ok=True)
    _write(target / 'annotations.json', document)
    boxes = [entry for entry in document['annotations'] if not entry['iscrowd']]
    people = [entry for entry in boxes if entry['category_id'] == coco.PERSON]
    return {
        'pictures': len(records),
        'people': len(people),
        'small_people': sum(entry['area'] < coco.SMALL for entry in people),
        'vehicles': len(boxes) - len(people),
        'ignored': len(document['annotations']) - len(boxes),
    }


def _record(folder: Path, scene: SceneSpec, kind: Kind) -> Path:
    return folder / _WORK / f'{kind.value}-{scene.name}.json'


def _unfinished(folder: Path) -> Any:
    path = folder / _WORK / _OPTIONS
    return json.loads(path.read_text()) if path.exists() else None


def _clear(folder: Path, content: Sequence[Path]) -> None:
    # What says that the folder is a data set goes last, so that a kill in between leaves one that can be overwritten.
    for path in sorted(content, key=lambda path: path.name in (_WORK, _INDEX)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.mkdir(exist_ok=True)


def _write(path: Path, document: Any) -> None:
    """Writes a whole file or none."""
    part = path.with_name(path.name + '.part')
    part.write_text(json.dumps(document, separators=(',', ':')) + '\n')
    part.replace(path)
