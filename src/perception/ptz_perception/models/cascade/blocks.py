# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The blocks that the cascade detector is made of."""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn import functional


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inner: int, outer: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
        )


class ResidualBlock(nn.Module):
    """Two convolutions and a connection around them (He et al., Deep Residual Learning, CVPR 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvBlock(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(self.first(features)))


class PyramidPooling(nn.Module):
    """Parallel max pools of growing size, side by side (He et al., Spatial Pyramid Pooling, TPAMI 2015).

    Each pool of 5 goes over the one before, which is the same as pools of 5, 9 and 13 cells and cheaper.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.narrow = ConvBlock(width, half, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.join = ConvBlock(4 * half, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        levels = [self.narrow(features)]
        for _ in range(3):
            levels.append(self.pool(levels[-1]))
        return self.join(cat(levels, 1))


class ResidualAttention(nn.Module):
    """Trunk T and mask M, from a wider view, joined as (1 + M) T (Wang et al., Residual Attention Network, CVPR 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.trunk = ConvBlock(width, width)
        self.down = nn.Sequential(nn.MaxPool2d(2, 2), ConvBlock(width, half), ConvBlock(half, half))
        self.mask = nn.Sequential(ConvBlock(half, half, 1), nn.Conv2d(half, width, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        mask = self.mask(functional.interpolate(self.down(features), scale_factor=2.0, mode='nearest'))
        return (1 + mask) * self.trunk(features)
