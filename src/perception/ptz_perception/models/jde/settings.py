# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of a tracking network: network, data and training, as one YAML file gives them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ptz_perception.models.cascade.settings import DataSettings as CropSettings
from ptz_perception.models.training.settings import TrainingSettings
from ptz_site.schema.section import Section


class NetworkSettings(Section):
    """Of the network."""

    backbone: Literal['small', 'resnet50'] = 'small'
    normalisation: Literal['batch', 'instance', 'both'] = Field('both', description="of the first stage of the backbone's blocks")
    width: int = Field(48, ge=8, le=1024, description='channels at an eighth of the picture, where objects are found')
    vector: int = Field(64, ge=8, le=2048, description='numbers of an appearance')


class SheetSettings(Section):
    """How single pictures of people are made into pictures of the size that the network sees: sheets, side by side, and collages."""

    share: float = Field(0.5, ge=0, le=1, description='of a batch that is sheets and collages, if the data has identities')
    collages: float = Field(0.5, ge=0, le=1, description='of these: people put into a picture of their scene, if there is one')
    heights: tuple[int, int] = Field(
        (56, 112), description='px, least and greatest height of a person on a sheet; twice its width'
    )
    least_height: int = Field(32, ge=16, description='px, least height of a person in a collage; the greatest is as on sheets')
    light: float = Field(0.15, ge=0, le=0.9, description="by which a sheet's brightness, contrast and colours are varied at most")

    @field_validator('heights')
    @classmethod
    def _in_order(cls, heights: tuple[int, int]) -> tuple[int, int]:
        if not 16 <= heights[0] <= heights[1]:
            raise ValueError('give the least height, of at least 16, and then the greatest')
        return heights


class DataSettings(CropSettings):
    """How batches are made of a data set; that of parts of pictures is as for the cascade detector."""

    size: tuple[int, int] = Field(
        (320, 192), description='px, width and height of what is cut out, and of sheets; multiples of 32'
    )
    scales: tuple[float, float] = Field(
        (0.35, 1.1), description='least and greatest factor by which pictures are reduced or enlarged'
    )
    crops: int = Field(3, ge=1, description='cut out of each picture that is read')
    least_person: float = Field(
        32.0, ge=0, description='px of height in what is cut out; of smaller people the appearance is not learnt'
    )
    sheets: SheetSettings = SheetSettings()

    @field_validator('size')
    @classmethod
    def _of_cells(cls, size: tuple[int, int]) -> tuple[int, int]:
        if any(side < 64 or side % 32 for side in size):
            raise ValueError('give multiples of 32, at least 64')
        return size


class LossSettings(Section):
    """Of the loss."""

    box: Literal['diou', 'iou'] = 'diou'
    boxes: float = Field(2.0, ge=0, description='weight of the boxes, beside the classes with 1')
    identities: float = Field(0.5, ge=0, description='weight of the appearances')
    uncertainty: bool = Field(False, description='weigh finding and telling apart by their uncertainties, which are learnt (JDE)')
    factors: tuple[int, ...] = Field(
        (1, 2, 3, 4, 5),
        min_length=1,
        description='sparsity factors of instance normalisation, one batch each in turn; [1]: all pictures',
    )

    @field_validator('factors')
    @classmethod
    def _positive(cls, factors: tuple[int, ...]) -> tuple[int, ...]:
        if min(factors) < 1:
            raise ValueError('give factors of at least 1')
        return factors


class JdeRecipe(Section):
    """All of it."""

    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    loss: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings(batch=16)
