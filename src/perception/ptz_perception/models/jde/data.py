# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a tracking network is trained and validated with: labelled pictures, sequences, and pictures of identities.

A folder may have any of them: data sets of pictures and sequences as ptz_perception.datasets reads them, in it or in its folders, and
identities/SPLIT/IDENTITY/CAMERA-NUMBER.jpg.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ptz_perception.datasets import DataSet, LabelledPicture, find, read
from ptz_perception.models.jde.identities import IdentityPicture, identity_of, read_identities
from ptz_perception.models.labels import check_classes
from ptz_site import UserError

IDENTITIES = 'identities'


@dataclass(frozen=True)
class Conditions:
    """Scenes that are taken: those that have all wanted keywords and none of the unwanted."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    def hold(self, keywords: Collection[str]) -> bool:
        """For a scene."""
        return self.wanted <= set(keywords) and not self.unwanted & set(keywords)


EVERYTHING = Conditions()


@dataclass(frozen=True)
class JdeData:
    """A split: labelled pictures, pictures of identities, and the distinct keywords of the scenes that these are of."""

    pictures: tuple[LabelledPicture, ...]
    people: tuple[IdentityPicture, ...]
    keywords: tuple[tuple[str, ...], ...]


def read_split(folder: Path, split: str, classes: Sequence[str], conditions: Conditions = EVERYTHING) -> JdeData:
    """What a folder has in a split, of scenes in some conditions. Raises UserError if there is nothing, or a class is not known."""
    pictures: list[LabelledPicture] = []
    keywords: set[tuple[str, ...]] = set()
    for kind, path in find(folder):
        data = read(path, kind)
        check_classes(classes, data.names)
        words = {scene.name: scene.keywords for scene in data.scenes}
        taken = [one for one in _of_split(data, split) if conditions.hold(words.get(one.scene, ()))]
        pictures += taken
        keywords |= {words.get(one.scene, ()) for one in taken}
    people: tuple[IdentityPicture, ...] = ()
    if (folder / IDENTITIES / split).is_dir():
        people = tuple(one for one in read_identities(folder / IDENTITIES, split) if conditions.hold(one.keywords))
        keywords |= {one.keywords for one in people}
    if not pictures and not people:
        raise UserError(f'{folder} has nothing in the split {split} under these conditions; give a data set that has')
    return JdeData(tuple(pictures), people, tuple(sorted(words for words in keywords if words)))


def names_of_identities(data: JdeData) -> tuple[str, ...]:
    """Everybody whom the data tells apart, in a fixed order: of sequences and of pictures of identities."""
    tracked = {name for picture in data.pictures for name in tracked_names(picture) if name}
    return tuple(sorted({*tracked, *(one.identity for one in data.people)}))


def tracked_names(picture: LabelledPicture) -> list[str]:
    """Of each object the name of its identity, '' if it has none. An object that several cameras of a scene see has one."""
    place = picture.scene or picture.sequence
    return [identity_of(place, number) if picture.sequence and number >= 0 else '' for number in picture.track_ids.tolist()]


def _of_split(data: DataSet, split: str) -> Iterable[LabelledPicture]:
    return next((part for part in data.splits if part.name == split), ())
