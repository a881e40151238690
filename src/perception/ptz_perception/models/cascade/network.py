# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The network: backbone with heat branches, feature collecting neck, residual attention head."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, cat, nn
from torch.nn import functional

from ptz_perception.models.cascade.blocks import ConvBlock, PyramidPooling, ResidualAttention, ResidualBlock
from ptz_perception.models.cascade.settings import NetworkSettings
from ptz_perception.models.cells import CellHead, CellOutput

#: The density of an empty cell, before softplus.
_EMPTY = -4.0


@dataclass(frozen=True)
class CascadeOutput:
    """head: the final word; stages: those of the neck's blocks; structure (n, 2, h, w) logits; density (n, 1, h, w), objects a cell."""

    head: CellOutput
    stages: tuple[CellOutput, ...]
    structure: Tensor | None
    density: Tensor | None


class Backbone(nn.Module):
    """Features at an eighth of the picture; what is at a sixteenth comes back as context."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        stem, width, context = settings.stem, settings.width, settings.context
        self.stem = nn.Sequential(ConvBlock(3, stem, 3, 2), ConvBlock(stem, 2 * stem, 3, 2))
        self.eighth = nn.Sequential(ConvBlock(2 * stem, width, 3, 2), ResidualBlock(width))
        self.sixteenth = nn.Sequential(ConvBlock(width, context, 3, 2), ResidualBlock(context), ConvBlock(context, width, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.eighth(self.stem(pictures))
        return features + functional.interpolate(self.sixteenth(features), scale_factor=2.0, mode='nearest')


class HeatBranch(nn.Module):
    """A map that is told apart from the features: structure (two channels) or density (one)."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.features = ConvBlock(width, max(8, width // 3))
        self.map = nn.Conv2d(max(8, width // 3), outputs, 1)
        # Most cells hold nobody: that is where the density begins.
        if self.map.bias is not None and outputs == 1:
            nn.init.constant_(self.map.bias, _EMPTY)

    def forward(self, features: Tensor) -> Tensor:
        return self.map(self.features(features))


class Neck(nn.Module):
    """Equal blocks one after the other, pyramid pooling in their middle, connections around each: every block adds to what is known."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self._around = settings.cascade
        self._middle = settings.stages // 2
        self.blocks = nn.ModuleList(ConvBlock(settings.width, settings.width) for _ in range(settings.stages))
        self.pyramid = PyramidPooling(settings.width) if settings.pyramid else None

    def forward(self, features: Tensor) -> list[Tensor]:
        """The features after each block."""
        collected = []
        for number, block in enumerate(self.blocks):
            if number == self._middle and self.pyramid is not None:
                features = features + self.pyramid(features)
            features = features + block(features) if self._around else block(features)
            collected.append(features)
        return collected


class CascadeNetwork(nn.Module):
    """Pictures (n, 3, h, w), RGB, 0 to 1, sides multiples of 16, to CascadeOutput with cells of 8 px."""

    def __init__(self, settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        width = settings.width
        self.backbone = Backbone(settings)
        self.structure = HeatBranch(width, 2) if settings.structure else None
        self.density = HeatBranch(width, 1) if settings.density else None
        extra = (2 if settings.structure else 0) + (1 if settings.density else 0)
        self.join = ConvBlock(width + extra, width, 1)
        self.neck = Neck(settings)
        self.stage_heads = nn.ModuleList(CellHead(width, classes) for _ in range(settings.stages if settings.cascade else 0))
        self.attention = ResidualAttention(width) if settings.attention else ConvBlock(width, width)
        self.head = CellHead(width, classes)

    def forward(self, pictures: Tensor) -> CascadeOutput:
        features = self.backbone(pictures)
        structure = None if self.structure is None else self.structure(features).float()
        density = None if self.density is None else functional.softplus(self.density(features).float())
        known = [features]
        if structure is not None:
            known.append(structure.softmax(1))
        if density is not None:
            known.append(density)
        collected = self.neck(self.join(cat(known, 1)))
        stages = tuple(head(part) for head, part in zip(self.stage_heads, collected, strict=False))
        return CascadeOutput(self.head(self.attention(collected[-1])), stages, structure, density)
