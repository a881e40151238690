# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a network finds in whole labelled pictures, and whom it sees there: its test as it is at work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ptz_perception.datasets import LabelledPicture
from ptz_perception.detections import Detections
from ptz_perception.detectors.fitting import reduced_to
from ptz_perception.models.jde.batches import cells_at, pictures_tensor
from ptz_perception.models.jde.data import tracked_names
from ptz_perception.models.jde.network import STEP, JdeNetwork
from ptz_perception.models.jde.retrieval import Pictured
from ptz_perception.models.labels import Labels, labels_of
from ptz_perception.models.validating import detections_of, read_picture
from ptz_perception.relatedness import instance_normalised

#: Of the people who are asked for: px of height in the reduced picture, and share that is seen.
_LEAST_HEIGHT, _LEAST_SEEN = 32.0, 0.6


@dataclass(frozen=True)
class Looks:
    """Of n pictures: what was found, with appearances, and what is there, both in px of the reduced pictures; and tracked people."""

    found: tuple[Detections, ...]
    wanted: tuple[Labels, ...]
    people: Pictured


def look(network: JdeNetwork, pictures: Iterable[LabelledPicture], classes: Sequence[str], width: int, factor: int = 1) -> Looks:
    """Looks at pictures reduced to a width, one by one; every factor-th is instance-normalised."""
    found, wanted, vectors = [], [], []
    identities: list[str] = []
    views: list[str] = []
    for number, picture in enumerate(pictures):
        image = reduced_to(read_picture(picture.path), min(width, picture.size[0]), STEP)
        scale = np.array([image.shape[1] / picture.size[0], image.shape[0] / picture.size[1]])
        detections, of_cells = _pass(network, image, instance_normalised(1, factor, number), tuple(classes))
        labels = labels_of(picture, classes)
        seen = of_cells[cells_at(detections.boxes[:, :2], image.shape[:2])]
        found.append(detections.seen_as(seen))
        wanted.append(Labels(labels.boxes * np.tile(scale, 2), labels.classes, labels.ignored))
        names = np.array(tracked_names(picture), object)
        tall = picture.clipped[:, 3] * scale[1] >= _LEAST_HEIGHT
        rows = np.flatnonzero((names != '') & ~picture.ignored & (picture.visibility >= _LEAST_SEEN) & tall)
        rows = rows[[picture.classes[row] in classes for row in rows.tolist()]] if len(rows) else rows
        vectors.append(of_cells[cells_at(picture.clipped[rows, :2] * scale, image.shape[:2])])
        identities += names[rows].tolist()
        views += [picture.sequence] * len(rows)
    told = np.concatenate(vectors) if vectors else np.zeros((0, network.vector.out_channels), np.float32)
    return Looks(tuple(found), tuple(wanted), Pictured(told, identities, views))


@torch.inference_mode()
def _pass(
    network: JdeNetwork, image: NDArray[np.uint8], mask: NDArray[np.bool_], names: tuple[str, ...]
) -> tuple[Detections, NDArray[np.float32]]:
    """What is found, and the appearance of each cell (cells, d)."""
    device = next(network.parameters()).device
    output = network.eval()(pictures_tensor([image]).to(device).float() / 255.0, torch.from_numpy(mask).to(device))
    vectors: NDArray[np.float32] = output.vectors.flatten(2)[0].T.cpu().numpy()
    return detections_of(output.cells, names)[0], vectors
