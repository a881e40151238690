# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: everything that a training needs to go on, written so that a kill leaves the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ptz_site import UserError

LAST, BEST = 'last.pt', 'best.pt'


def save(path: Path, state: dict[str, Any]) -> None:
    """Replaces a checkpoint at once."""
    draft = path.with_suffix('.draft')
    torch.save(state, draft)
    draft.replace(path)


def load(path: Path) -> dict[str, Any]:
    """A checkpoint, on the processor. Tensors and plain values only: a file can't run code. Raises UserError."""
    if not path.is_file():
        raise UserError(f'no checkpoint {path}; give the folder of a training, or one of its .pt files')
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch has many kinds for a file that is none
        raise UserError(f'{path} is not a checkpoint: {(str(error) or repr(error)).splitlines()[0]}') from None
    if not isinstance(state, dict) or 'network' not in state:
        raise UserError(f'{path} is not a checkpoint of a training here')
    return state


def find(path: Path) -> Path:
    """The best checkpoint of a training's folder, or the last one; a file is taken as it is."""
    if path.is_dir():
        return next((path / name for name in (BEST, LAST) if (path / name).is_file()), path / BEST)
    return path
