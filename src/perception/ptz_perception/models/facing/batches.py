# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From pictures of people to the tensors of a batch, prepared as they are at work, and varied for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ptz_perception.detections import Image
from ptz_perception.detectors.fitting import Placing, Values, fit_picture, to_tensor
from ptz_perception.models.facing.settings import DataSettings
from ptz_perception.models.jde.variations import covered, recut, relit

#: Share of the pictures that are reduced, of those in which something hides the legs, and of those that end above the feet.
_REDUCED, _COVERED, _SHORT = 0.6, 0.15, 0.2
#: Share of a picture's height that is left at least of one that ends above the feet: head and chest.
_LEFT = 0.42


@dataclass(frozen=True)
class Sample:
    """A picture of one person, BGR, and where they look, radians."""

    picture: Image
    facing: float


@dataclass(frozen=True)
class FacingBatch:
    """pictures (n, 3, height, width) as the network takes them; wanted (n, 2): cosine and sine of where people look."""

    pictures: Tensor
    wanted: Tensor

    def to(self, device: torch.device) -> FacingBatch:
        """The same, where the network is."""
        return FacingBatch(self.pictures.to(device), self.wanted.to(device))


def make_batch(samples: Sequence[Sample], size: tuple[int, int]) -> FacingBatch:
    """size: px, width and height."""
    pictures = [
        to_tensor(fit_picture(sample.picture, size, Placing.STRETCHED)[0], Values.RGB_IMAGENET, np.float32) for sample in samples
    ]
    angles = np.array([sample.facing for sample in samples])
    wanted = np.stack((np.cos(angles), np.sin(angles)), 1).astype(np.float32)
    tensor = torch.from_numpy(np.concatenate(pictures)).contiguous(memory_format=torch.channels_last)
    return FacingBatch(tensor, torch.from_numpy(wanted))


def varied(sample: Sample, settings: DataSettings, rng: np.random.Generator) -> Sample:
    """The same person seen a little differently: mirrored, not cut out right, hidden in part, in another light, from farther away."""
    picture = recut(sample.picture, (-settings.moved, settings.moved), rng)
    picture = covered(picture, _COVERED, rng)
    if rng.uniform() < _SHORT:
        picture = picture[: round(picture.shape[0] * rng.uniform(_LEFT, 1.0))]
    picture = relit(picture, settings.light, rng)
    if rng.uniform() < settings.grey:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)
    if rng.uniform() < _REDUCED:
        least = min(settings.least_height, picture.shape[0])
        picture = reduced(picture, int(rng.integers(least, max(least, min(picture.shape[0], 3 * least)) + 1)))
    done = Sample(picture, sample.facing)
    return mirrored(done) if rng.uniform() < 0.5 else done


def mirrored(sample: Sample) -> Sample:
    """Who looked to the right looks to the left."""
    return Sample(np.ascontiguousarray(sample.picture[:, ::-1]), -sample.facing)


def reduced(picture: Image, height: int) -> Image:
    """The picture as a camera would show it from so far away that it is so many pixels high."""
    width = max(2, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
