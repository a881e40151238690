# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is sent of a best frame beside the picture: one JSON document for each picture. docs/best-frames.md explains it.

Perception writes it, a receiver reads it. The JSON Schema that is published is made from these models.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: Of the document. A field that is added keeps it, everything else raises it.
VERSION: Final = 1
#: Tracks that a package names at most.
MOST_OBSERVATIONS: Final = 1000

#: Ids become names of files and keys of objects, so that nothing else may be in them.
PackageId = Annotated[str, StringConstraints(pattern=r'^[a-z][a-z0-9_-]{0,199}$')]
Text = Annotated[str, StringConstraints(max_length=200)]


class Part(BaseModel):
    """A part of the document: immutable, strict about unknown keys, and without numbers that JSON does not know."""

    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False)


class Box(Part):
    """Where somebody is in the picture, px; origin in the upper left corner. angle: rad, clockwise, 0 for upright boxes."""

    x: float = Field(description='px, of the centre')
    y: float = Field(description='px, of the centre')
    width: float = Field(gt=0, description='px')
    height: float = Field(gt=0, description='px')
    angle: float = Field(0.0, description='rad, clockwise; 0: upright')


class Ground(Part):
    """Where somebody stands, map frame."""

    x: float = Field(description='m, map frame')
    y: float = Field(description='m, map frame')
    covariance: tuple[float, float, float, float] = Field(description='m^2, row-major 2x2')


class Observation(Part):
    """One track at the picture's instant."""

    track_id: int = Field(ge=0, description="unique for the camera in its driver's session")
    object_id: Text = Field('', description='the same object in all cameras of the region; empty: not known (yet)')
    class_name: Text
    score: float = Field(ge=0, le=1)
    predicted: bool = Field(False, description='not detected in this picture: where it should be')
    box: Box
    ground: Ground | None = None
    heading: float | None = Field(None, description='rad, map frame, direction of movement')
    target: Text = Field('', description='watchlist id; empty: none')
    best: bool = Field(description='the picture was chosen for this one')


class Exposure(Part):
    """How the picture was exposed."""

    mode: Literal['unknown', 'automatic', 'manual']
    time: float | None = Field(None, gt=0, description='s; null: unknown')
    gain: float | None = Field(None, description='dB; null: unknown')


class CameraPosition(Part):
    """Where the camera looked; null where it does not know."""

    pan: float | None = Field(None, description='rad, counter-clockwise positive')
    tilt: float | None = Field(None, description='rad, up positive')
    zoom: float | None = Field(None, description='magnification')


class FramePackage(Part):
    """A best frame, without its picture. id names the picture, so that sending it again changes nothing."""

    version: Literal[1] = VERSION
    id: PackageId
    region: Text
    camera: Text
    scene: Text
    slot: int = Field(ge=0)
    stamp_ns: int = Field(gt=0, description='ns since 1970 (UTC), when the picture was captured')
    session: int = Field(ge=0, description='together with sequence: the image id')
    sequence: int = Field(ge=0)
    exposure: Exposure
    position: CameraPosition
    width: int = Field(gt=0, le=16384, description='px')
    height: int = Field(gt=0, le=16384, description='px')
    encoded_by: Literal['camera', 'perception'] = Field(
        'camera', description='perception: the camera sends video, of which this is one picture'
    )
    picture_bytes: int = Field(gt=0)
    picture_sha256: Annotated[str, StringConstraints(pattern=r'^[0-9a-f]{64}$')]
    immediate: bool = Field(False, description='good enough to be sent at once')
    observations: tuple[Observation, ...] = Field(
        min_length=1, max_length=MOST_OBSERVATIONS, description='every track of the picture'
    )

    @model_validator(mode='after')
    def _chosen_for_somebody(self) -> Self:
        if not any(one.best for one in self.observations):
            raise ValueError('observations: none is best; a picture is sent for at least one of them')
        return self


def package_id(region: str, camera: str, session: int, sequence: int) -> str:
    """The id of a camera's picture: the same whenever it is made."""
    return f'{region}-{camera}-{session}-{sequence}'


def json_schema() -> dict[str, object]:
    """The JSON Schema of the document."""
    return {'$schema': 'https://json-schema.org/draft/2020-12/schema', **FramePackage.model_json_schema()}
