# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a training asks of what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Batch(Protocol):
    """The data of an iteration."""

    def to(self, device: torch.device, /) -> Batch:
        """The same, where the network is."""


class Task(Protocol):
    """A network, its data and its losses."""

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything that is needed to make the same network again: plain values, kept in the checkpoints."""

    def network(self) -> nn.Module:
        """A new network. Its random weights follow from torch's seed."""

    def batch(self, iteration: int, /) -> Batch:
        """The data of an iteration, on the processor: the same for the same iteration, so that a training can go on."""

    def losses(self, network: Any, batch: Any, /) -> Mapping[str, Tensor]:
        """Named parts, scalars; their sum is made smaller. network, batch: those of this task, on one device."""

    def validate(self, network: Any, /) -> Mapping[str, float]:
        """Figures on data that is not trained on; of the first one, more is better."""
