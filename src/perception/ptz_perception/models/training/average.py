# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The average of a network's weights over its training, which is what is validated and exported."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn


class AveragedWeights:
    """An exponential moving average. In the beginning it forgets faster, so that it does not stand still at the first weights."""

    def __init__(self, model: nn.Module, keep: float) -> None:
        self._keep, self._count = keep, 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    def update(self, model: nn.Module) -> None:
        """After an iteration."""
        self._count += 1
        keep = min(self._keep, self._count / (self._count + 10))
        for mine, other in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(other.detach(), 1 - keep)
            else:
                mine.copy_(other)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {'count': self._count, 'model': self.model.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self._count = int(state['count'])
        self.model.load_state_dict(state['model'])
