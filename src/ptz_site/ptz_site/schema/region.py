# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The region: what holds for all cameras."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Discriminator, Field, Tag

from ptz_site.schema.section import Name, Section


class ClockLimits(Section):
    """How far a camera's clock may be off."""

    warn_offset: float = Field(0.05, gt=0, description='s; above it the diagnostics warn')
    max_offset: float = Field(0.5, gt=0, description='s; above it the rotation does not start')
    allow_beyond: bool = Field(False, description='start all the same')


class HoldLimits(Section):
    """Limits of a hold."""

    max_hold: float = Field(120.0, gt=0, description='s; a hold ends after this at the latest')
    holder_timeout: float = Field(5.0, gt=0, description='s; a hold ends when its holder is silent for longer')
    resume_delay: float = Field(1.0, gt=0, description='s from the decision to go on until all cameras go on')
    handoff_interval: float = Field(1.0, ge=0, description='s; least time between two handoffs')
    handoff_margin: float = Field(15.0, ge=0, le=180, description='degrees by which another camera must face the target better')


def _dwell_form(value: Any) -> str:
    return '<auto>' if value == 'auto' else '<seconds>'


DwellSpec = Annotated[
    Annotated[float, Field(gt=0, le=86400), Tag('<seconds>')] | Annotated[Literal['auto'], Tag('<auto>')],
    Discriminator(_dwell_form),
]
#: s; the dwell of a region with dwell: auto until somebody was seen.
FIRST_AUTO_DWELL = 10.0


class Region(Section):
    """What holds for all cameras."""

    name: Name
    dwell: DwellSpec = Field(..., description='s on a scene (above 0, at most 86400); auto: as long as fits how long people stay')
    start: AwareDatetime | None = Field(None, description='when slot 0 begins; none: as soon as the cameras are ready')
    start_timeout: float = Field(
        20.0,
        gt=0,
        description='s to wait for cameras before starting without them; three times as long while none at all reports',
    )
    silence_timeout: float = Field(3.0, gt=0, description='s without a camera state after which the camera counts as lost')
    arrival_timeout: float = Field(10.0, gt=0, description='s for a turn, after which the camera has not arrived')
    clock: ClockLimits = ClockLimits()
    hold: HoldLimits = HoldLimits()

    @property
    def first_dwell(self) -> float:
        """The dwell with which a rotation begins, s; with dwell: auto it may change later."""
        return FIRST_AUTO_DWELL if self.dwell == 'auto' else self.dwell
