# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What was learnt and comes with perception: small models, trained on simulated people. Each has a card beside it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

#: By the name that a site file gives.
_FILES = {'cascade': 'cascade.onnx', 'jde': 'jde.onnx', 'facing': 'facing.onnx'}


def shipped_model(name: str) -> Path | None:
    """The file of a model that comes with perception; None if there is none of that name."""
    file = _FILES.get(name)
    return None if file is None else shipped_file(file)


def shipped_file(name: str) -> Path:
    """Where a file of this folder is."""
    return Path(str(files(__package__).joinpath(name)))
