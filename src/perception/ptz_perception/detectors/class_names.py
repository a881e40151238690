# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a model's classes are called: by a file of names, by the model itself, or by their number."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml

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


def _listed(found: Any) -> tuple[str, ...]:
    if isinstance(found, dict) and found and all(str(key).isdigit() for key in found):
        numbered = {int(key): str(value) for key, value in found.items()}
        return tuple(numbered.get(index, f'class {index}') for index in range(max(numbered) + 1))
    if isinstance(found, (list, tuple)):
        return tuple(str(value) for value in found)
    return ()
