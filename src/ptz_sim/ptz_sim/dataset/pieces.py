# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a data set, made piece by piece: a piece is what is made of one scene.

Pieces don't know of each other, so they may be made in any order and by several processes. What is known of a finished one lies in
`.work` until all are there; what was begun and not finished is made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ptz_sim.dataset import coco
from ptz_sim.dataset.detection import take_pictures
from ptz_sim.dataset.identities import photograph
from ptz_sim.dataset.scenes import draw_scenes
from ptz_sim.dataset.spec import SceneSpec, Split
from ptz_sim.dataset.studio import Studio
from ptz_sim.dataset.tracking import film
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
    """A scene, and what is to be made of it."""

    scene: SceneSpec
    kinds: tuple[Kind, ...]


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
    """What is still to be made."""
    found = []
    for scene in scenes:
        kinds = tuple(kind for kind in map(Kind, options.kinds) if not _record(folder, scene, kind).exists())
        if kinds:
            found.append(Piece(scene, kinds))
    return found


def make(folder: Path, options: Options, piece: Piece) -> None:
    """Makes what is missing of a scene."""
    scene, studio = piece.scene, Studio(piece.scene)
    for kind in piece.kinds:
        target = _target(folder, kind, scene.split)
        target.mkdir(parents=True, exist_ok=True)
        records = _RECIPES[kind](scene, studio, options.pictures, target)
        _write(_record(folder, scene, kind), [asdict(record) for record in records])


def finish(folder: Path, options: Options, scenes: Sequence[SceneSpec]) -> dict[str, Any]:
    """Writes the files that speak of all pieces, dataset.json as the last; returns that."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for kind in map(Kind, options.kinds):
        counts[kind.value] = {}
        for split in Split:
            own = [scene for scene in scenes if scene.split is split]
            records = [record for scene in own for record in json.loads(_record(folder, scene, kind).read_text())]
            counts[kind.value][split.value] = _describe(folder, kind, split, own, records)
    index = {
        'format': FORMAT,
        'options': options.document(),
        'scenes': [{'name': s.name, 'keywords': list(s.keywords), 'split': s.split.value} for s in scenes],
        'counts': counts,
    }
    _write(folder / _INDEX, index)
    shutil.rmtree(folder / _WORK)
    return index


def _describe(
    folder: Path, kind: Kind, split: Split, scenes: Sequence[SceneSpec], records: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """Writes what speaks of all scenes of a split; returns counts."""
    target = _target(folder, kind, split)
    target.mkdir(parents=True, exist_ok=True)
    if kind is Kind.DETECTION:
        document = coco.document(scenes, records)
        _write(target.parent / 'annotations.json', document)
        return coco.counts(document)
    if kind is Kind.IDENTITIES:
        _write(target / 'identities.json', {'crops': records})
        return {'pictures': len(records), 'people': len({record['identity'] for record in records})}
    return {
        'sequences': len(records),
        'pictures': sum(record['frames'] for record in records),
        'boxes': sum(record['boxes'] for record in records),
    }


def _target(folder: Path, kind: Kind, split: Split) -> Path:
    """Where the pictures of a split go."""
    return folder / kind.value / split.value / ('images' if kind is Kind.DETECTION else '')


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


_RECIPES: dict[Kind, Callable[[SceneSpec, Studio, int, Path], Sequence[Any]]] = {
    Kind.DETECTION: take_pictures,
    Kind.TRACKING: film,
    Kind.IDENTITIES: photograph,
}


def _write(path: Path, document: Any) -> None:
    """Writes a whole file or none."""
    part = path.with_name(path.name + '.part')
    part.write_text(json.dumps(document, separators=(',', ':')) + '\n')
    part.replace(path)
