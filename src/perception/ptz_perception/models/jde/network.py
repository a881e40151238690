# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The network: backbone, neck at an eighth of the picture, a head for boxes and one for appearances.

One pass for both, after JDE (Wang et al., ECCV 2020); without anchors and with towers of their own, after FairMOT (Zhang et al., IJCV
2021), so that finding and telling apart don't spoil each other's features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ptz_perception.models.cells import STRIDE, CellHead, CellOutput
from ptz_perception.models.jde.backbone import SHAPES, Backbone
from ptz_perception.models.jde.settings import NetworkSettings
from ptz_perception.models.normalisation import Normalisation

__all__ = ['STEP', 'STRIDE', 'JdeNetwork', 'JdeOutput']

#: px that the sides of pictures are multiples of.
STEP = 32


@dataclass(frozen=True)
class JdeOutput:
    """What is said of the cells of n pictures: objects, and the appearance (n, vector, h, w) of what a cell shows, of length 1."""

    cells: CellOutput
    vectors: Tensor


class Tower(nn.Sequential):
    """A 3x3 convolution in two: each channel by itself, then all channels of a cell (Howard et al., MobileNets, arXiv:1704.04861)."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )


class Neck(nn.Module):
    """All levels at the size of the finest: coarser ones are enlarged and added (Lin et al., Feature Pyramid Networks, CVPR 2017)."""

    def __init__(self, given: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)) for channels in given
        )

    def forward(self, levels: list[Tensor]) -> Tensor:
        narrowed = [narrow(level) for narrow, level in zip(self.narrow, levels, strict=True)]
        joined = narrowed[-1]
        for finer in reversed(narrowed[:-1]):
            joined = finer + functional.interpolate(joined, scale_factor=2.0, mode='nearest')
        return functional.relu(joined)


class JdeNetwork(nn.Module):
    """classes, identities: how many there are to be told apart. The identities' directions are needed for training only."""

    def __init__(self, settings: NetworkSettings, classes: int, identities: int = 0) -> None:
        super().__init__()
        shape = SHAPES[settings.backbone]
        self.backbone = Backbone(shape, Normalisation(settings.normalisation))
        self.neck = Neck(shape.outer[1:], settings.width)
        self.object_tower, self.vector_tower = Tower(settings.width), Tower(settings.width)
        self.head = CellHead(settings.width, classes)
        self.vector = nn.Conv2d(settings.width, settings.vector, 1)
        self.directions = nn.Parameter(torch.randn(identities, settings.vector) * 0.1)
        #: Logarithms of the variances of finding and of telling apart.
        self.uncertainties = nn.Parameter(torch.zeros(2))

    def forward(self, pictures: Tensor, mask: Tensor | bool) -> JdeOutput:
        """Of pictures (n, 3, h, w), RGB, 0 to 1, sides multiples of 32. mask (n,), bool: which are instance-normalised; or all, or none."""
        features = self.neck(self.backbone(pictures, mask))
        vectors = self.vector(self.vector_tower(features)).float()
        return JdeOutput(self.head(self.object_tower(features)), functional.normalize(vectors, dim=1, eps=1e-6))
