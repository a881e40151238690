# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a training: one YAML file holds the data's, the network's and these."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import Field, ValidationError

from ptz_site import UserError
from ptz_site.schema.section import Section

Recipe = TypeVar('Recipe', bound=Section)


class TrainingSettings(Section):
    """Of the loop. A picture seen once by the network counts once; an iteration is one batch."""

    iterations: int = Field(6000, ge=1, description='after which the training ends')
    batch: int = Field(16, ge=1, description='pictures of an iteration')
    learning_rate: float = Field(2e-3, gt=0, description='the greatest, after the warm-up')
    final_rate: float = Field(0.02, gt=0, le=1, description='share of it that is left at the end; between, half a cosine')
    warmup: int = Field(200, ge=0, description='iterations in which the learning rate rises from nothing')
    weight_decay: float = Field(0.01, ge=0, description='of weights, not of biases and normalisations (AdamW)')
    clip: float = Field(10.0, gt=0, description="greatest norm of an iteration's gradient")
    ema: float = Field(0.998, ge=0, lt=1, description='share of the averaged weights that an iteration keeps; 0: no average')
    validate_every: int = Field(1000, ge=1, description='iterations')
    checkpoint_every: int = Field(500, ge=1, description='iterations')
    log_every: int = Field(20, ge=1, description='iterations')
    seed: int = Field(1, ge=0)
    device: Literal['auto', 'cpu', 'cuda'] = 'auto'
    precision: Literal['float32', 'bfloat16'] = Field(
        'float32', description='what convolutions compute in; weights, normalisation and losses stay in float32'
    )
    threads: int = Field(0, ge=0, description='of the processor; 0: all')


def read_recipe(path: Path, kind: type[Recipe]) -> Recipe:
    """A YAML file of settings. Raises UserError that names the key and the remedy."""
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} can't be read as YAML: {str(error).splitlines()[0]}") from None
    return checked(content, kind, str(path))


def checked(content: object, kind: type[Recipe], source: str) -> Recipe:
    """Settings of plain values; source: where they come from, for people. Raises UserError that names the key and the remedy."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = '.'.join(map(str, problem['loc']))
        raise UserError(f'{source}: {key}: {problem["input"]!r} found; {problem["msg"].lower()}') from None
