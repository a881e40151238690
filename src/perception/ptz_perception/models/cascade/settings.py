# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of a cascade detector: network, data and training, as one YAML file gives them."""

from __future__ import annotations

from pydantic import Field

from ptz_perception.models.training.settings import TrainingSettings
from ptz_site.schema.section import Section


class NetworkSettings(Section):
    """Of the network. The switches are for comparisons: what is switched off is replaced by plain blocks of the same width."""

    stem: int = Field(16, ge=4, le=256, description='channels after the first halving of the picture')
    width: int = Field(48, ge=8, le=1024, description='channels at an eighth of the picture, where objects are found')
    context: int = Field(64, ge=8, le=1024, description='channels at a sixteenth of the picture')
    stages: int = Field(3, ge=1, le=12, description='blocks of the neck')
    structure: bool = Field(True, description='the branch that tells objects from background')
    density: bool = Field(True, description='the branch that tells how densely there are objects')
    pyramid: bool = Field(True, description='spatial pyramid pooling in the neck')
    cascade: bool = Field(True, description='losses at every block of the neck, and connections around them')
    attention: bool = Field(True, description='the residual attention of the head')


class DataSettings(Section):
    """How pictures are cut out of a data set for training."""

    classes: list[str] = Field(['person'], min_length=1, description='what is to be found; other objects are background')
    size: tuple[int, int] = Field((320, 192), description='px, width and height of what is cut out; multiples of 16')
    scales: tuple[float, float] = Field(
        (0.35, 1.25), description='least and greatest factor by which pictures are reduced or enlarged'
    )
    crops: int = Field(4, ge=1, description='cut out of each picture that is read')
    hot_share: float = Field(0.7, ge=0, le=1, description='of them around objects, by their density; the others anywhere')
    least_size: float = Field(3.0, ge=0, description='px of height in what is cut out; smaller objects are ignored')


class LossWeights(Section):
    """Of the parts of the loss."""

    classes: float = Field(1.0, ge=0)
    boxes: float = Field(2.0, ge=0)
    structure: float = Field(0.3, ge=0)
    density: float = Field(0.3, ge=0)
    stage: float = Field(0.5, ge=0, description='of what a block of the neck says, beside what the head says')


class CascadeRecipe(Section):
    """All of it."""

    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    weights: LossWeights = LossWeights()
    training: TrainingSettings = TrainingSettings()
