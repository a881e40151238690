# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What whoever runs a site should know of its detector."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_perception.shipped import shipped_model

#: The backend whose pictures the models that come with perception were trained on.
_SIMULATED = 'simulated'


@dataclass(frozen=True)
class Advice:
    """For people. serious: hardly anything will be found as it is."""

    text: str
    serious: bool


def advice(detector: str, backend: str) -> Advice | None:
    """By perception.detector and the camera's backend; None: it is as it should be."""
    if backend == _SIMULATED:
        return None
    if shipped_model(detector) is not None:
        text = f'the model {detector} was trained on simulated people; give hog, or a model of real ones, as perception.detector'
        return Advice(text, True)
    if detector == 'hog':
        return Advice(
            'without a model only upright people of some size are found; one of real people finds more (docs/models.md)', False
        )
    return None
