# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The backbone: ResNet-50, or a small network of the same blocks (He et al., Deep Residual Learning, CVPR 2016).

The first stage of every residual block has the normalisation that was chosen, the second and third have batch normalisation alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ptz_perception.models.normalisation import Normalisation, NormalisedStage


@dataclass(frozen=True)
class BackboneShape:
    """Of four levels, at a quarter to a 32nd of the picture: channels inside the blocks, and how many blocks there are.

    A block gives expansion times the channels that it has inside. stem: channels, and the side of the first kernel.
    """

    stem: int
    kernel: int
    widths: tuple[int, int, int, int]
    blocks: tuple[int, int, int, int]
    expansion: int

    @property
    def outer(self) -> tuple[int, ...]:
        """Channels that each level gives."""
        return tuple(self.expansion * width for width in self.widths)


SHAPES = {
    'resnet50': BackboneShape(64, 7, (64, 128, 256, 512), (3, 4, 6, 3), 4),
    'small': BackboneShape(16, 3, (16, 24, 48, 96), (1, 2, 3, 2), 2),
}


class Bottleneck(nn.Module):
    """1x1 with the chosen normalisation, 3x3 (with the stride), 1x1, and a connection around them."""

    def __init__(self, given: int, inner: int, outer: int, stride: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.first = NormalisedStage(given, inner, normalisation)
        self.second = nn.Sequential(
            nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU(inplace=True)
        )
        self.third = nn.Sequential(nn.Conv2d(inner, outer, 1, bias=False), nn.BatchNorm2d(outer))
        self.around: nn.Module = nn.Identity()
        if stride > 1 or given != outer:
            self.around = nn.Sequential(nn.Conv2d(given, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, features: Tensor, mask: Tensor | bool) -> Tensor:
        return functional.relu(self.third(self.second(self.first(features, mask))) + self.around(features))


class Backbone(nn.Module):
    """Features at an eighth, a 16th and a 32nd of the pictures. mask (n,): those that are instance-normalised; or all, or none."""

    def __init__(self, shape: BackboneShape, normalisation: Normalisation) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, shape.stem, shape.kernel, 2, shape.kernel // 2, bias=False),
            nn.BatchNorm2d(shape.stem),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.levels = nn.ModuleList()
        given = shape.stem
        for level, (inner, outer, count) in enumerate(zip(shape.widths, shape.outer, shape.blocks, strict=True)):
            blocks = nn.ModuleList()
            for number in range(count):
                stride = 2 if level and not number else 1
                blocks.append(Bottleneck(given, inner, outer, stride, normalisation))
                given = outer
            self.levels.append(blocks)

    def forward(self, pictures: Tensor, mask: Tensor | bool) -> list[Tensor]:
        features, found = self.stem(pictures), []
        for blocks in self.levels:
            assert isinstance(blocks, nn.ModuleList)
            for block in blocks:
                features = block(features, mask)
            found.append(features)
        return found[1:]
