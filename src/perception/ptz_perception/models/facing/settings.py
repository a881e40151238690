# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of a facing network: network, data and training, as one YAML file gives them."""

from __future__ import annotations

from pydantic import Field, field_validator

from ptz_perception.models.training.settings import TrainingSettings
from ptz_site.schema.section import Section


class NetworkSettings(Section):
    """Of the network."""

    widths: tuple[int, ...] = Field(
        (16, 24, 40, 56), min_length=2, max_length=5, description='channels after each halving of the picture'
    )
    hidden: int = Field(64, ge=4, le=1024, description='numbers between the features and the direction')


class DataSettings(Section):
    """How pictures of people are varied for training."""

    size: tuple[int, int] = Field((48, 96), description='px, width and height over which a picture is stretched')
    moved: float = Field(
        0.1, ge=0, le=0.3, description="share of the picture's sides by which each edge is off at most, inwards or outwards"
    )
    light: float = Field(0.3, ge=0, le=0.9, description='by which brightness, contrast and colours are varied at most')
    least_height: int = Field(44, ge=16, description='px to which pictures are reduced at most, so that far people are known too')
    grey: float = Field(0.1, ge=0, le=1, description='share of pictures without colours, as under infrared light')

    @field_validator('size')
    @classmethod
    def _not_tiny(cls, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < 16:
            raise ValueError('give at least 16 for width and height')
        return size


class FacingRecipe(Section):
    """All of it."""

    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings(iterations=2000, batch=64, validate_every=500)
