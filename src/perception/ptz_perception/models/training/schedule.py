# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How the learning rate goes: up in the warm-up, then down along half a cosine (Loshchilov and Hutter, SGDR, ICLR 2017)."""

from __future__ import annotations

import math

from ptz_perception.models.training.settings import TrainingSettings


def learning_rate(iteration: int, settings: TrainingSettings) -> float:
    """Of an iteration, counted from 0."""
    if iteration < settings.warmup:
        return settings.learning_rate * (iteration + 1) / settings.warmup
    done = (iteration - settings.warmup) / max(1, settings.iterations - settings.warmup)
    low = settings.final_rate
    return settings.learning_rate * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
