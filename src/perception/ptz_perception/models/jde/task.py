# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The training of a tracking network: which pictures, which losses, and how it is validated."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptz_perception.datasets import LabelledPicture
from ptz_perception.detections import Detections, Image
from ptz_perception.detectors.jde_model import KIND
from ptz_perception.models.cascade.crops import Crop, cut, cut_crops
from ptz_perception.models.evaluation import precision
from ptz_perception.models.jde.appearance import pictured
from ptz_perception.models.jde.batches import JdeBatch, Sample, make_batch, pictures_tensor
from ptz_perception.models.jde.data import JdeData, names_of_identities, tracked_names
from ptz_perception.models.jde.network import JdeNetwork
from ptz_perception.models.jde.objective import jde_losses
from ptz_perception.models.jde.retrieval import likeness_of_others, retrieval
from ptz_perception.models.jde.settings import JdeRecipe
from ptz_perception.models.jde.variations import pasted, relit, varied
from ptz_perception.models.labels import Labels, labels_of
from ptz_perception.models.validating import detections_of, read_picture, validation_crops
from ptz_perception.recognition.sheets import Grid, make_sheet
from ptz_perception.relatedness import instance_normalised
from ptz_site import UserError

#: Parts of pictures that are validated on, and how many the network looks at in one go.
_VALIDATED, _AT_ONCE = 96, 8
#: Share of pairs of different people that may be taken for one: says where the threshold is.
_FALSE = 0.01
#: Share of a person that must be seen for their appearance to be learnt.
_LEAST_SEEN = 0.6


@dataclass(frozen=True)
class _Picture:
    """A labelled picture's file. The classes of labels are rows here, so that what is cut out can be told who it is."""

    path: Path
    labels: Labels
    classes: NDArray[np.int64]
    identities: NDArray[np.int64]


