# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The network: a small pyramid of convolutions, and a direction from what is where in the picture."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from ptz_perception.models.cascade.blocks import ConvBlock, ResidualBlock
from ptz_perception.models.facing.settings import NetworkSettings


class FacingNetwork(nn.Module):
    """Pictures (n, 3, height, width) of a size to vectors (n, 2), shorter than 1.

    A vector's direction is cosine and sine of where the person looks. Trained by the squared error to unit vectors it becomes the mean of
    all directions that such a picture may mean, so its length says how sure that is: the mean resultant length (Mardia and Jupp,
    Directional Statistics, 2000).
    """

    def __init__(self, settings: NetworkSettings, size: tuple[int, int]) -> None:
        """size: px, width and height."""
        super().__init__()
        widths = settings.widths
        stages: list[nn.Module] = [ConvBlock(3, widths[0], 3, 2)]
        for inner, outer in itertools.pairwise(widths):
            stages += [ConvBlock(inner, outer, 3, 2), ResidualBlock(outer)]
        self.features = nn.Sequential(*stages)
        cells = math.prod(math.ceil(side / 2 ** len(widths)) for side in size)
        # Not averaged over the picture: whether skin is above or aside is what tells.
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(cells * widths[-1], settings.hidden), nn.ReLU(inplace=True), nn.Linear(settings.hidden, 2)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        vectors = self.head(self.features(pictures)).float()
        return vectors / (1.0 + (vectors * vectors).sum(1, keepdim=True)).sqrt()
