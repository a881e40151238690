# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""`ptz-collab dataset simulate`: makes a data set in simulated scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console


@dataclass(frozen=True)
class SimulateRequest:
    """What is to be made. size: pixels; shares: of train, val, test; conditions: keywords joined by commas, each a choice."""

    folder: Path
    scenes: int
    pictures: int
    kinds: tuple[str, ...]
    seed: int
    size: tuple[int, int]
    shares: tuple[float, float, float]
    conditions: tuple[str, ...]
    jobs: int
    overwrite: bool


def simulate(request: SimulateRequest, console: Console) -> int:
    """Makes the data set; the exit code."""
    raise NotImplementedError
