# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a facing network is trained and validated with: pictures of identities of which it is said where they look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ptz_perception.models.jde.data import IDENTITIES
from ptz_perception.models.jde.identities import INDEX, read_identities
from ptz_site import UserError

#: Of so many people some look to the left of the camera.
_SOME = 20


@dataclass(frozen=True)
class FacingPicture:
    """A picture of one person, and where they look: radians as in IdentityPicture."""

    path: Path
    facing: float


def read_facing(folder: Path, split: str) -> tuple[FacingPicture, ...]:
    """The pictures of a split that say it; folder: of identities, or the data set that has them. Raises UserError if there are none."""
    root = folder / IDENTITIES if (folder / IDENTITIES).is_dir() else folder
    told = [FacingPicture(one.path, one.facing) for one in read_identities(root, split) if one.facing is not None]
    index = root / split / INDEX
    if not told:
        raise UserError(
            f'{index} says of no picture where the person looks; give its entries a "facing" (radians), '
            'or make a data set that has it: ptz-collab dataset simulate DIR --kinds identities'
        )
    if len(told) >= _SOME and min(one.facing for one in told) >= 0:
        raise UserError(f'{index}: no "facing" is below 0, so left and right can\'t be learnt; make the data set again')
    return tuple(told)
