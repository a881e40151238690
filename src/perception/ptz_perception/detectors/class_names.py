# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a model's classes are called: by a file of names, by the model itself, or by their number; and which of them are wanted."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ptz_perception.detectors.coco import COCO_CLASSES, COCO_IDS
from ptz_site import UserError


def read_names(path: Path) -> tuple[str, ...]:
    """Names of a file: one in each line, or a YAML file with a key `names`, as data sets have. Raises UserError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"perception.names: {path} can't be read: {error}") from None
    if path.suffix in ('.yaml', '.yml'):
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError:
            content = None
        found = _listed(content.get('names')) if isinstance(content, dict) else ()
    else:
        found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not found:
        raise UserError(f'perception.names: {path} has no names; give one in each line, or a YAML file with the key names')
    return found


def names_in(metadata: str) -> tuple[str, ...]:
    """Names as models carry them: {0: 'person', 1: ...} or a list, as Python or JSON writes it; empty if it is something else."""
    try:
        return _listed(ast.literal_eval(metadata))
    except (ValueError, SyntaxError):
        return ()


def names_by_count(count: int) -> tuple[str, ...]:
    """COCO's classes for as many as that data set has, or numbers."""
    if count == len(COCO_CLASSES):
        return COCO_CLASSES
    if count == len(COCO_IDS):
        return COCO_IDS
    return tuple(f'class {index}' for index in range(count))


def wanted_classes(classes: Sequence[str], names: Sequence[str], detector: str, hint: str = '') -> NDArray[np.bool_]:
    """Which of a detector's classes are wanted (n,); none named: all. Raises UserError for one that it does not know."""
    unknown = [name for name in classes if name not in names]
    if unknown:
        raise UserError(f'perception.classes: {", ".join(unknown)} found; {detector} knows {some(names)}{hint}')
    return np.array([not classes or name in classes for name in names])


def some(names: Sequence[str]) -> str:
    """Names for people, who don't want to read eighty."""
    shown = ', '.join(names[:12])
    return shown if len(names) <= 12 else f'{shown} and {len(names) - 12} more'


def _listed(found: Any) -> tuple[str, ...]:
    if isinstance(found, dict) and found and all(str(key).isdigit() for key in found):
        numbered = {int(key): str(value) for key, value in found.items()}
        return tuple(numbered.get(index, f'class {index}') for index in range(max(numbered) + 1))
    if isinstance(found, (list, tuple)):
        return tuple(str(value) for value in found)
    return ()
