# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of single people, known to be the same one in several cameras: IDENTITY/CAMERA-NUMBER.jpg.

A file identities.json beside the folders may say more of each picture: {"crops": [{"file": "IDENTITY/CAMERA-NUMBER.jpg", "scene": ...,
"camera": ..., "keywords": [...], "track_id": ..., "facing": ...}]}: track_id if the person has a number in sequences of the scene, facing
as IdentityPicture says it. Without the index the folder's name is the identity and what stands before the - is the camera.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ptz_site import UserError

#: Beside the folders of the identities.
INDEX = 'identities.json'
_PICTURES = ('.jpg', '.jpeg', '.png')


@dataclass(frozen=True)
class IdentityPicture:
    """A picture of one person. identity: as who they are known in the whole data set, also in sequences.

    facing: radians from the direction person -> camera to that in which the face points, counter-clockwise seen from above: 0 looks into
    the camera, who looks to the picture's right has a positive one. None: nothing is said of it.
    """

    path: Path
    identity: str
    camera: str
    scene: str = ''
    keywords: tuple[str, ...] = ()
    facing: float | None = None

    @property
    def view(self) -> str:
        """Which light and camera it was taken in: unique in the data set."""
        return f'{self.scene}/{self.camera}'


def read_identities(folder: Path, split: str) -> tuple[IdentityPicture, ...]:
    """The pictures of a split, in the order of their names. Raises UserError if there are none, or the index is not one."""
    root = folder / split
    if not root.is_dir():
        raise UserError(f'no folder {root}; a data set of identities has {folder.name}/{split}/IDENTITY/CAMERA-NUMBER.jpg')
    said = _index(root / INDEX)
    found = [
        _picture(path, said.get(f'{path.parent.name}/{path.name}', {}))
        for path in sorted(root.glob('*/*'))
        if path.suffix.lower() in _PICTURES
    ]
    if not found:
        raise UserError(f'{root} has no pictures; a data set of identities has IDENTITY/CAMERA-NUMBER.jpg in it')
    return tuple(found)


def identity_of(place: str, track_id: int) -> str:
    """As who somebody is known who has a number in the sequences of a scene, or in one sequence."""
    return f'{place}#{track_id}'


def _picture(path: Path, said: Mapping[str, Any]) -> IdentityPicture:
    camera = str(said.get('camera') or path.stem.rpartition('-')[0] or path.stem)
    scene, track_id, keywords = str(said.get('scene') or ''), said.get('track_id'), said.get('keywords')
    identity = identity_of(scene, track_id) if scene and isinstance(track_id, int) else path.parent.name
    words = tuple(map(str, keywords)) if isinstance(keywords, list) else ()
    return IdentityPicture(path, identity, camera, scene, words, _angle(said.get('facing')))


def _angle(said: object) -> float | None:
    """Radians, if a finite number is said."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if math.isfinite(said) else None


def _index(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """What is said of each picture, by its path from the index."""
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text())['crops']
        return {str(entry['file']): entry for entry in entries}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        reason = ' '.join(str(error).split())[:120] or type(error).__name__
        raise UserError(f'{path}: not an index of identities ({reason}); it is {{"crops": [{{"file": ...}}, ...]}}') from None