class JdeTask:
    """Trains on one split of a data set and validates on another. Raises UserError if there is nothing to train on."""

    def __init__(self, recipe: JdeRecipe, trained: JdeData, validated: JdeData) -> None:
        self._recipe, self._keywords = recipe, trained.keywords
        numbers = {name: number for number, name in enumerate(names_of_identities(trained))}
        self._identities = len(numbers) if len(numbers) > 1 else 0
        self._pictures = [_picture(one, recipe.data.classes, numbers) for one in trained.pictures]
        #: By view: its scene, and the pictures of people with who they are. By scene: rows of its pictures.
        self._people: dict[str, tuple[str, list[tuple[Path, int]]]] = {}
        self._grounds: dict[str, list[int]] = defaultdict(list)
        for one in trained.people:
            self._people.setdefault(one.view, (one.scene, []))[1].append((one.path, numbers[one.identity]))
        for row, labelled in enumerate(trained.pictures):
            if labelled.scene:
                self._grounds[labelled.scene].append(row)
        self._views = sorted(self._people)
        self._validated_people = validated.people
        shown = [(one.path, labels_of(one, recipe.data.classes)) for one in validated.pictures]
        self._validated = validation_crops(shown, min(_VALIDATED, len(shown)), recipe.data)
        if not self._pictures and not self._views:
            raise UserError('there is nothing to train on; give a data set with pictures, sequences or identities')

    @property
    def recipe(self) -> dict[str, Any]:
        """The settings, and what of the data the network depends on, as plain values."""
        of_data = {'identities': self._identities, 'keywords': [list(words) for words in self._keywords]}
        return {'model': KIND, **self._recipe.model_dump(mode='json'), **of_data}

    def network(self) -> JdeNetwork:
        """With random weights."""
        return JdeNetwork(self._recipe.network, len(self._recipe.data.classes), self._identities)

    def batch(self, iteration: int, /) -> JdeBatch:
        """Parts of randomly drawn pictures, and sheets of people of randomly drawn views, in any order."""
        settings, size = self._recipe.data, self._recipe.training.batch
        rng = np.random.default_rng([self._recipe.training.seed, iteration])
        sheets = round(size * settings.sheets.share) if self._views else 0
        sheets = sheets if self._pictures else size
        samples = [self._sheet(rng) for _ in range(sheets)]
        while len(samples) < size:
            samples += self._parts(rng)
        samples = samples[:size]
        # Else the same ones would always be those that are instance-normalised.
        order = rng.permutation(size)
        factors = self._recipe.loss.factors
        mask = instance_normalised(size, factors[iteration % len(factors)], iteration * size)
        return make_batch([samples[row] for row in order], mask, rng)

    def losses(self, network: JdeNetwork, batch: JdeBatch, /) -> Mapping[str, Tensor]:
        """Of finding and of telling apart."""
        return jde_losses(network, batch, self._recipe.loss)

    def validate(self, network: JdeNetwork, /) -> Mapping[str, float]:
        """Average precision on parts of pictures, and how well people of other identities are found again."""
        figures: dict[str, float] = {}
        if self._validated:
            wanted = [crop.labels for crop in self._validated]
            found = [part for first in range(0, len(wanted), _AT_ONCE) for part in self._found(network, first)]
            result = precision(found, wanted, self._recipe.data.classes)
            figures |= {'val/ap': result.ap, 'val/ap_50': result.ap_50}
        if self._validated_people:
            people = pictured(network, self._validated_people, self._recipe.data.size, self._factor())
            again, same = retrieval(people), likeness_of_others(people, _FALSE)
            figures |= {'val/map': again.mean_ap, 'val/rank_1': again.rank_1, 'val/same': same}
        both = [figures[name] for name in ('val/ap', 'val/map') if not np.isnan(figures.get(name, np.nan))]
        return {'val/mean': float(np.mean(both)) if both else 0.0, **figures}

    def _factor(self) -> int:
        factors = sorted(self._recipe.loss.factors)
        return factors[len(factors) // 2]

    def _parts(self, rng: np.random.Generator) -> list[Sample]:
        drawn = self._pictures[int(rng.integers(len(self._pictures)))]
        least = self._recipe.data.least_person
        return [_sample(crop, drawn, least) for crop in cut_crops(read_picture(drawn.path), drawn.labels, self._recipe.data, rng)]

    def _sheet(self, rng: np.random.Generator) -> Sample:
        """People of one view, as many different ones as there are, side by side or put into a picture of their scene."""
        settings, size = self._recipe.data.sheets, self._recipe.data.size
        scene, people = self._people[self._views[int(rng.integers(len(self._views)))]]
        grounds = self._grounds.get(scene, ()) if rng.uniform() < settings.collages else ()
        low, high = settings.heights
        grid = Grid.of_height(size, int(rng.integers(low, high + 1)))
        chosen = [people[row] for row in _different([who for _, who in people], grid.count, rng)]
        portraits = [varied(read_picture(path), rng) for path, _ in chosen]
        if grounds:
            ground = self._pictures[grounds[int(rng.integers(len(grounds)))]]
            sheet, rows = pasted(self._anywhere(ground, rng), portraits, (settings.least_height, high), rng)
        else:
            sheet, rows = make_sheet(portraits, grid), list(range(len(portraits)))
        who = np.array([chosen[row][1] for row in rows], np.int64)
        picture = relit(sheet.picture, settings.light, rng)
        return Sample(picture, sheet.boxes, np.zeros(len(rows), np.int64), np.zeros(len(rows), bool), who, finds=False)

    def _anywhere(self, drawn: _Picture, rng: np.random.Generator) -> Image:
        """A part of a picture as it is."""
        picture, settings = read_picture(drawn.path), self._recipe.data
        scale = float(np.exp(rng.uniform(*np.log(settings.scales))))
        half, size = np.array(settings.size) / scale / 2, np.array(picture.shape[1::-1], float)
        x, y = rng.uniform(np.minimum(half, size / 2), np.maximum(size - half, size / 2)).tolist()
        return cut(picture, drawn.labels, (x, y), scale, settings).picture

    def _found(self, network: JdeNetwork, first: int) -> list[Detections]:
        """In parts of pictures from the first one on."""
        pictures = [crop.picture for crop in self._validated[first : first + _AT_ONCE]]
        device = next(network.parameters()).device
        mask = torch.from_numpy(instance_normalised(len(pictures), self._factor(), first)).to(device)
        cells = network(pictures_tensor(pictures).to(device).float() / 255.0, mask).cells
        return detections_of(cells, self._recipe.data.classes)


def _picture(picture: LabelledPicture, classes: list[str], numbers: Mapping[str, int]) -> _Picture:
    labels = labels_of(picture, classes)
    rows = np.arange(len(labels.classes))
    of_classes = np.array([kind in classes for kind in picture.classes], bool)
    who = np.array([numbers.get(name, -1) for name in tracked_names(picture)], np.int64)
    # Of who is mostly hidden one sees somebody else.
    who[picture.visibility < _LEAST_SEEN] = -1
    return _Picture(picture.path, Labels(labels.boxes, rows, labels.ignored), labels.classes, who[of_classes])


def _sample(crop: Crop, of: _Picture, least: float) -> Sample:
    rows = crop.labels.classes
    who = np.where(crop.labels.boxes[:, 3] >= least, of.identities[rows], -1)
    return Sample(crop.picture, crop.labels.boxes, of.classes[rows], crop.labels.ignored, who)


def _different(who: list[int], count: int, rng: np.random.Generator) -> list[int]:
    """So many rows in a random order: first one of each person, then a second one, and so on; all again if there are too few."""
    seen: dict[int, int] = defaultdict(int)
    turns = []
    for row in rng.permutation(len(who)).tolist():
        turns.append((seen[who[row]], row))
        seen[who[row]] += 1
    ordered = [row for _, row in sorted(turns, key=lambda turn: turn[0])]
    return list(itertools.islice(itertools.cycle(ordered), count))
