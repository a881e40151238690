# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of one camera are sent, and for whom: facts and times in, decisions out. No ROS, no files, no clock."""

from __future__ import annotations

from ptz_perception.selection.base import (
    Choice,
    Decision,
    FrameFacts,
    FrameKey,
    Remembered,
    Selection,
    TrackFacts,
    Urgency,
)
from ptz_perception.selection.quality_selection import QualitySelection
from ptz_perception.selection.rules_selection import RulesSelection
from ptz_site.schema import SelectionSettings

__all__ = [
    'Choice',
    'Decision',
    'FrameFacts',
    'FrameKey',
    'QualitySelection',
    'Remembered',
    'RulesSelection',
    'Selection',
    'TrackFacts',
    'Urgency',
    'make_selection',
]


def make_selection(settings: SelectionSettings) -> Selection:
    """The selection that the site names, for one camera."""
    return RulesSelection(settings) if settings.selection == 'rules' else QualitySelection(settings)
