# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The first stage of a residual block: a 1x1 convolution, batch and instance normalisation side by side, ReLU.

Instance normalisation takes out of each picture by itself what light, weather, season and camera do to all its pixels (Ulyanov et al.,
arXiv:1607.08022); batch normalisation keeps it, and what tells people apart with it. Side by side both are there.

They join by channels, as in IBN-Net (Pan et al., ECCV 2018, block IBN-a): the first half of the channels is instance-normalised, the second
half batch-normalised. Not by a sum: that would cost both on all channels, put what was taken out back in everywhere, and double the spread
of what the next layer gets.

Sparse: a mask says of each picture of the batch whether it is instance-normalised at all. A picture that is not is batch-normalised in all
channels: batch normalisation has parameters for the first half, too, and learns them from all pictures.
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Added to variances.
_LEAST = 1e-5


class Normalisation(Enum):
    """What the first stage of a block has; what follows has batch normalisation alone."""

    BATCH = 'batch'
    INSTANCE = 'instance'
    BOTH = 'both'


class NormalisedStage(nn.Module):
    """1x1 convolution, normalisation, ReLU: pictures' features (n, given, h, w) to (n, channels, h, w).

    mask (n,), bool: the pictures that are instance-normalised; or all (True) or none of them (False), which costs less. It has no effect
    unless both normalisations are there.
    """

    def __init__(self, given: int, channels: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.convolution = nn.Conv2d(given, channels, 1, bias=False)
        self.batch = None if normalisation is Normalisation.INSTANCE else nn.BatchNorm2d(channels, eps=_LEAST)
        #: The first channels: those that are instance-normalised.
        self.first = {Normalisation.BATCH: 0, Normalisation.BOTH: channels // 2, Normalisation.INSTANCE: channels}[normalisation]
        if self.first:
            self.scale = nn.Parameter(torch.ones(self.first))
            self.shift = nn.Parameter(torch.zeros(self.first))

    def forward(self, features: Tensor, mask: Tensor | bool) -> Tensor:
        if self.batch is None:
            return functional.relu(self._instance(self.convolution(features)))
        if self.normalisation is Normalisation.BATCH or mask is False:
            return functional.relu(self.batch(self.convolution(features)))
        if isinstance(mask, Tensor):
            return functional.relu(self._mixed(self.convolution(features), mask))
        return functional.relu(self._all_chosen(features))

    def _instance(self, features: Tensor) -> Tensor:
        return functional.instance_norm(features, weight=self.scale, bias=self.shift, eps=_LEAST)

    def _mixed(self, features: Tensor, mask: Tensor) -> Tensor:
        """Batch normalisation of everything, and in the chosen pictures instance normalisation in place of its first channels."""
        assert self.batch is not None
        normalised = self.batch(features)
        rows = mask.nonzero().squeeze(1)
        if not len(rows):
            return normalised
        first = normalised[:, : self.first].index_copy(0, rows, self._instance(features[rows, : self.first]))
        return torch.cat((first, normalised[:, self.first :]), 1)

    def _all_chosen(self, features: Tensor) -> Tensor:
        """Of trained networks: each half of the channels with a convolution of its own, of which batch normalisation can be a part."""
        batch = self.batch
        assert batch is not None and batch.running_mean is not None and batch.running_var is not None
        if self.training:
            raise ValueError('trainings need a mask: batch normalisation learns from all pictures')
        first, second = self.convolution.weight[: self.first], self.convolution.weight[self.first :]
        by_batch = functional.batch_norm(
            functional.conv2d(features, second),
            batch.running_mean[self.first :],
            batch.running_var[self.first :],
            batch.weight[self.first :],
            batch.bias[self.first :],
            eps=_LEAST,
        )
        return torch.cat((self._instance(functional.conv2d(features, first)), by_batch), 1)
